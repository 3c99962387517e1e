"""Cameras that are pulled over RTSP, and encoders that publish."""
import subprocess
import time

import clips
import media
from camera import Camera
from case import SLOWNESS, FlowTest, eventually, run
from onvif_fake import OnvifFake
from server import free_port


class Rtsp(FlowTest):
    def camera(self, clip, *arguments, port=None):
        camera = Camera(clip, port or free_port(), *arguments)
        self.addCleanup(camera.kill)
        return camera

    def pull(self, server, url, stream="cam", **more):
        return server.rest("/rtsp/startup", {"uri": url, "localStreamName": stream, "record": True, **more})

    def status(self, server):
        found = server.rest("/rtsp/find_all")[1]
        return found[0] if isinstance(found, list) else {}

    def plays(self, server):
        eventually(lambda: self.status(server).get("status") == "PLAYING", lambda: self.status(server), 15)

    def holds(self, file, clip, least=0.5, holes=0):
        """The file's packets are the clip's, in their order and without more holes; picture and sound belong together."""
        begins = []
        for kind in ("video", "audio"):
            source, recorded = media.hashes(clip, kind), media.hashes(file, kind)
            self.assertGreaterEqual(len(recorded), least * len(source), kind)
            # Payloaders may put parameter sets in front of the first picture.
            known = [n for n, one in enumerate(recorded) if one in source]
            self.assertGreaterEqual(len(known), len(recorded) - 1, kind)
            at = [source.index(recorded[n]) for n in known]
            self.assertLessEqual(sum(after != before + 1 for before, after in zip(at, at[1:])), holes, kind)
            middle = len(known) // 2  # at first the host knows of arrivals alone
            begins.append(media.times(file, kind)[known[middle]] - media.times(clip, kind)[at[middle]])
        self.assertLess(abs(begins[0] - begins[1]), 0.025, "picture beside sound")
        self.assertEqual(media.decodes(file), "")

    def test_a_camera_with_digest_is_pulled_over_tcp_and_recorded(self):
        server, clip = self.server(), clips.both(6)
        camera = self.camera(clip, "--digest", "admin:p@ss")
        self.assertEqual(self.pull(server, camera.url.replace("//", "//admin:p@ss@"))[0], 200)
        self.plays(server)
        shown = self.status(server)
        self.assertEqual((shown["uri"], shown["hasVideo"], shown["hasAudio"], shown["transport"]), (camera.url, True, True, "TCP"))
        self.assertEqual(self.pull(server, camera.url, "other")[0], 409)
        time.sleep(4)
        self.assertEqual(server.rest("/rtsp/terminate", {"uri": camera.url})[0], 200)
        self.holds(server.file("cam.mp4"), clip)

    def test_a_camera_that_refuses_tcp_is_pulled_over_udp_with_b_frames(self):
        server, clip = self.server({"stream_record_policy_template": "{streamName}", "encode_record_name": "true,HEX"}), clips.b_frames(6)
        camera = self.camera(clip, "--udp")
        self.assertEqual(server.rest("/rtsp/startup", {"uri": camera.url, "record": "true"})[0], 200)
        self.plays(server)
        self.assertEqual(self.status(server)["transport"], "UDP")
        time.sleep(4)
        self.assertEqual(server.rest("/rtsp/terminate", {"uri": camera.url})[0], 200)
        file = eventually(lambda: server.files(), "a recording")[0]
        self.assertEqual(bytes.fromhex(file.stem).decode(), camera.url, "the stream is named as the camera")
        self.holds(file, clip)

    def test_a_camera_that_comes_back_goes_on_in_its_recording(self):
        server, clip = self.server({"protocol.rtsp.timeout": "1s"}), clips.both(6)
        camera = self.camera(clip)
        self.assertEqual(self.pull(server, camera.url)[0], 200)
        self.plays(server)
        time.sleep(2)
        camera.kill()
        eventually(lambda: self.status(server)["status"] == "FAILED", lambda: self.status(server))
        eventually(lambda: "Failed to connect" in self.status(server)["info"], lambda: self.status(server))
        camera.start()
        self.plays(server)
        time.sleep(2)
        self.assertEqual(server.rest("/rtsp/terminate", {"uri": camera.url})[0], 200)
        file = server.file("cam.mp4")
        self.assertEqual(len(server.files()), 1)
        self.assertEqual(media.decodes(file), "")
        shown = media.times(file, "video")
        self.assertGreater(max(after - before for before, after in zip(shown, shown[1:])), 0.5, "the pause stays")
        self.assertGreater(len(shown), 70)

    def test_why_a_camera_cannot_be_had_is_told(self):
        server = self.server()
        camera = self.camera(clips.both(6), "--digest", "admin:right")
        for url, word in ((camera.url.replace("//", "//admin:wrong@"), "wrong login"), (camera.url.replace("/cam", "/none").replace("//", "//admin:right@"), "not found"),
                          (f"rtsp://127.0.0.1:{free_port()}/cam", "refused")):
            self.assertEqual(self.pull(server, url)[0], 200)
            eventually(lambda: word in self.status(server).get("info", ""), lambda: (word, self.status(server)))
            self.assertEqual(self.status(server)["status"], "FAILED")
            self.assertIn(word, server.log())
            self.assertEqual(server.rest("/rtsp/terminate", {"uri": url})[0], 200)
            eventually(lambda: server.rest("/rtsp/find_all")[0] == 404, "it is gone")
        self.assertNotIn("wrong@", server.log(), "no password in the log")
        self.assertEqual(self.pull(server, "http://host/cam")[0], 400)
        self.assertEqual(server.rest("/rtsp/terminate", {"uri": camera.url})[0], 404)

    def test_cameras_of_the_file_are_pulled_from_the_start(self):
        clip = clips.both(6)
        camera = self.camera(clip, "--digest", "admin:p@ss")
        device = OnvifFake("admin", "p@ss", camera.url)
        self.addCleanup(device.close)
        server = self.server({"record_rtsp_streams": "true"})
        (server.home / "conf" / "cameras.yaml").write_text(
            f"cameras:\n  - uri: {camera.url}\n    name: gate\n    user: admin\n    password: p@ss\n"
            f"  - onvif: {device.host}\n    name: yard\n    user: admin\n    password: p@ss\n    profile: Sub\n")
        server.reload()
        eventually(lambda: [one["status"] for one in server.rest("/rtsp/find_all")[1]] == ["PLAYING"] * 2 if server.rest("/rtsp/find_all")[0] == 200 else False,
                   lambda: server.rest("/rtsp/find_all"), 15)
        self.assertEqual(device.asked, ["GetSystemDateAndTime", "GetCapabilities", "GetProfiles", "GetStreamUri"])
        time.sleep(3)
        self.assertEqual(server.terminate(), 0)
        for name in ("gate", "yard"):
            self.holds(server.file(name + ".mp4"), clip, 0.3)

    def publish(self, server, clip, name, *options):
        url = f"rtsp://127.0.0.1:{server.ports['rtsp']}/live/{name}"
        result = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-re", "-i", str(clip), "-c", "copy", "-f", "rtsp", *options, url],
                                capture_output=True, text=True, timeout=60 * SLOWNESS)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_ffmpeg_publishes_over_tcp_and_udp(self):
        server, clip = self.server({"record_rtsp_streams": "true"}), clips.b_frames(6)
        for transport in ("tcp", "udp"):
            self.publish(server, clip, transport, "-rtsp_transport", transport)
            self.holds(server.file(transport + ".mp4"), clip, 0.95)

    def test_gstreamer_publishes(self):
        server, clip = self.server({"record_rtsp_streams": "true"}), clips.both(6)
        url = f"rtsp://127.0.0.1:{server.ports['rtsp']}/live/gst"
        line = (f"rtspclientsink name=s protocols=tcp location={url} filesrc location={clip} ! flvdemux name=d "
                "d.video ! queue ! h264parse ! s. d.audio ! queue ! aacparse ! s.")
        encoder = subprocess.Popen(["gst-launch-1.0", "-q", *line.split()])
        self.addCleanup(encoder.wait)
        self.addCleanup(encoder.kill)
        # It may wait for itself for ever when all is sent, so it is ended then.
        enough = 0.93 * clip.stat().st_size
        eventually(lambda: encoder.poll() is not None or any(part.stat().st_size > enough for part in server.parts()), "all of it is written", 30)
        encoder.kill()
        self.holds(server.file("gst.mp4"), clip, 0.9)


if __name__ == "__main__":
    run()
