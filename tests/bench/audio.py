#!/usr/bin/env python3
"""Opus into AAC beside ffmpeg with its default coder, in the same run, round about: CPU and how near the sound is.

  audio.py --build BUILD [--minutes 4] [--rounds 3]

CPU is user and system time of the process, less that for a tenth of a second of sound, for a minute of one stream. Ours
is `transcode`: the plugin between libavformat and a file. Nearness is the signal's power over the error's, in dB, of
what ffmpeg decodes of it beside the sound that was encoded into Opus (ours: default settings; theirs at our bit rate).
"""
import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "flow"))
import process
from case import BUILD, _arguments

FFMPEG = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-threads", "1"]
TEXT = ("The stage is set and the lights go down. She sells sea shells by the sea shore, and the shells she sells are surely seashells. "
        "Six thick thistle sticks stand in the shade of the church. The quick brown fox jumps over the lazy dog.")
_VOICES = (f"flite=text='{TEXT}':voice=slt", f"flite=text='{TEXT}':voice=kal16")
_CHORD = "+".join(f"sin(2*PI*{f}*t+{{0}})" for f in (220, 277.18, 329.63))
_MUSIC = f"0.12*({_CHORD}+0.5*sin(2*PI*1760*t)*exp(-8*mod(t,0.5))+0.6*(random({{0}})-0.5)*exp(-30*mod(t,0.25)))"
_SWEEP = "0.3*sin(2*PI*50*15/log(320)*(exp(mod(t,15)/15*log(320))-1)+{0})"


def sound(folder, name, seconds):
    """A stereo file of float samples at 48 kHz, and the same as Opus of 96 kbit/s."""
    wav, opus = folder / f"{name}.wav", folder / f"{name}.ogg"
    if name == "speech":
        voices = [folder / f"voice{i}.wav" for i in range(2)]
        for voice, path in zip(_VOICES, voices):
            subprocess.run([*FFMPEG, "-f", "lavfi", "-i", voice, "-ar", "48000", "-ac", "1", path], check=True)
        mix = ("[0]volume=0.9,pan=stereo|c0=0.8*c0|c1=0.3*c0[a];[1]volume=0.7,adelay=900,pan=stereo|c0=0.3*c0|c1=0.8*c0[b];"
               "[2]pan=stereo|c0=c0|c1=c0[n];[a][b][n]amix=inputs=3:normalize=0[o]")
        source = ["-stream_loop", "-1", "-i", voices[0], "-stream_loop", "-1", "-i", voices[1], "-f", "lavfi",
                  "-i", "anoisesrc=c=pink:a=0.004:r=48000", "-filter_complex", mix, "-map", "[o]"]
    else:
        channels = "|".join({"music": _MUSIC, "sweep": _SWEEP}[name].format(i) for i in range(2))
        source = ["-f", "lavfi", "-i", f"aevalsrc='{channels}':s=48000"]
    subprocess.run([*FFMPEG, *source, "-t", str(seconds), "-c:a", "pcm_f32le", wav], check=True)
    subprocess.run([*FFMPEG, "-i", wav, "-c:a", "libopus", "-b:a", "96k", opus], check=True)
    subprocess.run([*FFMPEG, "-i", opus, "-t", "0.1", "-c", "copy", folder / "tiny.ogg"], check=True)
    return wav, opus


def cpu(command):
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = status
    if status:
        raise RuntimeError(f"{command}: {status}")
    return used.ru_utime + used.ru_stime


def nearness(reference, encoded):
    """dB, the worse channel. ADTS names no priming, so its 1024 samples are left out here."""
    trim = "atrim=start_sample=1024,asetpts=PTS-STARTPTS," if encoded.suffix == ".aac" else ""
    graph = f"[0]aresample=44100,aformat=sample_fmts=fltp[x];[1]{trim}aformat=sample_fmts=fltp[y];[x][y]asdr"
    out = subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-i", reference, "-i", encoded, "-filter_complex", graph, "-f", "null", "-"],
                         capture_output=True, text=True, check=True).stderr
    return min(float(db) / 2 for db in re.findall(r"SDR ch\d+: *(-?[\d.]+)", out))  # the filter's dB count double


def bit_rate(path):
    out = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "packet=size,duration_time", "-of", "csv=p=0", path],
                         capture_output=True, text=True, check=True).stdout
    rows = [row.split(",")[:2] for row in out.split()]
    return sum(int(size) for _, size in rows) * 8 / sum(float(duration) for duration, _ in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(_arguments)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-audio."))
    rows = []
    try:
        for name in ("speech", "music", "sweep"):
            wav, opus = sound(folder, name, options.minutes * 60)
            ours, theirs = folder / "ours.aac", folder / "theirs.mp4"
            tapedeck = lambda source: [BUILD / "bin" / "transcode", source, ours]
            cpu(tapedeck(opus))
            rate = round(bit_rate(ours))
            aac = ["-ar", "44100", "-ac", "2", "-c:a", "aac"]
            commands = {"tapedeck": tapedeck, "ffmpeg, its default rate": lambda source: [*FFMPEG, "-i", source, *aac, theirs],
                        "ffmpeg, our rate": lambda source: [*FFMPEG, "-i", source, *aac, "-b:a", str(rate), theirs]}
            figures = {who: [] for who in commands}
            for _ in range(options.rounds):
                for who, command in commands.items():
                    figures[who].append((cpu(command(opus)) - cpu(command(folder / "tiny.ogg"))) / options.minutes * 1000)
            for who, command in commands.items():
                cpu(command(opus))
                file = ours if who == "tapedeck" else theirs
                cost = statistics.median(figures[who])
                rows.append([name, who, f"{cost:.0f}", f"{statistics.median(figures['tapedeck']) / cost:.2f}",
                             f"{bit_rate(file) / 1000:.0f}", f"{nearness(wav, file):.1f}", f"{nearness(opus, file):.1f}"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    process.table(["sound", "who", "CPU ms/stream-min", "ours of theirs", "kbit/s", "dB to the original", "dB to the Opus"], rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
