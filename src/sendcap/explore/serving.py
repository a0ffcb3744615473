"""A web server of the standard library for an application in the sense of ASGI.

The page needs no more: a request is answered as a whole, each in a thread.
"""

import asyncio
import socket
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from sendcap.explore.guard import Application, Message

_LONGEST_BODY: Final = 100_000
_PATIENCE_S: Final = 30.0
"""Time after which a connection on which nothing is asked ends."""


class WebServer(ThreadingHTTPServer):
    """Serves an application on a socket that is bound."""

    daemon_threads = True

    def __init__(self, listening: socket.socket, application: Application) -> None:
        super().__init__(listening.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening
        self.application = application
        self.server_activate()

    def handle_error(self, _request: object, _address: object) -> None:
        """Say nothing of a connection that broke: a browser closes them as it likes."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE_S
    server: WebServer

    def _answer(self) -> None:
        length = self.headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > _LONGEST_BODY:
            self.close_connection = True
            self._write(413, [], b"Too much is asked.\n")
            return
        body = self.rfile.read(int(length))
        asyncio.run(self._asked(body))

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Answer whatever the method is."""
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    async def _asked(self, body: bytes) -> None:
        address = urlsplit(self.path)
        scope = {
            "type": "http",
            "method": self.command,
            "path": unquote(address.path, "latin-1"),
            "query_string": address.query.encode("latin-1", "replace"),
            "headers": [
                (name.lower().encode("latin-1"), text.encode("latin-1", "replace"))
                for name, text in self.headers.items()
            ],
        }
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.server.application(scope, receive, send)
        start, *rest = sent
        content = b"".join(message.get("body", b"") for message in rest)
        self._write(start["status"], start["headers"], content)

    def _write(self, status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> None:
        self.send_response_only(status)
        for name, text in headers:
            self.send_header(name.decode("latin-1"), text.decode("latin-1"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""
