"""An IP camera: GStreamer's RTSP server with a clip, in a process of its own so that it can be killed.

`python3 camera.py PORT CLIP [--digest USER:PASSWORD] [--udp] [--loop]` serves rtsp://127.0.0.1:PORT/cam and says `ready`."""
import argparse
import ctypes
import os
import pathlib
import signal
import subprocess
import sys

PAYLOADERS = {"h264": ("h264parse", "rtph264pay"), "hevc": ("h265parse", "rtph265pay"),
              "vp8": ("", "rtpvp8pay"), "aac": ("aacparse", "rtpmp4gpay"), "opus": ("opusparse", "rtpopuspay"),
              "pcm_alaw": ("", "rtppcmapay"), "pcm_mulaw": ("", "rtppcmupay"), "adpcm_g722": ("", "rtpg722pay")}


class Camera:
    """Started at once; after `kill` it can be started again on the same port. Debian's own Python has GStreamer."""

    def __init__(self, clip, port, *arguments):
        self.command = ["/usr/bin/python3", __file__, str(port), str(clip), *arguments]
        self.url = f"rtsp://127.0.0.1:{port}/cam"
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert self.process.stdout.readline().strip() == "ready", "bin/setup installs GStreamer's RTSP server"

    def kill(self):
        if self.process.stdout.closed:
            return
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.read()  # until nobody has the port any more
        self.process.stdout.close()


def launch_line(clip):
    """The clip's own packets, payloaded in real time."""
    names = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", clip],
                           capture_output=True, text=True, check=True).stdout.split()
    demuxer = "matroskademux" if pathlib.Path(clip).suffix in (".mkv", ".webm") else "flvdemux"
    line = f"filesrc location={clip} ! {demuxer} name=d "
    for number, name in enumerate(names):
        parser, payloader = PAYLOADERS[name.strip(",")]
        line += f"d. ! queue max-size-time=0 max-size-bytes=0 ! {parser + ' ! ' if parser else ''}{payloader} name=pay{number} pt={96 + number} "
    return f"( {line})"


def keep_running():
    """GStreamer's server may abort at a PLAY (gst_rtsp_media_get_rates, 1.22), before it sends anything: it is started again then,
    as a camera's watchdog does."""
    while True:
        child = os.fork()
        if child == 0:
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: it ends with its parent
            return main()
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGABRT:
            sys.exit(1)


def main():
    import gi
    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer
    parser = argparse.ArgumentParser()
    parser.add_argument("port")
    parser.add_argument("clip")
    parser.add_argument("--digest")
    parser.add_argument("--udp", action="store_true", help="refuse TCP")
    options = parser.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer(address="127.0.0.1", service=options.port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(launch_line(options.clip))
    if options.udp:
        from gi.repository import GstRtsp
        factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    if options.digest:
        user, password = options.digest.split(":")
        auth = GstRtspServer.RTSPAuth()
        gi.require_version("GstRtsp", "1.0")
        from gi.repository import GstRtsp
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "user")
        auth.add_digest(user, password, token)
        server.set_auth(auth)
        factory.add_role_from_structure(Gst.Structure.new_from_string("user,media.factory.access=true,media.factory.construct=true"))
    server.get_mount_points().add_factory("/cam", factory)
    server.attach(None)
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    keep_running()
