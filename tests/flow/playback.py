"""Recordings over HTTP: ranges and headers by a plain client, playing and seeking by a browser."""
import pathlib
import shutil
import subprocess

import browser
import clips
import media
from case import FlowTest, eventually, run
from line import Line


class Playback(FlowTest):
    def recorded(self, settings=None, name="film", clip=None):
        server = self.server(settings)
        server.publish(clip or clips.both(), name)
        return server, server.file(name + ".mp4")

    def test_ranges_head_and_etags(self):
        server, file = self.recorded()
        whole = file.read_bytes()
        status, headers, body = server.download("film.mp4")
        self.assertEqual((status, body), (200, whole))
        self.assertEqual(headers["content-type"], "video/mp4")
        self.assertEqual(headers["accept-ranges"], "bytes")
        self.assertEqual(headers["content-disposition"], 'inline;filename="film.mp4"')
        etag = headers["etag"]
        status, head, body = server.download("film.mp4", method="HEAD")
        self.assertEqual((status, body, head["content-length"], head["etag"]), (200, b"", str(len(whole)), etag))
        for wanted, first, last in (("0-0", 0, 0), ("100-299", 100, 299), ("-50", len(whole) - 50, len(whole) - 1),
                                    (f"{len(whole) - 7}-", len(whole) - 7, len(whole) - 1), ("10-99999999999", 10, len(whole) - 1)):
            status, headers, body = server.download("film.mp4", {"Range": "bytes=" + wanted})
            self.assertEqual((status, body), (206, whole[first:last + 1]), wanted)
            self.assertEqual(headers["content-range"], f"bytes {first}-{last}/{len(whole)}")
        status, headers, _ = server.download("film.mp4", {"Range": f"bytes={len(whole)}-"})
        self.assertEqual((status, headers["content-range"]), (416, f"bytes */{len(whole)}"))
        self.assertEqual(server.download("film.mp4", {"If-None-Match": etag})[0], 304)
        self.assertEqual(server.download("film.mp4", {"Range": "bytes=0-9", "If-Range": '"other"'})[0], 200)
        self.assertEqual(server.download("nothing.mp4")[0], 404)

    def test_no_path_leads_out_of_the_folder(self):
        server, _ = self.recorded()
        outside = server.home / "outside.mp4"
        outside.write_text("secret")
        (server.records / "link.mp4").symlink_to(outside)
        for path in ("../outside.mp4", "%2e%2e/outside.mp4", "..%2foutside.mp4", "%2e%2e%2foutside.mp4", "/../outside.mp4",
                     "x/../../outside.mp4", "film.mp4%00.txt", "../conf/flashphoner.properties", "....//outside.mp4", ""):
            status, _, body = server.request("GET", "/client/records/" + path)
            self.assertGreaterEqual(status, 400, path)
            self.assertNotIn(b"secret", body, path)

    def test_the_content_disposition_is_a_setting(self):
        server, _ = self.recorded({"record_response_content_disposition_header_value": "attachment"}, name='say "hi"')
        (_, path), = server.hooked(1)
        _, headers, _ = server.download(pathlib.Path(path).name)
        self.assertEqual(headers["content-disposition"], 'attachment;filename="say \\"hi\\".mp4"')

    def test_records_are_served_from_a_folder_elsewhere(self):
        server, file = self.recorded({"record_dir": str(self.scratch / "elsewhere")})
        self.assertEqual(file.parent, self.scratch / "elsewhere")
        self.assertEqual(server.download("film.mp4")[2], file.read_bytes())

    def test_the_same_file_comes_over_tls(self):
        server, file = self.recorded()
        out = subprocess.run(["curl", "-sS", "-k", f"https://127.0.0.1:{server.ports['https']}/client/records/film.mp4"],
                             capture_output=True, check=True).stdout
        self.assertEqual(out, file.read_bytes())
        old = subprocess.run(["curl", "-sS", "-k", "--tls-max", "1.1", f"https://127.0.0.1:{server.ports['https']}/health"],
                             capture_output=True)
        self.assertNotEqual(old.returncode, 0)

    def test_chromium_plays_and_seeks_a_recording(self):
        for clip in (clips.both(), clips.b_frames()):
            with self.subTest(clip.name):
                server, _ = self.recorded(clip=clip)
                seen = browser.play(self, f"http://127.0.0.1:{server.http_port}/client/records/film.mp4")
                self.assertEqual(seen["error"], None)
                self.assertEqual((seen["width"], seen["height"]), (320, 240))
                self.assertAlmostEqual(seen["duration"], 6, delta=0.2)
                self.assertGreater(seen["played_to"], seen["played_from"] + 0.5)
                for wanted, reached, advanced in seen["seeks"]:
                    self.assertAlmostEqual(reached, wanted, delta=0.1)
                    self.assertGreater(advanced, reached)

    def test_chromium_shows_ten_minutes_after_little_and_seeks_by_one_range(self):
        server = self.server({"record_flash_published_streams": "false"})
        (server.home / "media").mkdir()
        for clip, container in ((clips.both(30), "mp4"), (clips.vp8_opus(30), "webm")):
            with self.subTest(container):
                shutil.copy(clip, server.home / "media" / clip.name)
                uri = f"vod://{clip.name}"
                body = {"uri": uri, "then": [uri] * 19, "localStreamName": "film", "realTime": False, "record": True}
                self.assertEqual(server.rest("/vod/startup", body), (200, None))
                file = server.file("film." + container, 60)
                line = Line(server.http_port, 400_000)
                self.addCleanup(line.close)
                seen = browser.see(self, "first_picture.js", f"http://127.0.0.1:{line.port}/client/records/{file.name}")
                self.assertAlmostEqual(seen["duration"], 600, delta=1)
                self.assertAlmostEqual(seen["at"], 480, delta=1)
                (_, before), (first, taken), (sought, _) = (line.marks[name] for name in ("begin", "first", "sought"))
                first, sought = (tuple(r for r in ranges if r) for ranges in (first, sought))
                print(f"{container}: {taken - before} bytes of {file.stat().st_size} by {first}, then {sought[len(first):]}")
                self.assertLessEqual(len(first), 3)
                self.assertLessEqual(taken - before, 500_000)
                self.assertEqual(len(set(sought[len(first):])), 1, sought)  # Chromium may ask for it twice


if __name__ == "__main__":
    run()
