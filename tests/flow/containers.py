"""Every pair of codecs into every container: the right one of them, the source's packets, sound and picture together."""
import functools
import shutil
import subprocess

import clips
import media
from case import FlowTest, eventually, run

VIDEO = {"h264": "h264", "vp8": "vp8", "": None}
AUDIO = {"aac": "aac", "opus": "opus", "pcma": "pcm_alaw", "pcmu": "pcm_mulaw", "g722": "adpcm_g722", "": None}
# What the operator asks for, and what each video goes into then: an impossible pair leaves the default.
ASKED = {
    "mp4": ("h264-mp4, vp8-mp4", {"h264": "mp4", "vp8": "webm", "": "mp4"}),
    "webm": ("h264-webm, vp8-webm", {"h264": "mp4", "vp8": "webm", "": "mp4"}),
    "mkv": ("h264-mkv, vp8-mkv", {"h264": "mkv", "vp8": "mkv", "": "mp4"}),
    "ts": ("h264-ts, vp8-ts", {"h264": "ts", "vp8": "webm", "": "mp4"}),
}
SECONDS = 4
FRAMES = 0.020 + 1024 / 44100  # the last frame of the source, which it may cut, and the last one made


def sound_in(container, audio):
    """The codec that this sound has in this container."""
    if audio == "":
        return None
    if container == "mkv":
        return AUDIO[audio]
    return "opus" if container == "webm" else "aac"


def joined(path, kind):
    """One hash over the payloads of all packets, however they are cut."""
    made = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", f"0:{kind[0]}:0", "-c", "copy",
                           "-f", "data", "-"], capture_output=True, check=True)
    return made.stdout


@functools.cache
def of_clip(what, video, audio, *more):
    """`what` of a pair's clip, which every container is compared with."""
    return what(clips.pair(video, audio, SECONDS), *more)


def samples(file):
    """Of its sound, decoded and brought to 48 kHz mono."""
    made = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(file), "-map", "0:a:0", "-ac", "1", "-ar", "48000",
                           "-f", "s16le", "-"], capture_output=True, check=True)
    return len(made.stdout) // 2


