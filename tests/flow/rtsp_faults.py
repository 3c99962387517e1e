"""What becomes of cameras and their recordings when things go wrong: cables, passwords, clocks, losses, certificates, files."""
import functools
import pathlib
import random
import re
import socket
import subprocess
import time

import clips
import media
from camera import Camera
from case import SANITIZER, SLOWNESS, FlowTest, eventually, run
from rtsp_relay import RtspRelay
from server import free_port

# Short waits, so that nothing here takes long.
QUICK = {"protocol.rtsp.timeout": "1s", "protocol.rtsp.connect_timeout": f"{SLOWNESS}s", "protocol.rtsp.longest_pause": "200ms",
         "record_name_collision": "suffix"}
DAY = 86400


def moved(clock, seconds, after=40):
    """A change that moves a clock from this number of packets of pictures on: that of `rtp` timestamps, also in sender
    reports, or that of the `wall` in them."""
    rates, count = (90000, 44100), [0]

    def change(track, is_rtcp, packet):
        count[0] += track == 0 and not is_rtcp
        if count[0] <= after:
            return packet
        at = 4 if not is_rtcp else 16 if clock == "rtp" else 8
        if (is_rtcp and packet[1] != 200) or (clock == "wall" and not is_rtcp):
            return packet
        time = int.from_bytes(packet[at:at + 4], "big") + seconds * (rates[track] if clock == "rtp" else 1)
        return packet[:at] + (time % (1 << 32)).to_bytes(4, "big") + packet[at + 4:]
    change.count = count
    return change


def without_keys(track, is_rtcp, packet):
    """Drops the pictures that others do not need: IDR pictures, whole or in pieces."""
    if track or is_rtcp:
        return packet
    kind = packet[12] & 31
    return None if 5 in (kind, packet[13] & 31 if kind == 28 else 0) else packet


def lossy(share, seed):
    """Drops this share of the packets of pictures and of sound."""
    chance, count = random.Random(seed), [0]

    def change(track, is_rtcp, packet):
        count[0] += track == 0 and not is_rtcp
        if is_rtcp or chance.random() >= share:
            return packet
        change.lost += 1
        return None
    change.count, change.lost = count, 0
    return change


@functools.cache
def shown_by(clip):
    return frozenset(media.pictures(clip))


