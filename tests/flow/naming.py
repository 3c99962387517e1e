"""Names of files: unsafe stream names, encodings, collisions, folders written in the template."""
import base64

import clips
import media
from case import FlowTest, eventually, run


class Naming(FlowTest):
    def record(self, server, name):
        server.publish(clips.audio(2), name)

    def test_an_unsafe_stream_name_stays_in_the_folder_as_one_name(self):
        server = self.server()
        self.record(server, "a/b")
        self.record(server, "..%2f..%2fetc")
        (_, first), (_, second) = server.hooked(2)
        self.assertEqual(first, str(server.records / "a_b.mp4"))
        self.assertEqual(second.rsplit("/", 1)[0], str(server.records))
        self.assertEqual(sorted(p.name for p in self.scratch.glob("*")), ["home0"])

    def test_a_template_of_rest_never_leads_out_of_the_folder(self):
        server = self.server({"record_flash_published_streams": "false"})
        server.publishing(clips.audio(2), "cam", loop=True)
        session = server.stream("cam")["mediaSessionId"]
        started = server.rest("/recorder/startup", {"mediaSessionId": session, "config": {"fileTemplate": "../../x"}})
        self.assertEqual(started[0], 200, started)
        eventually(lambda: any(part.stat().st_size for part in server.parts()), "the file")
        self.assertEqual(server.rest("/recorder/terminate", {"mediaSessionId": session})[0], 200)
        (_, path), = server.hooked(1)
        self.assertEqual(path, str(server.records / "_." / "_." / "x.mp4"))
        self.assertEqual([f.relative_to(self.scratch).parts[:2] for f in self.scratch.rglob("x.mp4")], [("home0", "records")])

    def test_hex_and_base64_names_decode_to_the_stem(self):
        for method, decode in (("HEX", bytes.fromhex), ("BASE64", lambda s: base64.urlsafe_b64decode(s + "=" * (-len(s) % 4)))):
            with self.subTest(method):
                server = self.server({"encode_record_name": f"true,{method}"})
                self.record(server, "a/b c")
                (_, path), = server.hooked(1)
                self.assertEqual(decode(path.rsplit("/", 1)[1][:-4]), b"a/b c")

    def test_excluded_characters_are_left_out(self):
        server = self.server({"exclude_record_name_characters": ":.,/"})
        self.record(server, "a:b.c,d/e")
        server.file("abcde.mp4")

    def test_a_slash_in_the_template_makes_a_folder(self):
        server = self.server({"stream_record_policy_template": "cams/{streamName}"})
        self.record(server, "one/two")
        server.file("cams/one_two.mp4")

    def test_a_long_name_is_cut_to_255_bytes_on_a_character(self):
        server = self.server()
        self.record(server, "ж" * 200)
        (_, path), = server.hooked(1)
        name = path.rsplit("/", 1)[1]
        self.assertLessEqual(len(name.encode()), 255)
        self.assertRegex(name, r"^ж+\.mp4$")

    def test_suffix_keeps_both_of_two_equal_names(self):
        server = self.server({"record_name_collision": "suffix"})
        for _ in range(3):
            self.record(server, "same")
            server.hooked(1)
        calls = server.hooked(3)
        self.assertEqual([path.rsplit("/", 1)[1] for _, path in calls], ["same.mp4", "same-2.mp4", "same-3.mp4"])

    def test_overwrite_replaces_the_older_file(self):
        server = self.server({"record_name_collision": "overwrite"})
        self.record(server, "same")
        server.hooked(1)
        server.publish(clips.audio(6), "same")
        server.hooked(2)
        self.assertEqual([f.name for f in server.files()], ["same.mp4"])
        self.assertAlmostEqual(media.seconds(server.file("same.mp4")), 6, delta=0.2)

    def test_fail_refuses_a_recording_whose_known_name_exists(self):
        server = self.server({"record_name_collision": "fail"})
        self.record(server, "same")
        before = server.file("same.mp4").read_bytes()
        server.hooked(1)
        self.record(server, "same")
        server.logged("same.mp4")
        self.assertEqual(server.terminate(), 0)
        self.assertEqual([f.name for f in server.files()], ["same.mp4"])
        self.assertEqual(server.file("same.mp4").read_bytes(), before)
        self.assertEqual(len(server.hook_calls()), 1)

    def test_fail_tells_the_rest_client(self):
        server = self.server({"record_name_collision": "fail", "record_flash_published_streams": "false"})
        (server.records / "same.mp4").write_bytes(b"somebody's")
        server.publishing(clips.audio(2), "same", loop=True)
        session = server.stream("same")["mediaSessionId"]
        status, answer = server.rest("/recorder/startup", {"mediaSessionId": session})
        self.assertEqual(status, 409, answer)
        self.assertIn("same.mp4 exists", str(answer))
        self.assertEqual((server.records / "same.mp4").read_bytes(), b"somebody's")

    def test_a_file_owed_to_a_hook_is_not_overwritten(self):
        gate = self.scratch / "gate"
        hook = f'#!/bin/sh\nwhile [ ! -e "{gate}" ]; do sleep 0.05; done\ncp "$2" "{self.scratch}/kept-$(basename "$2")"\n'
        hook += f'echo "$1:$2" >> "$(dirname "$0")/../logs/record.log"\n'
        server = self.server({"record_name_collision": "overwrite"}, hook=hook)
        self.record(server, "same")
        server.file("same.mp4")
        server.publish(clips.audio(6), "same")
        server.file("same-2.mp4")  # it has its name while the first one is still owed
        gate.touch()
        calls = server.hooked(2)
        # Two sessions: their hooks run beside each other, in any order.
        self.assertEqual({path.rsplit("/", 1)[1] for _, path in calls}, {"same.mp4", "same-2.mp4"})
        self.assertAlmostEqual(media.seconds(self.scratch / "kept-same.mp4"), 2, delta=0.2)
        self.assertAlmostEqual(media.seconds(self.scratch / "kept-same-2.mp4"), 6, delta=0.2)


if __name__ == "__main__":
    run()