class Containers(FlowTest):
    def served(self, settings=None):
        server = self.server({"record_flash_published_streams": "false", **(settings or {})})
        (server.home / "media").mkdir(exist_ok=True)
        return server

    def recorded(self, server, pairs):
        """Publishes each pair as fast as possible and gives its file."""
        files = {}
        for video, audio in pairs:
            clip = clips.pair(video, audio, SECONDS)
            shutil.copy(clip, server.home / "media" / clip.name)
            name = f"{video or 'none'}-{audio or 'none'}"
            answer = server.rest("/vod/startup", {"uri": f"vod://{clip.name}", "localStreamName": name, "realTime": False, "record": True})
            self.assertEqual(answer[0], 200, answer)
        for video, audio in pairs:
            name = f"{video or 'none'}-{audio or 'none'}"
            files[video, audio] = eventually(lambda: next(iter(server.files(name + ".*")), None), lambda: (name, server.log()[-2000:]), 60)
        return files

    def check(self, file, container, video, audio):
        def source(what, *more):
            return of_clip(what, video, audio, *more)

        self.assertEqual(file.suffix, "." + container)
        self.assertEqual(media.decodes(file), "")
        kinds = {s["codec_type"]: s["codec_name"] for s in media.probe(file)["streams"]}
        wanted = {"video": VIDEO[video], "audio": sound_in(container, audio)}
        self.assertEqual(kinds, {kind: codec for kind, codec in wanted.items() if codec})
        self.assertAlmostEqual(media.seconds(file), SECONDS, delta=0.12)
        if video and container == "ts":
            self.assertEqual(len(media.packets(file, "video")), len(source(media.packets, "video")))
        elif video:
            self.assertEqual(media.hashes(file, "video"), source(media.hashes, "video"))
        if audio and wanted["audio"] != AUDIO[audio]:
            self.assertAlmostEqual(samples(file) / 48000, source(samples) / 48000, delta=FRAMES)
        elif audio and container != "ts":
            self.assertTrue(joined(file, "audio") == source(joined, "audio"), "the sound is copied")
        if video and audio:
            starts = [of(media.times, "audio")[0] - of(media.times, "video")[0] for of in (lambda what, kind: what(file, kind), source)]
            self.assertAlmostEqual(max(starts[0], 0), max(starts[1], 0), delta=0.025)

    def matrix(self, asked):
        formats, containers = ASKED[asked]
        server = self.served({"record_formats": formats})
        pairs = [(v, a) for v in VIDEO for a in AUDIO if v or a]
        files = self.recorded(server, pairs)
        for (video, audio), file in files.items():
            with self.subTest(video=video, audio=audio):
                self.check(file, containers[video], video, audio)
        return server

    def test_into_mp4(self):
        server = self.matrix("mp4")
        self.assertIn("vp8-mp4: VP8 cannot be written to mp4", server.log())

    def test_into_webm(self):
        server = self.matrix("webm")
        self.assertIn("h264-webm: H264 cannot be written to webm", server.log())

    def test_into_mkv(self):
        self.matrix("mkv")

    def test_into_ts(self):
        server = self.matrix("ts")
        self.assertIn("vp8-ts: VP8 cannot be written to ts", server.log())

    def test_newer_codecs(self):
        asked = {"h265": ("mp4", "mkv", "ts"), "vp9": ("mp4", "mkv", "webm"), "av1": ("mp4", "mkv", "mkv")}
        names = {"h265": "hevc", "vp9": "vp9", "av1": "av1"}
        for number in range(3):
            server = self.served({"record_formats": ", ".join(f"{codec}-{containers[number]}" for codec, containers in asked.items())})
            for codec, containers in asked.items():
                clip = clips.mkv_of(codec, "opus")
                shutil.copy(clip, server.home / "media" / clip.name)
                body = {"uri": f"vod://{clip.name}", "localStreamName": codec, "realTime": False, "record": True}
                self.assertEqual(server.rest("/vod/startup", body)[0], 200)
                file = server.file(f"{codec}.{containers[number]}", 30)
                with self.subTest(file=file.name):
                    self.assertEqual(media.decodes(file), "")
                    self.assertEqual(media.track(file, "video")["codec_name"], names[codec])
                    self.assertEqual(media.track(file, "video")["width"], media.track(clip, "video")["width"])
                    if file.suffix != ".ts":
                        self.assertEqual(media.hashes(file, "video"), media.hashes(clip, "video"))
                    self.assertEqual(len(media.packets(file, "video")), len(media.packets(clip, "video")))

    def test_a_switch_for_ts_stands_above_the_list(self):
        server = self.served({"record_formats": "h264-mkv", "record_h264_to_ts": "true"})
        file = self.recorded(server, [("h264", "aac")])["h264", "aac"]
        self.check(file, "ts", "h264", "aac")

    def test_channels_and_rate_are_as_set_also_of_aac_that_is_not_so(self):
        server = self.served({"record_audio_codec_sample_rate": "22050", "record_audio_codec_channels": "1"})
        for pair, file in self.recorded(server, [("h264", "opus"), ("h264", "aac")]).items():
            sound = media.track(file, "audio")
            self.assertEqual((sound["sample_rate"], sound["channels"]), ("22050", 1), pair)

    def test_a_restart_cuts_converted_sound_with_the_picture_and_takes_its_own_settings(self):
        server = self.served()
        clip = clips.pair("h264", "opus", 6)
        shutil.copy(clip, server.home / "media" / clip.name)
        self.assertEqual(server.rest("/vod/startup", {"uri": f"vod://{clip.name}", "localStreamName": "cut"})[0], 200)
        session = server.stream("cut")["mediaSessionId"]
        for config in ({"fileTemplate": "one"}, {"fileTemplate": "two", "record_audio_codec_sample_rate": "22050"}):
            self.assertEqual(server.rest("/recorder/startup", {"mediaSessionId": session, "config": config})[0], 200)
            eventually(lambda: any(part.stat().st_size > 60_000 for part in server.parts()), "something is recorded", 20)
        pictures = []
        for name, rate in (("one", "44100"), ("two", "22050")):
            file = server.file(name + ".mp4", 30)
            self.assertEqual(media.decodes(file), "")
            self.assertEqual(media.track(file, "audio")["sample_rate"], rate)
            shown = media.hashes(file, "video")
            self.assertAlmostEqual(samples(file) / 48000, len(shown) / 25, delta=0.07, msg=name)
            starts = media.times(file, "audio")[0] - media.times(file, "video")[0]
            self.assertLess(starts, 0.025, name)
            pictures += shown
        source = media.hashes(clip, "video")
        self.assertEqual(pictures, source[len(source) - len(pictures):])


if __name__ == "__main__":
    run()
