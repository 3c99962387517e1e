"""`?start=&end=` of /client/records/: parts of recordings, exact to the picture, made once and kept."""
import concurrent.futures
import hashlib
import subprocess
import urllib.parse

import clips
import matroska
import media
import mpegts
from case import FlowTest, eventually, run


def pictures(path):
    """[(time, md5)] of every picture that a player shows."""
    run = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:v", "-fps_mode", "passthrough",
                          "-enc_time_base", "-1", "-f", "framemd5", "-"], capture_output=True, text=True, check=True)
    assert not run.stderr, run.stderr
    base = next(line.split()[-1] for line in run.stdout.splitlines() if line.startswith("#tb 0:"))
    num, den = map(int, base.split("/"))
    rows = [[f.strip() for f in line.split(",")] for line in run.stdout.splitlines() if line and line[0] != "#"]
    return [(int(r[2]) * num / den, r[5]) for r in rows]


def shown(all_pictures, start, end):
    """Those that are on show from `start` to before `end`."""
    ends = [t for t, _ in all_pictures[1:]] + [float("inf")]
    return [md5 for (t, md5), until in zip(all_pictures, ends) if until > start + 0.0006 and t < end - 0.0001]


def pcm(path):
    run = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:a", "-ac", "1", "-f", "s16le", "-"],
                         capture_output=True, check=True)
    return memoryview(run.stdout).cast("h")


