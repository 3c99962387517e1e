"""Many WHIP publishers: all of them are recorded in full, and those that left leave nothing behind."""
import json
import pathlib
import subprocess
import sys

import clips
import media
from case import BUILD, SLOWNESS, FlowTest, eventually, run

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import process

LOAD = BUILD / "bin" / "webrtc_load"


class WebRtcLoad(FlowTest):
    def load(self, server, clip, publishers, *options):
        load = subprocess.run([LOAD, clip, "127.0.0.1", str(server.http_port), str(publishers), *options], capture_output=True, text=True, timeout=600 * SLOWNESS)
        self.assertEqual(load.returncode, 0, load.stderr)
        return json.loads(load.stdout)

    def test_a_hundred_publishers_lose_no_packet(self):
        server = self.server()
        clip = clips.browser("vp8", 30, 1500, "1280x720")
        self.load(server, clip, 100)
        eventually(lambda: len(server.files()) == 100, lambda: f"100 files; there are {len(server.files())}", 60)
        sent = media.all_hashes(clip)
        for file in server.files():
            self.assertEqual(media.all_hashes(file), sent, file.name)

    def test_a_thousand_handshakes_leave_no_memory_behind(self):
        server = self.server()
        clip = clips.browser("vp8")
        self.load(server, clip, 200, "--handshakes")
        process.settle(server.process.pid)
        before = process.rss_kb(server.process.pid)
        self.load(server, clip, 800, "--handshakes", "--name", "later")
        process.settle(server.process.pid)
        self.assertLess(process.rss_kb(server.process.pid), before + 2048)


if __name__ == "__main__":
    run()
