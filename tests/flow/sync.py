"""Sound and picture over ten minutes beside those of the source, for each way that sound takes into a file."""
import re
import shutil
import subprocess

import clips
import media
from case import FlowTest, run

MINUTES, RATE, EVERY = 10, 10, 10  # pictures a second; seconds from click to click
WAYS = {"h264-opus": "mp4", "h264-aac": "mp4", "vp8-opus": "webm"}  # encoded, copied on a grid of frames, copied in ms


def clicks(path, pause=1, most=MINUTES * 60 // EVERY):
    """When each is heard, as a player plays it, after `pause` seconds of silence."""
    run_ = subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-v", "info", "-copyts", "-i", str(path), "-map", "0:a", "-af", f"silencedetect=n=0.3:d={pause}", "-f", "null", "-"],
                          capture_output=True, text=True, check=True)
    return [float(time) for time in re.findall(r"silence_end: ([\d.]+)", run_.stderr)][:most]


def leads(path):
    """Seconds from the picture of each click to the click."""
    pictures = sorted(media.times(path, "video"))
    return [click - pictures[RATE * (EVERY // 2 + EVERY * n)] for n, click in enumerate(clicks(path))]


class Sync(FlowTest):
    def test_they_begin_within_25_ms_and_drift_less_than_20_ms_in_ten_minutes(self):
        server = self.server({"record_flash_published_streams": "false"})
        (server.home / "media").mkdir()
        sources = {way: clips.clicking(*way.split("-"), MINUTES * 60, RATE, EVERY) for way in WAYS}
        for way, clip in sources.items():
            shutil.copy(clip, server.home / "media" / clip.name)
            body = {"uri": f"vod://{clip.name}", "localStreamName": way, "realTime": False, "record": True}
            self.assertEqual(server.rest("/vod/startup", body), (200, None))
        for way, container in WAYS.items():
            with self.subTest(way):
                file = server.file(f"{way}.{container}", 300)
                self.assertEqual(len(media.times(file, "video")), len(media.times(sources[way], "video")))
                ours, theirs = leads(file), leads(sources[way])
                self.assertEqual((len(ours), len(theirs)), (MINUTES * 60 // EVERY,) * 2)
                apart = [a - b for a, b in zip(ours, theirs)]
                print(f"{way}: {1000 * apart[0]:+.1f} ms at the start, {1000 * (max(apart) - min(apart)):.1f} ms drift")
                self.assertLess(abs(apart[0]), 0.025)
                self.assertLess(max(apart) - min(apart), 0.020)


if __name__ == "__main__":
    run()