class Cut(FlowTest):
    def recorded(self, clip, name="stream", settings=None):
        server = self.server(settings)
        server.publish(clip, name)
        return server, server.file(f"{name}.mp4")

    def part(self, server, query, name="stream.mp4", save="part.mp4", headers=None, method="GET"):
        """(status, headers, path of the saved body)"""
        status, headers, body = server.request(method, f"/client/records/{urllib.parse.quote(name)}?{query}", headers=headers)
        path = self.scratch / save
        path.write_bytes(body)
        return status, headers, path

    def test_a_part_begins_with_exactly_the_picture_at_its_start(self):
        for clip in (clips.both(12, 50), clips.b_frames(6)):
            server, file = self.recorded(clip)
            whole = pictures(file)
            for start, end in ((1, 3), (2.5, 4), (3.333, 5), (0, 1), (0.04, 5.9)):
                status, headers, part = self.part(server, f"start={start}&end={end}")
                self.assertEqual(status, 200)
                self.assertEqual(headers["content-type"], "video/mp4")
                self.assertTrue(media.is_progressive(part), media.boxes(part))
                self.assertEqual(media.decodes(part), "")
                seen = pictures(part)
                self.assertEqual([md5 for _, md5 in seen], shown(whole, start, end), f"{clip.name} {start}..{end}")
                self.assertAlmostEqual(seen[0][0], 0, delta=0.001)
                self.assertAlmostEqual(media.seconds(part), end - start, delta=0.03)
            self.assertEqual(server.terminate(), 0)

    def test_the_sound_begins_at_the_same_instant(self):
        server, file = self.recorded(clips.both(12, 50))
        _, _, part = self.part(server, "start=3.2&end=6")
        whole, cut = pcm(file), pcm(part)
        at = round(3.2 * 44100)

        def distance(offset):
            return sum(abs(cut[i] - whole[i + offset]) for i in range(3000, 6000, 3))
        best = min(range(at - 1100, at + 1100), key=distance)
        self.assertLessEqual(abs(best - at), 50, "about a millisecond, which RTMP counts in")
        self.assertLess(distance(best), 3000)

    def test_a_part_is_a_file_beside_the_recordings_and_answered_as_one(self):
        server, file = self.recorded(clips.both(12, 50))
        status, headers, part = self.part(server, "start=2&end=6.50")
        kept = server.records / "stream-s2-e6.5.mp4"
        self.assertEqual(kept.read_bytes(), part.read_bytes())
        self.assertEqual(headers["content-disposition"], 'inline;filename="stream-s2-e6.5.mp4"')
        made = kept.stat().st_mtime_ns
        again = self.part(server, "end=6.5&start=2.0", headers={"Range": "bytes=0-99"}, save="range")
        self.assertEqual((again[0], again[2].read_bytes()), (206, part.read_bytes()[:100]))
        self.assertEqual(self.part(server, "start=2&end=6.5", headers={"If-None-Match": headers["etag"]})[0], 304)
        status, head, body = self.part(server, "start=2&end=6.5", method="HEAD", save="head")
        self.assertEqual((status, head["content-length"], body.read_bytes()), (200, str(kept.stat().st_size), b""))
        self.assertEqual(kept.stat().st_mtime_ns, made, "nothing was cut again")
        for query, name in (("start=4", "stream-s4.mp4"), ("end=4", "stream-e4.mp4")):
            _, _, one = self.part(server, query)
            self.assertEqual((server.records / name).read_bytes(), one.read_bytes())
            self.assertAlmostEqual(media.seconds(one), 8 if "start" in query else 4, delta=0.1)
        self.assertEqual(sorted(f.name for f in server.files()),
                         ["stream-e4.mp4", "stream-s2-e6.5.mp4", "stream-s4.mp4", "stream.mp4"])

    def test_sound_alone_is_cut_alike(self):
        server, _ = self.recorded(clips.audio(6), "talk")
        status, _, part = self.part(server, "start=1&end=3", "talk.mp4")
        self.assertEqual(status, 200)
        self.assertAlmostEqual(len(pcm(part)) / 44100, 2, delta=0.03)
        self.assertEqual(media.decodes(part), "")

    def test_times_that_make_no_sense_are_400_with_the_reason(self):
        server, _ = self.recorded(clips.both(6))
        for query in ("start=5&end=5", "start=5&end=4", "start=abc", "start=-1", "end=-1", "start=1&end=x", "start=",
                      "end=0", "start=6.1", "start=100", "start=1&end=100", "end=100", "start=1e1"):
            status, headers, body = self.part(server, query)
            self.assertEqual(status, 400, query)
            text = body.read_text()
            self.assertIn('"BadRequestException"', text)
            self.assertTrue(any(word in text for word in ("seconds", "larger", "lasts")), text)
        self.assertEqual([f.name for f in server.files()], ["stream.mp4"])
        self.assertEqual(list(server.records.glob(".tapedeck-cut-*")), [])
        self.assertEqual(self.part(server, "start=1", "none.mp4")[0], 404)

    def test_other_formats_are_answered_whole(self):
        server = self.server()
        (server.records / "film.webm").write_bytes(b"webm")
        _, headers, body = self.part(server, "start=1&end=2", "film.webm")
        self.assertEqual(body.read_bytes(), b"webm")
        self.assertIn("cutter.other_formats", headers["warning"])

    def test_webm_mkv_and_ts_are_cut_from_a_key_picture_on_where_that_is_set(self):
        settings = {"cutter.other_formats": "true", "record_formats": "h264-mkv, vp8-webm", "record_flash_published_streams": "false"}
        for clip, name, more in ((clips.vp8_opus(10), "film.webm", {}), (clips.h264_opus(10), "film.mkv", {}),
                                 (clips.both(12, 50), "film.ts", {"record_h264_to_ts": "true"})):
            with self.subTest(name):
                server = self.server({**settings, **more})
                (server.home / "media").mkdir(exist_ok=True)
                (server.home / "media" / clip.name).write_bytes(clip.read_bytes())
                answer = server.rest("/vod/startup", {"uri": f"vod://{clip.name}", "localStreamName": "film", "realTime": False, "record": True})
                self.assertEqual(answer, (200, None))
                file = server.file(name, 30)
                whole = pictures(file)
                if name.endswith(".ts"):  # ffmpeg's pictures begin at 0 wherever they are
                    apart = max(0, media.times(file, "video")[0] - media.times(file, "audio")[0])
                    whole = [(at + apart, md5) for at, md5 in whole]
                sound = media.hashes(file, "audio")
                for start, end in ((0, 2.5), (3.2, 5.9), (4, 6), (7.5, 9.9)):
                    status, headers, part = self.part(server, f"start={start}&end={end}", name, name)
                    self.assertEqual(status, 200)
                    seen = pictures(part)
                    key = whole[0][0] + max(0, (start + 0.0005 - whole[0][0]) // 2 * 2)  # one each 2 s
                    length = end - min(key, start)
                    in_time = [picture for picture in seen if picture[0] - seen[0][0] < end - key - 0.001]
                    self.assertLessEqual(len(seen) - len(in_time), 2, "pictures that others need")
                    seen = in_time
                    first = [md5 for _, md5 in whole].index(seen[0][1])
                    self.assertAlmostEqual(whole[first][0], key, delta=0.05, msg="the key picture before it")
                    self.assertEqual([md5 for _, md5 in seen], [md5 for _, md5 in whole[first:first + len(seen)]])
                    self.assertAlmostEqual(whole[first + len(seen) - 1][0], end, delta=0.07, msg=f"{start}..{end}")
                    self.assertEqual(media.decodes(part), "")
                    kept = media.hashes(part, "audio")
                    at = sound.index(kept[0])
                    self.assertEqual(kept, sound[at:at + len(kept)], "no frame of sound is missing")
                    times = media.times(part, "audio")
                    self.assertAlmostEqual(times[0], media.times(part, "video")[0], delta=0.1)
                    self.assertAlmostEqual(times[-1] - times[0], length, delta=0.15)
                    if name.endswith(".ts"):
                        mpegts.read(part)
                    else:
                        self.assertTrue(matroska.is_finished(part))
                        self.assertAlmostEqual(seen[0][0], 0, delta=0.05 if start == 0 else 0.001)
                        self.assertAlmostEqual(media.seconds(part), length, delta=0.05)
                        self.assertAlmostEqual(matroska.keys_near(part, 0), 0, delta=0.05)
                for query in ("start=50", "end=50", "start=2&end=1"):
                    self.assertEqual(self.part(server, query, name)[0], 400, query)
                server.terminate()

    def test_fifty_equal_requests_at_once_make_one_part(self):
        server, _ = self.recorded(clips.both(12, 50))
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            bodies = list(pool.map(lambda i: self.part(server, "start=3&end=9", save=f"equal{i}")[2].read_bytes(), range(50)))
        self.assertEqual(len({hashlib.md5(b).hexdigest() for b in bodies}), 1)
        self.assertEqual(server.metrics()['tapedeck_cuts_total{result="made"}'], 1)

    def test_fifty_different_parts_at_once_are_each_right(self):
        server, file = self.recorded(clips.both(12, 50))
        whole = pictures(file)
        spans = [(i * 0.2, i * 0.2 + 1.5) for i in range(50)]
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            parts = list(pool.map(lambda s: self.part(server, f"start={s[0]:.1f}&end={s[1]:.1f}", save=f"part{s[0]:.1f}.mp4"), spans))
        self.assertEqual([status for status, *_ in parts], [200] * 50)
        for (start, end), (_, _, part) in zip(spans, parts):
            self.assertEqual([md5 for _, md5 in pictures(part)], shown(whole, start, end), f"{start:.1f}")

    def test_a_recording_replaced_under_the_same_name_is_cut_anew(self):
        server, file = self.recorded(clips.both(12, 50))
        _, first, before = self.part(server, "start=1&end=3", save="before")
        server.publish(clips.large(6), "stream")
        eventually(lambda: media.track(file, "video")["width"] == 640, "the new recording has the name")
        _, second, after = self.part(server, "start=1&end=3", save="after.mp4")
        self.assertEqual(media.track(after, "video")["width"], 640)
        self.assertNotEqual(first["etag"], second["etag"])
        self.assertEqual(len(list(server.records.glob("stream-s1-e3*.mp4"))), 1, "the old part has gone")

    def test_a_file_of_somebody_else_is_neither_given_nor_replaced(self):
        server, file = self.recorded(clips.both(6))
        stranger = server.records / "stream-s1-e3.mp4"
        stranger.write_bytes(b"somebody else's")
        status, headers, part = self.part(server, "start=1&end=3")
        self.assertEqual(status, 200)
        self.assertEqual(stranger.read_bytes(), b"somebody else's")
        self.assertEqual(headers["content-disposition"], 'inline;filename="stream-s1-e3-2.mp4"')
        self.assertAlmostEqual(media.seconds(part), 2, delta=0.05)

    def test_parts_have_their_own_folder_and_are_known_after_a_restart(self):
        folder = self.scratch / "parts"
        server, _ = self.recorded(clips.both(6), "cam/one", {"mp4_cutter_dir": folder, "stream_record_policy_template": "cam/one"})
        _, headers, _ = self.part(server, "start=1&end=3", "cam/one.mp4")
        kept = folder / "cam" / "one-s1-e3.mp4"
        made = kept.stat().st_ino
        (folder / ".tapedeck-cut-1-1").write_bytes(b"half a part")
        server.kill()
        server.restart()
        self.assertEqual(self.part(server, "start=1&end=3", "cam/one.mp4")[1]["etag"], headers["etag"])
        self.assertEqual(kept.stat().st_ino, made, "it was not cut again")
        eventually(lambda: not list(folder.glob(".tapedeck-cut-*")), "what a kill left is deleted")

    def test_parts_of_a_recording_whose_name_looks_like_a_part_are_its_own(self):
        server, _ = self.recorded(clips.both(6), "cam")
        server.publish(clips.large(6), "cam-s1")
        server.file("cam-s1.mp4")
        for _ in range(2):
            _, _, one = self.part(server, "start=1&end=2", "cam.mp4", "one.mp4")
            _, _, other = self.part(server, "end=2", "cam-s1.mp4", "other.mp4")
            self.assertEqual([media.track(part, "video")["width"] for part in (one, other)], [320, 640])
        self.assertEqual(server.metrics()['tapedeck_cuts_total{result="made"}'], 2)

    def test_the_parts_not_asked_for_longest_go_when_there_are_too_many_bytes(self):
        server, _ = self.recorded(clips.both(12, 50), settings={"cutter.max_size": "1m"})
        (server.records / "stream-s100.mp4").write_bytes(b"x" * 2_000_000)  # no part of ours
        for start in range(8):
            self.part(server, f"start={start}&end={start + 4}")
            self.part(server, "start=0&end=4")
        eventually(lambda: sum(f.stat().st_size for f in server.records.glob("stream-s*-e*.mp4")) <= 1_048_576, "old parts go")
        names = {f.name for f in server.files()}
        self.assertIn("stream-s0-e4.mp4", names, "this one was asked for all the time")
        self.assertIn("stream-s7-e11.mp4", names)
        self.assertNotIn("stream-s1-e5.mp4", names)
        self.assertIn("stream-s100.mp4", names)
        self.assertIn("stream.mp4", names)


if __name__ == "__main__":
    run()
