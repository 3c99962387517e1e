"""Encoders that push MPEG-TS over UDP, RTP and SRT, and what becomes of their streams in recordings."""
import collections
import functools
import hashlib
import json
import os
import random
import socket
import subprocess
import threading
import time

import clips
import media
import mpegts
from case import FlowTest, eventually, run
from server import Server, free_port
from srt_callers import Callers

Track = collections.namedtuple("Track", "codec tag times")
CLIPS = {"h264": ("h264", "aac"), "h265": ("h265", "aac"), "mp2": ("h264", "mp2"), "ac3": ("h265", "ac3"), "latm": ("h264", "aac")}
PROTOCOL = {"udp": "udp", "rtp": "rtp", "srt": "srt", "secret": "srt"}
QUERY = {"udp": "?pkt_size=1316", "rtp": "", "srt": "?linger=5", "secret": "?linger=5&passphrase=correct-horse"}
CONTAINERS = ("mp4", "mkv", "ts")
WRAPPED, WRAP = ("latm", "ac3"), ["-output_ts_offset", "95441.3"]  # their times of 33 bits begin again at 0 after a second
WHOLE = "TAPEDECK_WHOLE" in os.environ
# (container, transport) of each codec's streams: every pair of these two, and every codec in every container; or all there are.
ASKED = {kind: [(container, transport) for c, container in enumerate(CONTAINERS) for t, transport in enumerate(PROTOCOL)
                if WHOLE or t == (k + c) % 4]
         for k, kind in enumerate(CLIPS)}


@functools.cache
def shown_by(clip):
    return media.decoded(clip)["video"]


@functools.cache
def seen(path):
    """{kind: Track} as players see it; times in the order of showing."""
    entries = "stream=codec_type,codec_name,codec_tag_string:packet=stream_index,pts_time"
    shown = json.loads(subprocess.run(["ffprobe", "-v", "error", "-show_entries", entries, "-of", "json", str(path)],
                                      capture_output=True, check=True).stdout)
    return {track["codec_type"]: Track(track["codec_name"], track["codec_tag_string"],
                                       sorted(float(one["pts_time"]) for one in shown["packets"] if one["stream_index"] == number))
            for number, track in enumerate(shown["streams"])}


class Relay:
    """Takes datagrams and gives each on to all of `uris`, but those of which `is_lost(number)`."""

    def __init__(self, uris):
        self.count, self.is_lost = 0, lambda number: False
        self._to = [("127.0.0.1", int(uri.rsplit(":", 1)[1])) for uri in uris]
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"udp://127.0.0.1:{self._socket.getsockname()[1]}?pkt_size=1316"
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while datagram := self._socket.recv(2048):
            if not self.is_lost(self.count):
                for to in self._to:
                    self._socket.sendto(datagram, to)
            self.count += 1

    def close(self):
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()


