"""A network that loses, delays and reorders: what was lost is asked for again, and what stays missing breaks no picture."""
import json
import os
import subprocess

import clips
import media
from case import BUILD, SLOWNESS, FlowTest, run

LOAD = BUILD / "bin" / "webrtc_load"
SECONDS = int(os.environ.get("TAPEDECK_SECONDS", "4"))
LOSSES = {"2": 0.02, "5": 0.05, "10": 0.10, "40": 0.40}
# One with which no packet of 4 s is lost twice in a row at 2 and 5 %, and none of a minute three times, so that not even a
# slow machine fails.
SEED = 25


def is_part_of(part, whole):
    """Whether `part` is what is left of `whole` when some of it is left out."""
    rest = iter(whole)
    return all(one in rest for one in part)


class Lossy(FlowTest):
    def publish(self, server, clip, name, loss):
        load = subprocess.Popen([LOAD, clip, "127.0.0.1", str(server.http_port), "1", "--name", name, "--loss", str(loss), "--delay", "50",
                                 "--reorder", "0.02", "--seed", str(SEED)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(load.wait)
        self.addCleanup(load.kill)
        return load

    def test_what_is_lost_is_repeated_or_left_out_whole(self):
        server = self.server({"protocol.webrtc.port": "0", "protocol.webrtc.address": "127.0.0.1"})
        clip = {codec: clips.browser(codec, SECONDS) for codec in ("vp8", "h264")}
        suffix = {"vp8": "webm", "h264": "mp4"}
        loads = {(codec, loss): self.publish(server, clip[codec], f"{codec}-{loss}-", LOSSES[loss]) for codec in clip for loss in LOSSES}
        figures = {}
        for key, load in loads.items():
            out, errors = load.communicate(timeout=(4 * SECONDS + 30) * SLOWNESS)  # its clock stands still on a busy machine
            self.assertEqual(load.returncode, 0, errors)
            figures[key] = json.loads(out)
        sent = {codec: media.pictures(clip[codec]) for codec in clip}
        for (codec, loss), load in figures.items():
            with self.subTest(codec=codec, loss=loss):
                file = server.file(f"{codec}-{loss}-0.{suffix[codec]}")
                kept = media.pictures(file)
                print(f"{codec}, {loss} % lost: {len(kept)} of {len(sent[codec])} pictures, {load['lost']} packets of {load['packets']} lost, "
                      f"{load['repeated']} repeats, {load['key_requests']} requests for a key frame")
                self.assertGreater(load["lost"], 0)
                self.assertGreater(load["repeated"], 0)
                self.assertTrue(is_part_of(kept, sent[codec]), "each picture is the source's")
                self.assertAlmostEqual(media.seconds(file), SECONDS, delta=0.2)
                if LOSSES[loss] <= 0.05:
                    self.assertEqual(len(kept), len(sent[codec]))
                if loss == "40":
                    self.assertLess(len(kept), len(sent[codec]), "so much cannot be repeated in time")
                if (codec, loss) == ("vp8", "5"):
                    whole = media.all_hashes(clip[codec])
                    found = media.all_hashes(file)
                    self.assertEqual(found["video"], whole["video"])
                    # A file begins with a picture; until the sender has told its time, sound may lie a little before it.
                    self.assertEqual(found["audio"], whole["audio"][-len(found["audio"]):])
                    self.assertLessEqual(len(whole["audio"]) - len(found["audio"]), 10)


if __name__ == "__main__":
    run()
