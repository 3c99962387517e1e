"""Encoders other than ffmpeg's own RTMP: GStreamer's rtmp2sink, librtmp, any size of chunks; RTMPS."""
import subprocess

import clips
import media
from case import BUILD, SLOWNESS, FlowTest, run

LOAD = BUILD / "bin" / "rtmp_load"


class Publishers(FlowTest):
    def gstreamer(self, server, name, sink):
        pipeline = ("flvmux name=mux streamable=true ! {sink} "
                    "videotestsrc num-buffers=125 is-live=true ! video/x-raw,width=320,height=240,framerate=25/1 ! "
                    "x264enc speed-preset=ultrafast tune=zerolatency key-int-max=25 ! h264parse ! mux. "
                    "audiotestsrc num-buffers=215 is-live=true ! audio/x-raw,rate=44100,channels=2 ! "
                    "voaacenc ! aacparse ! mux.").format(sink=sink)
        result = subprocess.run(["gst-launch-1.0", "-q", *pipeline.split()], capture_output=True, text=True, timeout=60 * SLOWNESS)
        self.assertEqual(result.returncode, 0, result.stderr + "\nbin/setup installs GStreamer's elements")
        file = server.file(name + ".mp4")
        self.assertEqual({s["codec_name"] for s in media.probe(file)["streams"]}, {"h264", "aac"})
        self.assertEqual(len(media.packets(file, "video")), 125)
        self.assertAlmostEqual(media.seconds(file), 5, delta=0.3)
        self.assertEqual(media.decodes(file), "")

    def test_rtmp2sink_of_gstreamer_is_recorded(self):
        server = self.server()
        self.gstreamer(server, "gst", f"rtmp2sink location={server.url('gst')}")

    def test_librtmp_is_recorded(self):
        server = self.server()
        self.gstreamer(server, "lib", f"rtmpsink location={server.url('lib')}")

    def test_rtmps_is_recorded(self):
        key, certificate = self.scratch / "key.pem", self.scratch / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        server = self.server({"protocol.rtmp.certificate": certificate, "protocol.rtmp.key": key, "protocol.rtmp.tls_port": "0"})
        clip = clips.both()
        url = f"rtmps://127.0.0.1:{server.ports['rtmps']}/live/secret"
        result = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", clip, "-c", "copy", "-f", "flv", url], capture_output=True, text=True, timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(media.hashes(server.file("secret.mp4"), "video"), media.hashes(clip, "video"))

    def test_chunks_of_any_size_carry_the_same_packets(self):
        server = self.server()
        clip = clips.both()
        for size in (128, 4096, 65536):
            name = f"chunk{size}-"
            load = subprocess.run([LOAD, clip, "127.0.0.1", str(server.ports["rtmp"]), "1", "--chunk", str(size), "--name", name, "--unpaced"],
                                  capture_output=True, text=True, timeout=60 * SLOWNESS)
            self.assertEqual(load.returncode, 0, load.stderr)
            file = server.file(name + "0.mp4")
            for kind in ("video", "audio"):
                self.assertEqual(media.hashes(file, kind), media.hashes(clip, kind), (size, kind))


if __name__ == "__main__":
    run()
