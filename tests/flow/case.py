"""The base of every flow test: `python3 <test>.py --build <build folder> [unittest's own arguments]`."""
import os
import pathlib
import shutil
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
_arguments = sys.argv[1:]
if "--build" in _arguments:
    _at = _arguments.index("--build")
    BUILD = pathlib.Path(_arguments[_at + 1]).resolve()
    del _arguments[_at:_at + 2]
else:
    BUILD = pathlib.Path(__file__).resolve().parents[2] / "build" / "release"
SOURCE = pathlib.Path(__file__).resolve().parents[2]

_cache = (BUILD / "CMakeCache.txt").read_text() if (BUILD / "CMakeCache.txt").exists() else ""
SANITIZER = next((line.split("=", 1)[1] for line in _cache.splitlines() if line.startswith("TAPEDECK_SANITIZE:")), "")
# Sanitizers make the server slower, so what waits for it waits longer.
SLOWNESS = 4 if SANITIZER else 1


def eventually(condition, what, seconds=10.0):
    """The first true value of `condition`, asked again and again; AssertionError with `what` when time is up."""
    end = time.monotonic() + seconds * SLOWNESS
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds * SLOWNESS:g} s: {what() if callable(what) else what}")
        time.sleep(0.02)


class FlowTest(unittest.TestCase):
    """Gives each test a folder of its own and ends what the test started, servers first."""

    def setUp(self):
        # `scratch` and `log` are kept when a test fails, under the build folder.
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="tapedeck-flow."))
        self.addCleanup(shutil.rmtree, self.scratch, True)

    def server(self, settings=None, **kwargs):
        """A server with its own home, started; ended with the test. See server.Server."""
        from server import Server
        home = self.scratch / f"home{len(list(self.scratch.glob('home*')))}"
        started = Server(home, settings or {}, **kwargs)
        self.addCleanup(self._end, started)
        return started.start()

    def _end(self, server):
        outcome = self._outcome
        broken = any(error for _, error in getattr(outcome, "errors", []) or []) or not outcome.success
        if broken:
            keep = BUILD / "flow-failures" / self.id()
            shutil.rmtree(keep, ignore_errors=True)
            keep.mkdir(parents=True)
            if server.console.exists():
                shutil.copy(server.console, keep / (server.home.name + ".console.log"))
                sys.stderr.write(f"--- {self.id()}: console of {server.home.name}, last lines\n")
                sys.stderr.write("\n".join(server.console.read_text(errors="replace").splitlines()[-40:]) + "\n")
        server.end()
        faults = server.sanitizer_faults()
        if faults:
            self.fail("sanitizer: " + faults)


def run(mounts=False):
    """Call at the end of each test file. `mounts`: its tests mount; a user who is not root does so in a namespace."""
    if mounts and os.geteuid() != 0:
        os.execvp("unshare", ["unshare", "--map-root-user", "--mount", *sys.orig_argv])
    if not (BUILD / "bin" / "tapedeck").exists():
        sys.exit(f"{BUILD}/bin/tapedeck is not built")
    unittest.main(module="__main__", argv=[sys.argv[0], *_arguments], verbosity=2)
