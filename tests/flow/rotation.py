"""Recordings cut into fragments: names, numbers, and no packet lost or doubled at a cut."""
import clips
import media
from case import FlowTest, eventually, run


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

    def test_a_new_session_counts_from_one_again(self):
        server = self.server({"record_rotation": "20", "record_name_collision": "suffix"})
        for _ in range(2):
            server.publish(clips.audio(2), "again")
        self.assertEqual([path.rsplit("/", 1)[1] for _, path in server.hooked(2)], ["again_1.mp4", "again_1-2.mp4"])


if __name__ == "__main__":
    run()
