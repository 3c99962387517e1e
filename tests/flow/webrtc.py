"""Chromium with the unmodified WebSDK publishes, is recorded, and is seen by others; its camera and microphone are fake."""
import json
import time

import browser
import clips
import media
from case import SLOWNESS, FlowTest, run
from webhook import Receiver

SETTINGS = {"record_flash_published_streams": None, "stream_record_policy_template": None}
H264 = {"stripCodecs": "VP8,VP9,AV1"}


class WebRtc(FlowTest):
    @staticmethod
    def urls(server):
        return f"http://127.0.0.1:{server.http_port}", f"ws://127.0.0.1:{server.ports['ws']}"

    def publish(self, server, **options):
        return browser.see(self, "publish_and_play.js", *self.urls(server), json.dumps(options))

    def check(self, server, seen, container, codecs):
        """The file that the page was told of is whole and has what was published."""
        end = seen["end"]
        self.assertEqual(end["statuses"], ["PUBLISHING", "UNPUBLISHED"])
        self.assertEqual(end["info"], "Stopped by user")
        self.assertTrue(end["record"].endswith(container), end)
        file = server.records / end["record"]
        self.assertEqual((end["done"]["status"], end["done"]["size"]), (200, file.stat().st_size))
        self.assertEqual({kind: media.track(file, kind)["codec_name"] for kind in ("video", "audio")}, codecs)
        self.assertEqual(media.decodes(file), "")
        length = float(media.probe(file)["format"]["duration"])
        # Within 5 %, and what a busy machine takes for the first picture.
        self.assertAlmostEqual(length, end["published"], delta=0.05 * end["published"] + 0.25 * SLOWNESS)
        self.assertGreater(media.loudness(file), -50, "the fake microphone beeps")
        self.assertEqual(seen["errors"], [])

    def test_vp8_is_recorded_and_played(self):
        server = self.server(SETTINGS)
        seen = self.publish(server, name="cam", record=True, play=True)
        self.check(server, seen, ".webm", {"video": "vp8", "audio": "opus"})
        self.played(seen, "video/VP8")

    def test_h264_is_recorded_and_played(self):
        server = self.server({**SETTINGS, "stream_record_policy_template": "{streamName}-{startTimeMillis}"})
        began = time.time()
        seen = self.publish(server, name="cam", record=True, play=True, **H264)
        self.check(server, seen, ".mp4", {"video": "h264", "audio": "aac"})
        self.played(seen, "video/H264")
        first = int(seen["end"]["record"].removeprefix("cam-").removesuffix(".mp4")) / 1000
        self.assertTrue(began < first < time.time() - 5, "frames of a browser have the time of day")

    def played(self, seen, codec):
        player = seen["player"]
        self.assertEqual((player["width"], player["height"]), (320, 240))
        self.assertGreater(player["played"], 1)
        self.assertEqual(player["picture"]["codec"], codec)
        self.assertGreater(player["picture"]["frames"], 10)
        self.assertGreater(player["sound"]["energy"], 0)
        self.assertEqual(player["ended"]["statuses"], ["PLAYING", "STOPPED"])
        self.assertEqual(player["ended"]["info"], "Stopped by publisher stop")

    def test_without_the_wish_nothing_is_recorded(self):
        server = self.server(SETTINGS)
        seen = self.publish(server, name="cam", record=False, seconds=1)
        self.assertEqual((seen["end"]["statuses"], seen["end"]["record"]), (["PUBLISHING", "UNPUBLISHED"], None))
        self.assertEqual((server.files(), server.parts(), seen["errors"]), ([], [], []))

    def test_a_stream_of_rtmp_is_played(self):
        server = self.server(SETTINGS)
        server.publishing(clips.both(20, 250), "film", loop=True)  # a key frame in ten seconds
        server.stream("film")
        player = browser.see(self, "play.js", *self.urls(server), "film")["player"]
        self.assertEqual((player["width"], player["height"]), (320, 240))
        self.assertEqual((player["picture"]["codec"], player["sound"]["codec"]), ("video/H264", "audio/opus"))
        self.assertLess(player["waited"], 1000 * SLOWNESS)
        self.assertGreater(player["picture"]["frames"], 60, "in two seconds: also those from before it came")
        self.assertLess(player["picture"]["delay"], 0.5 * SLOWNESS)
        self.assertLess(player["sound"]["delay"], 0.7 * SLOWNESS)
        self.assertGreater(player["sound"]["energy"], 0)

    def test_whip_publishes_and_whep_plays_where_the_network_has_no_udp(self):
        server = self.server({**SETTINGS, "stream_record_policy_template": "{streamName}"})
        seen = browser.see(self, "whip.js", self.urls(server)[0], "cam", "?record=true", "3", "tcp")
        self.assertEqual(seen["ways"], ["tcp", "tcp"])
        self.assertEqual((seen["published"]["status"], seen["published"]["type"]), (201, "application/sdp"))
        self.assertEqual((seen["refused"]["status"], seen["played"]["status"]), (409, 201))
        self.assertIn("Stream name is already in use", seen["refused"]["text"])
        self.assertEqual((seen["left"], seen["again"]), ([200, 200], 404))
        self.assertGreater(seen["picture"]["frames"], 10)
        self.assertGreater(seen["sound"]["energy"], 0)
        self.assertEqual(media.decodes(server.file("cam.webm")), "")

    def test_messages_of_data_channels_are_recorded_into_mkv(self):
        server = self.server({**SETTINGS, "stream_record_policy_template": "{streamName}", "record_formats": "vp8-mkv"})
        seen = browser.see(self, "messages.js", self.urls(server)[0], "cam", "?record=true")
        self.assertEqual((seen["closed"], seen["errors"]), (["chat"], []))
        file = server.file("cam.mkv")
        said = media.text(file)
        self.assertEqual([text for _, text in said[:3]], ["hello", "Grüße 🎥", "data:application/octet-stream;base64,AQID"])
        self.assertEqual([len(text) for _, text in said[3:]], [60000, 3])
        times = [time for time, _ in said]
        self.assertEqual(times, sorted(times))
        self.assertGreater(times[4] - times[3], 0.7)
        self.assertLess(times[4] - times[3], 1 + SLOWNESS)
        length = float(media.probe(file)["format"]["duration"])
        self.assertLess(times[4], length)
        self.assertEqual((media.track(file, "subtitle")["codec_name"], media.decodes(file)), ("subrip", ""))

    def test_a_backend_approves_who_connects_and_publishes(self):
        backend = Receiver(answers=[200, 403, 403])
        self.addCleanup(backend.close)
        server = self.server({**SETTINGS, "hook.backend.url": f"http://127.0.0.1:{backend.port}/api"})
        seen = browser.see(self, "admitted.js", *self.urls(server), "cam")
        self.assertEqual(seen["published"], {"status": "FAILED", "info": "Restricted access"})
        self.assertEqual(seen["connected"], "DISCONNECTED")
        self.assertEqual([path for path, _, _ in backend.posts], ["/api/connect", "/api/publishStream", "/api/connect"])
        connect, publish, _ = backend.events()
        self.assertEqual((connect["appKey"], connect["custom"]), ("defaultApp", {"token": "abc"}))
        self.assertEqual((publish["name"], publish["published"], publish["record"]), ("cam", True, True))
        self.assertEqual(publish["sessionId"], connect["sessionId"])

    def test_a_setting_that_makes_no_sense_is_named(self):
        server = self.server(SETTINGS)
        for setting, word in (("protocol.webrtc.address=here", "'here'"), ("ip=192.0.2", "'192.0.2'"),
                              ("rtp_activity_detecting=maybe", "true,60"), ("codecs=flv,speex16", "opus"),
                              ("protocol.webrtc.certificate=conf/mine.pem", "protocol.webrtc.key")):
            checked = server.run("--check-config", "-D", setting)
            self.assertEqual(checked.returncode, 1, setting)
            self.assertIn(word, checked.stdout + checked.stderr, setting)


if __name__ == "__main__":
    run()
