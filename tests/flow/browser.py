"""Chromium plays a recording, driven by the scripts beside us."""
import json
import pathlib
import subprocess

from case import SOURCE

NODE_MODULES = SOURCE / "build" / "node" / "node_modules"


def see(test, script, *arguments, seconds=240):
    """What the script saw; AssertionError where it could not, or is not installed."""
    shown = subprocess.run(["node", pathlib.Path(__file__).with_name(script), *arguments], capture_output=True, text=True, timeout=seconds,
                           env={"NODE_PATH": str(NODE_MODULES), "PATH": "/usr/bin:/bin", "HOME": str(test.scratch)})
    test.assertEqual(shown.returncode, 0, shown.stdout + shown.stderr + "\nbin/setup installs chromium and playwright-core")
    return json.loads(shown.stdout)


def play(test, url):
    return see(test, "browser.js", url)