class MpegTs(FlowTest):
    def served(self, settings=None, rules=""):
        server = Server(self.scratch / "home", {"record_flash_published_streams": "false", "protocol.mpegts.media_port_from": "0",
                                                "protocol.mpegts.address": "127.0.0.1", **(settings or {})})
        self.addCleanup(self._end, server)
        (server.home / "conf" / "record_rules.yaml").write_text(rules)
        return server.start()

    def startup(self, server, transport, name="film", **more):
        status, answer = server.rest("/mpegts/startup", {"localStreamName": name, "transport": transport, "record": True, **more})
        self.assertEqual(status, 200, answer)
        self.assertTrue(answer["uri"].startswith(transport + "://127.0.0.1:"), answer)
        return answer

    def end(self, server, name="film"):
        self.assertEqual(server.rest("/mpegts/terminate", {"localStreamName": name}), (200, None))

    def started(self, process):
        """The same; ended with the test."""
        def over():
            process.kill()
            process.wait()
            if process.stderr:
                process.stderr.close()
        self.addCleanup(over)
        return process

    def relay(self, uris):
        relay = Relay(uris)
        self.addCleanup(relay.close)
        return relay

    def info(self, server, name):
        return server.rest("/mpegts/find", {"localStreamName": name})[1][0].get("info", "")

    def sender(self, clip, outputs, pace=("-re",), before=(), more=()):
        """One ffmpeg that sends this clip as it is to all of them: (transport, address, flags of the TS muxer); `more` says how."""
        words = []
        for transport, url, flags in outputs:
            fmt = ["-f", "mpegts", "-mpegts_flags", flags]
            if transport == "rtp":
                fmt = ["-f", "rtp_mpegts", "-mpegts_muxer_options", f"mpegts_flags={flags}"]
            words += ["-map", "0", "-c", "copy", *more, *fmt, url]
        return subprocess.Popen(["ffmpeg", "-nostdin", "-v", "error", *pace, *before, "-i", str(clip), *words],
                                stderr=subprocess.PIPE, text=True)

    def test_every_transport_and_codec_goes_into_every_container(self):
        server = self.served(rules="rules: [{name: '*-mkv', formats: 'h264-mkv, h265-mkv'}, {name: '*-ts', formats: 'h264-ts, h265-ts'}, "
                                   "{name: '*-mp4', formats: 'h264-mp4, h265-mp4'}]")
        senders = {}
        for kind, transports in ASKED.items():
            outputs = []
            for container, transport in transports:
                more = {"passphrase": "correct-horse"} if transport == "secret" else {}
                answer = self.startup(server, PROTOCOL[transport], f"{kind}-{transport}-{container}", **more)
                self.assertEqual(answer["status"], "CONNECTED")
                outputs.append((transport, answer["uri"] + QUERY[transport], "latm" if kind == "latm" else "0"))
            senders[kind] = self.sender(clips.pair(*CLIPS[kind], 2), outputs, more=WRAP if kind in WRAPPED else [])
        for kind, sender in senders.items():
            self.assertEqual((sender.communicate()[1], sender.returncode), ("", 0), kind)
        asked = [(f"{kind}-{transport}-{container}", kind, container, transport)
                 for kind, pairs in ASKED.items() for container, transport in pairs]
        for name, _, _, transport in asked:
            if PROTOCOL[transport] == "srt":
                self.left(server, name)
        self.assertEqual(server.rest("/mpegts/terminate", {"status": "PROCESSED_LOCAL"}), (200, None))
        for name, kind, container, transport in asked:
            with self.subTest(name=name):
                kept_back = 14 if transport == "rtp" else 0  # by ffmpeg, for good
                self.check(server.file(f"{name}.{container}"), clips.pair(*CLIPS[kind], 2), container, kept_back)
        self.assertEqual(server.rest("/mpegts/find_all")[0], 404)

    def check(self, file, clip, container, missing):
        """Every picture and frame of the clip but the last few, sound and picture together, and all of it decodes."""
        source, kept = seen(clip), seen(file)
        shown, pictures = shown_by(clip), media.decoded(file)["video"]
        self.assertGreaterEqual(len(pictures), len(shown) - missing)
        self.assertEqual(pictures, [one for one in shown if one in set(pictures)])
        is_copied = container == "mkv" or source["audio"].codec == "aac"
        self.assertEqual(kept["audio"].codec, source["audio"].codec if is_copied else "aac")
        self.assertEqual(kept["video"].codec, source["video"].codec)
        if container == "mp4":
            self.assertEqual(kept["video"].tag, {"h264": "avc1", "hevc": "hvc1"}[kept["video"].codec])
        if is_copied:
            frames = media.hashes(clip, "audio")
            found = media.hashes(file, "audio")
            if container == "ts":
                found = [hashlib.md5(frame).hexdigest() for frame in mpegts.read(file).frames()]  # without their headers
            self.assertGreaterEqual(len(found), len(frames) - missing)
            self.assertEqual(found, frames[:len(found)])
        # The encoder's first frame is one of silence, and one that is not heard may have the next one's time.
        frame = 2 if is_copied else 0
        apart = [of["audio"].times[frame] - of["video"].times[2] for of in (source, kept)]
        self.assertLess(abs(apart[0] - apart[1]), 0.025, apart)

    def left(self, server, name):
        """Waits until the caller has gone, and all that it sent is there."""
        eventually(lambda: "sender" not in server.rest("/mpegts/find", {"localStreamName": name})[1][0], name + " has no sender")

    def test_encoders_go_on_when_the_server_was_killed_or_they_were_away_themselves(self):
        port, srt_port, feed = free_port(), free_port(), free_port()
        server = self.served({"protocol.mpegts.media_port_from": port, "protocol.mpegts.media_port_to": port + 20,
                              "protocol.mpegts.srt_port": srt_port, "protocol.mpegts.srt_passphrase": "correct-horse",
                              "protocol.mpegts.record": "true", "record_name_collision": "suffix", "record_formats": "h264-ts"})
        given = self.startup(server, "udp", "given")
        self.started(subprocess.Popen(["srt-live-transmit", "-q", f"udp://127.0.0.1:{feed}",
                                       f"srt://127.0.0.1:{srt_port}?passphrase=correct-horse&streamid=#!::r=called,m=publish"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        both = [("udp", uri + QUERY["udp"], "0") for uri in (given["uri"], f"udp://127.0.0.1:{feed}")]
        self.started(self.sender(clips.both(2), both, before=["-stream_loop", "-1"]))

        def grown(names):
            sessions = [server.rest("/mpegts/find", {"localStreamName": name})[1][0]["localMediaSessionId"] for name in names]
            return all(any(part.stat().st_size > 40000 for part in server.parts() if session in part.name) for session in sessions)
        eventually(lambda: server.rest("/mpegts/find", {"localStreamName": "called"})[0] == 200, "the caller's stream")
        eventually(lambda: grown(["given", "called"]), "a part of both is in their files")
        server.kill()
        server.restart()
        for name in ("given.ts", "called.ts"):
            file = server.file(name)
            self.assertGreater(len(media.packets(file, "video")), 10)
            self.assertEqual(media.decodes(file), "")
        self.assertEqual(server.rest("/mpegts/find", {"localStreamName": "given"})[0], 404, "what REST began is begun again by REST")
        self.assertEqual(self.startup(server, "udp", "given")["uri"], given["uri"])
        self.go_away(server)
        eventually(lambda: server.rest("/mpegts/find", {"localStreamName": "called"})[0] == 200, "the caller is back by itself")
        eventually(lambda: grown(["given", "called"]), "both go on")
        self.assertEqual(server.terminate(), 0)
        for name in ("given-2.ts", "called-2.ts"):
            self.assertEqual(media.decodes(server.file(name)), "")

    def go_away(self, server):
        """An encoder that is silent for two seconds goes on in its recording, or ends it whole where `timeout` is shorter."""
        clip = clips.both(5)
        ports = [self.startup(server, "udp", "patient")["uri"], self.startup(server, "udp", "strict", timeout=1000)["uri"]]
        relay = self.relay(ports)
        sender = self.started(self.sender(clip, [("udp", relay.url, "0")]))
        eventually(lambda: relay.count > 20, "half a second is sent")
        relay.is_lost = lambda number: True
        eventually(lambda: self.info(server, "strict") == "no data for 1000 ms", "the strict one has ended")
        strict = server.file("strict.ts")
        eventually(lambda: self.info(server, "patient").startswith("no data for 2 s"), "the patient one waits")
        relay.is_lost = lambda number: False
        self.assertEqual((sender.communicate()[1], sender.returncode), ("", 0))
        self.end(server, "patient")
        patient = server.file("patient.ts")
        source = set(media.pictures(clip))
        for file in (strict, patient):
            self.assertEqual([picture for picture in media.decoded(file)["video"] if picture not in source], [])
        self.assertLess(media.seconds(strict), 4)
        self.assertAlmostEqual(media.seconds(patient), 5, delta=0.1)
        self.assertLess(len(media.packets(patient, "video")), 90, "the pause is one")
        self.assertEqual(server.files("*strict*"), [strict])

    def test_callers_of_the_fixed_port_who_come_at_once_and_hang_up_at_their_end_are_recorded_in_full(self):
        port, clip, stream = free_port(), clips.both(2), self.scratch / "clip.ts"
        server = self.served({"protocol.mpegts.srt_port": port, "protocol.mpegts.record": "true"})
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(clip), "-c", "copy", "-f", "mpegts", str(stream)], check=True)
        callers = Callers()
        self.addCleanup(callers.close)
        callers.connect(port, [f"caller-{n}" for n in range(40)])
        callers.send(stream.read_bytes(), 1)
        callers.drain()
        callers.close()
        eventually(lambda: len(server.files("*.mp4")) == 40, lambda: server.files())
        for name in ("caller-0.mp4", "caller-39.mp4"):
            self.assertEqual(media.all_hashes(server.file(name)), media.all_hashes(clip))

    def test_two_percent_loss_leaves_no_broken_picture(self):
        server = self.served()
        clip = clips.both(20)
        relay = self.relay([self.startup(server, "udp")["uri"]])
        chance = random.Random(3)
        relay.is_lost = lambda number: chance.random() < 0.02
        sender = self.sender(clip, [("udp", relay.url, "0")], pace=("-readrate", "12"))
        self.assertEqual((sender.communicate()[1], sender.returncode), ("", 0))
        eventually(lambda: (server.rest("/mpegts/find_all")[1] or [{}])[0].get("lost", 0) > 5, "losses are counted")
        self.end(server)
        file = server.file("film.mp4")
        source, kept = media.pictures(clip), media.pictures(file)
        self.assertGreater(len(kept), 150)
        self.assertLess(len(kept), len(source))
        self.assertEqual([picture for picture in kept if picture not in set(source)], [], "each picture is one of the clip's")
        self.assertEqual(media.decodes(file), "")

    def test_find_all_and_the_log_say_what_is_wrong(self):
        server = self.served()
        srt = self.startup(server, "srt", "secret", passphrase="correct-horse")["uri"]
        short = self.startup(server, "udp", "short", timeout=400)
        closed = self.startup(server, "udp", "closed", allowedList=["192.0.2.0/24"])["uri"]
        empty = self.startup(server, "udp", "empty", program=7)["uri"]
        self.assertEqual(server.rest("/mpegts/startup", {"localStreamName": "empty"})[0], 409, "the name is in use")
        for body, word in (({"localStreamName": "x", "transport": "tcp"}, "transport"), ({"transport": "udp"}, "localStreamName"),
                           ({"localStreamName": "x", "allowedList": ["nobody"]}, "nobody"),
                           ({"localStreamName": "x", "transport": "srt", "passphrase": "short"}, "10 to 79")):
            status, answer = server.rest("/mpegts/startup", body)
            self.assertEqual(status, 400)
            self.assertIn(word, str(answer))
        clip = clips.both(2)
        for query, words in (("?passphrase=wrong-passphrase", "has a wrong passphrase"), ("", "does not encrypt")):
            self.sender(clip, [("srt", srt + query, "0")], pace=()).communicate()
            server.logged(words)
        self.sender(clip, [("udp", uri + QUERY["udp"], "0") for uri in (closed, empty)], pace=()).communicate()
        for name, words in (("secret", "does not encrypt"), ("short", "no data for 400 ms"), ("closed", "not in allowedList"),
                            ("empty", "no program 7: the stream has 1")):
            eventually(lambda: words in server.rest("/mpegts/find", {"localStreamName": name})[1][0]["info"],
                       lambda: f"{name}: {words}; there is {server.rest('/mpegts/find_all')}")
            server.logged(words)
        self.assertEqual(server.rest("/mpegts/find", {"uri": short["uri"]})[1][0]["status"], "FAILED")
        self.assertEqual(server.rest("/mpegts/terminate", {})[0], 400)
        self.assertEqual(server.terminate(), 0)


if __name__ == "__main__":
    run()
