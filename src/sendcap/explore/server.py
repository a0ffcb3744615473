"""Serving the what-if page on this machine.

The page asks for answers over plain HTTP and keeps what it shows to itself, so a browser costs the
server nothing while it does not ask. It needs nothing but the standard library.
"""

import socket
import threading
from contextlib import ExitStack
from typing import Final

from sendcap.errors import SendcapError
from sendcap.explore.answers import Answers
from sendcap.explore.application import application
from sendcap.explore.exact import Exact
from sendcap.explore.guard import Guard
from sendcap.explore.serving import WebServer
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
