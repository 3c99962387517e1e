#!/usr/bin/env python3
"""What a recording costs the server by the way of its sound, beside ffmpeg's own encoder, in the same run, round about.

  record.py --build BUILD [--minutes 4] [--streams 8] [--seconds 30] [--rounds 3]

CPU milliseconds for a minute of one stream, medians. `encoded`: H.264 with Opus as fast as possible into MP4 (AAC), whole
server, beside `ffmpeg` encoding that Opus alone, its default coder and rate. `passed`: the same stream into MKV, and H.264
with AAC by RTMP into MP4: paced streams, and one as fast as possible. Nothing is judged here.
"""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "flow"))
import process
from audio import FFMPEG, cpu, sound
from case import BUILD, _arguments
import clips
import media
from server import Server


def sources(folder, seconds):
    """(MKV of H.264 and Opus, FLV of the same pictures and AAC, the Opus alone, a tenth of a second of it)"""
    _, opus = sound(folder, "music", seconds)
    mkv, flv = folder / "film.mkv", folder / "film.flv"
    picture = ["-stream_loop", "-1", "-i", clips.broadcast(), "-i", opus, "-map", "0:v", "-map", "1:a", "-t", str(seconds), "-c:v", "copy"]
    subprocess.run([*FFMPEG, *picture, "-c:a", "copy", mkv], check=True)
    subprocess.run([*FFMPEG, *picture, "-c:a", "aac", "-ar", "44100", "-b:a", "96k", flv], check=True)
    return mkv, flv, opus, folder / "tiny.ogg"


class Recording:
    """A server of its own for one figure."""

    def __init__(self, folder, formats):
        home = pathlib.Path(tempfile.mkdtemp(prefix="bench-record.", dir=folder))
        self.server = Server(home, {"record_formats": formats}, hook="#!/bin/sh\nexit 0\n").start()
        self.pid = self.server.process.pid
        (home / "media").mkdir()
        process.settle(self.pid)
        self.before = process.cpu_seconds(self.pid)

    def play(self, clip, count, **more):
        (self.server.home / "media" / clip.name).hardlink_to(clip)
        for n in range(count):
            status, answer = self.server.rest("/vod/startup", {"uri": f"vod://{clip.name}", "localStreamName": f"s{n}", "record": True, **more})
            assert status == 200, answer

    def load(self, clip, count, arguments):
        out = subprocess.run([BUILD / "bin" / "rtmp_load", clip, "127.0.0.1", str(self.server.ports["rtmp"]), str(count), *arguments],
                             capture_output=True, text=True, check=True)
        return json.loads(out.stdout)

    def end(self, count, clip, seconds):
        """CPU milliseconds for a minute of one stream; AssertionError when a file is not whole."""
        end = time.monotonic() + 300
        while len(self.server.files()) < count and time.monotonic() < end:
            time.sleep(0.1)
        process.settle(self.pid)
        used = process.cpu_seconds(self.pid) - self.before
        files = self.server.files()
        assert len(files) == count, files
        frames = len(media.packets(files[0], "video"))
        assert frames >= seconds * 29, f"{frames} pictures in {seconds} s of {files[0]}"
        shutil.rmtree(self.server.records)
        self.server.end()
        return used / (count * seconds / 60) * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(_arguments)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-record."))
    try:
        whole = options.minutes * 60
        mkv, flv, opus, tiny = sources(folder, whole)
        part = folder / "part.mkv"  # of the paced streams
        subprocess.run([*FFMPEG, "-i", mkv, "-t", str(options.seconds), "-c", "copy", part], check=True)

        def encoded():
            one = Recording(folder, "h264-mp4")
            one.play(mkv, 1, realTime=False)
            return one.end(1, mkv, whole)

        def ffmpeg():
            aac = ["-ar", "44100", "-ac", "2", "-c:a", "aac", folder / "theirs.mp4"]
            return (cpu([*FFMPEG, "-i", opus, *aac]) - cpu([*FFMPEG, "-i", tiny, *aac])) / options.minutes * 1000

        def passed(paced):
            one = Recording(folder, "h264-mkv")
            if paced:
                one.play(part, options.streams)
                return one.end(options.streams, part, options.seconds)
            one.play(mkv, 1, realTime=False)
            return one.end(1, mkv, whole)

        def rtmp(paced):
            one = Recording(folder, "h264-mp4")
            if paced:
                one.load(flv, options.streams, ["--seconds", str(options.seconds)])
                return one.end(options.streams, flv, options.seconds)
            sent = one.load(flv, 1, ["--unpaced", "--megabytes", str(round(flv.stat().st_size / 1e6))])
            return one.end(1, flv, sent["video"] / 30)

        figures = {}
        for _ in range(options.rounds):
            for name, measure in (("encoded", encoded), ("ffmpeg", ffmpeg), ("passed, paced", lambda: passed(True)), ("RTMP, paced", lambda: rtmp(True)),
                                  ("passed, unpaced", lambda: passed(False)), ("RTMP, unpaced", lambda: rtmp(False))):
                figures.setdefault(name, []).append(measure())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    cost = {name: statistics.median(each) for name, each in figures.items()}
    rows = [[ours, theirs, f"{cost[ours]:.1f}", f"{cost[theirs]:.1f}", f"{cost[ours] / cost[theirs]:.2f}", limit]
            for ours, theirs, limit in (("encoded", "ffmpeg", "0.65"), ("passed, paced", "RTMP, paced", "1.2"), ("passed, unpaced", "RTMP, unpaced", "1.2"))]
    process.table(["ours", "beside", "CPU ms/stream-min", "of the other", "ratio", "wanted at most"], rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
