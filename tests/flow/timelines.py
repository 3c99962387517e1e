"""Clocks that jump, stop and wrap and parameters that change, of every kind of stream in every container, as fast as possible."""
import functools
import json
import re
import shutil
import subprocess

import clips
import flv
import media
from case import BUILD, FlowTest, run

FORMATS = {"mp4": "h264-mp4", "webm": "vp8-webm", "mkv": "h264-mkv, vp8-mkv", "ts": "h264-ts"}
# What is published, and which containers take its pictures. The sound of `b` is encoded for MP4 and TS.
SOURCES = {
    "both": (clips.both, ("mp4", "mkv", "ts")),
    "b": (functools.partial(clips.h264_opus, 10), ("mp4", "mkv", "ts")),  # B-frames
    "vp8": (functools.partial(clips.vp8_opus, 10), ("webm", "mkv")),
    "talk": (clips.audio, ("mp4",)),
    "still": (clips.video, ("mp4", "mkv", "ts")),
}
DAY = 86_400_000
AT, PAUSE = 3000, 30_000  # ms


@functools.cache
def line(path):
    """{kind: (codec, sorted times in seconds of its packets, of the file's first at 0)}"""
    out = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "packet=stream_index,pts_time:stream=codec_type,codec_name", "-of", "json", str(path)],
                         capture_output=True, text=True, check=True).stdout
    found = json.loads(out)
    first = min(float(packet["pts_time"]) for packet in found["packets"])
    return {stream["codec_type"]: (stream["codec_name"], sorted(float(p["pts_time"]) - first for p in found["packets"] if p["stream_index"] == index))
            for index, stream in enumerate(found["streams"])}


def heard(path):
    """(complaints while decoding everything, [seconds of each silence]): a hole in the sound is silence to who listens."""
    graph = ["-af", "aresample=async=1:min_hard_comp=0.1,silencedetect=n=-50dB:d=0.08"] if "audio" in line(path) else []
    run_ = subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-v", "level+info", "-copyts", "-i", str(path), *graph, "-enc_time_base:v", "-1", "-f", "null", "-"],
                          capture_output=True, text=True)
    complaints = [row for row in run_.stderr.splitlines() if "[error]" in row or "[fatal]" in row]
    return "\n".join(complaints), [float(s) for s in re.findall(r"silence_duration: ([\d.]+)", run_.stderr)]


def levels(path):
    """level_idc of each SPS before a picture, in order."""
    stream = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:v", "-c", "copy", "-bsf:v", "h264_mp4toannexb",
                             "-f", "h264", "-"], capture_output=True, check=True).stdout
    return [nal[3] for nal in stream.split(b"\0\0\1") if nal and nal[0] & 31 == 7]


