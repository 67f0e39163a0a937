"""A real web server for one file that can go on in the middle, or not, or breaks on purpose."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What it serves, and how badly: each answer takes one of ``breaks`` and ``codes``, if any.

    breaks
        After so many bytes of an answer the connection is closed.
    codes
        Answers that are errors instead.
    lie
        Say another range than was asked for.
    """

    content: bytes
    ranges: bool = True
    breaks: list[int] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    lie: bool = False
    length: bool = True
    asked: list[str | None] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def running(self) -> Iterator[FileServer]:
        """Serve while the block runs; ``url`` is where."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}/data.tar.gz"
        try:
            yield self
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(served: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            served.asked.append(asked)
            if served.codes:
                self.send_error(served.codes.pop(0))
                return
            total, first = len(served.content), 0
            if asked and served.ranges:
                first = int(asked.removeprefix("bytes=").rstrip("-"))
                if first >= total:
                    self.send_error(416)
                    return
                said = first + 1 if served.lie else first
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {said}-{total - 1}/{total}")
            else:
                self.send_response(200)
            if served.length:
                self.send_header("Content-Length", str(total - first))
            self.end_headers()
            body = served.content[first:]
            if served.breaks:
                body = body[: served.breaks.pop(0)]
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler
