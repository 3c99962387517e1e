"""WebM and MKV recordings: what comes in stands in the file, whole, in time and in place, also after a kill."""
import os
import random
import shutil
import subprocess
import time

import browser
import clips
import media
from case import FlowTest, eventually, run

FORMATS = "h264-mkv, h265-mkv, vp8-webm, vp9-webm, av1-webm"
KILLS = int(os.environ.get("TAPEDECK_KILLS", "2"))
SEED = int(os.environ.get("TAPEDECK_SEED", str(random.randrange(1 << 30))))


def elements(path):
    """[(id, size, position)] of what the Segment holds; AssertionError when it does not fill the file exactly."""
    data = path.read_bytes()

    def header(at):
        width = 9 - data[at].bit_length()
        size_at = at + width
        size_width = 9 - data[size_at].bit_length()
        size = int.from_bytes(data[size_at:size_at + size_width], "big") & ((1 << 7 * size_width) - 1)
        return data[at:size_at].hex(), size, size_at + size_width

    name, size, at = header(0)
    assert name == "1a45dfa3", f"{path} begins with {name}"
    name, size, at = header(at + size)
    assert name == "18538067", f"{path} has {name} for a Segment"
    assert at + size == len(data), f"{path}: a Segment of {size} bytes at {at} of {len(data)}"
    found = []
    while at < len(data):
        name, size, content = header(at)
        found.append((name, size, at))
        at = content + size
    assert at == len(data), f"{path}: its last element reaches to {at} of {len(data)}"
    return found


def is_finished(path):
    """Whether it has Cues before the first cluster and a Duration."""
    names = [name for name, *_ in elements(path)]
    return ("1c53bb6b" in names and names.index("1c53bb6b") < names.index("1f43b675")
            and "duration" in media.probe(path)["format"])


def keys_near(path, seconds):
    """The time of the packet that a player gets first after a jump to `seconds`."""
    found = subprocess.run(["ffprobe", "-v", "error", "-read_intervals", f"{seconds}%+#1", "-select_streams", "v:0",
                            "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0", str(path)],
                           capture_output=True, text=True, check=True).stdout.split(",")
    assert found[1].startswith("K"), found
    return float(found[0])


