"""Encoders that push MPEG-TS over UDP, RTP and SRT, and what becomes of their streams in recordings."""
import random
import socket
import subprocess
import threading
import time

import clips
import media
from case import FlowTest, eventually, run
from server import free_port

PACKETS = 7 * 188  # of a datagram


class MpegTs(FlowTest):
    def served(self, settings=None):
        return self.server({"record_flash_published_streams": "false", "protocol.mpegts.port_from": "0",
                            "protocol.mpegts.address": "127.0.0.1", **(settings or {})})

    def startup(self, server, transport, name="film", **more):
        status, answer = server.rest("/mpegts/startup", {"localStreamName": name, "transport": transport, "record": True, **more})
        self.assertEqual(status, 200, answer)
        self.assertTrue(answer["uri"].startswith(transport + "://127.0.0.1:"), answer)
        return answer

    def send(self, clip, url, *codecs, fmt="mpegts", pace=("-re",), seconds=60):
        """ffmpeg with this clip in real time, as it is unless codecs are named."""
        result = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *pace, "-i", str(clip), *(codecs or ("-c", "copy")), "-f", fmt, url],
                                capture_output=True, text=True, timeout=seconds)
        self.assertEqual(result.returncode, 0, result.stderr)

    def as_ts(self, clip, *codecs):
        path = self.scratch / (clip.stem + ".ts")
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(clip), *(codecs or ("-c", "copy")), "-f", "mpegts", str(path)], check=True)
        return path

    def end(self, server, name="film"):
        self.assertEqual(server.rest("/mpegts/terminate", {"localStreamName": name}), (200, None))

    def assert_whole(self, file, clip, missing=0):
        """Every picture and frame of the clip but the last few, with sound and picture together."""
        for kind, unit in (("video", clip), ("audio", clip)):
            source, kept = media.packets(unit, kind), media.packets(file, kind)
            self.assertGreaterEqual(len(kept), len(source) - missing, (file.name, kind))
            self.assertLessEqual(len(kept), len(source), kind)
        pictures = media.pictures(file)
        self.assertEqual(pictures, [one for one in media.pictures(clip) if one in set(pictures)])
        sound = media.hashes(file, "audio")
        self.assertEqual(sound, media.hashes(clip, "audio")[:len(sound)])
        apart = [media.times(path, "audio")[0] - media.times(path, "video")[0] for path in (clip, file)]
        self.assertLess(abs(apart[0] - apart[1]), 0.025)
        self.assertEqual(media.decodes(file), "")

    def test_udp_rtp_and_srt_are_recorded_with_the_packets_of_their_source(self):
        server = self.served()
        clip = clips.b_frames(2)
        urls = {"udp": "?pkt_size=1316", "rtp": "", "srt": "?passphrase=correct-horse&mode=caller"}
        with_passphrase = {"srt": {"passphrase": "correct-horse"}}
        answers = {one: self.startup(server, one, one, **with_passphrase.get(one, {})) for one in urls}
        self.assertEqual(answers["srt"]["status"], "CONNECTED")
        self.assertEqual((answers["udp"]["timeout"], answers["udp"]["maxTimestampDiff"], answers["udp"]["allowedList"]), (90000, 1, []))
        senders = [threading.Thread(target=self.send, args=(clip, answers[one]["uri"] + query), kwargs={"fmt": "rtp_mpegts" if one == "rtp" else "mpegts"})
                   for one, query in urls.items()]
        for sender in senders:
            sender.start()
        for one in urls:
            eventually(lambda one=one: server.rest("/mpegts/find", {"localStreamName": one})[1][0]["hasVideo"], "video of " + one)
        for sender in senders:
            sender.join()
        time.sleep(0.3)  # what SRT still holds back
        for one in urls:
            self.end(server, one)
            self.assert_whole(server.file(one + ".mp4"), clip, missing={"udp": 0, "rtp": 14, "srt": 14}[one])  # ffmpeg does not send its last RTP packets
        self.assertEqual(server.rest("/mpegts/find_all")[0], 404)

    def test_srt_live_transmit_sends_to_the_fixed_port_and_its_stream_id_names_the_stream(self):
        port = free_port()
        server = self.served({"protocol.mpegts.srt_port": port, "protocol.mpegts.record": "true", "record_formats": "h264-ts"})
        source = self.as_ts(clips.both(2))
        feed = free_port()
        relay = subprocess.Popen(["srt-live-transmit", "-q", f"udp://127.0.0.1:{feed}", f"srt://127.0.0.1:{port}?streamid=#!::r=live,m=publish"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(relay.wait)
        self.addCleanup(relay.kill)
        eventually(lambda: server.rest("/mpegts/find", {"localStreamName": "live"})[0] == 200, "the caller's stream")
        self.send(source, f"udp://127.0.0.1:{feed}?pkt_size=1316")
        time.sleep(0.3)
        relay.terminate()
        file = server.file("live.ts")
        self.assertGreaterEqual(len(media.packets(file, "video")), 49)
        self.assertEqual(media.decodes(file), "")

    def test_mp2_and_ac3_are_encoded_for_mp4_and_latm_is_not(self):
        server = self.served()
        clip = clips.both(2)
        latm = ["-c", "copy", "-mpegts_flags", "latm"]
        kinds = {"mp2": ["-c:v", "copy", "-c:a", "mp2"], "ac3": ["-c:v", "copy", "-c:a", "ac3"], "latm": latm}
        senders = []
        for name, codecs in kinds.items():
            uri = self.startup(server, "udp", name)["uri"]
            senders.append(threading.Thread(target=self.send, args=(clip, uri + "?pkt_size=1316", *codecs)))
            senders[-1].start()
        for sender in senders:
            sender.join()
        for name in kinds:
            self.end(server, name)
            file = server.file(name + ".mp4")
            self.assertEqual(media.track(file, "audio")["codec_name"], "aac")
            self.assertAlmostEqual(media.seconds(file), 2, delta=0.2)
            self.assertEqual(media.decodes(file), "")
            self.assertLess(abs(media.times(file, "video")[0] - media.times(file, "audio")[0]), 0.03)
        self.assertEqual(media.hashes(server.file("latm.mp4"), "audio"), media.hashes(clip, "audio"))

    def test_two_percent_loss_leaves_no_broken_picture(self):
        server = self.served()
        clip = clips.both(30)
        data = self.as_ts(clip).read_bytes()
        port = int(self.startup(server, "udp")["uri"].rsplit(":", 1)[1])
        chance = random.Random(3)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for number, at in enumerate(range(0, len(data), PACKETS)):
                if number % 50 == 49:
                    time.sleep(0.05)
                if chance.random() >= 0.02:
                    out.sendto(data[at:at + PACKETS], ("127.0.0.1", port))
        eventually(lambda: (server.rest("/mpegts/find_all")[1] or [{}])[0].get("lost", 0) > 5, "losses are counted")
        self.end(server)
        file = server.file("film.mp4")
        source, kept = media.pictures(clip), media.pictures(file)
        self.assertGreater(len(kept), 200)
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
        for body, word in (({"localStreamName": "x", "transport": "tcp"}, "transport"), ({"localStreamName": "x", "allowedList": ["nobody"]}, "nobody"),
                           ({"transport": "udp"}, "localStreamName"), ({"localStreamName": "x", "transport": "srt", "passphrase": "short"}, "10 to 79")):
            status, answer = server.rest("/mpegts/startup", body)
            self.assertEqual(status, 400)
            self.assertIn(word, str(answer))
        clip = self.as_ts(clips.both(2))
        for url, words in ((srt + "?passphrase=wrong-passphrase", "has a wrong passphrase"), (srt, "does not encrypt")):
            subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", clip, "-c", "copy", "-f", "mpegts", url], capture_output=True, timeout=30)
            server.logged(words)
        for url in (closed, empty):
            self.send(clip, url + "?pkt_size=1316", pace=())
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
