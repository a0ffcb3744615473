"""Serving the what-if page on this machine.

The page is a marimo app: Python of which a moved slider runs the part that depends on it. Of the
libraries that do this, marimo takes half the space of the others on disk, its pages are plain
Python modules, and its sliders report a move while they are dragged.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from sendcap.errors import SendcapError
from sendcap.explore.answers import Answers
from sendcap.explore.guard import Guard
from sendcap.explore.seats import LINGERS_S, Seats
from sendcap.scenario import Scenario

LOOPBACK: Final = "127.0.0.1"
_PAGE: Final = Path(__file__).with_name("page.py")
_STARTS_WITHIN_S: Final = 30.0

# The page is a program of its own, and asks this process.
_served: dict[str, Answers] = {}


def served() -> Answers:
    """Return the answers that this process serves."""
    return _served["answers"]


class Server:
    """Serves the page for a scenario, in a thread, until the process ends or it is stopped.

    Whoever reaches the address ``host`` and has ``url`` can use the page. Port 0 takes a free one.
    """

    def __init__(self, scenario: Scenario, host: str = LOOPBACK, port: int = 0) -> None:
        guard = Guard(host)
        seats = Seats(guard.page)
        application = guard.around(seats.around(_application(guard.page)))
        self._answers = _served["answers"] = Answers(scenario)
        listening = _listening(host, port)
        name, port = listening.getsockname()[:2]
        self.url = f"http://{f'[{name}]' if ':' in name else name}:{port}{guard.entrance}"
        self._server = _quiet_server(application)
        # Not in the main thread: there uvicorn would take over what Ctrl-C does.
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listening]}, daemon=True
        )

    def start(self) -> None:
        """Start serving, and return when it answers; the first page may take some seconds more."""
        self._answers.start()
        self._thread.start()
        until = time.monotonic() + _STARTS_WITHIN_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > until:
                raise SendcapError("explore: the server has not started")
            time.sleep(0.02)

    def wait(self) -> None:
        """Return when it has stopped."""
        self._thread.join()
        self._answers.stop()

    def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(5.0)
        self._answers.stop()


def _application(path: str) -> Any:
    try:
        import marimo
    except ImportError:
        raise SendcapError(
            "explore: marimo is not installed: pip install 'sendcap[explore]'"
        ) from None
    builder = marimo.create_asgi_app(quiet=True, session_ttl=LINGERS_S)
    return builder.with_app(path=path.rstrip("/"), root=str(_PAGE)).build()


def _quiet_server(application: Any) -> Any:
    import uvicorn

    config = uvicorn.Config(
        application,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )
    return uvicorn.Server(config)


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
