"""The network between a camera and who pulls it: TCP and UDP, in which packets vanish, are lost or are changed; TLS."""
import re
import select
import socket
import ssl
import threading


def items(data):
    """Takes whole messages and `$` packets from the front of the bytearray `data`."""
    while data:
        if data[0] == ord("$"):
            size = 4 + int.from_bytes(data[2:4], "big") if len(data) >= 4 else None
        else:
            head = data.find(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *(\d+)", data[:head]) if head >= 0 else None
            size = head + 4 + (int(length[1]) if length else 0) if head >= 0 else None
        if size is None or len(data) < size:
            return
        yield bytes(data[:size])
        del data[:size]


class RtspRelay:
    """Listens on `port` for clients of the camera at `camera_port`. `change(track, is_rtcp, packet)` gives what becomes of a
    packet of media, None when it is lost; it is called for one packet of a track after the other. `certificate` and `key`:
    clients speak TLS."""

    def __init__(self, camera_port, change=None, certificate=None, key=None):
        self.camera_port, self.change = camera_port, change or (lambda track, is_rtcp, packet: packet)
        self.plugged = threading.Event()  # while it is not, nothing comes through and nothing ends
        self.plugged.set()
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"rtsp{'s' if self.tls else ''}://127.0.0.1:{self.port}/cam"
        self.open, self.clients = [self.listener], 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.plugged.set()
        for one in self.open:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.clients += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        camera = None
        try:
            if self.tls:
                client = self.tls.wrap_socket(client, server_side=True)
            camera = socket.create_connection(("127.0.0.1", self.camera_port))
            self.open += [client, camera]
            lines = []  # of each track: [camera's side, client's side, where the client listens, where the camera does]
            pumps = [threading.Thread(target=self._pump, args=way, daemon=True)
                     for way in ((client, camera, lambda one: self._request(one, lines)), (camera, client, lambda one: self._answer(one, lines)))]
            for pump in pumps:
                pump.start()
            for pump in pumps:
                pump.join()
            for line in lines:
                for pair in line["sockets"]:
                    for one in pair:
                        one.close()
        except OSError:
            pass
        for one in (client, camera):
            if one:
                one.close()

    def _pump(self, source, sink, handle):
        data = bytearray()
        try:
            while True:
                self.plugged.wait()
                got = source.recv(65536)
                if not got:
                    break
                data += got
                out = b"".join(filter(None, (handle(one) for one in items(data))))
                self.plugged.wait()
                sink.sendall(out)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _request(self, one, lines):
        ports = re.search(rb"client_port=(\d+)-(\d+)", one)
        if ports is None:
            return one
        line = {"sockets": [self._pair(), self._pair()], "client": [int(ports[1]), int(ports[2])], "camera": None}
        lines.append(line)
        return one.replace(ports[0], b"client_port=%d-%d" % self._ports(line["sockets"][0]))

    def _answer(self, one, lines):
        if one[0] == ord("$"):
            changed = self.change(one[1] // 2, one[1] % 2 == 1, one[4:])
            return None if changed is None else one[:2] + len(changed).to_bytes(2, "big") + changed
        ports = re.search(rb"server_port=(\d+)-(\d+)", one)
        if ports is None:
            return one
        line = lines[-1]
        line["camera"] = [int(ports[1]), int(ports[2])]
        threading.Thread(target=self._datagrams, args=(len(lines) - 1, line), daemon=True).start()
        theirs = re.search(rb"client_port=\d+-\d+", one)
        return one.replace(ports[0], b"server_port=%d-%d" % self._ports(line["sockets"][1])).replace(
            theirs[0] if theirs else b"client_port=", b"client_port=%d-%d" % tuple(line["client"]))

    @staticmethod
    def _pair():
        while True:
            first, second = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
            first.bind(("127.0.0.1", 0))
            try:
                second.bind(("127.0.0.1", first.getsockname()[1] ^ 1))
            except OSError:
                first.close()
                second.close()
                continue
            return sorted((first, second), key=lambda one: one.getsockname()[1])

    @staticmethod
    def _ports(pair):
        return tuple(one.getsockname()[1] for one in pair)

    def _datagrams(self, track, line):
        cameras, clients = line["sockets"]  # where the camera sends to, and where the client does
        try:
            while True:
                for one in select.select([*cameras, *clients], [], [])[0]:
                    packet = one.recv(65536)
                    if not self.plugged.is_set():
                        continue
                    at = (cameras if one in cameras else clients).index(one)
                    if one in clients:
                        cameras[at].sendto(packet, ("127.0.0.1", line["camera"][at]))
                    elif (changed := self.change(track, at == 1, packet)) is not None:
                        clients[at].sendto(changed, ("127.0.0.1", line["client"][at]))
        except (OSError, ValueError):  # closed
            pass
