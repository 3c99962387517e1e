"""Who may use REST and who may publish, seen from outside."""
import base64
import subprocess

import clips
from case import FlowTest, run
from server import Server


class Access(FlowTest):
    OTHERS = {"rest.allowed_clients": "192.0.2.0/24"}

    def with_rules(self, rules, settings=None):
        server = Server(self.scratch / "ruled", settings or {})
        self.addCleanup(self._end, server)
        (server.home / "conf" / "access.yaml").write_text(rules)
        return server.start()

    def asked(self, server, **headers):
        return server.request("POST", "/rest-api/stream/find_all", b"", headers)

    def test_a_client_outside_the_allowed_networks_is_told_the_setting(self):
        server = self.server(self.OTHERS)
        status, _, body = self.asked(server)
        self.assertEqual(status, 403)
        self.assertIn(b"rest.allowed_clients", body)
        self.assertEqual(server.request("GET", "/health")[0], 200)

    def test_credentials_open_rest_to_other_networks(self):
        server = Server(self.scratch / "hashing", {})
        made = subprocess.run(server.command("--hash-password"), input="sesame\n", capture_output=True, text=True)
        self.assertEqual(made.returncode, 0, made.stderr)
        hashed = next(word for word in made.stdout.split() if word.startswith("pbkdf2"))
        self.assertNotIn("sesame", made.stdout)
        token, token_hash = subprocess.run(server.command("--new-token"), capture_output=True, text=True, check=True).stdout.split()
        server = self.with_rules(f"rest:\n  users:\n    - login: admin\n      password: {hashed}\n"
                                 f"  tokens:\n    - name: job\n      token: {token_hash}\n", self.OTHERS)
        basic = "Basic " + base64.b64encode(b"admin:sesame").decode()
        wrong = "Basic " + base64.b64encode(b"admin:simsim").decode()
        status, headers, _ = self.asked(server)
        self.assertEqual(status, 401)
        self.assertIn("Basic", headers["www-authenticate"])
        self.assertEqual(self.asked(server, Authorization=wrong)[0], 401)
        self.assertEqual(self.asked(server, Authorization=basic)[0], 404)  # allowed; nothing is published
        self.assertEqual(self.asked(server, Authorization="Bearer " + token)[0], 404)
        self.assertEqual(self.asked(server, Authorization="Bearer other")[0], 401)
        self.assertNotIn("sesame", server.log())

    def refused(self, server, name):
        publisher = server.publishing(clips.audio(2), name, realtime=False)
        publisher.wait(60)
        self.assertNotEqual(publisher.returncode, 0, name)

    def test_publishers_need_the_token_of_their_name(self):
        server = self.with_rules("publishers:\n  - name: 'cam*'\n    token: secret\n  - name: open\n")
        for name in ("cam1", "cam1?token=wrong", "other", "other?token=secret"):
            self.refused(server, name)
        server.publish(clips.audio(2), "cam1?token=secret")
        server.file("cam1.mp4")
        server.publish(clips.audio(2), "open")
        server.file("open.mp4")
        self.assertEqual([f.name for f in server.files()], ["cam1.mp4", "open.mp4"])
        self.assertNotIn("secret", server.log())

    def test_rules_are_read_again_at_sighup(self):
        server = self.with_rules("")
        server.publish(clips.audio(2), "before")
        (server.home / "conf" / "access.yaml").write_text("publishers:\n  - name: 'cam*'\n")
        server.reload()
        server.logged("reading the settings again")
        self.refused(server, "after")
        server.publish(clips.audio(2), "cam2")

    def test_a_mistake_in_the_rules_is_told_with_its_line(self):
        server = Server(self.scratch / "broken", {})
        (server.home / "conf" / "access.yaml").write_text("publishers:\n  - name: 'cam*'\n    tocken: x\n")
        self.addCleanup(server.end)
        server.spawn()
        self.assertEqual(server.process.wait(60), 1)
        self.assertIn("access.yaml:3", server.log())


if __name__ == "__main__":
    run()
