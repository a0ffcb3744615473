"""Serving the what-if page on this machine.

The page asks for answers over plain HTTP and keeps what it shows to itself, so a browser costs the
server nothing while it does not ask. It needs nothing but the standard library.
"""

import asyncio
import json
import math
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from sendcap.errors import SendcapError
from sendcap.explore.answer import BOTH, Look
from sendcap.explore.answers import Answers
from sendcap.explore.exact import Exact
from sendcap.explore.guard import Application, Guard, Message, Receive, Send
from sendcap.explore.layout import answered, document, pictured
from sendcap.explore.sliders import sliders
from sendcap.readings.modes import ALL_DELIVERIES, MODES, Mode
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
    # Of so many who come in the same instant nobody is sent away to try again a second later.
    request_queue_size = 128

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


# What the page asks: itself, answers, charts and exact simulations.

MOST_AT_ONCE: Final = 40
"""Questions that are worked on or wait."""
_HERE: Final = Path(__file__).parent
_FILES: Final = {"page.js": "text/javascript", "page.css": "text/css"}


def application(path: str, answers: Answers, exact: Exact) -> Application:
    """Return the application at a path, which ends with a slash."""
    there = sliders(answers.scenario)
    page = document(answers.scenario, there)
    known = {slider.key for slider in there}
    names = {delivery.name for delivery in answers.scenario.written()}

    def answer(asked: Mapping[str, Any]) -> dict[str, Any]:
        values, modes, look = _position(asked, known, names)
        found, before = answers.answer(values, modes, look), answers.answer({}, BOTH)
        return answered(found, before, look.delivery)

    def picture(asked: Mapping[str, Any]) -> dict[str, str]:
        found = answers.picture(*_position(asked, known, names))
        # Not before: it would take the first answer's time.
        exact.warm()
        return pictured(found)

    def simulate(asked: Mapping[str, Any]) -> dict[str, Any]:
        values, modes, look = _position(asked, known, names)
        share, done = exact.asked(values, modes, look)
        if done is None:
            return {"share": share}
        expected = answers.answer(values, modes, look)
        found, drawn = done
        return {"share": 1.0, "chart": drawn} | answered(
            found, expected, look.delivery, simulated=True
        )

    asked_for = {"answer": answer, "picture": picture, "simulate": simulate}

    # Whoever is let in may still ask too much at once.
    places = threading.BoundedSemaphore(MOST_AT_ONCE)

    async def served(scope: Message, receive: Receive, send: Send) -> None:
        name = scope["path"].removeprefix(path) if scope["path"].startswith(path) else None
        if scope["method"] in ("GET", "HEAD") and name == "":
            answers.opened()
            await _respond(send, 200, "text/html", page)
        elif scope["method"] in ("GET", "HEAD") and name in _FILES:
            text = (_HERE / name).read_text(encoding="utf-8")
            await _respond(send, 200, _FILES[name], text)
        elif scope["method"] == "POST" and name in asked_for:
            if not places.acquire(blocking=False):
                await _respond(send, 503, "text/plain", "Too many ask at once: try again.\n")
                return
            try:
                found = asked_for[name](json.loads((await receive())["body"]))
            except (ValueError, TypeError, AttributeError, SendcapError) as error:
                await _respond(send, 400, "text/plain", f"{error}\n")
            else:
                await _respond(send, 200, "application/json", json.dumps(found))
            finally:
                places.release()
        else:
            await _respond(send, 404, "text/plain", "There is nothing here.\n")

    return served


def _position(
    asked: Mapping[str, Any], known: set[str], names: set[str]
) -> tuple[dict[str, float], tuple[Mode, ...], Look]:
    """Return the values, the modes and the look that a browser asks for; of others it may lie."""
    values = {
        str(key): float(value) for key, value in asked.get("values", {}).items() if key in known
    }
    wrong = [key for key, value in values.items() if not (math.isfinite(value) and value > 0.0)]
    if wrong:
        raise SendcapError(f"{wrong[0]}: must be a number above 0")
    modes = tuple(mode for mode in MODES if mode in asked.get("modes", BOTH)) or BOTH
    delivery = asked.get("delivery")
    look = Look(delivery if delivery in names else ALL_DELIVERIES, bool(asked.get("narrow")))
    return values, modes, look


async def _respond(send: Send, status: int, kind: str, text: str) -> None:
    headers = [(b"content-type", f"{kind}; charset=utf-8".encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
