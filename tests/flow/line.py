"""A line of so many bytes a second between a client and a server, which tells what the client took."""
import http.client
import http.server
import socket
import threading
import time

PIECE = 8192


class Line:
    """Answers as the server of `port` does. GET /mark/<name> takes down what was asked and taken until then."""

    def __init__(self, port, bytes_per_second):
        line = self
        self.ranges, self.taken, self.marks, self._lock = [], 0, {}, threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 0

            def log_message(self, *_):
                pass

            def do_GET(self):
                if self.path.startswith("/mark/"):
                    with line._lock:
                        line.marks[self.path.removeprefix("/mark/")] = (list(line.ranges), line.taken)
                    self.send_response(204)
                    return self.end_headers()
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                wanted = self.headers.get("Range")
                connection.request("GET", self.path, headers={"Range": wanted} if wanted else {})
                answer = connection.getresponse()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    self.send_header(name, value)
                self.end_headers()
                with line._lock:
                    line.ranges.append(wanted)
                try:
                    while piece := answer.read(PIECE):
                        self.wfile.write(piece)
                        with line._lock:
                            line.taken += len(piece)
                        time.sleep(len(piece) / bytes_per_second)  # what makes the line slow
                except OSError:
                    self.close_connection = True  # it wants no more of this
                connection.close()

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PIECE)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
