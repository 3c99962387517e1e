"""Disks that are full, read-only, gone, or two: what was written before is kept, and the log says what happened."""
import os
import pathlib
import shutil

import clips
import media
import mounts
from case import FlowTest, eventually, run


class Disk(FlowTest):
    def grown(self, server, count):
        eventually(lambda: sum(p.stat().st_size for p in server.parts()) > count, "the file grows", 30)

    def assert_kept(self, file, clip):
        """A whole file whose packets are the source's first ones."""
        self.assertTrue(media.is_progressive(file) or "moof" not in media.boxes(file), media.boxes(file))
        for kind in ("video", "audio"):
            kept = media.hashes(file, kind)
            self.assertEqual(kept, media.hashes(clip, kind)[:len(kept)], kind)
        self.assertEqual(media.decodes(file), "")
        return media.seconds(file)

    def filled(self, folder):
        clip = clips.heavy()
        server = self.server({"record_dir": str(folder), "file_recorder_min_space": "1"})
        publisher = server.publishing(clip, "full")
        (_, path), = server.hooked(1, 60)
        self.assertEqual(path, str(folder / "full.mp4"))
        self.assertIn("Not enough available disk space", server.log())
        seconds = self.assert_kept(pathlib.Path(path), clip)
        # 8 Mbit/s into the disk: at least three quarters of it was made use of.
        size = os.statvfs(folder).f_blocks * os.statvfs(folder).f_frsize
        self.assertGreater(seconds * 1_000_000, size * 0.75)
        self.assertIsNone(publisher.poll(), "the source is not disturbed")
        self.assertEqual(server.request("GET", "/health")[0], 200)

    def test_a_full_tmpfs_loses_nothing_that_was_written(self):
        self.filled(mounts.tmpfs(self, self.scratch / "small", 6))

    def test_a_full_ext4_loses_nothing_that_was_written(self):
        self.filled(mounts.ext4(self, self.scratch / "small", 8))

    def test_a_file_system_that_becomes_read_only_is_named_and_the_file_is_finished_later(self):
        folder = mounts.ext4(self, self.scratch / "tape", 64)
        clip = clips.heavy()
        server = self.server({"record_dir": str(folder)})
        publisher = server.publishing(clip, "frozen")
        server.stream("frozen")
        self.grown(server, 4_000_000)  # so much that more than a second of it was synced
        mounts.fail_ext4(folder)
        eventually(lambda: "ead-only file system" in server.log(), "the cause in the log", 30)
        publisher.kill()
        server.terminate()
        mounts.repair_ext4(folder)
        server.restart()
        server.hooked(1, 30)
        self.assertGreater(self.assert_kept(server.file("frozen.mp4"), clip), 1)

    def test_a_folder_removed_while_recording_is_named_and_does_not_harm_others(self):
        folder = self.scratch / "gone"
        server = self.server({"record_dir": str(folder)})
        publisher = server.publishing(clips.heavy(), "lost")
        server.stream("lost")
        self.grown(server, 2_000_000)
        held = self.scratch / "held"
        os.link(server.parts()[0], held)  # what a deleted file still holds
        shutil.rmtree(folder)
        publisher.kill()
        eventually(lambda: str(folder) in server.log(), "the folder in the log", 30)
        self.assertEqual(server.request("GET", "/health")[0], 200)
        server.publish(clips.audio(2), "next")
        server.file("next.mp4")
        self.assertGreater(held.stat().st_size, 2_000_000)

    def test_temporary_files_on_another_file_system_end_in_the_record_folder(self):
        fast = mounts.tmpfs(self, self.scratch / "fast", 64)
        slow = mounts.ext4(self, self.scratch / "slow", 64)
        server = self.server({"record_dir": str(slow), "record_tmp_dir": str(fast)})
        clip = clips.both()
        publisher = server.publishing(clip, "moved")
        server.stream("moved")
        eventually(lambda: list(fast.glob("*.part*")), "the temporary file is on the fast disk")
        publisher.wait()
        file = server.file("moved.mp4")
        self.assertEqual(server.hooked(1), [("moved", str(file))])
        self.assertTrue(media.is_progressive(file))
        self.assertEqual(media.hashes(file, "video"), media.hashes(clip, "video"))
        eventually(lambda: not [f for f in fast.rglob("*") if f.is_file()], "nothing is left behind")
        self.assertEqual([f.name for f in slow.rglob("*") if f.is_file()], ["moved.mp4"])

    def test_too_little_space_refuses_a_recording_and_says_so(self):
        server = self.server({"file_recorder_min_space": "900000g"})
        server.publish(clips.audio(2), "none")
        server.logged("Not enough available disk space")
        self.assertEqual(server.files(), [])
        self.assertEqual(server.parts(), [])

    def test_a_recording_stops_when_the_space_goes_below_the_limit(self):
        folder = mounts.tmpfs(self, self.scratch / "shared", 64)
        clip = clips.heavy()
        server = self.server({"record_dir": str(folder), "file_recorder_min_space": "20m"})
        publisher = server.publishing(clip, "stopped")
        server.stream("stopped")
        self.grown(server, 2_000_000)
        with open(folder / "ballast", "wb") as ballast:
            ballast.write(bytes(45 << 20))
        (_, path), = server.hooked(1, 30)
        self.assertIn("Not enough available disk space", server.log())
        self.assertGreater(self.assert_kept(folder / "stopped.mp4", clip), 1)
        self.assertIsNone(publisher.poll())

    def test_it_records_on_when_space_returns_where_that_is_asked_for(self):
        folder = mounts.tmpfs(self, self.scratch / "shared", 64)
        server = self.server({"record_dir": str(folder), "file_recorder_min_space": "20m", "record_resume": "true",
                              "record_name_collision": "suffix"})
        publisher = server.publishing(clips.heavy(), "again")
        server.stream("again")
        self.grown(server, 2_000_000)
        (folder / "ballast").write_bytes(bytes(45 << 20))
        server.hooked(1, 30)
        (folder / "ballast").unlink()
        publisher.wait()
        _, (_, second) = server.hooked(2, 30)
        self.assertEqual(second, str(folder / "again_2.mp4"))
        self.assertTrue(media.is_progressive(folder / "again_2.mp4"))


if __name__ == "__main__":
    run(mounts=True)
