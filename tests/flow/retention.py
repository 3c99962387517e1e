"""Old recordings are deleted by age, room and free space; nothing else is."""
import os

import clips
from case import FlowTest, eventually, run


class Retention(FlowTest):
    def recorded(self, server, *names):
        for name in names:
            server.publish(clips.audio(2), name)
            server.file(name + ".mp4")
            eventually(lambda name=name: any(stream == name for stream, _ in server.hook_calls()), "the hook", 15)

    def names(self, server):
        return [path.name for path in server.files()]

    def test_the_oldest_go_when_all_are_too_many_bytes(self):
        server = self.server()
        self.recorded(server, "one", "two", "three")
        (server.records / "foreign.mp4").write_bytes(b"x" * 10_000_000)
        os.utime(server.records / "foreign.mp4", (1, 1))
        room = sum((server.records / name).stat().st_size for name in ("two.mp4", "three.mp4"))
        server.configure(retention__max_bytes=room)
        server.reload()
        eventually(lambda: self.names(server) == ["foreign.mp4", "three.mp4", "two.mp4"], lambda: f"{self.names(server)}")
        server.logged("retention: deleted one.mp4 of one")
        server.logged("retention.max_bytes")
        self.assertEqual(server.metrics()['tapedeck_retention_deleted_total{reason="max_bytes"}'], 1)
        self.recorded(server, "four")
        server.reload()
        eventually(lambda: self.names(server) == ["foreign.mp4", "four.mp4", "three.mp4"], lambda: f"{self.names(server)}")

    def test_old_ones_go_at_the_start_of_the_server(self):
        server = self.server()
        self.recorded(server, "one", "two")
        self.assertEqual(server.terminate(), 0)
        server.configure(retention__max_age="1ms")
        server.restart()
        eventually(lambda: self.names(server) == [], lambda: f"{self.names(server)}")
        server.logged("retention.max_age")
        self.assertEqual(server.download("one.mp4")[0], 404)

    def test_the_oldest_go_when_the_disk_is_too_full(self):
        server = self.server()
        self.recorded(server, "one", "two")
        # More free space than any disk has: everything that was recorded goes, and nothing else.
        (server.records / "foreign.mp4").write_bytes(b"x")
        server.configure(retention__min_free_space="1000000g")
        server.reload()
        eventually(lambda: self.names(server) == ["foreign.mp4"], lambda: f"{self.names(server)}")
        server.logged("retention.min_free_space")

    def test_what_a_hook_has_not_taken_stays(self):
        server = self.server({"hook_retry_delay": "10min"}, hook="#!/bin/sh\nexit 1\n")
        server.publish(clips.audio(2), "owed")
        server.file("owed.mp4")
        server.logged("failed with exit code 1")
        server.publish(clips.audio(2), "done")
        server.file("done.mp4")
        eventually(lambda: server.log().count("failed with exit code 1") == 2, "both are owed")
        server.configure(retention__max_age="1ms")
        server.hook('#!/bin/sh\ncase $1 in owed) exit 1;; esac\n')
        self.assertEqual(server.terminate(), 0)
        server.restart()
        eventually(lambda: self.names(server) == ["owed.mp4"] or server.reload(), lambda: f"{self.names(server)}")
        self.assertEqual(self.names(server), ["owed.mp4"])


if __name__ == "__main__":
    run()
