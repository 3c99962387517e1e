"""Sound and picture of a Chromium that flashes and beeps, as they lie in the file: TAPEDECK_SECONDS long."""
import os
import statistics
import subprocess

import browser
import media
from case import FlowTest, run
from sync import clicks

SECONDS = int(os.environ.get("TAPEDECK_SECONDS", "12"))


def flashes(path):
    """When the picture turns bright, as a player shows it."""
    size = 16
    run_ = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", str(path), "-map", "0:v", "-fps_mode", "passthrough", "-vf", f"scale={size}:{size}", "-pix_fmt", "gray",
                           "-f", "rawvideo", "-"], capture_output=True, check=True)
    pictures = [sum(run_.stdout[at:at + size * size]) / size / size for at in range(0, len(run_.stdout), size * size)]
    times = sorted(media.times(path, "video"))
    return [time for time, before, now in zip(times[1:], pictures, pictures[1:]) if before < 110 < now]


class WebRtcSync(FlowTest):
    def test_flashes_and_beeps_lie_together_and_stay_so(self):
        server = self.server({"record_flash_published_streams": None, "stream_record_policy_template": "{streamName}"})
        seen = browser.see(self, "flash_and_beep.js", f"http://127.0.0.1:{server.http_port}", "cam", str(SECONDS), seconds=SECONDS + 60)
        self.assertEqual(seen["left"], 200)
        file = server.file("cam.webm")
        seen_, heard = flashes(file), clicks(file, pause=0.3, most=None)
        nearest = [(flash, flash - min(heard, key=lambda beep: abs(beep - flash))) for flash in seen_]
        apart = [(flash, by) for flash, by in nearest if abs(by) < 0.4]  # the first and the last may lack their beep
        self.assertLessEqual(len(nearest) - len(apart), 2, nearest)
        self.assertGreater(len(apart), 0.7 * SECONDS - 3, (seen_, heard))
        offset = statistics.median(by for _, by in apart)
        slope = statistics.linear_regression(*zip(*apart)).slope * (seen_[-1] - seen_[0])
        print(f"{len(apart)} flashes: {1000 * offset:+.1f} ms behind the beeps, {1000 * min(apart, key=lambda a: a[1])[1]:+.1f} to "
              f"{1000 * max(apart, key=lambda a: a[1])[1]:+.1f}, slope {1000 * slope:+.1f} ms; {seen['early']} {seen['late']}")
        self.assertLess(abs(offset), 0.040)
        if SECONDS >= 300:
            self.assertLess(abs(slope), 0.010)


if __name__ == "__main__":
    run()
