"""One stream in, one file out: names, layout, packets and times of what ffmpeg published over RTMP."""
import clips
import media
from case import FlowTest, run


class FirstRecording(FlowTest):
    def same_packets(self, source, file, kind):
        sent, kept = media.hashes(source, kind), media.hashes(file, kind)
        self.assertEqual(len(sent), len(kept), kind)
        self.assertEqual(sent, kept, kind)

    def assert_times_kept(self, source, file):
        """Every packet lies as far behind the earliest one as in the source, to the millisecond that RTMP counts in. The
        first picture alone may be shown earlier, since the track that begins later is stretched to the start."""
        began = min(min(media.times(source, kind)) for kind in ("video", "audio"))
        for kind in ("video", "audio"):
            sent = [time - began for time in media.times(source, kind)]
            for number, (wanted, kept) in enumerate(zip(sent[1:], media.times(file, kind)[1:]), 1):
                self.assertAlmostEqual(wanted, kept, delta=0.0015, msg=f"{kind} packet {number}")

    def test_the_file_is_named_after_the_stream_and_holds_every_packet_with_the_index_first(self):
        server = self.server()
        clip = clips.both()
        server.publish(clip, "stream_ffmpeg", realtime=True)
        file = server.file("stream_ffmpeg.mp4")
        self.assertEqual([f.name for f in server.files()], ["stream_ffmpeg.mp4"])
        self.assertTrue(media.is_progressive(file), media.boxes(file))
        for kind in ("video", "audio"):
            self.same_packets(clip, file, kind)
        self.assert_times_kept(clip, file)
        starts = [float(media.track(file, kind)["start_time"]) for kind in ("video", "audio")]
        self.assertLessEqual(abs(starts[0] - starts[1]), 0.025)
        self.assertAlmostEqual(media.seconds(file), 6, delta=0.1)
        self.assertEqual(media.decodes(file), "")
        self.assertEqual(server.hooked(1), [("stream_ffmpeg", str(file))])
        self.assertEqual(server.terminate(), 0)

    def test_b_frames_keep_their_composition_times(self):
        server = self.server()
        clip = clips.b_frames()
        server.publish(clip, "b")
        file = server.file("b.mp4")
        self.assertTrue(any(pts != dts for pts, dts, *_ in media.packets(file, "video")))
        for kind in ("video", "audio"):
            self.same_packets(clip, file, kind)
        self.assert_times_kept(clip, file)
        self.assertEqual(media.decodes(file), "")

    def test_a_stream_without_video_is_recorded_to_mp4(self):
        server = self.server()
        server.publish(clips.audio(), "talk")
        file = server.file("talk.mp4")
        self.assertEqual([s["codec_name"] for s in media.probe(file)["streams"]], ["aac"])
        self.same_packets(clips.audio(), file, "audio")
        self.assertEqual(media.decodes(file), "")

    def test_a_stream_without_audio_is_recorded(self):
        server = self.server()
        server.publish(clips.video(), "silent")
        file = server.file("silent.mp4")
        self.assertEqual([s["codec_name"] for s in media.probe(file)["streams"]], ["h264"])
        self.same_packets(clips.video(), file, "video")
        self.assertEqual(media.decodes(file), "")

    def test_the_default_template_names_media_session_and_a_random_login(self):
        server = self.server({"stream_record_policy_template": None})
        publisher = server.publishing(clips.both(), "default", loop=True)
        session = server.stream("default")["mediaSessionId"]
        publisher.terminate()
        publisher.wait()
        (_, path), = server.hooked(1)
        self.assertRegex(path.rsplit("/", 1)[1], rf"^stream-{session}-[a-z0-9]{{26}}\.mp4$")

    def test_times_in_names_come_from_the_frames_or_from_the_server_clock(self):
        server = self.server({"stream_record_policy_template":
                              "{streamName}_{startTime}_{endTime}_{duration}_{startTimeMillis}_{endTimeMillis}_{videoCodec}_{audioCodec}"})
        server.publish(clips.both(), "t", realtime=True)
        (_, path), = server.hooked(1)
        name, start, end, duration, clock_start, clock_end, video, audio = path.rsplit("/", 1)[1][:-4].split("_")
        self.assertEqual((name, video, audio), ("t", "H264", "AAC"))
        self.assertLess(int(start), 100)  # RTMP counts from 0
        self.assertAlmostEqual(int(end) - int(start), 6000, delta=100)
        self.assertAlmostEqual(int(duration), int(end) - int(start), delta=1)
        self.assertAlmostEqual(int(clock_end) - int(clock_start), 6000, delta=1000)
        self.assertGreater(int(clock_start), 1_600_000_000_000)

    def test_a_query_string_is_no_part_of_the_name(self):
        server = self.server()
        server.publish(clips.audio(2), "asked?user=x&y=z")
        server.file("asked.mp4")

    def test_the_recording_goes_on_where_ffmpeg_is_cut_off(self):
        server = self.server()
        publisher = server.publishing(clips.both(), "cut", loop=True)
        server.stream("cut")
        self.wait_for_bytes(server, 20_000)
        publisher.kill()
        publisher.wait()
        file = server.file("cut.mp4", 30)
        self.assertTrue(media.is_progressive(file))
        self.assertEqual(media.decodes(file), "")

    def wait_for_bytes(self, server, count):
        from case import eventually
        eventually(lambda: sum(part.stat().st_size for part in server.parts()) > count, "the file grows")

    def test_the_first_recording_after_the_start_is_as_good_as_the_next(self):
        server = self.server()
        for name in ("first", "second"):
            server.publish(clips.both(), name)
        one, two = (server.file(name + ".mp4") for name in ("first", "second"))
        self.assertEqual(media.packets(one, "video"), media.packets(two, "video"))
        self.assertEqual(media.packets(one, "audio"), media.packets(two, "audio"))

    def test_recording_can_be_switched_off(self):
        for setting in ({"record_streams": "false"}, {"record_flash_published_streams": "false"}):
            with self.subTest(setting):
                server = self.server(setting)
                server.publish(clips.audio(2), "off")
                self.assertEqual(server.terminate(), 0)
                self.assertEqual(list(server.records.iterdir()), [])

    def test_a_codec_that_mp4_cannot_hold_is_refused_with_the_reason(self):
        server = self.server()
        server.publish(clips.mp3(), "old")
        server.logged("ended: the client unpublished it")  # all that it sent was looked at
        self.assertEqual(server.terminate(), 0)
        self.assertEqual(server.files(), [])
        self.assertRegex(server.log(), r"(?i)mp3")

    def test_a_longer_recording_has_the_reserve_as_free_space_before_its_media(self):
        server = self.server({"mp4_container_moov_first_reserve_space": "true", "mp4_container_moov_reserved_space_size": "256"})
        server.publish(clips.both(), "reserved")
        file = server.file("reserved.mp4")
        self.assertTrue(media.is_progressive(file))
        self.assertGreater(file.stat().st_size, 256 * 1024)
        self.same_packets(clips.both(), file, "video")

    def test_moov_last_when_it_was_asked_for(self):
        server = self.server({"mp4_container_moov_first": "false"})
        server.publish(clips.both(), "last")
        file = server.file("last.mp4")
        types = media.boxes(file)
        self.assertGreater(types.index("moov"), types.index("mdat"))
        self.same_packets(clips.both(), file, "video")
        self.assertEqual(media.decodes(file), "")


if __name__ == "__main__":
    run()
