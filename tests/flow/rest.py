"""Recording on demand over REST: the samples of the specification by curl, restarts without gap, hard inputs."""
import json
import re
import shutil
import subprocess
import threading

import clips
import media
from case import BUILD, FlowTest, eventually, run


def curl(server, path, body=None, *options):
    """(status line, headers with lower-case names, body) as curl saw them."""
    data = [] if body is None else ["-H", "Content-Type: application/json", "--data-binary", body]
    out = subprocess.run(["curl", "-sS", "-i", "-X", "POST", *data, *options,
                          f"http://127.0.0.1:{server.http_port}/rest-api{path}"], capture_output=True, check=True).stdout
    head, _, answer = out.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return status, {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}, answer.decode()


class Rest(FlowTest):
    OFF = {"record_flash_published_streams": "false"}

    def live(self, server, name="live", clip=None):
        """A publisher that goes on until the test ends, and its media session."""
        publisher = server.publishing(clip or clips.both(), name, loop=True)
        return publisher, server.stream(name)["mediaSessionId"]

    def stop(self, publisher):
        publisher.terminate()
        publisher.wait()

    def recorded_seconds(self, server, count):
        """Waits until that many seconds more of media have certainly passed, told by the file growing."""
        def size():
            return sum(part.stat().st_size for part in server.parts())
        start = size()
        eventually(lambda: size() > start + count * 30_000, "the recording grows", 30)

    def test_the_samples_of_startup_and_terminate_by_curl(self):
        for start, end in (("/recorder/startup", "/recorder/terminate"), ("/stream/startRecording", "/stream/stopRecording")):
            with self.subTest(start):
                server = self.server(self.OFF)
                publisher, session = self.live(server)
                body = json.dumps({"mediaSessionId": session, "config": {"fileTemplate": "test", "rotation": "disabled"}})
                status, headers, answer = curl(server, start, body)
                self.assertEqual(status, "HTTP/1.1 200 OK")
                self.assertEqual(headers["access-control-allow-origin"], "*")
                self.assertEqual(headers["content-type"], "application/json")
                self.assertEqual(answer, "")
                status, headers, answer = curl(server, "/recorder/find_all")
                self.assertEqual(status, "HTTP/1.1 200 OK")
                self.assertEqual(headers["access-control-allow-origin"], "*")
                self.assertEqual(headers["content-type"], "application/json;charset=UTF-8")
                self.assertEqual(json.loads(answer), [{"fileName": "test.mp4", "mediaSessionId": session}])
                self.recorded_seconds(server, 2)
                status, headers, answer = curl(server, end, json.dumps({"mediaSessionId": session}))
                self.assertEqual((status, headers["access-control-allow-origin"], answer), ("HTTP/1.1 200 OK", "*", ""))
                file = server.file("test.mp4")
                self.assertTrue(media.is_progressive(file))
                self.assertEqual(media.decodes(file), "")
                self.assertEqual(server.hooked(1), [("live", str(file))])
                self.assertIsNone(publisher.poll())

    def test_find_all_shows_the_name_with_what_is_not_known_yet(self):
        server = self.server({"stream_record_policy_template": "{streamName}-{startTime}-{endTime}"})
        _, session = self.live(server)
        eventually(lambda: "{startTime}" not in server.rest("/recorder/find_all")[1][0]["fileName"], "the recording begins")
        status, running = server.rest("/recorder/find_all")
        self.assertEqual(status, 200)
        (only,) = running
        self.assertEqual(set(only), {"fileName", "mediaSessionId"})
        self.assertEqual(only["mediaSessionId"], session)
        self.assertRegex(only["fileName"], r"^live-\d+-\{endTime\}\.mp4$")
        self.assertEqual(server.files(), [])
        self.assertEqual(server.request("GET", "/rest-api/recorder/find_all")[0], 200)

    def test_a_stream_can_be_recorded_on_demand_while_automatic_recording_is_off(self):
        server = self.server({"record_streams": "false"})
        _, session = self.live(server)
        self.assertEqual(server.rest("/recorder/find_all")[0], 404)
        self.assertEqual(server.rest("/recorder/startup", {"mediaSessionId": session})[0], 200)
        self.recorded_seconds(server, 1)
        self.assertEqual(server.rest("/recorder/terminate", {"mediaSessionId": session})[0], 200)
        server.file("live.mp4")

    def test_the_usual_sequence_of_clients_finds_starts_and_stops(self):
        server = self.server(self.OFF)
        self.live(server)
        _, found = server.rest("/stream/find", {"name": "live"})
        stream = found[0]
        self.assertEqual((stream["name"], stream["status"], stream["published"], stream["record"]), ("live", "PUBLISHING", True, False))
        self.assertEqual((stream["hasVideo"], stream["hasAudio"], stream["videoCodec"], stream["audioCodec"]), (True, True, "H264", "AAC"))
        session = stream["mediaSessionId"]
        self.assertEqual(server.rest("/stream/startRecording", {"mediaSessionId": session})[0], 200)
        self.assertTrue(server.stream("live")["record"])
        self.recorded_seconds(server, 1)
        self.assertEqual(server.rest("/stream/stopRecording", {"mediaSessionId": session})[0], 200)
        self.assertEqual(server.rest("/stream/stopRecording", {"mediaSessionId": session})[0], 404)

    def test_a_second_startup_cuts_without_gap_or_overlap(self):
        server = self.server(self.OFF)
        clip = clips.both(20)
        publisher = server.publishing(clip, "cut")
        session = server.stream("cut")["mediaSessionId"]
        names = [f"part{n}" for n in range(3)]
        for name in names:
            self.assertEqual(server.rest("/recorder/startup", {"mediaSessionId": session, "config": {"fileTemplate": name}})[0], 200)
            self.recorded_seconds(server, 2)
        publisher.wait()
        files = [server.file(name + ".mp4", 30) for name in names]
        for kind in ("video", "audio"):
            kept = [md5 for file in files for md5 in media.hashes(file, kind)]
            sent = media.hashes(clip, kind)
            at = sent.index(kept[0])
            self.assertEqual(sent[at:], kept, kind)
        for file in files:
            self.assertTrue(media.is_progressive(file))
            self.assertEqual(media.decodes(file), "")
        self.assertEqual([f for _, f in server.hooked(3)], [str(f) for f in files])

    def test_a_recording_on_demand_begins_at_the_last_key_frame(self):
        server = self.server(self.OFF)
        clip = clips.both(20, gop=250)
        publisher = server.publishing(clip, "gop")
        session = server.stream("gop")["mediaSessionId"]
        self.assertEqual(server.rest("/recorder/startup", {"mediaSessionId": session})[0], 200)
        eventually(lambda: server.parts(), "a file before the next key frame", 5)
        publisher.wait()
        kept = media.hashes(server.file("gop.mp4"), "video")
        self.assertEqual(kept, media.hashes(clip, "video")[-len(kept):])
        self.assertGreater(len(kept), 300)

    def test_without_the_kept_pictures_it_waits_for_a_key_frame_and_says_so(self):
        server = self.server({**self.OFF, "stream.gop_cache": "0"})
        publisher = server.publishing(clips.both(20, gop=250), "wait")
        session = server.stream("wait")["mediaSessionId"]
        server.rest("/recorder/startup", {"mediaSessionId": session})
        server.logged("waiting for key frame")

    def test_players_are_shown_as_sessions_and_ended(self):
        folder = self.scratch / "plugins"
        folder.mkdir()
        shutil.copy(BUILD / "tests" / "plugins" / "good_viewer.so", folder)
        server = self.server({**self.OFF, "plugin_path": str(folder)})
        publisher = server.publishing(clips.both(20), "watched")
        eventually(lambda: server.stream("watched", status="PLAYING")["audioCodec"], "its sound")
        played = server.stream("watched", status="PLAYING")
        self.assertEqual((played["published"], played["mediaType"], played["videoCodec"], played["audioCodec"]), (False, "play", "H264", "AAC"))
        first = server.rest("/stream/find", {"name": "watched"})[1][0]
        self.assertEqual(first["mediaType"], "publish")
        self.assertEqual(server.metrics()["tapedeck_viewers"], 1)
        self.assertEqual(server.rest("/stream/terminate", {"mediaSessionId": played["mediaSessionId"]})[0], 200)
        server.logged("packets came; Stopped by rest /terminate")
        server.stream("watched", status="PLAYING")  # it comes back
        publisher.kill()
        server.logged("packets came; Stopped by publisher stop")
        counts = [int(count) for count in re.findall(r"(\d+) packets came", server.log())]
        self.assertGreater(counts[0], 0)
        self.assertEqual(server.rest("/stream/find_all")[0], 404)

    def test_an_unknown_session_is_404(self):
        server = self.server()
        for path in ("/recorder/startup", "/recorder/terminate", "/stream/startRecording", "/stream/stopRecording", "/stream/terminate"):
            status, answer = server.rest(path, {"mediaSessionId": "5a072377-73c1-4caf-abd3"})
            self.assertEqual(status, 404, path)
            self.assertEqual(answer["status"], 404)
            self.assertEqual(answer["path"], "/rest-api" + path)

    def test_malformed_bodies_are_400_or_what_is_configured(self):
        for setting, expected in (({}, 400), ({"rest.bad_request_status": "500"}, 500)):
            server = self.server(setting)
            for body in (b"", b"{", b"[]", b'"x"', b"{}", b'{"mediaSessionId":"a" "config":{}}',
                         b'{"mediaSessionId":null}', b'{"mediaSessionId":["a"]}', b"\xff\xfe", b"[" * 100_000):
                with self.subTest(body=body[:40], expected=expected):
                    self.assertEqual(server.rest("/recorder/startup", body)[0], expected)
            self.assertEqual(server.rest("/stream/terminate", b"{}")[0], expected)
            self.assertEqual(server.request("GET", "/rest-api/recorder/startup")[0], 405)

    def test_a_body_of_ten_megabytes_is_refused(self):
        server = self.server()
        big = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", "--data-binary", "@-",
                              f"http://127.0.0.1:{server.http_port}/rest-api/recorder/startup"],
                             input=b'{"mediaSessionId":"' + b"a" * 10_000_000 + b'"}', capture_output=True)
        self.assertEqual(big.stdout.decode(), "413")
        self.assertEqual(server.request("GET", "/health")[0], 200)

    def test_an_empty_list_is_404_or_what_is_configured(self):
        server = self.server()
        self.assertEqual([server.rest(f"/{kind}/find_all")[0] for kind in ("recorder", "stream")], [404, 404])
        server = self.server({"rest.empty_list": "200"})
        self.assertEqual([server.rest(f"/{kind}/find_all") for kind in ("recorder", "stream")], [(200, []), (200, [])])

    def test_two_clients_that_start_and_stop_one_session_end_in_whole_files(self):
        server = self.server({**self.OFF, "stream_record_policy_template": "{streamName}-{startTimeMillis}", "record_name_collision": "suffix"})
        publisher, session = self.live(server)
        answers = []

        def client():
            for _ in range(15):
                answers.append(server.rest("/recorder/startup", {"mediaSessionId": session})[0])
                answers.append(server.rest("/recorder/terminate", {"mediaSessionId": session})[0])
        clients = [threading.Thread(target=client) for _ in range(2)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        self.assertEqual(set(answers) - {200, 404}, set())
        self.assertEqual(server.rest("/recorder/find_all")[0], 404)
        self.assertIsNone(publisher.poll())
        self.assertEqual(server.terminate(), 0)
        for file in server.files():
            self.assertTrue(media.is_progressive(file), file.name)
        self.assertEqual(server.parts(), [])

    def test_stream_terminate_ends_the_publisher(self):
        server = self.server()
        publisher, session = self.live(server)
        self.assertEqual(server.rest("/stream/terminate", {"mediaSessionId": session})[0], 200)
        publisher.wait(30)
        server.file("live.mp4")
        self.assertEqual(server.rest("/stream/find", {"name": "live"})[0], 404)

    def test_a_client_can_compute_the_name_from_what_rest_shows(self):
        server = self.server({"stream_record_policy_template": "{streamName}-{mediaSessionId}"})
        publisher, session = self.live(server)
        self.recorded_seconds(server, 1)
        self.stop(publisher)
        server.file(f"live-{session}.mp4")

    def test_preflight_and_origin_are_answered_for_browsers(self):
        server = self.server()
        status, headers, _ = server.request("OPTIONS", "/rest-api/recorder/startup")
        self.assertEqual(status, 200)
        self.assertEqual(headers["access-control-allow-origin"], "*")
        self.assertIn("POST", headers["access-control-allow-methods"])
        self.assertIn("Content-Type", headers["access-control-allow-headers"])


if __name__ == "__main__":
    run()
