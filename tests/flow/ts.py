"""Recordings in MPEG-TS: what is in them, what players see, and what is left after a kill.

TAPEDECK_KILLS says how many times the server is killed (2 in CI, 20 in the soak), TAPEDECK_SEED repeats a run.
"""
import json
import os
import random
import shutil
import subprocess
import time

import clips
import media
import mpegts
from case import FlowTest, eventually, run

KILLS = int(os.environ.get("TAPEDECK_KILLS", "2"))
SEED = int(os.environ.get("TAPEDECK_SEED", str(random.randrange(1 << 30))))


class Ts(FlowTest):
    def served(self, settings=None, **files):
        """A server that records H.264 to TS, with these clips in its folder media/, under these names."""
        server = self.server({"record_flash_published_streams": "false", "record_h264_to_ts": "true", **(settings or {})})
        folder = server.home / "media"
        folder.mkdir(exist_ok=True)
        for name, clip in files.items():
            shutil.copy(clip, folder / (name + clip.suffix))
        return server

    def start(self, server, name, fast=True, suffix=".flv", **more):
        answer = server.rest("/vod/startup", {"uri": f"vod://{name}{suffix}", "localStreamName": name, "realTime": not fast, "record": True, **more})
        self.assertEqual(answer, (200, None))

    def recorded(self, clip, settings=None):
        server = self.served(settings, film=clip)
        self.start(server, "film")
        return server.file("film.ts", 30)

    def assert_same(self, file, clip, whole=True):
        """Every picture without delimiters and parameter sets, every frame of sound, and the times of both."""
        stream = mpegts.read(file)
        self.assertLessEqual(stream.longest_clock_step(), 0.1)
        source = mpegts.pictures_of(clip)
        kept = stream.pictures()
        self.assertEqual(kept, source[:None if whole else len(kept)])
        source = mpegts.frames_of(clip)
        kept = stream.frames()
        self.assertEqual(kept, source[:None if whole else len(kept)])
        self.assertEqual(media.decodes(file), "")
        kinds = [kind for kind in ("video", "audio") if media.track(clip, kind)]
        self.assertEqual(sorted(s["codec_type"] for s in media.probe(file)["streams"]), sorted(kinds))
        if len(kinds) == 2:
            apart = [float(media.track(path, "audio")["start_time"]) - float(media.track(path, "video")["start_time"]) for path in (clip, file)]
            self.assertLess(abs(apart[0] - apart[1]), 0.025)

    def test_a_stream_is_recorded_to_ts_with_every_packet_of_its_source(self):
        clip = clips.both(20)
        file = self.recorded(clip)
        self.assert_same(file, clip)
        self.assertAlmostEqual(media.seconds(file), 20, delta=0.1)

    def test_b_frames_keep_their_times(self):
        clip = clips.b_frames(12)
        file = self.recorded(clip)
        self.assert_same(file, clip)
        for kind in ("video", "audio"):
            wanted, kept = media.times(clip, kind), media.times(file, kind)
            self.assertEqual(len(wanted), len(kept))
            offset = media.times(file, "video")[0] - media.times(clip, "video")[0]
            for one, other in zip(wanted, kept):
                self.assertAlmostEqual(one + offset, other, delta=0.0015)

    def test_five_frames_a_second_have_ten_clock_references(self):
        clip = clips.slow(12)
        self.assert_same(self.recorded(clip), clip)

    def test_h265_is_recorded_too_and_mp3_becomes_aac(self):
        clip = clips.h265(6)
        server = self.served({"record_formats": "h265-ts"}, film=clip)
        self.start(server, "film", suffix=".mkv")
        file = server.file("film.ts", 30)
        self.assertEqual([s["codec_name"] for s in media.probe(file)["streams"]], ["hevc", "aac"])
        self.assertEqual(media.decodes(file), "")
        self.assertEqual(self.pictures_shown(file), self.pictures_shown(clip))

    def test_record_formats_choose_ts_and_no_picture_is_mp4(self):
        settings = {"record_h264_to_ts": "false", "record_formats": "h264-ts, vp8-webm"}
        server = self.served(settings, film=clips.both(6), talk=clips.audio(6), still=clips.video(6))
        for name in ("film", "talk", "still"):
            self.start(server, name)
        self.assert_same(server.file("film.ts"), clips.both(6))
        self.assert_same(server.file("still.ts"), clips.video(6))
        server.file("talk.mp4")

    def test_ts_comes_before_the_formats(self):
        file = self.recorded(clips.both(6), {"record_formats": "h264-mp4, vp8-mkv"})
        self.assertEqual(media.probe(file)["format"]["format_name"], "mpegts")

    def pictures_shown(self, path):
        shown = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:v", "-vsync", "passthrough", "-f", "framemd5", "-"],
                               capture_output=True, text=True, check=True)
        self.assertEqual(shown.stderr, "")
        return [line.rsplit(" ", 1)[1] for line in shown.stdout.splitlines() if line[0] != "#"]

    def test_a_player_that_seeks_by_the_clock_shows_every_picture_from_the_key_picture_on(self):
        clip = clips.b_frames(12)
        file = self.recorded(clip)
        stream, shown = mpegts.read(file), self.pictures_shown(clip)
        self.assertEqual(len(stream.entries), 6, "a key picture each 2 seconds")
        for second in (0.5, 2.3, 5, 11):
            sought = self.scratch / "sought.ts"
            sought.write_bytes(file.read_bytes()[stream.seek(second):])
            self.assertEqual(self.pictures_shown(sought), shown[int(second / 2) * 50:], second)

    def test_fragments_lose_and_double_nothing(self):
        clip = clips.both(20)
        server = self.served({"record_rotation": "2"}, film=clip)
        self.start(server, "film")
        server.hooked(10, 60)
        eventually(lambda: server.rest("/recorder/find_all")[0] == 404, "the end of the recording")
        files = [server.records / path.rsplit("/", 1)[1] for _, path in server.hook_calls()]
        self.assertGreaterEqual(len(files), 9)
        streams = [mpegts.read(file) for file in files]
        self.assertEqual([p for stream in streams for p in stream.pictures()], mpegts.pictures_of(clip))
        self.assertEqual([f for stream in streams for f in stream.frames()], mpegts.frames_of(clip))
        for file in files:
            self.assertEqual(media.decodes(file), "", file.name)

    def test_another_size_goes_on_in_the_same_file(self):
        server = self.served(film=clips.both(6), more=clips.large(6))
        self.start(server, "film", then=["vod://more.flv"])
        file = server.file("film.ts", 30)
        self.assertEqual(mpegts.read(file).pictures(), mpegts.pictures_of(clips.both(6)) + mpegts.pictures_of(clips.large(6)))
        self.assertEqual(media.decodes(file), "")

    def killed(self, server, name, seconds=0.0):
        """The part of a recording that was killed so long after it had begun to grow, and how long the stream had run."""
        self.start(server, name, fast=False)
        server.stream(name)
        began = time.monotonic()
        eventually(lambda: sum(p.stat().st_size for p in server.parts()) > 100_000, "the file grows", 30)
        time.sleep(seconds)  # the moment of the kill is the test's input
        sent = time.monotonic() - began
        server.kill()
        part, = server.parts()
        return part, sent

    def test_killed_at_any_moment_a_recording_plays_as_it_is_and_gets_its_name(self):
        clip = clips.both(30)
        moments, most = random.Random(SEED), 0.0
        print(f"seed {SEED}")
        for _ in range(KILLS):
            server = self.served({"stream_record_policy_template": "{streamName}-{endTime}"}, film=clip)
            part, sent = self.killed(server, "film", moments.uniform(0, 2))
            self.assertEqual(media.decodes(part), "", "it plays before anybody recovers it")
            self.assertGreater(media.seconds(part), sent - 1)
            before = part.read_bytes()
            server.restart()
            (stream, path), = server.hooked(1, 30)
            file = server.records / path.rsplit("/", 1)[1]
            self.assertEqual(stream, "film")
            self.assertRegex(file.name, r"^film-\d+\.ts$")
            self.assertAlmostEqual(int(file.stem.rsplit("-", 1)[1]) / 1000, media.seconds(file), delta=0.2)
            self.assertEqual(file.read_bytes(), before[:file.stat().st_size])
            self.assert_same(file, clip, whole=False)
            most = max(most, sent - media.seconds(file))
            self.assertLessEqual(most, 1.0)
            self.assertEqual(server.parts(), [])
            self.assertEqual(server.terminate(), 0)
        print(f"at most {most:.2f} s lost")

    def test_a_torn_file_names_its_stream_when_the_catalogue_was_lost(self):
        clip = clips.both(30)
        server = self.served({"stream_record_policy_template": "{streamName}-{mediaSessionId}"}, orphan=clip)
        part, _ = self.killed(server, "orphan")
        with open(part, "r+b") as file:
            file.truncate(part.stat().st_size - 1001)
        for database in server.home.rglob("*"):
            if database.is_file() and (".db" in database.name or ".sqlite" in database.name):
                database.unlink()
        server.restart()
        (stream, path), = server.hooked(1, 30)
        self.assertEqual(stream, "orphan")
        self.assertRegex(path.rsplit("/", 1)[1], r"^orphan-[0-9a-f-]{36}\.ts$")
        self.assert_same(server.records / path.rsplit("/", 1)[1], clip, whole=False)
        self.assertEqual(json.loads(server.request("GET", "/health")[2])["pending"], 0)


if __name__ == "__main__":
    run()
