"""How many may have the what-if page open; each has a session, with a thread and memory."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import time
from collections import Counter
from contextlib import suppress
from typing import Final
from urllib.parse import parse_qs

from sendcap.explore.guard import Application, Message, Receive, Send, refuse, respond

MOST: Final = 20
LINGERS_S: Final = 30
"""Time after which a session ends that nobody looks at; a page loaded anew leaves one behind."""

_TRIES_AGAIN_S: Final = 5
_FULL: Final = (
    "All {most} places are taken. The page opens here, by itself, once somebody closes theirs.\n"
)


class Seats:
    """Passes on to an application at ``page`` as many sessions as there are seats."""

    def __init__(self, page: str, most: int = MOST) -> None:
        self._page, self._most = page, most
        self._open: Counter[str] = Counter()  # connections by session
        self._lingers_until: dict[str, float] = {}

    def around(self, application: Application) -> Application:
        """Return an application that says so when it is full."""

        async def seated(scope: Message, receive: Receive, send: Send) -> None:
            path = scope.get("path")
            if path in (f"{self._page}ws", f"{self._page}sse"):
                await self._connected(application, scope, receive, send)
            elif path == self._page and len(self._open) >= self._most:
                again = {"refresh": str(_TRIES_AGAIN_S), "retry-after": str(_TRIES_AGAIN_S)}
                text = _FULL.format(most=self._most)
                await respond(send, 503, "text/plain", text, again)
            else:
                await application(scope, receive, send)

        return seated

    async def _connected(
        self, application: Application, scope: Message, receive: Receive, send: Send
    ) -> None:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        session = query.get("session_id", [""])[0]
        if not self._has_room_for(session):
            await refuse(scope, send, 503, _FULL.format(most=self._most).strip())
            return
        self._open[session] += 1
        try:
            await application(scope, receive, send)
        finally:
            self._open[session] -= 1
            if not self._open[session]:
                del self._open[session]
                self._lingers_until[session] = time.monotonic() + LINGERS_S
                asyncio.get_running_loop().call_later(LINGERS_S + 2.0, self._tidied)

    def _tidied(self) -> None:
        if not self._open:
            give_back()

    def _has_room_for(self, session: str) -> bool:
        now = time.monotonic()
        self._lingers_until = {
            other: until
            for other, until in self._lingers_until.items()
            if until > now and other != session
        }
        if session in self._open:
            return True
        sessions = len(self._open) + len(self._lingers_until)
        return len(self._open) < self._most and sessions < 2 * self._most


def give_back() -> None:
    """Return freed memory, of which glibc keeps a hundred megabytes between pieces in use."""
    gc.collect()
    # Elsewhere there is no such function, or no library by the name of None.
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
