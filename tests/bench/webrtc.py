#!/usr/bin/env python3
"""WHIP recording beside Janus, in the same run: CPU, memory of a peer, what was kept; memory after many handshakes.

  webrtc.py --build BUILD [--publishers 1,100] [--seconds 30] [--rounds 1] [--codecs vp8,h264] [--handshakes 200,1000]
            [--servers tapedeck,janus]

CPU is the server's only, for a minute of one stream of 1.5 Mbit/s. VP8 and Opus go as they are into WebM; with H.264 the
sound becomes AAC in MP4. Janus keeps the RTP packets as they came. Nothing is judged here but that everything was kept.
"""
import argparse
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "flow"))
import janus
import process
from case import BUILD, _arguments, eventually
import clips
import media
from server import Server

LOAD = BUILD / "bin" / "webrtc_load"


class Tapedeck:
    name = "tapedeck"

    def __init__(self, home):
        self.server = Server(home, {}, hook="#!/bin/sh\nexit 0\n").start()
        self.records, self.port, self.process = self.server.records, self.server.http_port, self.server.process

    def end(self):
        self.server.end()

    def is_whole(self, clip, sent):
        """Whether there is a file of each publisher, and some of them have all that the clip has."""
        eventually(lambda: len(self.server.files()) == sent["streams"], lambda: f"{len(self.server.files())} files", 60)
        files = self.server.files()
        if clip.name.startswith("browser-vp8"):
            whole = media.all_hashes(clip)
            return all(media.all_hashes(file) == whole for file in files[:: max(1, len(files) // 4)])
        count = len(media.hashes(clip, "video"))
        return all(len(media.packets(file, "video")) == count for file in files[:: max(1, len(files) // 4)])


class Janus(janus.Janus):
    def is_whole(self, clip, sent):
        eventually(lambda: self.packets() == sent["packets"], lambda: f"{self.packets()} packets of {sent['packets']}", 60)
        return True


def load(clip, server, publishers, *options):
    out = subprocess.run([LOAD, clip, "127.0.0.1", str(server.port), str(publishers), *map(str, options)], capture_output=True, text=True)
    if out.returncode != 0:
        raise RuntimeError(f"{server.name}: {out.stderr}")
    return json.loads(out.stdout)


def in_home(kind, work, folder):
    home = pathlib.Path(tempfile.mkdtemp(prefix=f"bench-{kind.name}.", dir=folder))
    server = kind(home)
    try:
        return work(server)
    finally:
        server.end()
        shutil.rmtree(home, ignore_errors=True)


def measure(kind, clip, publishers, folder):
    """One server, one load: a dict of figures."""
    def work(server):
        pid = server.process.pid
        load(clip, server, 1, "--seconds", "1", "--name", "warm")  # what is made once
        process.settle(pid)
        for file in server.records.rglob("*"):
            file.unlink()
        cpu, base = process.all_cpu_seconds(pid), process.rss_kb(pid)
        sent = load(clip, server, publishers)
        process.settle(pid)
        figures = {"cpu": process.all_cpu_seconds(pid) - cpu, "base": base, "peak": process.peak_kb(pid), "sent": sent}
        try:
            figures["whole"] = server.is_whole(clip, sent)
        except AssertionError as error:
            figures["whole"] = False
            print(f"! {kind.name}: {error}", file=sys.stderr)
        return figures
    return in_home(kind, work, folder)


def handshakes(kind, clip, counts, folder):
    """RSS in kB after each of these numbers of connections in all, and milliseconds of CPU for one."""
    def work(server):
        pid, done, sizes = server.process.pid, 0, []
        cpu = process.all_cpu_seconds(pid)
        for count in counts:
            load(clip, server, count - done, "--handshakes", "--name", f"h{count}-", "--query", "record=false")
            done = count
            process.settle(pid)
            sizes.append(process.rss_kb(pid))
        return sizes, (process.all_cpu_seconds(pid) - cpu) / done * 1000
    return in_home(kind, work, folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--publishers", default="1,100")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--codecs", default="vp8,h264")
    parser.add_argument("--handshakes", default="200,1000")
    parser.add_argument("--servers", default="tapedeck,janus")
    parser.add_argument("--folder", default=None, help="where recordings go, to choose the disk")
    options = parser.parse_args(_arguments)
    kinds = [kind for kind in (Tapedeck, Janus) if kind.name in options.servers and (kind is Tapedeck or janus.PROGRAM.exists())]
    whole, rows = True, []
    for codec in filter(None, options.codecs.split(",")):
        clip = clips.browser(codec, options.seconds, 1500, "1280x720")
        for publishers in map(int, options.publishers.split(",")):
            for kind in kinds:
                figures = [measure(kind, clip, publishers, options.folder) for _ in range(options.rounds)]
                whole = whole and all(f["whole"] for f in figures)
                minutes = publishers * options.seconds / 60
                of = {key: statistics.median(f[key] for f in figures) for key in ("cpu", "base", "peak")}
                sent = figures[0]["sent"]
                rows.append([kind.name, codec, publishers, f"{of['cpu'] / minutes * 1000:.0f}", f"{of['base'] / 1024:.1f}",
                             f"{(of['peak'] - of['base']) / publishers:.0f}", f"{sent['bytes'] * 8 / publishers / options.seconds / 1e6:.2f}",
                             sent["repeated"], all(f["whole"] for f in figures), f"{sent['cpu'] / sent['wall'] * 100:.0f}%", f"{sent['stalled']:.1f}"])
                print(rows[-1], file=sys.stderr)
    process.table(["server", "codec", "publishers", "CPU ms/stream-min", "MB idle", "kB/peer", "Mbit/s", "repeats", "whole", "load's CPU", "it stalled, s"], rows)
    counts = [int(count) for count in options.handshakes.split(",") if count]
    if counts:
        print()
        clip, rows = clips.browser("vp8", 4), []
        for kind in kinds:
            sizes, cpu = handshakes(kind, clip, counts, options.folder)
            rows.append([kind.name, *(f"{size / 1024:.2f}" for size in sizes), f"{(sizes[-1] - sizes[0]) / 1024:+.2f}", f"{cpu:.2f}"])
        process.table(["server", *(f"MB after {count}" for count in counts), "MB more", "CPU ms/handshake"], rows)
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
