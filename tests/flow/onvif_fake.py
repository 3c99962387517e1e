"""A camera's ONVIF service as far as Tapedeck asks it: time, capabilities, profiles, stream address. Checks the login."""
import base64
import datetime
import hashlib
import http.server
import re
import threading

SOAP = ('<?xml version="1.0"?><env:Envelope xmlns:env="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl" '
        'xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"><env:Body>{}</env:Body></env:Envelope>')


class OnvifFake:
    """Its clock is an hour ahead, and a token is good for five seconds of that clock."""

    def __init__(self, user, password, stream):
        fake = self
        self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                answer = SOAP.format(fake.answer(body, user, password, stream)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, body, user, password, stream):
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        call = re.search(r"<s:Body><(\w+)", body).group(1)
        self.asked.append(call)
        if call == "GetSystemDateAndTime":
            return (f"<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}"
                    f"</tt:Minute><tt:Second>{now.second}</tt:Second></tt:Time><tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month>"
                    f"<tt:Day>{now.day}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>")
        given = {name: re.search(rf":{name}(?: [^>]*)?>([^<]*)<", body).group(1) for name in ("Username", "Password", "Nonce", "Created")}
        digest = hashlib.sha1(base64.b64decode(given["Nonce"]) + (given["Created"] + password).encode()).digest()
        age = now - datetime.datetime.fromisoformat(given["Created"].replace("Z", "+00:00"))
        if given["Username"] != user or base64.b64decode(given["Password"]) != digest or abs(age.total_seconds()) > 5:
            return ("<env:Fault><env:Code><env:Subcode><env:Value>ter:NotAuthorized</env:Value></env:Subcode></env:Code>"
                    "<env:Reason><env:Text>Sender not Authorized</env:Text></env:Reason></env:Fault>")
        if call == "GetCapabilities":
            return f"<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Media><tt:XAddr>http://{self.host}/onvif/media</tt:XAddr></tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>"
        if call == "GetProfiles":
            return ('<trt:GetProfilesResponse><trt:Profiles token="p0"><tt:Name>Main</tt:Name></trt:Profiles>'
                    '<trt:Profiles token="p1"><tt:Name>Sub</tt:Name></trt:Profiles></trt:GetProfilesResponse>')
        token = re.search(r"ProfileToken>([^<]*)<", body).group(1)
        return f"<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{stream if token == 'p1' else stream + '/none'}</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse>"
