"""Serving the what-if page on this machine.

The page asks for answers over plain HTTP and keeps what it shows to itself, so a browser costs the
server nothing while it does not ask. It needs nothing but the standard library.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from sendcap.errors import SendcapError
from sendcap.explore.answers import Answers
from sendcap.explore.application import application
from sendcap.explore.exact import Exact
from sendcap.explore.guard import Application, Guard, Message
from sendcap.scenario import Scenario

LOOPBACK: Final = "127.0.0.1"


class Server:
    """Serves the page for a scenario, in a thread, until the process ends or it is stopped.

    Whoever reaches the address ``host`` and has ``url`` can use the page. Port 0 takes a free one.
    """

    def __init__(self, scenario: Scenario, host: str = LOOPBACK, port: int = 0) -> None:
        guard = Guard(host)
        self._answers, self._exact = Answers(scenario), Exact(scenario)
        served = guard.around(application(guard.page, self._answers, self._exact))
        listening = _listening(host, port)
        name, port = listening.getsockname()[:2]
        self.url = f"http://{f'[{name}]' if ':' in name else name}:{port}{guard.entrance}"
        self._server = WebServer(listening, served)
        # Not in the main thread, which Ctrl-C interrupts.
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def start(self) -> None:
        """Start serving."""
        self._answers.start()
        self._thread.start()

    def wait(self) -> None:
        """Return when it has stopped."""
        self._thread.join()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._exact.stop()
        self._answers.stop()


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with ExitStack() as opened:
            listening = opened.enter_context(socket.socket(family, socket.SOCK_STREAM))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            opened.pop_all()
    except (OSError, UnicodeError) as error:
        # What cannot be a name of a host fails as text.
        reason = (error.strerror or error) if isinstance(error, OSError) else "not a host"
        raise SendcapError(
            f"explore: cannot listen on {host} port {port}: {reason}; give another --port or --host"
        ) from error
    return listening


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