class RtspFaults(FlowTest):
    """One camera for all, which gives each client the clip from its beginning, and one that wants the login admin:p@ss."""

    @classmethod
    def setUpClass(cls):
        cls.clip = clips.both(30)
        cls.camera, cls.guarded = Camera(cls.clip, free_port()), Camera(cls.clip, free_port(), "--digest", "admin:p@ss")
        cls.addClassCleanup(cls.camera.kill)
        cls.addClassCleanup(cls.guarded.kill)

    def relay(self, camera, change=None, **more):
        relay = RtspRelay(int(camera.url.split(":")[2].split("/")[0]), change, **more)
        self.addCleanup(relay.close)
        return relay

    def pull(self, server, url, stream, **more):
        status, answer = server.rest("/rtsp/startup", {"uri": url, "localStreamName": stream, "record": True, **more})
        self.assertEqual(status, 200, answer)

    def agent(self, server, stream):
        status, found = server.rest("/rtsp/find", {"localStreamName": stream})
        return found[0] if status == 200 else {"status": "", "info": ""}

    def becomes(self, server, stream, status, info="", seconds=15):
        def found():
            agent = self.agent(server, stream)
            return agent if agent["status"] == status and info in agent.get("info", "") else None
        return eventually(found, lambda: f"{stream} is {status}, {info!r}; it is {self.agent(server, stream)}", seconds)

    def grows(self, server, stream, more=60_000):
        """Waits until so many bytes of it are written."""
        def size():
            session = self.agent(server, stream).get("localMediaSessionId") or "none"
            return sum(part.stat().st_size for part in server.parts() if session in part.name)
        before = size()
        eventually(lambda: size() > before + more, lambda: f"{stream} is written; there are {server.parts()}", 20)

    def written(self, file, least=10):
        """When the pictures of a recording are shown; each is the clip's, and the sound is as well."""
        kept, known = media.pictures(file), shown_by(self.clip)
        self.assertGreater(len(kept), least, file.name)
        self.assertEqual([one for one in kept if one not in known], [], file.name)
        sound = set(media.hashes(self.clip, "audio"))
        self.assertEqual([one for one in media.hashes(file, "audio") if one not in sound], [], file.name)
        return media.times(file, "video")

    @staticmethod
    def pause(shown):
        """The longest time between two pictures."""
        return max(after - before for before, after in zip(shown, shown[1:]))

    def list_cameras(self, server, *cameras):
        (server.home / "conf" / "cameras.yaml").write_text("cameras:\n" + "".join(f"  - {{{one}}}\n" for one in cameras))

    def test_an_unplugged_camera_goes_on_in_its_recording_or_begins_another_after_long(self):
        server = self.server({**QUICK, "protocol.rtsp.timeout": "500ms", "protocol.rtsp.away": "1s"})
        relays = {name: self.relay(self.camera) for name in ("tcp", "udp", "long")}
        for name, relay in relays.items():
            self.pull(server, relay.url, name, transport="udp" if name == "udp" else "tcp")
        for name in relays:
            self.becomes(server, name, "PLAYING")
            self.grows(server, name)
        for relay in relays.values():
            relay.plugged.clear()
        for name in ("tcp", "udp"):
            self.becomes(server, name, "FAILED", "nothing came for 1 s")
            relays[name].plugged.set()
        for name in ("tcp", "udp"):
            self.becomes(server, name, "PLAYING")
            self.grows(server, name)
        server.file("long.mp4")
        self.becomes(server, "long", "FAILED", "did not answer in time")
        relays["long"].plugged.set()
        self.becomes(server, "long", "PLAYING")
        server.stream("long")
        self.grows(server, "long")
        self.assertEqual(server.terminate(), 0)
        self.assertEqual([file.name for file in server.files()], ["long-2.mp4", "long.mp4", "tcp.mp4", "udp.mp4"])
        for file in server.files():
            pause = self.pause(self.written(file))
            if "long" in file.name:
                self.assertLess(pause, 1)
            else:
                self.assertGreater(pause, 0.45, "the pause stays")
        self.assertIn("nothing came for 1 s", server.log())

    def test_a_killed_server_saves_what_was_recorded_and_pulls_its_cameras_again(self):
        server = self.server({**QUICK, "record_rtsp_streams": "true"})
        self.list_cameras(server, f"uri: '{self.camera.url}', name: cam")
        server.reload()
        self.becomes(server, "cam", "PLAYING")
        self.grows(server, "cam")
        server.kill()
        server.restart()
        self.written(server.file("cam.mp4"))
        self.becomes(server, "cam", "PLAYING")
        self.grows(server, "cam")
        self.assertEqual(server.terminate(), 0)
        self.assertEqual([file.name for file in server.files()], ["cam-2.mp4", "cam.mp4"])
        self.written(server.file("cam-2.mp4"))

    def test_losses_and_clocks_that_jump_leave_no_broken_picture(self):
        server = self.server(QUICK)
        changes = {"loss": lossy(0.02, 3), "ahead": moved("rtp", 10), "back": moved("rtp", -10), "day": moved("rtp", DAY), "wall": moved("wall", DAY)}
        for name, change in changes.items():
            self.pull(server, self.relay(self.camera, change).url, name, transport="udp" if name == "loss" else "tcp")
        for name in changes:
            self.becomes(server, name, "PLAYING")
        for name in ("ahead", "back", "day"):
            eventually(lambda name=name: self.agent(server, name)["clockJumps"], name + "'s clock jumps")
        server.logged("its clock jumped by 10 s")
        for name, change in changes.items():
            eventually(lambda change=change: change.count[0] > 200, name, 20)
        self.assertGreater(changes["loss"].lost, 4)
        self.assertEqual(server.terminate(), 0)
        self.assertEqual([file.stem for file in server.files()], sorted(changes))
        for name in changes:
            shown = self.written(server.file(name + ".mp4"))
            self.assertLess(shown[-1], 20, name)
            if name != "loss":
                self.assertGreater(len(shown), 80, name)
                self.assertLess(self.pause(shown), 5, name)

    def test_why_a_camera_cannot_be_had_or_shows_nothing_is_told(self):
        server = self.server({**QUICK, "protocol.rtsp.key_timeout": "1s", "protocol.rtsp.longest_pause": "10s"})
        wrong = self.guarded.url.replace("//", "//admin:wrong@")
        cases = {"wrong": (wrong, "FAILED", "wrong login or password"), "nobody": (self.relay(self.guarded).url, "FAILED", "it wants a login and a password"),
                 "none": (self.camera.url + "/none", "FAILED", "Rtsp stream not found: 404"),
                 "silent": (f"rtsp://127.0.0.1:{free_port()}/cam", "FAILED", "Failed to connect to rtsp stream: 127.0.0.1"),
                 "away": ("rtsp://192.0.2.1/cam", "FAILED", "Failed to connect to rtsp stream: 192.0.2.1"),
                 "unknown": ("rtsp://nobody.invalid/cam", "FAILED", "Failed to connect to rtsp stream: host 'nobody.invalid'"),
                 "keyless": (self.relay(self.camera, without_keys).url, "PLAYBACK_PROBLEM", "no key frame came for 1 s")}
        for name, (url, _, _) in cases.items():
            self.pull(server, url, name)
        for name, (_, status, info) in cases.items():
            self.becomes(server, name, status, info)
            server.logged(info)
        server.logged("tried again, in 300 s, or at once with SIGHUP")
        self.assertEqual(server.rest("/rtsp/startup", {"uri": wrong, "localStreamName": "wrong"})[0], 409, "the same login again")
        self.assertEqual(server.rest("/rtsp/startup", {"uri": wrong.replace("wrong", "p@ss"), "localStreamName": "wrong"})[0], 200)
        self.becomes(server, "wrong", "PLAYING")
        self.assertEqual(server.terminate(), 0)
        for file in server.files("keyless*"):
            self.assertEqual(media.decodes(file), "")
            self.assertEqual(media.packets(file, "video"), [], "nothing could be shown of it")
        self.assertNotIn("p@ss", server.log())

    def certificate(self, name, address):
        paths = [self.scratch / f"{name}.{kind}" for kind in ("pem", "key")]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=" + name, "-addext",
                        "subjectAltName=IP:" + address, "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True)
        return paths

    def test_the_certificate_of_a_camera_is_checked_where_authorities_are_named(self):
        known, elsewhere = self.certificate("known", "127.0.0.1"), self.certificate("elsewhere", "192.0.2.1")
        stranger = self.certificate("stranger", "127.0.0.1")
        authorities = self.scratch / "authorities.pem"
        authorities.write_text(known[0].read_text() + elsewhere[0].read_text())
        checking, trusting = self.server({**QUICK, "protocol.rtsp.ca_file": authorities}), self.server(QUICK)
        for server, name, pair in ((checking, "known", known), (checking, "elsewhere", elsewhere), (checking, "stranger", stranger),
                                   (trusting, "trusted", stranger)):
            self.pull(server, self.relay(self.camera, certificate=pair[0], key=pair[1]).url, name)
        self.pull(checking, self.camera.url.replace("rtsp://", "rtsps://"), "plain")
        refusal = "its certificate is refused: {}; setting 'protocol.rtsp.ca_file'"
        for name, info in (("elsewhere", refusal.format("IP address mismatch")), ("stranger", refusal.format("self-signed certificate")), ("plain", "")):
            self.becomes(checking, name, "FAILED", info)
            checking.logged(info)
        for server, name in ((checking, "known"), (trusting, "trusted")):
            self.becomes(server, name, "PLAYING")
            self.grows(server, name)
            self.assertEqual(server.terminate(), 0)
            self.written(server.file(name + ".mp4"))

    def test_the_list_of_cameras_is_followed_when_it_changes(self):
        server = self.server({**QUICK, "record_rtsp_streams": "true", "protocol.rtsp.longest_pause": "10s"})
        stays, goes, renamed, mended, comes = (f"uri: '{self.relay(self.guarded).url}', user: admin" for _ in range(5))
        right = "password: p@ss"
        self.list_cameras(server, f"{stays}, {right}, name: stays", f"{goes}, {right}, name: goes", f"{renamed}, {right}, name: before",
                          f"{mended}, password: wrong, name: mended")
        server.reload()
        for name in ("stays", "goes", "before"):
            self.becomes(server, name, "PLAYING")
        self.becomes(server, "mended", "FAILED", "wrong login or password")
        for name in ("stays", "goes", "before"):
            self.grows(server, name, 20_000)
        session = self.agent(server, "stays")["localMediaSessionId"]
        (server.home / "conf" / "cameras.yaml").write_text("cameras:\n  - colour: red\n")
        server.reload()
        server.logged("cameras.yaml:2: a camera has no member 'colour'")
        self.assertEqual(len(server.rest("/rtsp/find_all")[1]), 4, "what was listed before stays")
        (server.home / "conf" / "cameras.yaml").unlink()
        server.reload()
        server.logged("cameras.yaml is not there: the cameras of before are pulled on")
        self.assertEqual(len(server.rest("/rtsp/find_all")[1]), 4, "and where there is no list")
        self.list_cameras(server, f"{stays}, {right}, name: stays", f"{renamed}, {right}, name: after", f"{mended}, {right}, name: mended",
                          f"{comes}, {right}, name: comes")
        server.reload()
        for name in ("stays", "after", "mended", "comes"):
            self.becomes(server, name, "PLAYING")
        self.assertEqual(len(server.rest("/rtsp/find_all")[1]), 4)
        self.assertEqual(self.agent(server, "stays")["localMediaSessionId"], session)
        for name in ("goes", "before"):
            self.written(server.file(name + ".mp4"), 1)
        self.assertEqual(server.terminate(), 0)

    def converse(self, server, text, until=b"\r\n\r\n"):
        """What the server answers to these bytes on a new connection, until it says this or hangs up."""
        with socket.create_connection(("127.0.0.1", server.ports["rtsp"]), 10) as line:
            answer = b""
            try:
                line.sendall(text)
                while until not in answer:
                    got = line.recv(65536)
                    if not got:
                        break
                    answer += got
            except ConnectionError:
                pass
            return answer.decode()

    def test_publishers_that_do_not_keep_to_the_rules_are_refused_and_cost_little(self):
        server = self.server({"protocol.rtsp.connect_timeout": f"{SLOWNESS}s", "protocol.rtsp.timeout": "500ms"})

        def request(method, number=1, headers="", body="", path=""):
            length = f"Content-Length: {len(body)}\r\n" if body else ""
            return f"{method} rtsp://h/live/bad{path} RTSP/1.0\r\nCSeq: {number}\r\n{headers}{length}\r\n{body}".encode()
        medium = "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:{}\r\n"
        audio = "m=audio 0 RTP/AVP 8\r\na=control:t1\r\n"
        announce = request("ANNOUNCE", 1, body="v=0\r\n" + medium.format("t0") + audio)
        for text, status in ((request("RECORD"), 455), (request("SETUP", headers="Transport: RTP/AVP/TCP\r\n"), 455), (request("PLAY"), 501),
                             (request("ANNOUNCE"), 400), (request("ANNOUNCE", body="v=0\r\n" + "m=video 0 RTP/AVP 96\r\n" * 4090), 400),
                             (request("ANNOUNCE", body="v=0\r\n" + "a=x\r\n" * 10_000), 400)):
            self.assertIn(f"RTSP/1.0 {status} ", self.converse(server, text))
        with socket.create_connection(("127.0.0.1", server.ports["rtsp"]), 10) as line:
            told = line.makefile("rb")

            def says(text):
                line.sendall(text)
                head = b"".join(iter(told.readline, b"\r\n")).decode()
                return int(head.split()[1])
            self.assertEqual(says(announce), 200)
            self.assertEqual(says(request("RECORD", 2)), 455, "no track is set up")
            self.assertEqual(says(request("ANNOUNCE", 3, body="v=0\r\n" + medium.format("t0"))), 455)
            self.assertEqual(says(request("SETUP", 4, "Transport: RAW/RAW/UDP\r\n", path="/t0")), 461)
            answers = [says(request("SETUP", 5 + n, "Transport: RTP/AVP;unicast;client_port=9-10\r\n", path="/t0")) for n in range(50)]
            self.assertEqual((answers[0], set(answers[1:])), (200, {455}), "a track takes one pair of ports")
            self.assertEqual(says(request("SETUP", 90, "Transport: RTP/AVP/TCP\r\n", path="/t1")), 461, "all tracks come over one transport")
            self.assertEqual(says(request("RECORD", 91)), 200)
            self.assertEqual(says(request("SETUP", 92, "Transport: RTP/AVP;unicast;client_port=9-10\r\n", path="/t1")), 455)
            with self.assertRaises(OSError):
                while True:  # signs of life are no media
                    line.sendall(b"\r\n")
                    time.sleep(0.02)
            server.logged("Failed by RTP activity")
        with socket.create_connection(("127.0.0.1", server.ports["rtsp"]), 10) as line:
            with self.assertRaises(OSError):
                while True:  # nor do they keep a place for ever
                    line.sendall(b"\r\n")
                    time.sleep(0.02)
        for text in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02", request("OPTIONS", headers="Content-Length: 4000000000\r\n"),
                     request("OPTIONS", headers="Content-Length: -1\r\n"), b"OPTIONS " + b"x" * 1_000_000, b"OPTIONS * RTSP/1.0\r\n" + b"A: b\r\n" * 100_000):
            self.assertEqual(self.converse(server, text, b"never"), "", text[:60])

        def memory():
            status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
            return int(re.search(r"VmRSS:\s*(\d+)", status)[1]) * 1024
        before, lines = memory(), []
        for _ in range(100):  # each as much as one may have before it is a message
            lines.append(socket.create_connection(("127.0.0.1", server.ports["rtsp"]), 10))
            lines[-1].sendall(request("OPTIONS", headers="Content-Length: 262144\r\n") + b"x" * 262_000)
        self.assertIn("200 OK", self.converse(server, request("OPTIONS")), "others are served")
        self.assertLess(memory() - before, 100 * 1_000_000 * (4 if SANITIZER else 1))
        for line in lines:
            line.close()
        self.assertEqual(server.terminate(), 0)


if __name__ == "__main__":
    run()
