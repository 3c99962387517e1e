"""Callers of an SRT port that send a transport stream in real time, each under its own stream id, by Debian's libsrt."""
import ctypes
import socket
import struct
import time

_MESSAGE = 7 * 188
_SNDSYN, _RCVSYN, _SNDDATA, _DROP, _CONNECT_MS, _STREAM_ID = 1, 2, 19, 31, 36, 46  # SRTO_...
_CONNECTING, _CONNECTED = 4, 5  # SRTS_...
_AGAIN = 6001  # SRT_EASYNCSND


def _address(port):
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, socket.inet_aton("127.0.0.1"))


class Callers:
    """All of one process share one socket of UDP."""

    def __init__(self):
        self._srt = ctypes.CDLL("libsrt-gnutls.so.1.5")
        self._srt.srt_getlasterror_str.restype = ctypes.c_char_p
        self._srt.srt_startup()
        self._srt.srt_setloglevel(2)
        self._local = _address(0)
        self.sockets = []

    def _checked(self, result):
        if result < 0:
            raise OSError(self._srt.srt_getlasterror_str().decode())
        return result

    def _set(self, number, option, value):
        self._checked(self._srt.srt_setsockflag(number, option, value, len(value)))

    def connect(self, port, names, seconds=10):
        """All at once; OSError where not all are taken in time."""
        for name in names:
            number = self._checked(self._srt.srt_create_socket())
            for option in (_SNDSYN, _RCVSYN, _DROP):
                self._set(number, option, b"\0")
            self._set(number, _CONNECT_MS, struct.pack("=i", seconds * 1000))
            self._set(number, _STREAM_ID, name.encode())
            self._checked(self._srt.srt_bind(number, self._local, len(self._local)))
            local, size = ctypes.create_string_buffer(16), ctypes.c_int(16)
            self._checked(self._srt.srt_getsockname(number, local, ctypes.byref(size)))
            self._local = local.raw
            self.sockets.append(number)
        for number in self.sockets:
            self._checked(self._srt.srt_connect(number, _address(port), 16))
        states = [_CONNECTING]
        while _CONNECTING in states:
            time.sleep(0.01)  # as a poll; libsrt's own threads do the work
            states = [self._srt.srt_getsockstate(number) for number in self.sockets]
        refused = [name for name, state in zip(names, states) if state != _CONNECTED]
        if refused:
            raise OSError(f"{len(refused)} of {len(names)} callers were not taken: {refused[:5]}")

    def send(self, data, seconds):
        """`data` from each, at an even rate."""
        messages = [data[at:at + _MESSAGE] for at in range(0, len(data), _MESSAGE)]
        begin, done = time.monotonic(), [0] * len(self.sockets)
        while min(done) < len(messages):
            due = min(1, (time.monotonic() - begin) / seconds) * len(messages)
            for n, number in enumerate(self.sockets):
                while done[n] < due and self._send(number, messages[done[n]]):
                    done[n] += 1
            time.sleep(0.01)  # the pace

    def _send(self, number, message):
        """False where there is no room yet."""
        if self._srt.srt_sendmsg2(number, message, len(message), None) >= 0:
            return True
        if self._srt.srt_getlasterror(None) != _AGAIN:
            raise OSError(self._srt.srt_getlasterror_str().decode())
        return False

    def drain(self):
        """Waits until all that was sent is acknowledged."""
        left, size = ctypes.c_int(1), ctypes.c_int(4)
        while self.sockets and left.value:
            time.sleep(0.01)
            counts = []
            for number in self.sockets:
                self._checked(self._srt.srt_getsockflag(number, _SNDDATA, ctypes.byref(left), ctypes.byref(size)))
                counts.append(left.value)
            left.value = max(counts)

    def close(self):
        for number in self.sockets:
            self._srt.srt_close(number)
        self.sockets = []
        self._srt.srt_cleanup()
