"""A small HTTP server in a thread: what it answers is given, what it was asked is kept."""

import http.server
import threading
from collections.abc import Callable


class Listening:
    """Answers every GET with `get()`, a code and a body, and every POST with `post()`, a code.

    Attributes
    ----------
    asked : (path, headers by lower-case name, body) of each request, in order
    url, port : of the server
    """

    def __init__(self, get: Callable[[], tuple[int, bytes]] = lambda: (200, b""), post: Callable[[], int] = lambda: 200) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(*get())

            def do_POST(self) -> None:
                self._answer(post(), b"")

            def _answer(self, code: int, body: bytes) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.asked.append((self.path, headers, self.rfile.read(int(headers.get("content-length", 0)))))
                self.send_response(code)
                self.send_header("content-type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *said: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> "Listening":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
