"""Pages with the unmodified WebSDK: the Stream Recording example, what pages learn of failures, and the SDK's own tests."""
import urllib.parse

import browser
import media
from case import FlowTest, eventually, run

SETTINGS = {"record_flash_published_streams": None}
SDK = browser.NODE_MODULES / "@flashphoner" / "websdk"


# Instead of `mocha.run();`: the page keeps what came of each test.
RUN = """
    const results = [];
    mocha.run(() => { window.results = results; })
        .on('pass', (test) => results.push([test.title, '']))
        .on('fail', (test, error) => results.push([test.title, error.message]));"""


def http(server):
    return f"http://127.0.0.1:{server.http_port}"


def websocket(server):
    return f"ws://127.0.0.1:{server.ports['ws']}"


class StreamRecording(FlowTest):
    def test_start_and_stop_give_a_player_and_a_link(self):
        server = self.server(SETTINGS)
        downloads = self.scratch / "downloads"
        seen = browser.see(self, "stream_recording.js", http(server), str(downloads), "WebM (VP8)", "MP4 (H.264)")
        codecs = {".webm": ["opus", "vp8"], ".mp4": ["aac", "h264"]}
        self.assertEqual([f".{r['name'].rsplit('.')[-1]}" for r in seen["recordings"]], list(codecs))
        for number, recording in enumerate(seen["recordings"]):
            self.assertEqual((recording["during"], recording["status"], recording["error"]),
                             (f"Recording visit {number}", "Recorded", ""))
            self.assertEqual((recording["preview"], recording["played"]), (640, {"width": 640, "height": 480}))
            self.assertFalse(recording["overflows"], "it fits a phone")
            file = server.records / recording["name"]
            self.assertEqual((downloads / recording["name"]).read_bytes(), file.read_bytes())
            self.assertEqual(sorted(s["codec_name"] for s in media.probe(file)["streams"]), codecs[file.suffix])
            self.assertGreater(media.seconds(file), 1.5)
        for what, words in (("lost", "No connection to ws://127.0.0.1:9"), ("denied", "Permission denied")):
            self.assertIn(words, seen[what]["text"])
            self.assertTrue(seen[what]["can_start"])
        self.assertEqual([line for line in seen["errors"] if "127.0.0.1:9/" not in line], [])


class Failures(FlowTest):
    def test_pages_learn_of_them_and_every_file_is_finished(self):
        server = self.server(SETTINGS)
        seen = browser.see(self, "websdk_failures.js", http(server), websocket(server))
        self.assertEqual(self.end(seen["duplicate"]), (["FAILED"], "Stream name is already in use", False))
        self.assertEqual(self.end(seen["missing"]), (["FAILED"], "Stream not found", False))
        self.assertEqual(seen["instant_publish"]["statuses"][-1], "UNPUBLISHED")
        self.assertIn(seen["instant_play"]["status"], ("STOPPED", "FAILED"))
        self.assertEqual(seen["still"], ["PUBLISHING", "PUBLISHING"])
        for name in ("first", "beside"):
            self.assertEqual(self.end(seen[name]), (["PUBLISHING", "UNPUBLISHED"], "Stopped by user", True))
        self.assertEqual(seen["errors"], [])
        self.assertEqual({seen["first"]["record"], seen["beside"]["record"]}, {"taken.webm", "beside.webm"})
        # The page that closed is told nothing; its file is as whole as the others.
        for name in ("taken", "beside", "closed"):
            file = server.file(f"{name}.webm")
            self.assertEqual(media.decodes(file), "")
            self.assertGreater(media.seconds(file), 1)
        eventually(lambda: not server.parts() and server.rest("/stream/find_all")[0] == 404, "nothing is left")

    def end(self, seen):
        return seen["statuses"], seen["info"], seen.get("record") is not None


class OwnTests(FlowTest):
    # It wants the player's display to be empty at last, where the SDK itself leaves its video.
    IMPOSSIBLE = "should clean up video"

    def test_the_sdk_passes_its_own_tests(self):
        pages = self.scratch / "pages"
        for file in ("flashphoner.js", "test/test.js"):
            self.lay_out(SDK / file, pages / file)
        for file in ("mocha/mocha.js", "mocha/mocha.css", "chai/chai.js"):
            self.lay_out(browser.NODE_MODULES / file, pages / "node_modules" / file)
        server = self.server({**SETTINGS, "http.client_dir": str(pages)})
        self.lay_out(SDK / "test" / "test.html", pages / "test" / "test.html", {
            "ws://192.168.100.33:8080": websocket(server),
            "mocha.run();": RUN,
            **{f'<script src="{other}-test.js"></script>': "" for other in ("media-device", "room-module", "sip")}})
        chosen = urllib.parse.urlencode({"grep": self.IMPOSSIBLE, "invert": 1}, quote_via=urllib.parse.quote)
        seen = browser.see(self, "websdk_mocha.js", f"{http(server)}/client2/test/test.html?{chosen}")
        self.assertEqual([result for result in seen["results"] if result[1]], [])
        self.assertEqual(len(seen["results"]), 14)

    def lay_out(self, source, target, changes=None):
        text = source.read_text()
        for theirs, ours in (changes or {}).items():
            self.assertIn(theirs, text)
            text = text.replace(theirs, ours)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


if __name__ == "__main__":
    run()
