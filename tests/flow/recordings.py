"""What finished files say of themselves."""
import datetime
import time

import clips
import media
from case import FlowTest, run


class Recordings(FlowTest):
    def test_the_creation_time_is_the_start_of_the_recording(self):
        server = self.server()
        before = time.time()
        server.publish(clips.both(), "dated", realtime=True)
        tags = media.probe(server.file("dated.mp4"))["format"]["tags"]
        created = datetime.datetime.fromisoformat(tags["creation_time"].replace("Z", "+00:00")).timestamp()
        self.assertAlmostEqual(created, before, delta=3)

    def test_the_profile_is_that_of_the_parameter_sets(self):
        server = self.server()
        server.publish(clips.both(), "base")  # x264's ultrafast makes Constrained Baseline
        server.publish(clips.b_frames(), "high")
        self.assertEqual(media.track(server.file("base.mp4"), "video")["profile"], "Constrained Baseline")
        self.assertEqual(media.track(server.file("high.mp4"), "video")["profile"], "High")

    def test_size_and_sound_are_those_of_the_source(self):
        server = self.server()
        server.publish(clips.both(), "film")
        file = server.file("film.mp4")
        video, audio = media.track(file, "video"), media.track(file, "audio")
        self.assertEqual((video["width"], video["height"], video["r_frame_rate"]), (320, 240, "25/1"))
        self.assertEqual((audio["sample_rate"], audio["channels"]), ("44100", 2))


if __name__ == "__main__":
    run()
