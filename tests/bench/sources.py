#!/usr/bin/env python3
"""Pulled RTSP cameras and pushed MPEG-TS over UDP, recorded to MP4 by the server and, one after the other in the same run,
by one process of `ffmpeg -c copy` for each stream.

  sources.py --build BUILD [--kinds rtsp,ts] [--streams 100] [--seconds 20] [--warm 12] [--rounds 1]
             [--recorders tapedeck,ffmpeg] [--no-record] [--profile FILE]

H.264 of 25 pictures a second and AAC, 1.5 Mbit/s. `CPU` is what the recorders take for a second of one stream while all
play; `start and end` what they take besides for one stream, until its file is whole. `kB/stream` is
proportional memory (PSS) at the end, less that of the idle server. The source's CPU is apart, in its own column. Nothing is
judged here but that everything was kept.
"""
import argparse
import json
import pathlib
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "flow"))
import process
from case import BUILD, _arguments, eventually
import clips
import media
from server import Server, free_port

RATE = 25  # pictures a second
QUIET = ["ffmpeg", "-nostdin", "-v", "fatal", "-y"]


class Cameras:
    """An RTSP server with the clip."""
    name = "rtsp"

    def __init__(self, count, clip, folder):
        self.port = free_port()
        self.process = subprocess.Popen([BUILD / "bin" / "rtsp_cameras", clip, str(self.port)], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline().strip() == "ready", "rtsp_cameras"
        self.urls = [f"rtsp://127.0.0.1:{self.port}/cam{i}" for i in range(count)]

    def ffmpeg(self, i):
        return ["-rtsp_transport", "tcp", "-i", self.urls[i]]

    def is_heard(self):
        return True

    def send(self, seconds):
        """They play to whoever comes."""

    def take(self, server, record):
        for i, url in enumerate(self.urls):
            status, answer = server.rest("/rtsp/startup", {"uri": url, "localStreamName": f"s{i}", "record": record, "transport": "tcp"})
            assert status == 200, answer

    def end(self, server):
        for url in self.urls:
            server.rest("/rtsp/terminate", {"uri": url})

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        return json.loads(self.process.communicate()[0])


class Encoders:
    """One process that sends the clip as a transport stream to many ports."""
    name = "ts"

    def __init__(self, count, clip, folder):
        self.file = folder / "clip.ts"
        subprocess.run([*QUIET, "-i", clip, "-c", "copy", self.file], check=True)
        self.count, self.process = count, None
        probes = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        self.ports = [probe.getsockname()[1] for probe in probes]  # of ffmpeg; the server chooses its own
        for probe in probes:
            probe.close()

    def ffmpeg(self, i):
        # A datagram that its socket has no room for ends `ffmpeg -c copy` into MP4, so it gets what the system allows.
        return ["-i", f"udp://127.0.0.1:{self.ports[i]}?localaddr=127.0.0.1&buffer_size=212992"]

    def is_heard(self):
        """Whether all ports are open."""
        lines = pathlib.Path("/proc/net/udp").read_text().splitlines()[1:]
        return {int(line.split()[1].rpartition(":")[2], 16) for line in lines} >= set(self.ports)

    def send(self, seconds):
        self.process = subprocess.Popen([BUILD / "bin" / "ts_load", self.file, str(seconds), *map(str, self.ports)], stdout=subprocess.PIPE, text=True)

    def take(self, server, record):
        for i in range(self.count):
            status, answer = server.rest("/mpegts/startup", {"localStreamName": f"s{i}", "transport": "udp", "record": record})
            assert status == 200, answer
            self.ports[i] = int(answer["uri"].rpartition(":")[2])

    def end(self, server):
        for i in range(self.count):
            server.rest("/mpegts/terminate", {"localStreamName": f"s{i}"})

    def close(self):
        return json.loads(self.process.communicate()[0])


def pss_kb(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as lines:
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


class Tapedeck:
    name = "tapedeck"

    def __init__(self, source, count, folder, options):
        self.server = Server(folder / "home", {"record_flash_published_streams": "false", "protocol.mpegts.port_from": "0",
                                               "protocol.mpegts.address": "127.0.0.1"}, hook="#!/bin/sh\nexit 0\n").start()
        self.source, self.count, self.record = source, count, not options.no_record
        process.settle(self.server.process.pid)
        self.before, self.idle_kb = process.all_cpu_seconds(self.server.process.pid), pss_kb([self.server.process.pid])

    def pids(self):
        return [self.server.process.pid]

    def start(self, source_seconds):
        self.source.take(self.server, self.record)
        self.source.send(source_seconds)
        eventually(lambda: len(self.server.rest("/stream/find_all")[1] or []) == self.count, f"{self.count} streams", 20)

    def end(self):
        """CPU seconds from the start to the last file."""
        self.source.end(self.server)
        if self.record:
            eventually(lambda: len(self.server.files()) == self.count, lambda: f"{len(self.server.files())} files", 60)
        process.settle(self.server.process.pid)
        used = process.all_cpu_seconds(self.server.process.pid) - self.before
        self.server.end()
        return used, self.server.files()

    def stop(self):
        self.server.end()


class Ffmpeg:
    name = "ffmpeg"
    idle_kb = 0

    def __init__(self, source, count, folder, options):
        self.source, self.before = source, resource.getrusage(resource.RUSAGE_CHILDREN)
        null = ["-f", "null", "/dev/null"]
        self.files = [] if options.no_record else [folder / f"s{i}.mp4" for i in range(count)]
        self.commands = [[*QUIET, *source.ffmpeg(i), "-c", "copy", *(null if options.no_record else [self.files[i]])] for i in range(count)]
        self.processes = []

    def pids(self):
        return [p.pid for p in self.processes if p.poll() is None]

    def start(self, source_seconds):
        self.processes = [subprocess.Popen(list(map(str, command))) for command in self.commands]
        eventually(self.source.is_heard, lambda: f"all listen; {len(self.pids())} processes are there", 30)
        self.source.send(source_seconds)
        eventually(lambda: all(f.exists() and f.stat().st_size > 0 for f in self.files), "all write", 20)
        if not self.files:
            time.sleep(7)

    def end(self):
        for one in self.processes:
            one.send_signal(signal.SIGINT)
        for one in self.processes:
            one.wait()
        self.processes = []
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        return now.ru_utime + now.ru_stime - self.before.ru_utime - self.before.ru_stime, self.files


    def stop(self):
        for one in self.processes:
            one.kill()
            one.wait()


def cpu_of(pid):
    """User and system time, to the nanosecond, of the process' threads: none comes or goes while all play."""
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9


def measure(recorder, source, options):
    """One recorder, one load: a dict of figures."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"bench-{recorder.name}.", dir=options.folder))
    made, one = None, None
    try:
        made = source(options.streams, clips.camera(), folder)
        one = recorder(made, options.streams, folder, options)
        one.start(options.seconds + options.warm + 10)
        time.sleep(options.warm)
        began, before = time.monotonic(), {pid: cpu_of(pid) for pid in one.pids()}
        profile = options.profile and subprocess.Popen(["perf", "record", "-o", options.profile, "-g", "-F", "499", "-p", str(one.pids()[0]), "--",
                                                        "sleep", str(options.seconds - 2)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(options.seconds)
        pids = one.pids()  # of those that are still there
        alive = options.streams if len(before) == 1 else len(pids)
        steady = sum(cpu_of(pid) - before[pid] for pid in pids)
        wall = time.monotonic() - began
        figures = {"kb": (pss_kb(pids) - one.idle_kb) / alive, "idle_kb": one.idle_kb,
                   "rss": sum(process.rss_kb(pid) for pid in pids) / alive,
                   "threads": sum(len(list(pathlib.Path(f"/proc/{pid}/task").iterdir())) for pid in pids)}
        if profile:
            profile.wait()
        whole, files = one.end()
        sent, made = made.close(), None
        kept = [len(media.packets(f, "video")) for f in files[:: max(1, len(files) // 4)]]
        played = statistics.mean(kept) / RATE if kept else wall
        figures |= {"cpu": steady / wall / alive, "once": (whole - steady / wall * played) / alive, "sent": sent, "ended": options.streams - alive}
        figures["whole"] = alive == options.streams and all(k >= wall * RATE for k in kept) and (options.no_record or len(files) == options.streams)
        if not figures["whole"]:
            print(f"! {recorder.name}, {source.name}: {len(files)} files, {kept} pictures in {wall:.1f} s; {figures['ended']} processes ended early", file=sys.stderr)
        return figures
    finally:
        if one:
            one.stop()
        if made and made.process:
            made.process.kill()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", default="rtsp,ts")
    parser.add_argument("--recorders", default="tapedeck,ffmpeg")
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--warm", type=int, default=11, help="seconds that all play before it is measured")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--folder", default=None, help="where recordings go, to choose the disk")
    parser.add_argument("--no-record", action="store_true", help="what taking the streams costs alone")
    parser.add_argument("--profile", default=None, help="where perf writes what the first process does while all play")
    options = parser.parse_args(_arguments)
    whole, rows = True, []
    for kind in (k for k in (Cameras, Encoders) if k.name in options.kinds.split(",")):
        costs = {}
        for recorder in (r for r in (Tapedeck, Ffmpeg) if r.name in options.recorders.split(",")):
            figures = [measure(recorder, kind, options) for _ in range(options.rounds)]
            whole = whole and all(f["whole"] for f in figures)
            of = {key: statistics.median(f[key] for f in figures) for key in ("cpu", "once", "kb", "rss")}
            costs[recorder.name] = of
            theirs = costs.get("ffmpeg")
            rows.append([recorder.name, kind.name, options.streams, f"{of['cpu'] * 1000:.2f}", f"{of['once'] * 1000:.0f}", f"{of['kb']:.0f}",
                         f"{of['rss']:.0f}", figures[0]["threads"], all(f["whole"] for f in figures), f"{figures[0]['sent']['cpu']:.1f}",
                         f"{figures[0]['sent']['latest_ms']:.0f}"])
            print(rows[-1], file=sys.stderr)
        if len(costs) == 2:
            ours, theirs = costs["tapedeck"], costs["ffmpeg"]
            rows[-2].append(f"{ours['cpu'] / theirs['cpu']:.2f}, {ours['kb'] / theirs['kb']:.3f}")
            rows[-1].append("1, 1")
        else:
            rows[-1].append("")
    process.table(["recorder", "source", "streams", "CPU ms/stream-s", "start and end, ms/stream", "PSS kB/stream", "RSS kB/stream", "threads", "whole",
                   "source's CPU s", "it was late, ms", "CPU, memory of ffmpeg's"], rows)
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
