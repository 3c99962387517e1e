"""Time lines and streams that change under way: wraps, jumps, gaps, another size of picture."""
import subprocess

import clips
import flv
import media
from case import BUILD, SLOWNESS, FlowTest, run


class Times(FlowTest):
    def publish(self, server, path, name, paced=False):
        load = subprocess.run([BUILD / "bin" / "rtmp_load", path, "127.0.0.1", str(server.ports["rtmp"]), "1", "--name", name,
                               *([] if paced else ["--unpaced"])],
                              capture_output=True, text=True, timeout=60 * SLOWNESS)
        self.assertEqual(load.returncode, 0, load.stderr)

    def send(self, server, path, name="s", paced=False):
        self.publish(server, path, name, paced)
        return server.file(name + "0.mp4")

    def assert_whole(self, file, clip):
        for kind in ("video", "audio"):
            self.assertEqual(media.hashes(file, kind), media.hashes(clip, kind), kind)
            dts = [d for _, d, *_ in media.packets(file, kind)]
            self.assertEqual(dts, sorted(set(dts)), f"{kind} times rise")
        self.assertTrue(media.is_progressive(file))
        self.assertEqual(media.decodes(file), "")

    def changed(self, name, clip, time):
        """The clip with other times: `time(ms)` of each tag but the setup, which goes first."""
        tags = [tag for tag in flv.read(clip) if not flv.is_end(tag)]
        return flv.write(self.scratch / name, [(kind, time(ms), body) for kind, ms, body in tags])

    def test_a_time_that_runs_over_32_bits_goes_on(self):
        server, clip = self.server(), clips.both()
        file = self.send(server, self.changed("wrap.flv", clip, lambda ms: ms + 2**32 - 3000))
        self.assert_whole(file, clip)
        self.assertAlmostEqual(media.seconds(file), 6, delta=0.1)

    def test_a_start_far_from_zero_is_the_start_of_the_file(self):
        server, clip = self.server(), clips.both()
        file = self.send(server, self.changed("late.flv", clip, lambda ms: ms + 0x1234567))
        self.assert_whole(file, clip)
        self.assertAlmostEqual(media.seconds(file), 6, delta=0.1)

    def test_a_jump_back_to_zero_goes_on_where_the_time_was(self):
        server, clip = self.server(), clips.both()
        file = self.send(server, self.changed("back.flv", clip, lambda ms: ms if ms < 3000 else ms - 3000))
        self.assert_whole(file, clip)
        self.assertAlmostEqual(media.seconds(file), 6, delta=0.5)

    def test_a_jump_forward_by_an_hour_leaves_no_hour_of_nothing(self):
        server, clip = self.server(), clips.both()
        file = self.send(server, self.changed("forward.flv", clip, lambda ms: ms if ms < 3000 else ms + 3_600_000))
        self.assert_whole(file, clip)
        self.assertLess(media.seconds(file), 30)

    def test_a_gap_of_two_seconds_stays_a_gap(self):
        server, clip = self.server(), clips.both()
        file = self.send(server, self.changed("gap.flv", clip, lambda ms: ms if ms < 3000 else ms + 2000), paced=True)
        self.assert_whole(file, clip)
        self.assertAlmostEqual(media.seconds(file), 8, delta=0.2)

    def two_sizes(self):
        small, large = clips.both(), clips.large()
        first = [tag for tag in flv.read(small) if not flv.is_end(tag)]
        last = max(ms for _, ms, _ in first) + 40
        second = [(kind, ms + last, body) for kind, ms, body in flv.read(large) if kind != flv.SCRIPT and not flv.is_end((kind, ms, body))]
        return flv.write(self.scratch / "sizes.flv", first + second)

    def test_another_size_of_picture_goes_on_in_the_same_file(self):
        server = self.server()
        file = self.send(server, self.two_sizes())
        self.assertTrue(media.is_progressive(file))
        self.assertEqual(media.decodes(file), "")
        self.assertEqual(len(media.packets(file, "video")), 300)
        # Until the change the packets are the source's own; then parameter sets are inside of key frames.
        self.assertEqual(media.hashes(file, "video")[:150], media.hashes(clips.both(), "video"))
        sizes = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "frame=width,height", "-of", "csv=p=0", file],
                               capture_output=True, text=True).stdout.replace(",\n", "\n").split()
        self.assertEqual([sizes.count("320,240"), sizes.count("640,360")], [150, 150])

    def test_another_size_starts_a_new_file_when_that_is_asked_for(self):
        server = self.server({"record_codec_change": "split", "record_name_collision": "suffix"})
        self.send(server, self.two_sizes())
        first, second = (path for _, path in server.hooked(2))
        self.assertNotEqual(first, second)
        self.assertEqual((media.track(first, "video")["width"], media.track(second, "video")["width"]), (320, 640))
        self.assertEqual(media.hashes(first, "video"), media.hashes(clips.both(), "video"))
        self.assertEqual(media.hashes(second, "video"), media.hashes(clips.large(), "video"))

    def test_codecs_of_enhanced_rtmp(self):
        server = self.server({"record_formats": "h265-mp4, vp9-mp4, av1-mkv"})
        for codec, name, suffix in (("h265", "hevc", "mp4"), ("vp9", "vp9", "mp4"), ("av1", "av1", "mkv")):
            clip = clips.mkv_of(codec, "opus")
            path = flv.enhanced(self.scratch / f"{codec}.flv", clip, name)
            self.publish(server, path, codec)
            file = server.file(f"{codec}0.{suffix}")
            self.assertEqual(media.track(file, "video")["codec_name"], name)
            self.assertEqual(media.track(file, "video")["width"], media.track(clip, "video")["width"])
            self.assertEqual(media.track(file, "audio")["codec_name"], "opus" if suffix == "mkv" else "aac")
            self.assertEqual(media.hashes(file, "video"), media.hashes(clip, "video"))
            self.assertEqual(media.decodes(file), "")


if __name__ == "__main__":
    run()
