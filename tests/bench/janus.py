"""Janus (Debian's) recording in its video room, behind a door that speaks WHIP, so that the same load drives it."""
import http.client
import http.server
import json
import pathlib
import signal
import struct
import subprocess
import threading
import time
import uuid

from case import eventually
from server import free_port

PROGRAM = pathlib.Path("/usr/bin/janus")
_PLACES = pathlib.Path("/usr/lib/x86_64-linux-gnu/janus")
_CORE = """general: {{ plugins_folder = "{places}/plugins"  transports_folder = "{home}/transports"  debug_level = 3  session_timeout = 0
  plugins = {{ }} }}
media: {{ }}
nat: {{ ice_lite = true }}
plugins: {{ disable = "{others}" }}
"""
_HTTP = 'general: {{ json = "compact"  base_path = "/janus"  http = true  port = {port}  ip = "127.0.0.1"  https = false }}\nadmin: {{ admin_http = false }}\n'


class Janus:
    name = "janus"

    def __init__(self, home):
        (home / "records").mkdir(parents=True)
        (home / "transports").mkdir()
        (home / "transports" / "libjanus_http.so").symlink_to((_PLACES / "transports" / "libjanus_http.so").resolve())
        self.records, self._port = home / "records", free_port()
        others = ",".join(f.name for f in (_PLACES / "plugins").glob("*.so") if "videoroom" not in f.name)
        (home / "janus.jcfg").write_text(_CORE.format(places=_PLACES, home=home, others=others))
        (home / "janus.transport.http.jcfg").write_text(_HTTP.format(port=self._port))
        (home / "janus.plugin.videoroom.jcfg").write_text("")
        with open(home / "console.log", "wb") as log:
            self.process = subprocess.Popen([PROGRAM, "-F", home], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._log = home / "console.log"
        session = eventually(self._session, lambda: "Janus answers:\n" + self._log.read_text(errors="replace")[-2000:], 20)
        handle = self._attach(session)
        self._ask(f"/janus/{session}/{handle}", janus="message", body={
            "request": "create", "room": 1, "publishers": 10000, "bitrate": 0, "fir_freq": 0, "videocodec": "vp8,h264", "audiocodec": "opus",
            "record": True, "rec_dir": str(self.records), "notify_joining": False})
        self._door = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._door.daemon_threads = True
        self.port = self._door.server_address[1]
        threading.Thread(target=self._door.serve_forever, daemon=True).start()

    def end(self):
        self._door.shutdown()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def packets(self):
        """RTP packets in all recordings (MJR: a name, a header, then each packet behind `MEET`, its time and its size)."""
        count = 0
        for file in self.records.rglob("*.mjr"):
            data, at = file.read_bytes(), 8
            if len(data) < 10:
                continue
            at += 2 + struct.unpack_from(">H", data, at)[0]
            while at + 10 <= len(data):
                count += data[at:at + 4] == b"MEET"
                at += 10 + struct.unpack_from(">H", data, at + 8)[0]
        return count

    def _request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def _ask(self, path, **message):
        return self._request("POST", path, json.dumps({"transaction": uuid.uuid4().hex, **message}))

    def _session(self):
        try:
            return self._ask("/janus", janus="create")["data"]["id"]
        except OSError:
            assert self.process.poll() is None, self._log.read_text(errors="replace")[-2000:]
            return None

    def _attach(self, session):
        return self._ask(f"/janus/{session}", janus="attach", plugin="janus.plugin.videoroom")["data"]["id"]

    def publish(self, name, offer):
        """(session, SDP answer)"""
        session = self._ask("/janus", janus="create")["data"]["id"]
        handle = self._attach(session)
        # It answers no check before it was told some candidate; the checks tell it the right one.
        offer = offer.replace("a=setup:", "a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\na=setup:")
        self._ask(f"/janus/{session}/{handle}", janus="message", jsep={"type": "offer", "sdp": offer},
                  body={"request": "joinandconfigure", "room": 1, "ptype": "publisher", "display": name, "record": True,
                        "filename": name})
        end = time.monotonic() + 20
        while time.monotonic() < end:
            event = self._request("GET", f"/janus/{session}?maxev=1")
            if "jsep" in event:
                return session, event["jsep"]["sdp"]
            assert "error" not in event.get("plugindata", {}).get("data", {}), event
        raise TimeoutError("Janus does not answer an offer")

    def _handler(outer):
        class Door(http.server.BaseHTTPRequestHandler):
            def _answer(self, status, headers=(), body=b""):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                offer = self.rfile.read(int(self.headers["Content-Length"])).decode()
                session, sdp = outer.publish(self.path.split("/")[-1].split("?")[0], offer)
                self._answer(201, [("Location", f"/{session}"), ("Content-Type", "application/sdp")], sdp.encode())

            def do_DELETE(self):
                outer._ask(f"/janus{self.path}", janus="destroy")
                self._answer(200)

            def log_message(self, *_):
                pass
        return Door
