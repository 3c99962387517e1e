"""conf/record_rules.yaml: what is recorded, how, and what mistakes in it do."""
import clips
from case import FlowTest, eventually, run
from server import Server


class Rules(FlowTest):
    def ruled(self, rules, settings=None):
        server = Server(self.scratch / "ruled", settings or {})
        self.addCleanup(self._end, server)
        self.write(server, rules)
        return server.start()

    @staticmethod
    def write(server, rules):
        (server.home / "conf" / "record_rules.yaml").write_text(rules)

    def test_the_first_rule_that_fits_decides_and_names(self):
        server = self.ruled("""
rules:
  - name: "private*"
    record: false
  - protocol: rtmp
    name: "cam-*"
    template: "cameras/{streamName}"
    rotation: 2
""")
        server.publish(clips.both(3), "private1")
        server.publish(clips.both(6), "cam-1")
        server.publish(clips.both(3), "other")
        server.file("other.mp4")
        server.file("cameras/cam-1_1.mp4")
        eventually(lambda: len(server.files("cam-1_*")) >= 2, lambda: server.files())
        self.assertEqual([f.name for f in server.files("private*")], [])

    def test_a_rule_records_what_the_protocol_does_not(self):
        server = self.ruled("rules: [{name: 'cam-*', record: true}]", {"record_flash_published_streams": "false"})
        server.publish(clips.both(3), "cam-1")
        server.publish(clips.both(3), "dam-1")
        server.file("cam-1.mp4")
        self.assertEqual([f.name for f in server.files()], ["cam-1.mp4"])

    def test_what_rest_starts_follows_the_rule_below_its_own_words(self):
        server = self.ruled("rules: [{record: false, rotation: 2, template: 'ruled-{streamName}'}]")
        server.publishing(clips.both(20), "cam")
        session = server.stream("cam")["mediaSessionId"]
        self.assertEqual(server.rest("/recorder/startup", {
            "mediaSessionId": session, "config": {"fileTemplate": "asked-{streamName}"}})[0], 200)
        server.file("asked-cam_1.mp4")

    def test_a_mistake_is_named_by_check_config_and_leaves_a_running_server_as_it_is(self):
        server = self.ruled("rules: [{name: 'cam-*', record: true}]", {"record_flash_published_streams": "false"})
        self.write(server, "rules:\n  - nam: x\n")
        server.reload()
        server.logged("record_rules.yaml:2: a rule has no member 'nam'")
        server.publish(clips.both(3), "cam-1")
        server.file("cam-1.mp4")
        server.terminate()
        checked = server.run("--check-config")
        self.assertEqual(checked.returncode, 1)
        self.assertIn("record_rules.yaml:2", checked.stdout + checked.stderr)

    def test_new_rules_hold_from_the_next_stream_on(self):
        server = self.ruled("rules: [{record: false}]")
        self.write(server, "rules: [{template: 'now-{streamName}'}]")
        server.reload()
        server.publish(clips.both(3), "cam")
        server.file("now-cam.mp4")


if __name__ == "__main__":
    run()
