"""A server on this machine that gives one file, well or badly."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mgrkit.files.published import Published

CONTENT = bytes(range(256)) * 4096
NAME = "songs.zip"


class Asked(BaseHTTPRequestHandler):
    """One question; ``self.first`` is the first byte that is wanted, 0 for all."""

    first = 0

    def do_GET(self) -> None:
        """Note what was asked, and answer as the server's ``answer`` does."""
        wanted = self.headers.get("Range", "")
        self.first = int(wanted.removeprefix("bytes=").removesuffix("-") or 0)
        self.close_connection = True
        server: Server = self.server  # type: ignore[assignment]
        server.asked.append(self.first)
        server.headers.append(dict(self.headers))
        with contextlib.suppress(ConnectionError):
            server.answer(self, len(server.asked))

    def head(self, status: int, length: int | None, **headers: str) -> None:
        """The head of an answer; names of headers with _ for -."""
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def well(self, content: bytes = CONTENT, upto: int | None = None, tag: str = '"1"') -> None:
        """What a good server answers, or the beginning of it."""
        if_range = self.headers.get("If-Range", tag)
        if self.first and if_range == tag:
            if self.first >= len(content):
                self.head(416, 0, Content_Range=f"bytes */{len(content)}")
                return
            span = f"bytes {self.first}-{len(content) - 1}/{len(content)}"
            self.head(206, len(content) - self.first, Content_Range=span, ETag=tag)
            self.wfile.write(content[self.first : upto])
        else:
            self.head(200, len(content), ETag=tag)
            self.wfile.write(content[:upto])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


Answer = Callable[[Asked, int], None]
"""Answers a question; the number is 1 for the first one."""


class Server(ThreadingHTTPServer):
    """A server that answers every question by ``answer``."""

    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.answer = answer
        self.asked: list[int] = []
        self.headers: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/fma"


@contextlib.contextmanager
def serving(answer: Answer) -> Iterator[Server]:
    """A server in a thread, which ends with the context."""
    with Server(answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def published(url: str, content: bytes = CONTENT, size: int = 0) -> Published:
    """A file of this content, as a collection publishes it."""
    sum_ = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    return Published(NAME, f"{url}/{NAME}", size or len(content), f"sha1:{sum_}")
