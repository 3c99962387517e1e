"""Recordings cut into fragments: names, numbers, and no packet lost or doubled at a cut."""
import os
import shutil

import clips
import media
import mpegts
from case import FlowTest, eventually, run

FRAGMENTS = int(os.environ.get("TAPEDECK_FRAGMENTS", "6"))  # of each container


class Rotation(FlowTest):
    def fragments(self, settings, clip, name="r", count=2):
        """Publishes the clip and gives the fragments in the order in which the hook heard of them."""
        server = self.server(settings)
        server.publish(clip, name, realtime=True)
        server.hooked(count, 30)
        eventually(lambda: server.rest("/recorder/find_all")[0] == 404, "the end of the recording")
        self.assertEqual(server.terminate(), 0)
        files = [server.records / path.rsplit("/", 1)[1] for _, path in server.hook_calls()]
        self.assertEqual(sorted(files), server.files())
        for file in files:
            self.assertTrue(media.is_progressive(file), file.name)
            self.assertEqual(media.decodes(file), "", file.name)
        for kind in ("video", "audio"):
            self.assertEqual([md5 for file in files for md5 in media.hashes(file, kind)], media.hashes(clip, kind), kind)
        return files

    def test_fragments_of_seconds_are_numbered_and_lose_nothing(self):
        files = self.fragments({"record_rotation": "3", "stream_record_policy_template": "{streamName}-{startTime}-{endTime}"},
                               clips.both(10), count=4)
        self.assertEqual([int(file.stem.rsplit("_", 1)[1]) for file in files], list(range(1, len(files) + 1)))
        for file in files[:-1]:
            # The cut is at the first key frame at or after the limit, and there is one each second.
            self.assertGreaterEqual(media.seconds(file), 2.9)
            self.assertLessEqual(media.seconds(file), 4.1)
        times = [tuple(map(int, file.stem.rsplit("_", 1)[0].split("-")[1:])) for file in files]
        for (start, end), file in zip(times, files):
            self.assertAlmostEqual((end - start) / 1000, media.seconds(file), delta=0.1)
        for (_, end), (start, _) in zip(times, times[1:]):
            self.assertAlmostEqual(start, end, delta=50)

    def test_fragments_of_a_size_are_a_little_larger_than_it(self):
        files = self.fragments({"record_rotation": "100K"}, clips.both(), count=2)
        for file in files[:-1]:
            self.assertGreaterEqual(file.stat().st_size, 100 * 1024)
            self.assertLess(file.stat().st_size, 250 * 1024)

    def test_the_number_can_be_left_out(self):
        files = self.fragments({"record_rotation": "3", "record_rotation_index_enabled": "false",
                                "stream_record_policy_template": "{streamName}-{startTimeMillis}"}, clips.both(), count=2)
        for file in files:
            self.assertRegex(file.name, r"^r-\d+\.mp4$")

    def test_sound_alone_is_cut_at_any_frame(self):
        clip = clips.audio()
        server = self.server({"record_rotation": "2"})
        server.publish(clip, "talk", realtime=True)
        server.hooked(3, 30)
        self.assertEqual(server.terminate(), 0)
        files = [server.records / f"talk_{n}.mp4" for n in (1, 2, 3)]
        self.assertEqual(server.files(), files)
        self.assertEqual([md5 for file in files for md5 in media.hashes(file, "audio")], media.hashes(clip, "audio"))

    def in_every_container(self, rotation, clip_of):
        """Films of each container at once, as fast as possible, in at least FRAGMENTS fragments."""
        films = {"mp4": ("both", "h264-mp4"), "mkv": ("both", "h264-mkv"), "ts": ("both", "h264-ts"), "webm": ("pair", "vp8-webm")}
        server = self.server({"record_flash_published_streams": "false", "record_rotation": rotation,
                              "record_name_collision": "fail"})
        (server.home / "media").mkdir()
        (server.home / "conf" / "record_rules.yaml").write_text(
            "rules:\n" + "".join(f"  - {{name: {one}, formats: {formats}}}\n" for one, (_, formats) in films.items()))
        server.reload()
        server.logged("reading the settings again")
        for clip in {clip_of(kind) for kind, _ in films.values()}:
            shutil.copy(clip, server.home / "media" / clip.name)
        for container, (kind, _) in films.items():
            clip = clip_of(kind)
            self.assertEqual(server.rest("/vod/startup", {"uri": f"vod://{clip.name}", "localStreamName": container,
                                                          "realTime": False, "record": True})[0], 200)
        eventually(lambda: server.rest("/recorder/find_all")[0] == 404, "the end of the recordings", 60 + FRAGMENTS)
        self.assertEqual(server.terminate(), 0)
        for container, (kind, _) in films.items():
            with self.subTest(container=container):
                clip = clip_of(kind)
                heard = [path.rsplit("/", 1)[1] for stream, path in server.hook_calls() if stream == container]
                self.assertGreaterEqual(len(heard), FRAGMENTS)
                self.assertEqual(heard, [f"{container}_{n}.{container}" for n in range(1, len(heard) + 1)], "in order, once each")
                files = [server.records / name for name in heard]
                if container == "ts":
                    streams = [mpegts.read(file) for file in files]
                    self.assertTrue([p for one in streams for p in one.pictures()] == mpegts.pictures_of(clip), "pictures")
                    self.assertTrue([f for one in streams for f in one.frames()] == mpegts.frames_of(clip), "sound")
                else:
                    found, source = [media.all_hashes(file) for file in files], media.all_hashes(clip)
                    for track in ("video", "audio"):
                        self.assertTrue([md5 for one in found for md5 in one[track]] == source[track], track)
                self.assertEqual(media.decodes(files[len(files) // 2]), "")

    def test_by_seconds_every_container_keeps_the_source_whole(self):
        seconds = 2 * FRAGMENTS + 1
        self.in_every_container("2", lambda kind: clips.both(seconds) if kind == "both" else clips.pair("vp8", "opus", seconds))

    def test_by_size_every_container_keeps_the_source_whole(self):
        """1 MB each in the long form; clips of the short form are too slow for that."""
        if FRAGMENTS < 100:
            return self.in_every_container("100K", lambda kind: clips.both(3 * FRAGMENTS) if kind == "both" else clips.pair("vp8", "opus", 4 * FRAGMENTS))
        self.in_every_container("1M", lambda kind: clips.heavy(FRAGMENTS + 10, 12) if kind == "both" else clips.heavy_vp8(FRAGMENTS + 10, 12))

    def test_a_new_session_counts_from_one_again(self):
        server = self.server({"record_rotation": "20", "record_name_collision": "suffix"})
        for _ in range(2):
            server.publish(clips.audio(2), "again")
        self.assertEqual([path.rsplit("/", 1)[1] for _, path in server.hooked(2)], ["again_1.mp4", "again_1-2.mp4"])


if __name__ == "__main__":
    run()
