"""Events by POST: in order, signed, with one key for all attempts, to each receiver, whatever the others do."""
import hashlib
import hmac
import http.server
import json
import os
import ssl
import subprocess
import threading
import time

import clips
from case import SLOWNESS, FlowTest, eventually, run

SECRET = "the key of the test"
os.environ["no_proxy"] = "127.0.0.1"


class Receiver:
    """Takes events on loopback. `answers` are the statuses of the first posts, then 200; `hang`: a post is answered when
    this is set."""

    def __init__(self, port=0, answers=(), certificate=None):
        self.posts, self.answers, self.hang = [], list(answers), threading.Event()
        self.hang.set()
        lock = threading.Lock()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with lock:
                    receiver.posts.append((self.path, dict(self.headers), body))
                    status = receiver.answers.pop(0) if receiver.answers else 200
                receiver.hang.wait(30)
                try:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except OSError:
                    pass  # whoever hung up did so on purpose

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.handle_error = lambda *_: None  # a client that trusts nobody hangs up
        self.server.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, scheme="http"):
        return f"{scheme}://127.0.0.1:{self.port}/hooks?token=hidden"

    def events(self):
        return [json.loads(body) for _, _, body in self.posts]

    def got(self, count, seconds=20):
        eventually(lambda: len(self.posts) >= count, lambda: f"{count} posts; there are {self.events()}", seconds)
        return self.events()

    def close(self):
        self.hang.set()
        self.server.shutdown()
        self.server.server_close()


