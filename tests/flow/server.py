"""A server of the build under test in a home of its own, driven from outside: settings, signals, REST, publishers."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import urllib.parse

from case import BUILD, SANITIZER, SLOWNESS, SOURCE, eventually

# Records everything; the ports are the system's choice; small files and small disks are no reason to stop.
BASE = {
    "record_flash_published_streams": "true",
    "stream_record_policy_template": "{streamName}",
    "rtmp.port": "0",
    "https.port": "0",
    "ws.port": "0",
    "wss.port": "0",
    "protocol.webrtc.port": "0",
    "rtsp.port": "0",
    "protocol.rtsp.address": "127.0.0.1",
    "protocol.webrtc.address": "127.0.0.1",
    "file_recorder_min_space": "1m",
    "on_record_hook_script": "on_record_hook.sh",
}
_SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99:detect_odr_violation=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
    "TSAN_OPTIONS": f"halt_on_error=0:exitcode=99:second_deadlock_stack=1:suppressions={pathlib.Path(__file__).resolve().parent.parent / 'tsan.supp'}",
}


def free_port():
    """A port that nobody uses now. The HTTP port must be known before /health can tell the others."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, home, settings, arguments=(), hook=None, properties=None):
        """`settings` come on top of BASE (None removes one). `properties` replaces the whole file; ports are then given
        by -D. `hook` is the text of the hook script; without it the shipped one runs."""
        self.home = pathlib.Path(home)
        self.arguments = [str(a) for a in arguments]
        self.process = None
        self.publishers = []
        self.ports = {}
        self.console = self.home / "console.log"
        for folder in ("bin", "conf", "records", "logs"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        for built in ("lib", "client2"):
            if not (self.home / built).exists():
                (self.home / built).symlink_to(BUILD / built)
        for shipped in ("access.yaml", "cameras.yaml", "flash_handler_publish.sdp", "record_rules.yaml"):
            if (SOURCE / "conf" / shipped).exists() and not (self.home / "conf" / shipped).exists():
                shutil.copy(SOURCE / "conf" / shipped, self.home / "conf" / shipped)
        self.hook(hook if hook is not None else (SOURCE / "bin" / "on_record_hook.sh").read_text())
        self.http_port = free_port()
        self.settings = {**BASE, **settings}
        if properties is None:
            self.configure()
        else:
            (self.home / "conf" / "flashphoner.properties").write_text(properties)
            self.arguments += [*(word for port in ("rtmp", "rtsp", "https", "ws", "wss", "protocol.webrtc")
                                for word in ("-D", f"{port}.port=0"))]

    # --- files
    def configure(self, **changes):
        """Writes the properties file; names in `changes` have `__` for a dot."""
        for name, value in changes.items():
            self.settings[name.replace("__", ".")] = value
        lines = [f"{k}={v}" for k, v in self.settings.items() if v is not None]
        (self.home / "conf" / "flashphoner.properties").write_text("\n".join(lines) + "\n")

    def hook(self, text, name="on_record_hook.sh"):
        script = self.home / "bin" / name
        script.write_text(text)
        script.chmod(0o755)
        return script

    @property
    def records(self):
        return self.home / self.settings.get("record_dir", "records")

    def files(self, pattern="*"):
        """Finished recordings, by name. Hidden and `.part` files are not among them."""
        return sorted(f for f in self.records.rglob(pattern)
                      if f.is_file() and not f.name.startswith(".") and ".part" not in f.name)

    def parts(self):
        return sorted(f for f in self.records.rglob("*.part*") if f.is_file())

    def file(self, name, seconds=15):
        """Waits for the finished recording of this name."""
        path = self.records / name
        return eventually(lambda: path.exists() and path,
                          lambda: f"{path}; there are {[f.name for f in self.records.rglob('*')]}", seconds)

    def log(self):
        texts = [self.console.read_text(errors="replace")] if self.console.exists() else []
        return "\n".join(texts)

    def logged(self, text, seconds=10):
        """Waits until the console has this text."""
        eventually(lambda: text in self.log(), f"{text!r} in the log", seconds)

    def hook_calls(self):
        """(stream, file) of each line of logs/record.log: `stream:file`, behind a time where the shipped hook wrote it."""
        log = self.home / "logs" / "record.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [tuple(re.sub(r"^\[[0-9: -]+\] ", "", line).rsplit(":", 1)) for line in lines]

    def hooked(self, count, seconds=15):
        return eventually(lambda: len(self.hook_calls()) >= count and self.hook_calls(),
                          lambda: f"{count} hook calls; there are {self.hook_calls()}", seconds)

    # --- life
    def command(self, *arguments):
        return [str(BUILD / "bin" / "tapedeck"), "--home", str(self.home), *map(str, arguments)]

    def environment(self):
        return {**os.environ, **(_SANITIZER_OPTIONS if SANITIZER else {})}

    def run(self, *arguments, seconds=30):
        """Runs the program once (--check-config and the like) and gives its CompletedProcess."""
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=seconds * SLOWNESS,
                              env=self.environment(), stdin=subprocess.DEVNULL)

    def spawn(self, wrapper=()):
        """Starts it without waiting."""
        with open(self.console, "ab") as console:
            self.process = subprocess.Popen(
                [*wrapper, *self.command("-D", f"http.port={self.http_port}", *self.arguments)],
                stdout=console, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=self.environment())
        return self

    def start(self, wrapper=()):
        """Starts it and waits until everything listens."""
        self.spawn(wrapper)

        def healthy():
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.log()[-4000:]}")
            try:
                status, _, body = self.request("GET", "/health", timeout=2)
                return json.loads(body) if status == 200 else None
            except (OSError, http.client.HTTPException, ValueError):
                return None
        self.health = eventually(healthy, lambda: "/health is 200; log:\n" + self.log()[-4000:], 30)
        self.ports = {name: int(port) for name, port in self.health["ports"].items()}
        return self

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def terminate(self, seconds=60):
        """SIGTERM, and its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds * SLOWNESS)

    def end(self):
        """Whatever state it is in, with its publishers."""
        for publisher in self.publishers:
            if publisher.poll() is None:
                publisher.kill()
                publisher.wait()
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30 * SLOWNESS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def restart(self):
        """Starts it again in the same home."""
        self.http_port = free_port()
        return self.start()

    def sanitizer_faults(self):
        words = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:")
        lines = self.log().splitlines()
        for number, line in enumerate(lines):
            if any(word in line for word in words):
                return "\n".join(lines[number:number + 40])
        return ""

    # --- HTTP
    def request(self, method, path, body=None, headers=None, timeout=30):
        """(status, headers with lower-case names, body)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=timeout * SLOWNESS)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        finally:
            connection.close()

    def rest(self, path, body=None, method="POST"):
        """(status, parsed JSON or None) of /rest-api<path>; `body` is anything JSON can say, or bytes as they are."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        status, _, answer = self.request(method, "/rest-api" + path, data, {"Content-Type": "application/json"})
        try:
            return status, json.loads(answer) if answer else None
        except ValueError:
            return status, answer

    def download(self, name, headers=None, method="GET"):
        return self.request(method, "/client/records/" + urllib.parse.quote(str(name)), headers=headers)

    def metrics(self):
        """Prometheus text as {series with its labels: value}."""
        _, _, text = self.request("GET", "/metrics")
        lines = [line for line in text.decode().splitlines() if line and not line.startswith("#")]
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines}

    def stream(self, name, seconds=10, status="PUBLISHING"):
        """The REST object of the published stream of this name, once it has this status."""
        def found():
            code, streams = self.rest("/stream/find", {"name": name, "status": status})
            return streams[0] if code == 200 and streams else None
        return eventually(found, f"stream {name} is {status}", seconds)

    # --- publishers
    def url(self, name, app="live"):
        return f"rtmp://127.0.0.1:{self.ports['rtmp']}/{app}/{name}"

    def publishing(self, clip, name, realtime=True, loop=False):
        """ffmpeg sending this clip as it is, started; killed at the server's end if it still runs then."""
        pace = ["-re"] if realtime else []
        again = ["-stream_loop", "-1"] if loop else []
        words = self.home / f"publisher{len(self.publishers)}.log"
        with open(words, "wb") as log:
            publisher = subprocess.Popen(["ffmpeg", "-nostdin", "-v", "error", *pace, *again, "-i", str(clip), "-c", "copy",
                                          "-f", "flv", "-rtmp_app", "live", "-rtmp_playpath", name,
                                          f"rtmp://127.0.0.1:{self.ports['rtmp']}/live"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        publisher.words = words
        self.publishers.append(publisher)
        return publisher

    def publish(self, clip, name, realtime=False, seconds=60):
        """Sends the whole clip; AssertionError when ffmpeg was not content."""
        publisher = self.publishing(clip, name, realtime)
        publisher.wait(seconds * SLOWNESS)
        assert publisher.returncode == 0, f"ffmpeg ended with {publisher.returncode}: {publisher.words.read_text()}"
