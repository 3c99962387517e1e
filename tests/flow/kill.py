"""SIGKILL while recording, and files torn at any length: after the next start every file plays and was announced once.

TAPEDECK_KILLS says how many times the server is killed (4 in CI, 30 in the soak), TAPEDECK_SEED repeats a run.
"""
import json
import os
import random
import time

import clips
import media
from case import FlowTest, eventually, run

KILLS = int(os.environ.get("TAPEDECK_KILLS", "4"))
CUTS = int(os.environ.get("TAPEDECK_CUTS", "12"))
SEED = int(os.environ.get("TAPEDECK_SEED", str(random.randrange(1 << 30))))


class Kill(FlowTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        print(f"seed {SEED}")

    def assert_recovered(self, file, clip, sent_seconds):
        """`sent_seconds`: media that the publisher had certainly sent, from the first key frame."""
        self.assertTrue(media.is_progressive(file), f"{file.name}: {media.boxes(file)}")
        for kind in ("video", "audio"):
            kept = media.hashes(file, kind)
            self.assertEqual(kept, media.hashes(clip, kind)[:len(kept)], f"{file.name} {kind}")
        self.assertEqual(media.decodes(file), "", file.name)
        self.assertGreaterEqual(media.seconds(file), sent_seconds - 1.0, file.name)

    def test_killed_at_random_moments_every_file_plays_and_is_announced(self):
        clip = clips.both(30)
        server = self.server({"stream_record_policy_template": "{streamName}-{endTime}"})
        for round_ in range(KILLS):
            # A fresh home each time, the same server object's way of starting.
            if round_:
                server = self.server({"stream_record_policy_template": "{streamName}-{endTime}"})
            names = [f"k{round_}s{n}" for n in range(4)]
            began = {}
            publishers = []
            for name in names:
                publishers.append(server.publishing(clip, name))
            for name in names:
                server.stream(name, 20)
                began[name] = time.monotonic()  # later than the first packet, so that sent time is a lower bound
            time.sleep(self.random.uniform(0.3, 6.0))  # the moment of the kill is the test's input
            sent = {name: time.monotonic() - began[name] for name in names}
            server.kill()
            for publisher in publishers:
                publisher.kill()
                publisher.wait()
            server.restart()
            owed = {name for name in names if sent[name] > 1.0}  # of a younger one nothing need be there
            eventually(lambda: owed <= dict(server.hook_calls()).keys(), f"hooks of {owed}", 30)
            eventually(lambda: json.loads(server.request("GET", "/health")[2])["pending"] == 0, "recovery has ended", 30)
            calls = dict(server.hook_calls())
            self.assertEqual(len(server.hook_calls()), len(calls))
            self.assertLessEqual(calls.keys(), set(names))
            for name in calls:
                file = server.records / calls[name].rsplit("/", 1)[1]
                self.assertRegex(file.name, rf"^{name}-\d+\.mp4$")
                self.assertAlmostEqual(int(file.stem.split("-")[1]) / 1000, media.seconds(file), delta=0.2)
                self.assert_recovered(file, clip, sent[name])
            self.assertEqual(server.parts(), [])
            self.assertEqual(server.terminate(), 0)

    def test_killed_while_finishing_the_file_is_the_same(self):
        clip = clips.both(3)
        for _ in range(KILLS):
            server = self.server()
            server.publishing(clip, "end").wait()
            time.sleep(self.random.uniform(0, 0.15))  # somewhere between the last packet and the hook
            server.kill()
            server.restart()
            calls = server.hooked(1, 30)
            self.assertLessEqual(len(calls), 2)  # twice when the kill fell between the script's end and its entry
            file = server.file("end.mp4")
            self.assertTrue(media.is_progressive(file))
            self.assert_recovered(file, clip, 3)
            self.assertEqual([f.name for f in server.files()], ["end.mp4"])
            self.assertEqual(server.terminate(), 0)

    def test_a_file_is_recovered_also_when_the_catalogue_was_lost(self):
        clip = clips.both(20)
        server = self.server({"stream_record_policy_template": "{streamName}-{mediaSessionId}"})
        publisher = server.publishing(clip, "orphan")
        session = server.stream("orphan")["mediaSessionId"]
        eventually(lambda: sum(p.stat().st_size for p in server.parts()) > 60_000, "the file grows", 20)
        server.kill()
        publisher.kill()
        publisher.wait()
        for file in server.home.rglob("*"):
            if file.is_file() and (".db" in file.name or ".sqlite" in file.name):
                file.unlink()
        server.restart()
        (stream, path), = server.hooked(1, 30)
        self.assertEqual((stream, path), ("orphan", str(server.records / f"orphan-{session}.mp4")))
        self.assert_recovered(server.file(f"orphan-{session}.mp4"), clip, 0)

    def test_a_file_torn_at_any_length_is_recovered_by_hand_or_refused_with_the_reason(self):
        clip = clips.both(20)
        server = self.server()
        publisher = server.publishing(clip, "torn")
        server.stream("torn")
        eventually(lambda: sum(p.stat().st_size for p in server.parts()) > 200_000, "the file grows", 30)
        server.kill()
        publisher.kill()
        publisher.wait()
        part, = server.parts()
        whole = part.read_bytes()
        for _ in range(CUTS):
            length = self.random.randrange(len(whole))
            torn = self.scratch / f"torn-{length}.part.mp4"
            torn.write_bytes(whole[:length])
            result = server.run("--recover", torn)
            self.assertIn(result.returncode, (0, 1), f"{length}: {result.stdout}{result.stderr}")
            if result.returncode == 0:
                recovered = [f for f in self.scratch.glob(f"torn-{length}*.mp4")]
                self.assertEqual(len(recovered), 1, recovered)
                self.assert_recovered(recovered[0], clip, 0)
                recovered[0].unlink()
            else:
                self.assertIn(torn.name, result.stdout + result.stderr)
                self.assertEqual(torn.read_bytes(), whole[:length], "a file that cannot be helped is left as it is")

    def test_a_torn_file_without_a_sample_is_put_aside_at_the_start(self):
        server = self.server()
        publisher = server.publishing(clips.both(20), "empty")
        server.stream("empty")
        eventually(lambda: server.parts(), "the file")
        server.kill()
        publisher.kill()
        publisher.wait()
        for part in server.parts():
            with open(part, "r+b") as file:
                file.truncate(200)
        server.restart()
        eventually(lambda: not server.parts() or "quarantin" in server.log(), "the file is put aside", 20)
        self.assertEqual(server.files(), [])
        server.publish(clips.audio(2), "next")
        server.file("next.mp4")


if __name__ == "__main__":
    run()
