#!/usr/bin/env python3
"""Ending a recording beside `ffmpeg -movflags +faststart` on the same media, in the same run, and bytes written for it.

  finalise.py --build BUILD [--megabytes 500] [--rounds 3] [--folder FOLDER_ON_THE_DISK_TO_TEST]

Ours: from the publisher's goodbye to the file under its final name, synced; before it the publisher is silent for 4 s, so
that the media is on the disk as it would be of a stream in real time. Theirs: remuxing the same file moov-first.
Bytes are what the kernel counted for the process: by write calls, and by pages made dirty.
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
from case import BUILD, _arguments
import clips
import media
from server import Server


def media_bytes(path):
    out = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "packet=size", "-of", "csv=p=0", path],
                         capture_output=True, text=True, check=True).stdout
    return sum(int(line.strip(",")) for line in out.split())


def index_bytes(path):
    """Size of the moov box."""
    with open(path, "rb") as file:
        while head := file.read(16):
            size = int.from_bytes(head[:4], "big")
            if head[4:8] == b"moov":
                return size
            size = int.from_bytes(head[8:16], "big") if size == 1 else size
            file.seek(size - 16, 1)
    return 0


def ours(clip, megabytes, home):
    """One recording: figures of its end and of the whole. Leaves the file there."""
    server = Server(home, {}, hook="#!/bin/sh\nexit 0\n").start()
    try:
        pid = server.process.pid
        before = process.written(pid)
        load = subprocess.Popen([BUILD / "bin" / "rtmp_load", clip, "127.0.0.1", str(server.ports["rtmp"]), "1", "--name", "long",
                                 "--unpaced", "--megabytes", str(megabytes), "--hold", "4"], stdout=subprocess.PIPE, text=True)
        file = server.records / "long0.mp4"
        # The load ends when the server closed the connection, so everything sent was read.
        load.stdout.read()
        load.wait()
        end, at_end = time.monotonic(), process.written(pid)
        while not file.exists():
            if time.monotonic() > end + 60:
                raise RuntimeError("the recording did not end: " + server.log()[-2000:])
            time.sleep(0.001)
        wall = time.monotonic() - end
        process.settle(pid)
        after = process.written(pid)
        return {"wall": wall, "end_bytes": after[0] - at_end[0], "calls": after[0] - before[0], "pages": after[1] - before[1], "file": file}
    finally:
        server.end()


def theirs(source, target):
    subprocess.run(["sync"], check=True)
    began = time.monotonic()
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", source, "-c", "copy", "-movflags", "+faststart", target], check=True)
    return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", default=None)
    options = parser.parse_args(_arguments)
    clip = clips.broadcast()
    walls, others, ends, indexes, calls, pages = [], [], [], [], [], []
    for _ in range(options.rounds):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-finalise.", dir=options.folder))
        try:
            figures = ours(clip, options.megabytes, folder / "home")
            size = media_bytes(figures["file"])
            assert media.is_progressive(figures["file"])
            walls.append(figures["wall"])
            ends.append(figures["end_bytes"])
            indexes.append(index_bytes(figures["file"]))
            calls.append(figures["calls"] / size)
            pages.append(figures["pages"] / size)
            others.append(theirs(figures["file"], folder / "faststart.mp4"))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    m = statistics.median
    process.table(["way", "wall ms", "of ffmpeg", "bytes written at the end"],
                  [["tapedeck", f"{m(walls) * 1000:.0f}", f"{m(walls) / m(others):.3f}", f"{m(ends):,.0f}, the index {m(indexes):,.0f}"],
                   ["ffmpeg +faststart", f"{m(others) * 1000:.0f}", "1", ""]])
    print(f"\nover the whole recording, per media byte: {m(calls):.4f} by write calls, {m(pages):.4f} by pages made dirty")
    print(json.dumps({"finalise_of_faststart": m(walls) / m(others), "written_per_media_byte": m(pages)}))


if __name__ == "__main__":
    main()
