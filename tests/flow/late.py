"""Tracks that come late and publishers that come back, in every container."""
import re
import shutil
import subprocess
import time

import clips
import media
from case import FlowTest, eventually, run

FORMATS = {"mp4": "h264-mp4", "mkv": "h264-mkv", "ts": "h264-ts"}


class Late(FlowTest):
    def ruled(self, settings=None):
        """A server that records a stream named `*-<container>` into this container."""
        rules = "rules:\n" + "".join(f"  - {{name: '*-{one}', formats: {pair}}}\n" for one, pair in FORMATS.items())
        server = self.server({"record_flash_published_streams": "false", **(settings or {})})
        (server.home / "media").mkdir()
        (server.home / "conf" / "record_rules.yaml").write_text(rules)
        server.reload()
        server.logged("reading the settings again")
        return server

    def play(self, server, clip, name, **more):
        """Publishes the clip as a stream that is recorded."""
        if not (server.home / "media" / clip.name).exists():  # else it may be being read
            shutil.copy(clip, server.home / "media" / clip.name)
        self.assertEqual(server.rest("/vod/startup", {"uri": f"vod://{clip.name}", "localStreamName": name, "realTime": False,
                                                      "record": True, **more})[0], 200)

    def steps(self, file, kind):
        times = sorted(media.times(file, kind))
        return [b - a for a, b in zip(times, times[1:])]

    def loudest(self, file, start, seconds):
        """The loudest sample of this part, counted from the first picture, in dB; -91 where there is none."""
        start += min(media.times(file, "video"))
        told = subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-copyts", "-i", str(file), "-map", "0:a", "-af",
                               f"atrim=start={start}:duration={seconds},volumedetect", "-f", "null", "-"], capture_output=True, text=True).stderr
        found = re.search(r"max_volume: (\S+) dB", told)
        return float(found[1]) if found else -91.0

    def begins_together(self, file):
        """Seconds from the first picture to the first sound."""
        return min(media.times(file, "audio")) - min(media.times(file, "video"))

    def test_sound_that_comes_late_goes_into_the_same_file(self):
        server = self.ruled()
        sources = {"film-mp4": (clips.both(10), "mp4"), "film-mkv": (clips.both(10), "mkv"), "film-ts": (clips.both(10), "ts"),
                   "web": (clips.vp8_opus(10), "webm"), "made-mp4": (clips.h264_opus(10), "mp4"), "opus-mkv": (clips.h264_opus(10), "mkv")}
        for name, (clip, _) in sources.items():
            self.play(server, clip, name, faults={"audioFromMs": 5000})
        for name, (clip, container) in sources.items():
            with self.subTest(name):
                file = server.file(f"{name}.{container}", 60)
                self.assertAlmostEqual(media.seconds(file), 10, delta=0.15)
                self.assertEqual(len(media.packets(file, "video")), len(media.packets(clip, "video")))
                self.assertAlmostEqual(self.begins_together(file), 0 if container == "mp4" else 5, delta=0.1)
                self.assertEqual(media.decodes(file), "")
                self.assertLess(self.loudest(file, 0, 4.9), -60)
                self.assertGreater(self.loudest(file, 5.1, 0.5), -30)
        self.assertEqual(len(server.files()), len(sources), server.files())

    def test_video_that_comes_late_goes_into_the_same_file(self):
        server = self.ruled()
        sources = {"film": clips.both(4), "b-film": clips.b_frames(4), "made": clips.h264_opus(4)}
        for name, clip in {**sources, "web": clips.vp8_opus(4)}.items():
            self.play(server, clip, name, realTime=True, faults={"videoFromMs": 1800})
        for name in sources:
            with self.subTest(name):
                file = server.file(f"{name}.mp4", 60)
                self.assertAlmostEqual(media.seconds(file), 4, delta=0.15)
                self.assertAlmostEqual(self.begins_together(file), 0, delta=0.1)
                self.assertGreater(sorted(media.times(file, "video"))[1], 1.7, "the first picture stands")
                self.assertEqual(media.decodes(file), "")
                self.assertGreater(self.loudest(file, 1, 0.5), -30)
        # Video that MP4 cannot take begins a new file.
        self.assertAlmostEqual(media.seconds(server.file("web.mp4")), 2, delta=0.3)
        self.assertAlmostEqual(media.seconds(server.file("web_2.webm")), 2, delta=0.3)
        self.assertEqual(len(server.files()), len(sources) + 2, server.files())

    def test_a_killed_file_has_the_late_track_after_the_next_start(self):
        server = self.ruled()
        for one in FORMATS:
            self.play(server, clips.both(10), f"film-{one}", realTime=True, faults={"audioFromMs": 1500})
        server.logged("-ts': audio of codec AAC came late")
        time.sleep(1.5)  # of sound, some of which must be there
        server.kill()
        server.restart()
        for one in FORMATS:
            with self.subTest(one):
                file = server.file(f"film-{one}.{one}", 30)
                self.assertGreater(media.seconds(file), 2)
                self.assertGreater(self.loudest(file, 1.6, 0.4), -30)
                self.assertEqual(media.decodes(file), "")

    def leaves(self, server, name):
        """Waits until the publisher has left and the recording waits for it."""
        server.logged(f"recording of '{name}': the publisher has left")

    def test_a_publisher_that_comes_back_in_time_goes_on_in_the_same_file(self):
        server = self.ruled({"record_reconnect_timeout": "20"})
        clip = clips.both(10)
        names = [f"film-{one}" for one in FORMATS]
        began = time.monotonic()  # the first of them leaves a moment later
        for name in names:
            self.play(server, clip, name)
            self.leaves(server, name)
        running = server.rest("/recorder/find_all")[1]
        self.assertEqual(len(running), len(names), running)
        self.assertEqual(server.files(), [])
        time.sleep(1)  # the pause
        for name in names:
            self.play(server, clip, name)
            server.logged(f"recording of '{name}' goes on with media session")
        self.assertEqual(len(server.rest("/recorder/find_all")[1]), len(names))
        eventually(lambda: server.log().count("ended: the file has ended") == 2 * len(names), "all are played")
        for one in server.rest("/recorder/find_all")[1]:
            self.assertEqual(server.rest("/recorder/terminate", {"mediaSessionId": one["mediaSessionId"]})[0], 200)
        for container in FORMATS:
            with self.subTest(container):
                file = server.file(f"film-{container}.{container}", 30)
                for kind in ("video", "audio"):
                    self.assertEqual(len(media.packets(file, kind)), 2 * len(media.packets(clip, kind)))
                pause = max(self.steps(file, "video"))
                self.assertTrue(1 < pause < time.monotonic() - began, pause)
                self.assertAlmostEqual(media.seconds(file), 20 + pause, delta=0.15)
                self.assertEqual(media.decodes(file), "")
        self.assertEqual(len(server.files()), len(names), server.files())
        self.assertEqual(len(server.hooked(len(names))), len(names))

    def test_a_publisher_that_comes_back_with_other_tracks_begins_a_new_file_of_the_recording(self):
        server = self.ruled({"record_reconnect_timeout": "20"})
        self.play(server, clips.both(10), "film")
        self.leaves(server, "film")
        self.play(server, clips.vp8_opus(10), "film")
        self.assertAlmostEqual(media.seconds(server.file("film.mp4", 30)), 10, delta=0.5)
        self.assertEqual(server.terminate(), 0)
        self.assertAlmostEqual(media.seconds(server.file("film_2.webm", 30)), 10, delta=0.5)

    def test_waiting_for_a_publisher_ends_with_its_time_by_rest_and_with_the_server(self):
        server = self.ruled({"record_reconnect_timeout": "1"})
        self.play(server, clips.both(10), "short")
        self.assertAlmostEqual(media.seconds(server.file("short.mp4", 30)), 10, delta=0.15)
        self.play(server, clips.both(10), "short")
        self.leaves(server, "short")
        server.configure(record_reconnect_timeout="600")
        server.reload()
        eventually(lambda: server.log().count("reading the settings again") == 2, "the settings are read")
        self.play(server, clips.both(10), "stopped")
        self.leaves(server, "stopped")
        session = next(one["mediaSessionId"] for one in server.rest("/recorder/find_all")[1] if "stopped" in one["fileName"])
        self.assertEqual(server.rest("/recorder/terminate", {"mediaSessionId": session})[0], 200)
        self.assertAlmostEqual(media.seconds(server.file("stopped.mp4", 5)), 10, delta=0.15)
        self.play(server, clips.both(10), "long")
        self.leaves(server, "long")
        self.assertEqual(server.terminate(20), 0)
        self.assertAlmostEqual(media.seconds(server.files("long.mp4")[0]), 10, delta=0.15)

    def test_a_disk_without_space_ends_the_waiting_for_a_publisher(self):
        server = self.ruled({"record_reconnect_timeout": "600"})
        self.play(server, clips.both(10), "film")
        self.leaves(server, "film")
        server.configure(file_recorder_min_space="900000g")
        server.reload()
        self.assertAlmostEqual(media.seconds(server.file("film.mp4")), 10, delta=0.15)
        server.logged("recording of 'film' stops: Not enough available disk space")


if __name__ == "__main__":
    run()
