#!/usr/bin/env python3
"""RTMP recording beside nginx-rtmp (which writes FLV), in the same run, round about: CPU, memory, what was kept.

  rtmp.py --build BUILD [--publishers 1,100] [--seconds 30] [--rounds 3] [--megabytes 500] [--unpaced-rounds 7]

CPU is the server's only: milliseconds for a minute of one stream, and MB for a second of CPU with one unpaced publisher.
Figures are medians. Nothing is judged here but that all packets were kept.
"""
import argparse
import json
import pathlib
import shutil
import signal
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
from server import Server, free_port

NGINX = """load_module {module};
user root; daemon off; worker_processes 1; pid {home}/nginx.pid; error_log {home}/error.log warn;
events {{ worker_connections 4096; }}
rtmp {{ server {{ listen 127.0.0.1:{port}; chunk_size 4096; access_log off;
  application live {{ live on; record all; record_path {home}/records; }} }} }}
"""
MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")


class Nginx:
    """nginx-rtmp with one worker, recording everything as FLV."""
    name = "nginx-rtmp"

    def __init__(self, home):
        (home / "records").mkdir(parents=True)
        (home / "logs").mkdir()
        self.records, self.port = home / "records", free_port()
        (home / "nginx.conf").write_text(NGINX.format(module=MODULE, home=home, port=self.port))
        self.process = subprocess.Popen(["nginx", "-p", home, "-c", home / "nginx.conf"], stderr=subprocess.DEVNULL)
        time.sleep(0.5)

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


class Tapedeck:
    name = "tapedeck"

    def __init__(self, home):
        self.server = Server(home, {}, hook="#!/bin/sh\nexit 0\n").start()
        self.records, self.port, self.process = self.server.records, self.server.ports["rtmp"], self.server.process

    def end(self):
        self.server.end()


def measure(kind, clip, publishers, load, folder):
    """One server, one load: a dict of figures."""
    home = pathlib.Path(tempfile.mkdtemp(prefix=f"bench-{kind.name}.", dir=folder))
    server = kind(home)
    try:
        pid = server.process.pid
        process.settle(pid)
        cpu, base, wrote = process.cpu_seconds(pid), process.peak_kb(pid), process.written(pid)
        out = subprocess.run([BUILD / "bin" / "rtmp_load", clip, "127.0.0.1", str(server.port), str(publishers), *load],
                             capture_output=True, text=True)
        if out.returncode != 0:
            raise RuntimeError(f"{kind.name}: {out.stderr}")
        sent = json.loads(out.stdout)
        process.settle(pid)
        figures = {"cpu": process.cpu_seconds(pid) - cpu, "base": base, "peak": process.peak_kb(pid), "sent": sent,
                   "wchar": process.written(pid)[0] - wrote[0]}
        files = [f for f in sorted(server.records.rglob("*")) if f.is_file()]
        looked_at = files[:: max(1, len(files) // 4)]
        kept = [len(media.packets(f, "video")) for f in looked_at]
        wanted = sent["video"] / publishers
        figures["whole"] = len(files) == publishers and all(abs(k - wanted) <= 1 for k in kept)
        if not figures["whole"]:
            print(f"! {kind.name}: {len(files)} files for {publishers} publishers, {kept} video packets of {wanted:g}", file=sys.stderr)
        return figures
    finally:
        server.end()
        shutil.rmtree(home, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--publishers", default="1,100")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--unpaced-rounds", type=int, default=7)
    parser.add_argument("--folder", default=None, help="where recordings go, to choose the disk")
    options = parser.parse_args(_arguments)
    kinds = [Tapedeck, Nginx] if MODULE.exists() else [Tapedeck]
    clip = clips.broadcast()
    whole = True

    def rounds(count, publishers, load):
        nonlocal whole
        results = {kind.name: [] for kind in kinds}
        for number in range(count):
            for kind in kinds if number % 2 == 0 else reversed(kinds):
                results[kind.name].append(measure(kind, clip, publishers, load, options.folder))
        whole = whole and all(figures["whole"] for figures in results["tapedeck"])
        return results

    def median(figures, of):
        return statistics.median(of(f) for f in figures)

    rows = []
    for publishers in map(int, options.publishers.split(",")):
        results = rounds(options.rounds, publishers, ["--seconds", str(options.seconds)])
        minutes = publishers * options.seconds / 60
        cpu = {name: median(figures, lambda f: f["cpu"] / minutes * 1000) for name, figures in results.items()}
        for name, figures in results.items():
            rows.append([name, publishers, f"{cpu[name]:.1f}", f"{cpu[name] / cpu.get('nginx-rtmp', cpu[name]):.2f}",
                         f"{median(figures, lambda f: f['base']) / 1024:.1f}", f"{median(figures, lambda f: f['peak']) / 1024:.1f}",
                         f"{median(figures, lambda f: f['wchar'] / f['sent']['bytes']):.3f}",
                         f"{median(figures, lambda f: f['sent']['cpu'] / f['sent']['wall']) * 100:.0f}%"])
    process.table(["server", "publishers", "CPU ms/stream-min", "of nginx", "MB at start", "peak MB", "written/received", "load's CPU"], rows)

    results = rounds(options.unpaced_rounds, 1, ["--unpaced", "--megabytes", str(options.megabytes)])
    rate = {name: median(figures, lambda f: f["sent"]["bytes"] / 1e6 / f["cpu"]) for name, figures in results.items()}
    print()
    process.table(["server", "MB per CPU second, one unpaced publisher", "of nginx"],
                  [[name, f"{value:.0f}", f"{value / rate.get('nginx-rtmp', value):.2f}"] for name, value in rate.items()])
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