class Matroska(FlowTest):
    def served(self, settings=None, **files):
        server = self.server({"record_flash_published_streams": "false", "record_formats": FORMATS, **(settings or {})})
        folder = server.home / "media"
        folder.mkdir(exist_ok=True)
        for name, clip in files.items():
            (folder / (name + clip.suffix)).write_bytes(clip.read_bytes())
        return server

    def start(self, server, uri, stream="film", **more):
        answer = server.rest("/vod/startup", {"uri": uri, "localStreamName": stream, "record": True, **more})
        self.assertEqual(answer, (200, None))

    def recorded(self, clip, extension, settings=None):
        server = self.served(settings, film=clip)
        self.start(server, "vod://film" + clip.suffix, realTime=False)
        return server.file("film." + extension, 40)

    def assert_same_media(self, file, clip, kinds=("video", "audio")):
        for kind in kinds:
            self.assertEqual(media.hashes(file, kind), media.hashes(clip, kind), kind)
            ours, theirs = media.times(file, kind), media.times(clip, kind)
            self.assertEqual(len(ours), len(theirs))
            offset = ours[0] - theirs[0]
            apart = max(abs(a - b - offset) for a, b in zip(ours, theirs))
            self.assertLessEqual(apart, 0.0021, f"{kind}: times differ by {apart}")
        if len(kinds) == 2:
            lead = [media.times(f, "video")[0] - media.times(f, "audio")[0] for f in (file, clip)]
            self.assertLess(abs(lead[0] - lead[1]), 0.003, lead)
        self.assertEqual(media.decodes(file), "")
        self.assertTrue(is_finished(file), elements(file))
        end = max(media.times(file, kind)[-1] for kind in kinds)
        self.assertLess(abs(media.seconds(file) - end), 0.09)

    def test_vp8_and_opus_go_into_webm_packet_by_packet(self):
        clip = clips.vp8_opus(10)
        file = self.recorded(clip, "webm")
        self.assert_same_media(file, clip)
        found = media.probe(file)
        self.assertEqual(found["format"]["format_name"], "matroska,webm")
        self.assertIn("creation_time", found["format"]["tags"])
        self.assertEqual((media.track(file, "video")["width"], media.track(file, "audio")["channels"]), (320, 1))

    def test_b_frames_of_h264_keep_their_times_in_mkv(self):
        clip = clips.h264_opus(10)
        self.assertGreater(int(media.track(clip, "video")["has_b_frames"]), 0)
        self.assert_same_media(self.recorded(clip, "mkv"), clip)

    def test_a_jump_leads_to_the_key_frame_before(self):
        clip = clips.vp8_opus(10)
        file = self.recorded(clip, "webm")
        for seconds in (0.5, 4.9, 7.0, 9.9):
            self.assertAlmostEqual(keys_near(file, seconds), keys_near(clip, seconds), delta=0.009)

    def test_every_codec_that_matroska_can_carry_is_carried(self):
        for video, audio in (("h264", "aac"), ("h264", "pcm_alaw"), ("h264", "pcm_mulaw"), ("h264", "g722"), ("h264", "mp3"),
                             ("h264", "speex"), ("h265", "opus")):
            with self.subTest(video=video, audio=audio):
                clip = clips.mkv_of(video, audio)
                file = self.recorded(clip, "mkv")
                if audio in ("pcm_alaw", "pcm_mulaw", "g722"):  # packets are cut to 20 ms by the source
                    self.assert_same_media(file, clip, ("video",))
                    self.assertEqual(decoded(file), decoded(clip))
                else:
                    self.assert_same_media(file, clip)
        for video in ("vp9", "av1"):
            with self.subTest(video=video):
                clip = clips.mkv_of(video, "opus")
                self.assert_same_media(self.recorded(clip, "webm"), clip)

    def test_a_killed_server_leaves_files_that_play_and_are_finished_at_the_next_start(self):
        source, most = random.Random(SEED), 0.0
        print(f"seed {SEED}")
        for clip, extension in ((clips.vp8_opus(30), "webm"), (clips.h264_opus(30), "mkv")):
            server = self.served({"stream_record_policy_template": "{streamName}-{mediaSessionId}"}, film=clip)
            for _ in range(KILLS):
                self.start(server, "vod://film" + clip.suffix, realTime=True)
                stream = server.stream("film")
                began = time.monotonic()  # later than the first packet, so that sent time is a lower bound
                eventually(lambda: self.growing(server, 0.1), "the file grows", 30)
                time.sleep(source.uniform(0, 5))  # the moment of the kill is the test's input
                sent = time.monotonic() - began
                server.kill()
                part, = server.parts()
                self.assertEqual(media.probe(part)["format"].get("duration"), None)
                self.assertGreaterEqual(media.times(part, "video")[-1], sent - 1.0, "torn files play")
                torn = self.scratch / ("torn." + extension)
                torn.write_bytes(part.read_bytes())
                server.restart()
                file = server.file(f"film-{stream['mediaSessionId']}.{extension}", 30)
                for kind in ("video", "audio"):
                    kept = media.hashes(file, kind)
                    self.assertEqual(kept, media.hashes(torn, kind), kind)
                    self.assertEqual(kept, media.hashes(clip, kind)[:len(kept)], kind)
                self.assertEqual(media.decodes(file), "")
                self.assertTrue(is_finished(file), elements(file))
                most = max(most, sent - media.seconds(file))
                self.assertLessEqual(most, 1.0)
                self.assertEqual(server.parts(), [])
            self.assertEqual(server.terminate(), 0)
        print(f"at most {most:.2f} s lost")

    def growing(self, server, wanted):
        """How long the file is that is being written, once that is `wanted` seconds."""
        try:
            times = media.times(server.parts()[0], "video")
        except (IndexError, subprocess.CalledProcessError):
            return None
        return times[-1] if times and times[-1] >= wanted else None

    def test_a_torn_file_without_a_row_names_its_stream_by_its_note(self):
        server = self.served({"stream_record_policy_template": "{streamName}"}, film=clips.vp8_opus(30))
        self.start(server, "vod://film.webm", realTime=True)
        eventually(lambda: self.growing(server, 2.0), "the file grows", 30)
        server.kill()
        for file in server.home.rglob("*"):
            if file.is_file() and (".db" in file.name or ".sqlite" in file.name):
                file.unlink()
        server.restart()
        self.assertTrue(is_finished(server.file("film.webm", 30)))

    def test_new_parameters_go_on_in_the_same_file(self):
        for first, second, extension in ((clips.h264_opus(10), clips.h264_large(6), "mkv"), (clips.vp8_opus(10), clips.vp8_large(6), "webm")):
            server = self.served(film=first, more=second)
            self.start(server, "vod://film" + first.suffix, then=["vod://more" + second.suffix], realTime=False)
            eventually(lambda: server.hook_calls(), "the recording has ended", 30)
            file, = server.files()
            self.assertEqual(file.name, "film." + extension)
            self.assertEqual(len(media.packets(file, "video")), len(media.packets(first, "video")) + len(media.packets(second, "video")))
            self.assertEqual(media.decodes(file), "")

    def test_cues_that_outgrow_their_slot_lead_to_every_key_frame(self):
        clip = clips.keys_only(60)
        file = self.recorded(clip, "webm", {"writer.webm.cues_reserve": "8192"})
        names = [name for name, *_ in elements(file)]
        self.assertEqual(names.count("1c53bb6b"), 1)
        size = next(size for name, size, _ in elements(file) if name == "1c53bb6b")
        self.assertGreater(size, 1500 * 16)
        self.assertEqual(media.hashes(file, "video"), media.hashes(clip, "video"))
        for seconds in (0.5, 33.2, 59.0):
            self.assertAlmostEqual(keys_near(file, seconds), seconds, delta=0.05)

    def test_rotation_loses_and_doubles_nothing(self):
        for clip, extension in ((clips.vp8_opus(10), "webm"), (clips.h264_opus(10), "mkv")):
            server = self.served({"record_rotation": "2"}, film=clip)
            self.start(server, "vod://film" + clip.suffix, realTime=False)
            server.hooked(5, 30)
            files = [server.records / f"film_{n}.{extension}" for n in range(1, 6)]
            self.assertEqual(server.files(), files)
            for kind in ("video", "audio"):
                self.assertEqual([md5 for file in files for md5 in media.hashes(file, kind)], media.hashes(clip, kind), kind)
            for file in files:
                self.assertEqual(media.decodes(file), "", file.name)
                self.assertTrue(is_finished(file), file.name)
                self.assertLess(abs(media.times(file, "video")[0] - media.times(file, "audio")[0]), 0.025, file.name)
                self.assertAlmostEqual(media.seconds(file), 2, delta=0.06)

    def test_chromium_plays_and_seeks_webm(self):
        server = self.served(film=clips.vp8_opus(30))
        self.start(server, "vod://film.webm", realTime=False)
        file = server.file("film.webm", 40)
        seen = browser.play(self, f"http://127.0.0.1:{server.http_port}/client/records/film.webm")
        self.assertEqual((seen["error"], seen["width"], seen["height"]), (None, 320, 240))
        self.assertAlmostEqual(seen["duration"], media.seconds(file), delta=0.05)
        for wanted, reached, advanced in seen["seeks"]:
            self.assertAlmostEqual(reached, wanted, delta=0.1)
            self.assertGreater(advanced, reached)

    def test_libavformat_writes_webm_when_the_own_writer_is_switched_off(self):
        clip = clips.vp8_opus(10)
        for setting in ({"webm_java_writer_enable": "false"}, {"prefer.webm": "webm_lavf"}):
            with self.subTest(setting=setting):
                file = self.recorded(clip, "webm", setting)
                self.assertIn("Lavf", media.probe(file)["format"]["tags"]["ENCODER"])
                self.assertIn("creation_time", media.probe(file)["format"]["tags"])
                for kind in ("video", "audio"):
                    self.assertEqual(media.hashes(file, kind), media.hashes(clip, kind), kind)
                self.assertEqual(media.decodes(file), "")
                self.assertLess(abs(media.seconds(file) - media.seconds(clip)), 0.05)
                lead = [media.times(f, "video")[5] - media.times(f, "audio")[5] for f in (file, clip)]
                self.assertLess(abs(lead[0] - lead[1]), 0.003, lead)
                self.assertAlmostEqual(keys_near(file, 4.9), keys_near(clip, 4.9), delta=0.009)
        own = self.recorded(clip, "webm", {"prefer.webm": "webm", "webm_java_writer_enable": "false"})
        self.assertIn("Tapedeck", media.probe(own)["format"]["tags"]["encoder"])

    def test_a_killed_file_of_libavformat_plays_and_is_written_anew(self):
        clip = clips.vp8_opus(30)
        server = self.served({"webm_java_writer_enable": "false"}, film=clip)
        self.start(server, "vod://film.webm", realTime=True)
        grown = eventually(lambda: self.growing(server, 3.0), "the file grows", 30)
        server.kill()
        part, = server.parts()
        self.assertGreaterEqual(media.times(part, "video")[-1], grown - 1.0, "torn files play")
        shutil.rmtree(server.home / "state")  # the file itself says who wrote it, and what it is
        server.restart()
        file = server.file("film.webm", 30)
        for kind in ("video", "audio"):
            kept = media.hashes(file, kind)
            self.assertEqual(kept, media.hashes(clip, kind)[:len(kept)], kind)
        self.assertGreaterEqual(media.seconds(file), 2.0)
        self.assertEqual(media.decodes(file), "")


def decoded(path):
    """MD5 of all its sound."""
    return subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:a", "-f", "md5", "-"],
                          capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    run()
