"""Clocks of sources that jump, stop and wrap, in every container, as fast as possible."""
import shutil

import clips
import media
from case import FlowTest, eventually, run

FORMATS = {"mp4": "h264-mp4", "mkv": "h264-mkv", "ts": "h264-ts"}
DAY = 86_400_000


class Timelines(FlowTest):
    def recorded(self, faults):
        """The same film with these faults in each container, by container."""
        clip = clips.both(10)
        rules = "rules:\n" + "".join(f"  - {{name: '*-{one}', formats: {pair}}}\n" for one, pair in FORMATS.items())
        server = self.server({"record_flash_published_streams": "false"})
        (server.home / "media").mkdir()
        shutil.copy(clip, server.home / "media" / "film.flv")
        (server.home / "conf" / "record_rules.yaml").write_text(rules)
        server.reload()
        server.logged("reading the settings again")
        for one in FORMATS:
            self.assertEqual(server.rest("/vod/startup", {"uri": "vod://film.flv", "localStreamName": f"film-{one}", "realTime": False,
                                                          "record": True, "faults": faults})[0], 200)
        for one in FORMATS:
            yield one, server.file(f"film-{one}.{one}", 60), clip

    def whole(self, file, clip):
        for kind in ("video", "audio"):
            self.assertEqual(len(media.packets(file, kind)), len(media.packets(clip, kind)), kind)
        self.assertEqual(media.decodes(file), "")

    def steps(self, file, kind):
        times = sorted(media.times(file, kind))
        return [b - a for a, b in zip(times, times[1:])]

    def test_a_jump_that_arrival_does_not_match_is_closed(self):
        for by in (10_000, -10_000, DAY, -DAY):
            for container, file, clip in self.recorded({"jumpAtMs": 5000, "jumpByMs": by}):
                with self.subTest(by=by, container=container):
                    self.whole(file, clip)
                    self.assertAlmostEqual(media.seconds(file), 10, delta=0.15)
                    self.assertLess(max(self.steps(file, "video")), 0.1)
                    self.assertLess(max(self.steps(file, "audio")), 0.1)

    def test_a_pause_that_arrival_matches_is_kept(self):
        for container, file, clip in self.recorded({"pauseAtMs": 5000, "pauseForMs": 30_000}):
            with self.subTest(container=container):
                self.whole(file, clip)
                self.assertAlmostEqual(media.seconds(file), 40, delta=0.15)
                self.assertAlmostEqual(max(self.steps(file, "video")), 30, delta=0.1)
                start = [media.times(file, kind)[-1] for kind in ("video", "audio")]
                self.assertAlmostEqual(start[0], start[1], delta=0.06)


if __name__ == "__main__":
    run()
