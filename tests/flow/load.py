"""Many publishers at once: all of them are recorded in full."""
import re
import subprocess

import clips
import media
from case import BUILD, SANITIZER, SLOWNESS, FlowTest, eventually, run

LOAD = BUILD / "bin" / "rtmp_load"
MANY = 20 if SANITIZER else 100


class Load(FlowTest):
    def test_a_hundred_publishers_lose_no_packet(self):
        server = self.server()
        clip = clips.both(10)
        load = subprocess.run([LOAD, clip, "127.0.0.1", str(server.ports["rtmp"]), str(MANY)], capture_output=True, text=True, timeout=120 * SLOWNESS)
        self.assertEqual(load.returncode, 0, load.stderr)
        eventually(lambda: len(server.files()) == MANY, lambda: f"{MANY} files; there are {len(server.files())}", 60)
        video, audio = media.hashes(clip, "video"), media.hashes(clip, "audio")
        for file in server.files():
            self.assertEqual(media.hashes(file, "video"), video, file.name)
            self.assertEqual(media.hashes(file, "audio"), audio, file.name)
        dropped = {k: v for k, v in server.metrics().items() if re.match(r"tapedeck_dropped", k) and v}
        self.assertEqual(dropped, {})
        self.assertEqual(len(server.hooked(MANY, 60)), MANY)


if __name__ == "__main__":
    run()
