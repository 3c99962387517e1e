"""Recordings that are still written, over HTTP: what is there of them plays, under the name that REST shows."""
import subprocess
import time
import urllib.parse

import clips
import media
from case import FlowTest, eventually, run


class Running(FlowTest):
    def recording(self, settings=None, name="live", clip=None):
        server = self.server(settings)
        server.publishing(clip or clips.both(12, 50), name, loop=True)
        server.stream(name)
        return server

    def get(self, server, name, query="", headers=None, save=None):
        status, head, body = server.request("GET", f"/client/records/{urllib.parse.quote(name)}{query}", headers=headers)
        if save is None:
            return status, head, body
        path = self.scratch / save
        path.write_bytes(body)
        return status, head, path

    def so_long(self, server, name, seconds, save):
        """The recording, once so much of it is there."""
        def there():
            status, _, path = self.get(server, name, save=save)
            try:
                times = media.times(path, "video") if status == 200 else []
            except subprocess.CalledProcessError:  # too little of it is there
                return None
            return times and times[-1] - times[0] >= seconds and path
        return eventually(there, f"{seconds} s of {name}")

    def test_an_mp4_is_a_whole_file_of_what_is_written_so_far(self):
        server = self.recording()
        early = self.so_long(server, "live.mp4", 1, "early.mp4")
        self.assertTrue(media.is_progressive(early), media.boxes(early))
        self.assertEqual(media.decodes(early), "")
        later = self.so_long(server, "live.mp4", 2, "later.mp4")
        for kind in ("video", "audio"):
            self.assertEqual(media.times(later, kind)[0], 0)
            known = media.hashes(early, kind)
            self.assertEqual(media.hashes(later, kind)[:len(known)], known)
        server.publishers[0].terminate()
        finished = server.file("live.mp4")
        for kind in ("video", "audio"):
            known = media.hashes(later, kind)
            self.assertEqual(media.hashes(finished, kind)[:len(known)], known)
        self.assertEqual(server.download("live.mp4")[2], finished.read_bytes())
        self.assertEqual([file.name for file in server.files()], ["live.mp4"], "no snapshot was left")

    def test_who_reads_on_gets_more_of_what_it_saw(self):
        server = self.recording()
        self.so_long(server, "live.mp4", 1, "x.mp4")
        _, head, first = self.get(server, "live.mp4", headers={"User-Agent": "one"})
        self.assertEqual(head["cache-control"], "no-store")
        self.so_long(server, "live.mp4", 2.5, "x.mp4")
        _, _, newer = self.get(server, "live.mp4", headers={"User-Agent": "two"})
        self.assertGreater(len(newer), len(first))
        for agent, whole in (("one", first), ("two", newer)):
            status, head, part = self.get(server, "live.mp4", headers={"User-Agent": agent, "Range": "bytes=100-"})
            self.assertEqual((status, part), (206, whole[100:]))
            self.assertEqual(head["content-range"], f"bytes 100-{len(whole) - 1}/{len(whole)}")
        status, _, again = self.get(server, "live.mp4", headers={"User-Agent": "one", "Range": "bytes=0-"})
        self.assertEqual(status, 206)
        self.assertGreaterEqual(len(again), len(newer))
        self.assertEqual(self.get(server, "live.mp4", headers={"Range": "bytes=100000000-"})[0], 416)

    def test_a_part_of_it_is_cut_and_not_kept(self):
        server = self.recording()
        self.so_long(server, "live.mp4", 2, "x.mp4")
        status, _, part = self.get(server, "live.mp4", "?start=0.5&end=1.5", save="part.mp4")
        self.assertEqual(status, 200)
        self.assertAlmostEqual(media.seconds(part), 1, delta=0.05)
        self.assertEqual(media.decodes(part), "")
        self.assertEqual(self.get(server, "live.mp4", "?start=5000")[0], 404)
        self.assertEqual(self.get(server, "live.mp4", "?start=2&end=1")[0], 400)
        self.assertEqual([file for file in server.files() if "-s0.5" in file.name], [])

    def test_other_containers_come_as_far_as_they_are_written(self):
        for settings, name in (({"record_formats": "h264-mkv, vp8-webm"}, "live.mkv"), ({"record_h264_to_ts": "true"}, "live.ts")):
            with self.subTest(name):
                server = self.recording(settings)
                self.so_long(server, name, 1, "early-" + name)
                status, head, first = self.get(server, name)
                self.assertEqual((status, head["cache-control"], int(head["content-length"])), (200, "no-store", len(first)))
                self.assertNotIn("etag", head)
                later = self.so_long(server, name, 2.5, name)
                self.assertEqual(later.read_bytes()[:len(first)], first)
                self.assertEqual(self.get(server, name, headers={"Range": "bytes=1000-1999"})[2], first[1000:2000])
                server.end()

    def test_the_name_that_rest_shows_leads_to_it(self):
        server = self.recording({"stream_record_policy_template": "{streamName}-{startTime}-{endTime}"})

        def known():
            status, all_ = server.rest("/recorder/find_all")
            return status == 200 and "{startTime}" not in all_[0]["fileName"] and all_[0]["fileName"]
        shown = eventually(known, "its name with its start")
        self.assertIn("{endTime}", shown)
        self.so_long(server, shown, 0.5, "x.mp4")
        part = server.parts()[0]
        self.assertEqual(self.get(server, part.name)[0], 404, "its temporary name leads nowhere")

    def test_every_file_of_a_rotation_is_there_all_the_time(self):
        server = self.recording({"record_rotation": "1"}, clip=clips.both(6, 25))
        end = time.monotonic() + 3
        seen = set()
        while time.monotonic() < end:
            for number in (1, 2):
                status, _, _ = self.get(server, f"live_{number}.mp4", headers={"Range": "bytes=0-99"})
                if status == 206:
                    seen.add(number)
                elif number in seen:
                    self.fail(f"file {number} is gone: {status}")
        self.assertEqual(seen, {1, 2})


if __name__ == "__main__":
    run()
