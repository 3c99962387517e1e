"""Files that are published as live streams over /vod, and what becomes of them in a recording."""
import re
import shutil
import subprocess

import clips
import media
from case import FlowTest, eventually, run


def frames(path, kind):
    return len(media.packets(path, kind))


class Vod(FlowTest):
    def served(self, settings=None, **files):
        """A server with these clips in its folder media/, under these names."""
        server = self.server({"record_flash_published_streams": "false", **(settings or {})})
        folder = server.home / "media"
        folder.mkdir(exist_ok=True)
        for name, clip in files.items():
            shutil.copy(clip, folder / (name + clip.suffix))
        return server

    def start(self, server, uri, stream="film", **more):
        return server.rest("/vod/startup", {"uri": uri, "localStreamName": stream, **more})

    def test_a_file_published_as_fast_as_possible_is_recorded_whole(self):
        clip = clips.both(30)
        server = self.served(film=clip)
        self.assertEqual(self.start(server, "vod://film.flv", realTime=False, record=True), (200, None))
        file = server.file("film.mp4", 30)
        for kind in ("video", "audio"):
            self.assertEqual(media.hashes(file, kind), media.hashes(clip, kind), kind)
        self.assertEqual(media.decodes(file), "")
        self.assertLess(abs(media.times(file, "video")[0] - media.times(file, "audio")[0]), 0.025)

    def test_a_byte_stream_with_adts_becomes_a_clean_file(self):
        clip = clips.both(6)
        source = self.scratch / "film.ts"
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(clip), "-c", "copy", str(source)], check=True)
        server = self.served(film=source)
        self.assertEqual(self.start(server, "vod://film.ts", realTime=False, record=True)[0], 200)
        file = server.file("film.mp4", 30)
        self.assertEqual(media.hashes(file, "audio"), media.hashes(clip, "audio"))
        self.assertEqual(frames(file, "video"), frames(clip, "video"))
        self.assertEqual(media.decodes(file), "")

    def test_it_is_found_and_ended_by_rest(self):
        server = self.served(film=clips.both(6))
        self.assertEqual(server.rest("/vod/find_all")[0], 404)
        self.assertEqual(self.start(server, "vod://film.flv", loop=True)[0], 200)
        status, found = server.rest("/vod/find", {"uri": "vod://film.flv"})
        self.assertEqual(status, 200)
        self.assertEqual(found[0]["localStreamName"], "film")
        self.assertEqual((found[0]["hasVideo"], found[0]["hasAudio"], found[0]["loop"], found[0]["status"]),
                         (True, True, True, "PROCESSED_LOCAL"))
        self.assertEqual(server.stream("film")["mediaSessionId"], found[0]["localMediaSessionId"])
        self.assertEqual(server.rest("/vod/find_all")[1], found)
        self.assertEqual(server.rest("/vod/find", {"localStreamName": "other"})[0], 404)
        self.assertEqual(self.start(server, "vod://film.flv")[0], 409, "the name is in use")
        self.assertEqual(server.rest("/vod/terminate", {"localStreamName": "film"}), (200, None))
        eventually(lambda: server.rest("/stream/find", {"name": "film"})[0] == 404, "the stream has gone")
        self.assertEqual(server.rest("/vod/terminate", {"uri": "vod://film.flv"})[0], 404)
        self.assertEqual(self.start(server, "vod://film.flv")[0], 200, "the name is free again")
        self.assertEqual(server.terminate(), 0)

    def test_what_cannot_be_published_is_refused_with_the_reason(self):
        server = self.served(film=clips.both(6))
        for uri, status, word in (("vod://none.flv", 404, "none.flv"), ("vod://../conf/flashphoner.properties", 400, "out of"),
                                  ("rtmp://host/film", 400, "vod://")):
            code, answer = self.start(server, uri)
            self.assertEqual(code, status, answer)
            self.assertIn(word, str(answer))
        self.assertEqual(server.rest("/vod/startup", b"{")[0], 400)

    def test_a_second_file_changes_the_parameters_of_the_stream(self):
        server = self.served(film=clips.both(6), more=clips.large(6))
        self.assertEqual(self.start(server, "vod://film.flv", then=["vod://more.flv"], realTime=False, record=True)[0], 200)
        eventually(lambda: server.hook_calls(), "the recording has ended", 30)
        recorded = sum(frames(file, "video") for file in server.files())
        self.assertEqual(recorded, frames(clips.both(6), "video") + frames(clips.large(6), "video"))
        for file in server.files():
            self.assertEqual(media.decodes(file), "", file.name)

    def test_lost_packets_leave_no_broken_picture(self):
        clip = clips.both(30)
        server = self.served(film=clip)
        self.assertEqual(self.start(server, "vod://film.flv", realTime=False, record=True, faults={"loss": 0.02, "seed": 5})[0], 200)
        file = server.file("film.mp4", 30)
        self.assertLess(frames(file, "audio"), frames(clip, "audio"))
        self.assertEqual(media.decodes(file), "")
        self.assertTrue(media.is_progressive(file))
        self.only_whole_groups(file, clip)

    def only_whole_groups(self, file, clip):
        """Every picture is one of the clip's, and each group of pictures is there from its key frame up to a hole."""
        source = media.hashes(clip, "video")
        positions = [source.index(one) for one in media.hashes(file, "video")]
        self.assertLess(len(positions), len(source))
        for i, at in enumerate(positions):
            if at % 25 != 0:  # the key frames of clips.both
                self.assertEqual(positions[i - 1], at - 1, "what follows a hole before the next key frame is left out")

    def test_a_broken_access_unit_costs_the_pictures_up_to_the_next_key_frame(self):
        clip = clips.both(30)
        server = self.served({"file_recorder_max_errors_per_interval": "1000"}, film=clip)
        self.assertEqual(self.start(server, "vod://film.flv", realTime=False, record=True, faults={"corrupt": 0.01})[0], 200)
        file = server.file("film.mp4", 30)
        self.assertEqual(frames(file, "audio"), frames(clip, "audio"), "sound goes on")
        self.assertEqual(media.decodes(file), "")
        self.only_whole_groups(file, clip)
        self.assertIn("no access unit of H264", server.log())
        self.assertGreater(server.metrics()["tapedeck_record_errors"], 1)

    def test_three_errors_within_an_hour_end_the_recording_with_a_whole_file(self):
        """One access unit in a hundred is bad; what is left out is known picture by picture."""
        clip = clips.both(30)
        server = self.served(film=clip)
        self.assertEqual(self.start(server, "vod://film.flv", realTime=False, record=True, faults={"corrupt": 0.01})[0], 200)
        file = server.file("film.mp4", 30)
        server.logged("3 errors within 60 minutes")
        self.assertEqual(server.metrics()["tapedeck_record_errors"], 3)
        bad = sorted({int(ms) // 40 for ms in re.findall(r"at (\d+) ms: \d+ bytes of video are no access unit of H264", server.log())})
        self.assertEqual(len(bad), 3)
        source = media.hashes(clip, "video")
        left_out = {at for first in bad for at in range(first, (first // 25 + 1) * 25)}  # clips.both has a key frame each second
        self.assertEqual(media.hashes(file, "video"), [one for at, one in enumerate(source[:bad[-1]]) if at not in left_out])
        sound = media.hashes(file, "audio")
        self.assertEqual(sound, media.hashes(clip, "audio")[:len(sound)])
        self.assertAlmostEqual(media.seconds(file), bad[-1] / 25, delta=0.3)
        self.assertTrue(media.is_progressive(file))
        self.assertEqual(media.decodes(file), "")
        self.assertEqual([stream for stream, _ in server.hooked(1)], ["film"])


if __name__ == "__main__":
    run()