class Timelines(FlowTest):
    def setUp(self):
        super().setUp()
        self.served = self.server()
        rules = "".join(f"  - {{name: '*-{one}-*', formats: '{formats}'}}\n" for one, formats in FORMATS.items())
        (self.served.home / "conf" / "record_rules.yaml").write_text("rules:\n" + rules)
        self.served.reload()
        self.served.logged("reading the settings again")
        (self.served.home / "media").mkdir()
        self.rounds = 0

    def recorded(self, sources=SOURCES, **more):
        """(source, container, file, clip) of each source in each of its containers."""
        self.rounds += 1
        for source, (clip, containers) in sources.items():
            shutil.copy(clip(), self.served.home / "media" / (source + clip().suffix))
            for container in containers:
                body = {"uri": f"vod://{source}{clip().suffix}", "localStreamName": f"{source}-{container}-{self.rounds}", "realTime": False, "record": True}
                self.assertEqual(self.served.rest("/vod/startup", {**body, **more})[0], 200)
        for source, (clip, containers) in sources.items():
            for container in containers:
                yield source, container, self.served.file(f"{source}-{container}-{self.rounds}.{container}", 60), clip()

    def same_times(self, file, clip, pause=0.0):
        """Every packet stands where the clip has it, after AT by `pause` later; sound that was encoded ends there."""
        self.assertEqual(line(file).keys(), line(clip).keys())
        for kind, (codec, times) in line(clip).items():
            made, seen = line(file)[kind]
            wanted = [time + (pause if time * 1000 >= AT else 0) for time in times]
            if made != codec:
                self.assertAlmostEqual(seen[0], wanted[0], delta=0.025)
                self.assertAlmostEqual(seen[-1], wanted[-1], delta=0.05)
                self.assertLess(max(b - a for a, b in zip(seen, seen[1:])), 0.05, "silence is sound too")
                continue
            self.assertEqual(len(seen), len(wanted), kind)
            near = 0.1 if pause else 0.0  # of the pause: it begins by decoding times
            self.assertLess(max(abs(a - b) for a, b in zip(seen, wanted) if abs(b - AT / 1000) >= near and abs(b - AT / 1000 - pause) >= near), 0.025, kind)
        complaints, silent = heard(file)
        self.assertEqual(complaints, "")
        self.assertEqual(len(silent), 1 if pause and "audio" in line(clip) else 0, silent)
        for one in silent:
            self.assertAlmostEqual(one, pause, delta=0.1)

    def test_a_jump_that_arrival_does_not_match_is_closed(self):
        for by in (10_000, -10_000, DAY, -DAY):
            for source, container, file, clip in self.recorded(faults={"jumpAtMs": AT, "jumpByMs": by}):
                with self.subTest(by=by, source=source, container=container):
                    self.same_times(file, clip)

    def test_a_pause_that_arrival_matches_is_kept(self):
        for source, container, file, clip in self.recorded(faults={"pauseAtMs": AT, "pauseForMs": PAUSE}):
            with self.subTest(source=source, container=container):
                self.same_times(file, clip, PAUSE / 1000)

    def test_other_parameter_sets_go_on_in_the_same_file(self):
        sources = {one: SOURCES[one] for one in ("both", "b", "still")}
        for source, container, file, clip in self.recorded(sources, faults={"changeAtMs": AT}):
            with self.subTest(source=source, container=container):
                self.same_times(file, clip)
                first, changed = levels(clip)[0], 51
                seen = levels(file)
                self.assertEqual(set(seen), {first, changed})
                self.assertEqual(seen, sorted(seen), "the change comes once")

    def test_a_wrap_of_33_bits_leaves_no_trace(self):
        def wrapping(clip):
            path = self.scratch / (clip.stem + ".ts")
            if not path.exists():
                subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(clip), "-c", "copy", "-output_ts_offset", str(2**33 / 90000 - 1.4 - AT / 1000),
                                str(path)], check=True)
                self.assertLess(min(media.times(path, "video")), max(media.times(path, "video")) - 5, "it wraps")
            return path
        sources = {"both": (lambda: wrapping(clips.both()), SOURCES["both"][1]), "b": (lambda: wrapping(clips.b_frames()), SOURCES["b"][1])}
        for source, container, file, _ in self.recorded(sources):
            with self.subTest(source=source, container=container):
                self.same_times(file, {"both": clips.both, "b": clips.b_frames}[source]())

    def test_a_wrap_of_32_bits_leaves_no_trace(self):
        for source, clip in (("both", clips.both()), ("b", clips.b_frames()), ("talk", clips.audio())):
            tags = [(kind, ms + 2**32 - AT, body) for kind, ms, body in flv.read(clip) if not flv.is_end((kind, ms, body))]
            wrapping = flv.write(self.scratch / "wrap.flv", tags)
            for container in SOURCES[source][1]:
                with self.subTest(source=source, container=container):
                    subprocess.run([BUILD / "bin" / "rtmp_load", wrapping, "127.0.0.1", str(self.served.ports["rtmp"]), "1", "--name",
                                    f"{source}-{container}-", "--unpaced"], capture_output=True, text=True, timeout=60, check=True)
                    self.same_times(self.served.file(f"{source}-{container}-0.{container}", 30), clip)


if __name__ == "__main__":
    run()
