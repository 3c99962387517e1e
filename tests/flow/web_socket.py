"""One WebSocket as a client has it (RFC 6455), text only."""
import base64
import os
import socket
import ssl


class WebSocket:
    def __init__(self, port, path="/", tls=False, seconds=30):
        plain = socket.create_connection(("127.0.0.1", port), seconds)
        self.socket = ssl._create_unverified_context().wrap_socket(plain) if tls else plain
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
        self.stream = self.socket.makefile("rb")
        self.status = int(self.stream.readline().split()[1])
        while self.stream.readline().strip():
            pass

    def send(self, text, opcode=1):
        payload, mask = text.encode(), os.urandom(4)
        size = len(payload)
        length = bytes([0x80 | size]) if size <= 125 else b"\xfe" + size.to_bytes(2, "big") if size <= 65535 else \
            b"\xff" + size.to_bytes(8, "big")
        self.socket.sendall(bytes([0x80 | opcode]) + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def receive(self):
        """(opcode, payload) of the next frame; None at the end."""
        head = self.stream.read(2)
        if len(head) < 2:
            return None
        wide = {126: 2, 127: 8}.get(head[1], 0)
        size = int.from_bytes(self.stream.read(wide), "big") if wide else head[1]
        return head[0] & 15, self.stream.read(size)

    def close(self):
        self.stream.close()
        self.socket.close()