class Webhook(FlowTest):
    def receiver(self, **kwargs):
        receiver = Receiver(**kwargs)
        self.addCleanup(receiver.close)
        return receiver

    def told(self, settings, **kwargs):
        return self.server({"hook_retry_delay": "200ms", "hook.webhook.secret": SECRET, **settings}, **kwargs)

    def check_signature(self, headers, body):
        fields = dict(part.split("=", 1) for part in headers["Tapedeck-Signature"].split(","))
        signed = fields["t"].encode() + b"." + body
        self.assertEqual(hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest(), fields["v1"])
        self.assertLess(abs(time.time() - int(fields["t"])), 60)

    def test_each_event_comes_once_in_order_and_signed(self):
        receiver = self.receiver()
        server = self.told({"hook.webhook.url": receiver.url(), "stream_record_policy_template": "{streamName}-{startTime}",
                            "record_rotation": "1"})
        server.publish(clips.both(4), "cam", realtime=True)
        stored = len(server.hooked(4))
        eventually(lambda: [e["event"] for e in receiver.events()].count("stored") >= stored, "every fragment is told")
        self.assertEqual(server.terminate(), 0)
        events = receiver.events()
        self.assertEqual(len({e["id"] for e in events}), len(events), "each once")
        self.assertEqual(events[0]["event"], "started")
        fragments = [e for e in events if e["event"] == "stored"]
        self.assertEqual([e["segment"] for e in fragments], list(range(1, len(fragments) + 1)), "in order")
        for event in fragments:
            self.assertEqual((event["stream"], event["bytes"]), ("cam", (server.records / event["name"]).stat().st_size))
            self.assertEqual(event["path"], str(server.records / event["name"]))
        for path, headers, body in receiver.posts:
            self.assertEqual(path, "/hooks?token=hidden")
            self.assertEqual(headers["Content-Type"], "application/json")
            self.assertEqual(headers["Idempotency-Key"], json.loads(body)["id"])
            self.check_signature(headers, body)
        self.assertNotIn(SECRET, server.log())

    def test_a_hostile_stream_name_arrives_as_it_is(self):
        receiver = self.receiver()
        server = self.told({"hook.webhook.url": receiver.url(), "stream_record_policy_template": "{startTime}"})
        name = 'x","event":"other\\ $(touch pwned)'
        server.publish(clips.audio(2), name)
        self.assertEqual([(e["event"], e["stream"]) for e in receiver.got(2)], [("started", name), ("stored", name)])

    def test_a_receiver_that_fails_twice_is_asked_a_third_time(self):
        receiver = self.receiver(answers=[200, 500, 500])
        server = self.told({"hook.webhook.url": receiver.url(), "hook.webhook.secret": SECRET})
        server.publish(clips.audio(2), "again")
        events = receiver.got(4)
        self.assertEqual([e["event"] for e in events], ["started", "stored", "stored", "stored"])
        self.assertEqual(len({body for _, _, body in receiver.posts[1:]}), 1, "the same body")
        self.assertEqual([h["Tapedeck-Attempt"] for _, h, _ in receiver.posts], ["1", "1", "2", "3"])
        for _, headers, body in receiver.posts:
            self.check_signature(headers, body)
        server.logged(f"http://127.0.0.1:{receiver.port} answered with status 500")
        self.assertEqual(server.terminate(), 0)
        self.assertEqual(len(receiver.posts), 4)
        self.assertNotIn("hidden", server.log(), "the token in the url")
        self.assertNotIn(SECRET, server.log())

    def test_a_receiver_that_hangs_holds_up_nobody_and_is_asked_again(self):
        hung, well = self.receiver(), self.receiver()
        hung.hang.clear()
        server = self.told({"hook.webhook.url": hung.url(), "hook.webhook.timeout": "500ms", "hook.webhook2.url": well.url()})
        server.publish(clips.audio(2), "patient")
        self.assertEqual([e["event"] for e in well.got(2, 5)], ["started", "stored"])
        server.file("patient.mp4", 5)
        server.logged("did not answer within 500 ms")
        hung.hang.set()
        eventually(lambda: "stored" in [e["event"] for e in hung.events()], "told in the end", 20)
        self.assertEqual([e["event"] for e in well.events()], ["started", "stored"], "no doubles for the others")
        self.assertNotIn("Tapedeck-Signature", well.posts[0][1], "it has no secret")

    def test_what_a_receiver_missed_is_told_after_a_restart(self):
        receiver = self.receiver()
        port, well = receiver.port, self.receiver()
        receiver.close()
        server = self.told({"hook.webhook.url": receiver.url(), "hook.webhook2.url": well.url(), "hook_retry_delay": "10min"})
        server.publish(clips.audio(2), "later")
        self.assertEqual([e["event"] for e in well.got(1)][:1], ["started"])
        server.logged(f"http://127.0.0.1:{port}: ")
        server.file("later.mp4")
        well.got(2)
        began = time.monotonic()
        self.assertEqual(server.terminate(), 0)
        self.assertLess(time.monotonic() - began, 15 * SLOWNESS, "shutdown_timeout is 30 s")
        again = self.receiver(port=port)
        server.restart()
        events = again.got(1)
        self.assertEqual([(e["event"], e["stream"]) for e in events], [("stored", "later")])
        self.check_signature(again.posts[0][1], again.posts[0][2])
        self.assertEqual(events[0]["id"], well.events()[1]["id"], "the same id at every receiver")
        self.assertEqual(server.terminate(), 0)
        self.assertEqual(len(well.posts), 2)

    def test_https_needs_an_authority_that_is_trusted(self):
        authority, certificate = self.certificates()
        trusted, strange = self.receiver(certificate=certificate), self.receiver(certificate=certificate)
        server = self.told({"hook.webhook.url": trusted.url("https"), "hook.webhook.ca_file": str(authority),
                            "hook.webhook2.url": strange.url("https")})
        server.publish(clips.audio(2), "safe")
        self.assertEqual([e["event"] for e in trusted.got(2)], ["started", "stored"])
        server.logged(f"https://127.0.0.1:{strange.port}: SSL certificate problem")
        self.assertEqual(strange.posts, [])

    def certificates(self):
        """A test authority, and a file with a certificate of it for 127.0.0.1 and its key."""
        folder = self.scratch / "tls"
        folder.mkdir()

        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=Test authority",
                "-days", "2", "-keyout", "ca.key", "-out", "ca.pem")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=receiver",
                "-keyout", "server.key", "-out", "server.csr")
        (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", "names", "-out", "server.pem")
        both = folder / "both.pem"
        both.write_text((folder / "server.pem").read_text() + (folder / "server.key").read_text())
        return folder / "ca.pem", both

    def test_flashphoners_stream_event_goes_to_the_path_of_that_name(self):
        receiver = self.receiver()
        server = self.told({"hook.webhook.url": f"http://127.0.0.1:{receiver.port}/apps/EchoApp", "hook.webhook.form": "wcs"})
        server.publish(clips.audio(2), "cam")
        started, stopped = receiver.got(2)
        self.assertEqual({path for path, _, _ in receiver.posts}, {"/apps/EchoApp/StreamEvent"})
        self.assertEqual((started["type"], stopped["type"]), ("startedRecording", "stoppedRecording"))
        self.assertEqual(started["mediaSessionId"], stopped["mediaSessionId"])
        payload = stopped["payload"]
        self.assertEqual((payload["fileName"], payload["mediaProvider"]), ("cam.mp4", "Flash"))
        self.assertEqual(payload["filePath"], str(server.records / "cam.mp4"))
        self.assertEqual(payload["size"], (server.records / "cam.mp4").stat().st_size)

    def test_a_full_disk_is_told_before_the_file_that_was_kept(self):
        receiver = self.receiver()
        server = self.told({"hook.webhook.url": receiver.url()})
        server.publishing(clips.audio(2), "cam", loop=True)
        self.assertEqual(receiver.got(1)[0]["event"], "started")
        eventually(lambda: any(part.stat().st_size > 10_000 for part in server.parts()), "something is written")
        server.configure(file_recorder_min_space="1000000g")
        server.reload()
        started, failed, stored = receiver.got(3)
        self.assertEqual((failed["event"], stored["event"]), ("failed", "stored"))
        self.assertIn("Not enough available disk space", failed["reason"])
        self.assertEqual((failed["mediaSessionId"], stored["mediaSessionId"]), (started["mediaSessionId"],) * 2)

    def test_a_url_that_is_none_is_refused_by_the_check_and_not_shown(self):
        server = self.told({"hook.webhook3.url": ""})
        server.configure(hook__webhook3__url="example.com/hook?token=hidden")
        result = server.run("--check-config")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("hook.webhook3.url: ", result.stdout + result.stderr)
        self.assertNotIn("hidden", result.stdout + result.stderr)
        self.assertNotIn(SECRET, result.stdout + result.stderr)


if __name__ == "__main__":
    run()
