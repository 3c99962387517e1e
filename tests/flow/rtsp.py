"""Cameras that are pulled over RTSP, and encoders that publish: what is recorded, and how picture and sound lie in it."""
import base64
import concurrent.futures
import subprocess

import clips
import media
from camera import Camera
from case import SLOWNESS, FlowTest, eventually, run
from onvif_fake import OnvifFake
from server import Server, free_port

# A stream's name ends with the container that it goes into.
RULES = """
rules:
  - {name: "*-mp4", formats: "h264-mp4, h265-mp4"}
  - {name: "*-mkv", formats: "h264-mkv, h265-mkv, vp8-mkv"}
  - {name: "*-ts", formats: "h264-ts, h265-ts"}
  - {name: "*-webm", formats: "vp8-webm"}
"""
APART = 0.025  # most seconds from picture to sound


def in_parallel(work, items):
    with concurrent.futures.ThreadPoolExecutor(4) as workers:
        return list(workers.map(lambda item: work(*item), items))


class Rtsp(FlowTest):
    def camera(self, clip, *arguments):
        camera = Camera(clip, free_port(), *arguments)
        self.addCleanup(camera.kill)
        return camera

    def served(self, settings=None):
        """A server that records each stream into the container that its name ends with; what a file has is mostly media."""
        server = Server(self.scratch / "home", {"record_rtsp_streams": "true", "writer.mkv.cues_reserve": "8k", "writer.webm.cues_reserve": "8k",
                                                **(settings or {})})
        self.addCleanup(self._end, server)
        (server.home / "conf" / "record_rules.yaml").write_text(RULES)
        return server.start()

    def pull(self, server, url, stream="cam", **more):
        return server.rest("/rtsp/startup", {"uri": url, "localStreamName": stream, "record": True, **more})

    def agents(self, server):
        code, found = server.rest("/rtsp/find_all")
        return found if code == 200 else []

    def status(self, server):
        return next(iter(self.agents(server)), {})

    def plays(self, server):
        eventually(lambda: self.status(server).get("status") == "PLAYING", lambda: self.status(server), 15)

    def recorded(self, server, stream):
        """Bytes of the recording under way of this stream."""
        found = server.rest("/stream/find", {"name": stream})[1]
        session = found[0]["mediaSessionId"] if isinstance(found, list) else "none"
        return next((part.stat().st_size for part in server.parts() if part.name.startswith(session)), 0)

    def records(self, server, stream, size, seconds=20):
        """Waits until the recording under way is so large."""
        eventually(lambda: self.recorded(server, stream) >= size,
                   lambda: (stream, size, self.recorded(server, stream), server.log()[-2000:]), seconds)

    def holds(self, file, clip, least=0.2):
        """The file has the clip's pictures and sound, in their order and without holes, beside each other from the first on."""
        container, of = file.suffix[1:], media.codecs(clip)
        is_converted = of[1].startswith("pcm") and container != "mkv"
        ours, theirs = media.contents(file, (of[0], "aac" if is_converted else of[1])), media.contents(clip, of)
        if (container, of[0]) == ("mp4", "hevc"):
            self.assertEqual(media.track(file, "video")["codec_tag_string"], "hvc1")
        pictures = self.offsets(ours["video"], theirs["video"], least, file.name)
        # The first picture is shown from the begin of the file on, which may be that of the sound.
        self.assertLessEqual(pictures[0], pictures[1] + 0.001, file.name)
        if of[1].startswith("pcm"):  # cut into other packets than the source's, if it is not AAC
            begin = ours["video"][1][0]
            sounds = [pictures[1] + media.lag(file, clip, pictures[1], begin + later) for later in (0.1, 0.7)]
        else:
            sounds = self.offsets(ours["audio"], theirs["audio"], least, file.name)
        apart = max(max(pictures[1:]) - min(sounds), max(sounds) - min(pictures[1:]))
        at_first = pictures[1] - sounds[0]
        print(f"{file.name}: picture {1000 * at_first:+.1f} ms behind the sound at the start, {1000 * apart:.1f} ms at most")
        self.assertLess(apart, APART, file.name)
        self.assertEqual(media.decodes(file), "")

    def offsets(self, ours, theirs, least, what):
        """By how many seconds each of our packets is later than in the clip."""
        self.assertGreaterEqual(len(ours), least * len(theirs), what)
        at = [md5 for _, md5 in theirs].index(ours[0][1])
        self.assertEqual([md5 for _, md5 in ours], [md5 for _, md5 in theirs[at:at + len(ours)]], what)
        return [mine - others for (mine, _), (others, _) in zip(ours, theirs[at:])]

    def test_cameras_are_recorded_into_every_container(self):
        server = self.served()
        cameras = [("digest", clips.both(3), ("--digest", "admin:p@ss"), ("mp4", "mkv", "ts")),
                   ("udp", clips.b_frames(3), ("--udp",), ("mp4", "mkv", "ts")),
                   ("h265", clips.mkv_of("h265", "aac"), (), ("mp4", "mkv", "ts")),
                   ("pcma", clips.telephone("pcm_alaw"), (), ("mp4", "mkv", "ts")),
                   ("pcmu", clips.telephone("pcm_mulaw"), ("--udp",), ("mkv",)),
                   ("vp8", clips.pair("vp8", "opus"), (), ("webm", "mkv"))]
        wanted = [(name, clip, arguments, container) for name, clip, arguments, containers in cameras for container in containers]
        # One for each, since GStreamer's server may abort at a PLAY and takes with it what plays already.
        started = in_parallel(lambda name, clip, arguments, container: self.camera(clip, *arguments), wanted)
        pulled = []
        for camera, (name, clip, arguments, container) in zip(started, wanted):
            login = "admin:p@ss@" if "--digest" in arguments else ""
            stream = f"{name}-{container}"
            self.assertEqual(self.pull(server, camera.url.replace("//", "//" + login), stream)[0], 200)
            self.assertEqual(self.pull(server, camera.url, "other")[0], 409)
            pulled.append((camera.url, stream, clip, container, "UDP" if "--udp" in arguments else "TCP"))
        waiting = list(pulled)

        def all_are_ended():
            """Each ends before its clip does, from whose beginning on its camera would play again."""
            for url, stream, clip, _, transport in list(waiting):
                if self.recorded(server, stream) < 0.6 * clip.stat().st_size:
                    continue
                shown = next(agent for agent in self.agents(server) if agent["localStreamName"] == stream)
                self.assertEqual((shown["uri"], shown["transport"], shown["hasVideo"], shown["hasAudio"]), (url, transport, True, True))
                self.assertEqual(server.rest("/rtsp/terminate", {"uri": url})[0], 200)
                waiting.remove((url, stream, clip, _, transport))
            return not waiting

        eventually(all_are_ended, lambda: ([one[1] for one in waiting], server.log()[-2000:]), 30)
        in_parallel(lambda url, stream, clip, container, _: self.holds(server.file(f"{stream}.{container}"), clip), pulled)
        self.assertNotIn("p@ss", server.log(), "no password in the log")

    def test_a_camera_that_comes_back_goes_on_in_its_recording(self):
        server, clip = self.server({"protocol.rtsp.timeout": "1s", "protocol.rtsp.longest_pause": "200ms"}), clips.both(3)
        camera = self.camera(clip)
        self.assertEqual(self.pull(server, camera.url)[0], 200)
        self.records(server, "cam", 50_000)
        camera.kill()
        eventually(lambda: "Failed to connect" in self.status(server).get("info", ""), lambda: self.status(server))
        attempts = self.status(server)["attempts"]
        eventually(lambda: self.status(server)["attempts"] >= attempts + 3, "it is tried each 200 ms")
        self.assertEqual(self.status(server)["status"], "FAILED")
        before = server.parts()[0].stat().st_size
        camera.start()
        self.plays(server)
        self.records(server, "cam", before + 50_000)
        self.assertEqual(server.rest("/rtsp/terminate", {"uri": camera.url})[0], 200)
        file = server.file("cam.mp4")
        self.assertEqual(len(server.files()), 1)
        self.assertEqual(media.decodes(file), "")
        shown = media.times(file, "video")
        self.assertGreater(max(after - before for before, after in zip(shown, shown[1:])), 0.5, "the pause stays")

    def test_why_a_camera_cannot_be_had_is_told(self):
        server = self.server()
        camera = self.camera(clips.both(3), "--digest", "admin:right")
        wanted = {camera.url.replace("//", "//admin:wrong@"): "wrong login",
                  camera.url.replace("/cam", "/none").replace("//", "//admin:right@"): "not found",
                  f"rtsp://127.0.0.1:{free_port()}/cam": "refused"}
        for number, url in enumerate(wanted):
            self.assertEqual(self.pull(server, url, f"cam{number}")[0], 200)
        for number, (url, word) in enumerate(wanted.items()):
            def status():
                return {one["localStreamName"]: one for one in self.agents(server)}[f"cam{number}"]
            eventually(lambda: word in status().get("info", ""), lambda: (word, status()))
            self.assertEqual(status()["status"], "FAILED")
            server.logged(word)
        for url in wanted:
            self.assertEqual(server.rest("/rtsp/terminate", {"uri": url})[0], 200)
        eventually(lambda: server.rest("/rtsp/find_all")[0] == 404, "all are gone")
        self.assertNotIn("wrong@", server.log(), "no password in the log")
        self.assertEqual(self.pull(server, "http://host/cam")[0], 400)
        self.assertEqual(server.rest("/rtsp/terminate", {"uri": camera.url})[0], 404)

    def test_cameras_of_the_file_are_pulled_from_the_start(self):
        clip = clips.both(3)
        camera, other = in_parallel(self.camera, [(clip, "--digest", "admin:p@ss")] * 2)
        device = OnvifFake("admin", "p@ss", other.url)
        self.addCleanup(device.close)
        server = self.server({"record_rtsp_streams": "true"})
        (server.home / "conf" / "cameras.yaml").write_text(
            f"cameras:\n  - uri: {camera.url}\n    name: gate\n    user: admin\n    password: p@ss\n"
            f"  - onvif: {device.host}\n    name: yard\n    user: admin\n    password: p@ss\n    profile: Sub\n")
        server.reload()
        eventually(lambda: [one["status"] for one in self.agents(server)] == ["PLAYING"] * 2,
                   lambda: server.rest("/rtsp/find_all"), 15)
        self.assertEqual(device.asked, ["GetSystemDateAndTime", "GetCapabilities", "GetProfiles", "GetStreamUri"])
        for name in ("gate", "yard"):
            self.records(server, name, 50_000)
        self.assertEqual(server.terminate(), 0)
        for name in ("gate", "yard"):
            self.holds(server.file(name + ".mp4"), clip, 0.2)

    def test_an_address_that_is_a_streams_name_becomes_a_files_name(self):
        camera = self.camera(clips.both(3))
        ways = {"hex": {"encode_record_name": "true,HEX"}, "base64": {"encode_record_name": "true,BASE64"},
                "without": {"exclude_record_name_characters": ":.,/"}}
        stems = {"hex": camera.url.encode().hex(), "base64": base64.urlsafe_b64encode(camera.url.encode()).decode().rstrip("="),
                 "without": camera.url.translate(str.maketrans("", "", ":.,/"))}
        servers = {way: self.server(settings) for way, settings in ways.items()}
        for server in servers.values():
            self.assertEqual(server.rest("/rtsp/startup", {"uri": camera.url, "record": "true"})[0], 200)
        for way, server in servers.items():
            self.records(server, camera.url, 30_000)
            self.assertEqual(server.rest("/rtsp/terminate", {"uri": camera.url})[0], 200)
            self.assertGreater(len(media.packets(server.file(stems[way] + ".mp4"), "video")), 10)

    def encoder(self, *command):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_encoders_publish_into_every_container(self):
        server, of_ffmpeg, of_gstreamer = self.served(), [], []
        sources = (("tcp", clips.b_frames(3)), ("udp", clips.both(3)), ("tcp", clips.mkv_of("h265", "aac")),
                   ("udp", clips.telephone("pcm_alaw")))
        for number, (transport, clip) in enumerate(sources):
            for container in ("mp4", "mkv", "ts"):
                stream = f"{transport}{number}-{container}"
                url = f"rtsp://127.0.0.1:{server.ports['rtsp']}/live/{stream}"
                encoder = self.encoder("ffmpeg", "-nostdin", "-v", "error", "-re", "-i", clip, "-c", "copy", "-f", "rtsp",
                                       "-rtsp_transport", transport, url)
                of_ffmpeg.append((encoder, clip, f"{stream}.{container}", 0.95))
        for clip, parsers, transport, container in (
                (clips.both(3), ("flvdemux", "h264parse", "aacparse"), "tcp", "mp4"),
                (clips.both(3), ("flvdemux", "h264parse", "aacparse"), "udp", "ts"),
                (clips.mkv_of("h265", "aac"), ("matroskademux", "h265parse", "aacparse"), "tcp", "mp4"),
                (clips.telephone("pcm_mulaw"), ("matroskademux", "h264parse", "identity"), "tcp", "mkv")):
            stream = f"gst{len(of_gstreamer)}-{container}"
            url = f"rtsp://127.0.0.1:{server.ports['rtsp']}/live/{stream}"
            line = ("rtspclientsink name=s protocols={} location={} filesrc location={} ! {} name=d "
                    "d. ! queue ! {} ! s. d. ! queue ! {} ! s.").format(transport, url, clip, *parsers)
            of_gstreamer.append((self.encoder("gst-launch-1.0", "-q", *line.split()), clip, f"{stream}.{container}", 0.6))
        for encoder, clip, name, least in of_gstreamer:
            # It may wait for itself for ever when all is sent, so it is ended before.
            self.records(server, name.rsplit(".", 1)[0], 0.7 * clip.stat().st_size)
            encoder.kill()
        for encoder, _, name, _ in of_ffmpeg:
            self.assertEqual(encoder.wait(60 * SLOWNESS), 0, (name, encoder.stderr.read()))
        in_parallel(lambda encoder, clip, name, least: self.holds(server.file(name), clip, least), of_ffmpeg + of_gstreamer)


if __name__ == "__main__":
    run()
