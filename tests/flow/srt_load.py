"""A hundred callers of the fixed port of SRT at once: all of them are recorded in full.

TAPEDECK_FIGURES prints what a stream costs.
"""
import os
import pathlib
import subprocess
import sys
import time

import clips
import media
from case import FlowTest, eventually, run
from server import free_port
from srt_callers import Callers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import process

CALLERS, SECONDS = 100, 20


class SrtLoad(FlowTest):
    def test_a_hundred_callers_at_once_are_recorded_in_full(self):
        port = free_port()
        server = self.server({"protocol.mpegts.address": "127.0.0.1", "protocol.mpegts.srt_port": port, "protocol.mpegts.record": "true"})
        clip, stream = clips.broadcast(SECONDS), self.scratch / "clip.ts"
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(clip), "-c", "copy", "-muxrate", "1900k", "-f", "mpegts", str(stream)],
                       check=True)
        callers = Callers()
        self.addCleanup(callers.close)
        pid = server.process.pid
        memory, cpu, begin = process.rss_kb(pid), process.all_cpu_seconds(pid), time.monotonic()
        callers.connect(port, [f"caller-{n}" for n in range(CALLERS)])
        connected = time.monotonic()
        callers.send(stream.read_bytes(), SECONDS)
        cpu, passed, grown = process.all_cpu_seconds(pid) - cpu, time.monotonic() - connected, process.rss_kb(pid) - memory
        threads = len(os.listdir(f"/proc/{pid}/task"))
        callers.drain()
        callers.close()
        if "TAPEDECK_FIGURES" in os.environ:
            print(f"{CALLERS} callers were taken in {connected - begin:.2f} s; each took {1000 * cpu / passed / CALLERS:.2f} ms of CPU "
                  f"a second and {grown / CALLERS / 1024:.2f} MB; {threads} threads", flush=True)
        eventually(lambda: len(server.files()) == CALLERS, lambda: f"{CALLERS} files; there are {len(server.files())}", 60)
        sent = media.all_hashes(clip)
        for file in server.files():
            self.assertEqual(media.all_hashes(file), sent, file.name)


if __name__ == "__main__":
    run()
