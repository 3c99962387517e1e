"""The hook script after each recording: no injection, a time limit, retries, and nothing else that waits for it."""
import time

import clips
import media
from case import FlowTest, eventually, run


NOTE = '#!/bin/sh\necho "$1:$2" >> "$(dirname "$0")/../logs/record.log"\n'


class Hooks(FlowTest):
    def test_a_hostile_stream_name_reaches_the_script_as_one_argument(self):
        name = '$(touch pwned) "x;y'
        seen = self.scratch / "seen"
        server = self.server(hook=f'#!/bin/sh\nprintf "%s\\n%s\\n%s\\n" "$#" "$1" "$2" > "{seen}.new" && mv "{seen}.new" "{seen}"\n')
        server.publish(clips.audio(2), name)
        eventually(seen.exists, "the hook ran")
        count, stream, path = seen.read_text().splitlines()
        self.assertEqual((count, stream), ("2", name))
        self.assertEqual(media.track(path, "audio")["codec_name"], "aac")
        self.assertEqual(list(self.scratch.rglob("pwned")), [])

    def test_the_arguments_are_the_stream_name_and_the_absolute_file(self):
        server = self.server()
        server.publish(clips.audio(2), "plain")
        self.assertEqual(server.hooked(1), [("plain", str(server.records / "plain.mp4"))])

    def test_the_copying_sample_of_the_specification_runs_unchanged(self):
        target = self.scratch / "www"
        target.mkdir()
        server = self.server()
        server.hook(f'''#!/bin/bash

STREAM_NAME=$1
SRC_FILE=$2
SRC_DIR="{server.records}/"
REPLACE_STR="{target}/$STREAM_NAME-"
DST_FILE="${{SRC_FILE/$SRC_DIR/$REPLACE_STR}}"
cp $SRC_FILE $DST_FILE
''')
        server.publish(clips.audio(2), "sample")
        eventually(lambda: (target / "sample-sample.mp4").exists(), "the copy")

    def test_the_logging_sample_of_the_specification_runs_unchanged(self):
        target = self.scratch / "media"
        target.mkdir()
        server = self.server()
        server.hook(f'''#!/bin/bash
STREAM_NAME=$1
FILE_NAME=$2
echo $STREAM_NAME:$FILE_NAME >> {server.home}/logs/record.log
cp $FILE_NAME {target}
''')
        server.publish(clips.audio(2), "sample")
        server.hooked(1)
        eventually(lambda: (target / "sample.mp4").exists(), "the copy")

    def test_a_script_that_hangs_is_ended_and_nothing_else_waits(self):
        hung = '#!/bin/sh\necho "$1:$2" >> "$(dirname "$0")/../logs/record.log"\ncase $1 in hang) exec sleep 1000;; esac\n'
        server = self.server({"hook.script.timeout": "2s"}, hook=hung)
        server.publish(clips.audio(2), "hang")
        server.hooked(1)
        server.publish(clips.audio(2), "other")
        server.file("other.mp4", 5)
        eventually(lambda: any(stream == "other" for stream, _ in server.hook_calls()), "the next hook", 5)
        eventually(lambda: "hang" in server.log() and "2 s" in server.log(), "the time limit in the log", 10)

    def test_a_script_that_fails_is_tried_again(self):
        tries = self.scratch / "tries"
        server = self.server({"hook_retry_delay": "200ms"},
                             hook=f'#!/bin/sh\necho try >> "{tries}"\necho "cannot do it" >&2\n[ $(wc -l < "{tries}") -ge 3 ]\n')
        server.publish(clips.audio(2), "again")
        eventually(lambda: tries.exists() and len(tries.read_text().splitlines()) >= 3, "three attempts", 30)
        self.assertEqual(server.terminate(), 0)
        self.assertEqual(len(tries.read_text().splitlines()), 3)
        self.assertIn("cannot do it", server.log())

    def test_a_missing_script_is_named_and_tried_again(self):
        server = self.server({"on_record_hook_script": "nowhere.sh", "hook_retry_delay": "500ms"})
        server.logged("nowhere.sh does not exist")
        server.publish(clips.audio(2), "alone")
        server.file("alone.mp4")
        server.logged("there is no script")
        server.hook(NOTE, name="nowhere.sh")
        self.assertEqual(server.hooked(1), [("alone", str(server.records / "alone.mp4"))])

    def test_a_stop_does_not_wait_for_the_next_attempt(self):
        server = self.server({"on_record_hook_script": "nowhere.sh", "hook_retry_delay": "10min"})
        server.publish(clips.audio(2), "alone")
        server.logged("there is no script")
        began = time.monotonic()
        self.assertEqual(server.terminate(), 0)
        self.assertLess(time.monotonic() - began, 15, "shutdown_timeout is 30 s")
        server.hook(NOTE, name="nowhere.sh")
        server.restart()
        self.assertEqual(server.hooked(1), [("alone", str(server.records / "alone.mp4"))], "at once, at the next start")

    def test_a_target_that_cannot_be_written_is_named_in_the_log(self):
        server = self.server(hook='#!/bin/sh\ncp "$2" /proc/nowhere/\n')
        server.publish(clips.audio(2), "denied")
        server.logged("/proc/nowhere")

    def test_a_pending_hook_runs_after_a_restart(self):
        server = self.server(hook="#!/bin/sh\nexec sleep 1000\n")
        server.publish(clips.audio(2), "later")
        server.file("later.mp4")
        server.kill()
        server.hook(NOTE)
        server.restart()
        self.assertEqual(server.hooked(1), [("later", str(server.records / "later.mp4"))])


if __name__ == "__main__":
    run()
