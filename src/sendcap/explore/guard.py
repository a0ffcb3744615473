"""Who may use the what-if page: whoever opened the address that the command printed.

A page elsewhere can make the browser ask this server, and every user of this machine can reach it.
So three things are needed before anything is answered. ``Host`` is a name of this server: a foreign
name may point here, too. ``Origin``, if any, is the page's own. A cookie shows that this browser
has opened the address with the token.

A browser sends its cookies to every port of a machine. The path of this one is therefore secret
as well, and no other server here receives it.
"""

import ipaddress
import os
import re
import secrets
import socket
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

from sendcap.errors import SendcapError
from sendcap.files.cleaning import cleaned_by

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
"""An application in the sense of ASGI."""

_COOKIE: Final = "sendcap"
_HOST: Final = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::\d{1,5})?")
_SECURE: Final = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
# Charts have styles within them.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_LEADING: Final = (
    '<!doctype html><meta charset="utf-8"><title>sendcap</title>'
    '<meta http-equiv="refresh" content="0; url={url}"><a href="{url}">What if?</a>\n'
)
_OPEN: Final = "open the address that sendcap explore printed"
_REFUSALS: Final = {
    "host": f"Not a name of this server: {_OPEN}.",
    "origin": "Other pages have no access to this one.",
    "cookie": f"No access: {_OPEN}, with the token.",
}


def leading_to(url: str) -> str:
    """Return the text of a page that leads a browser on."""
    return _LEADING.format(url=escape(url))


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach what listens on an address."""
    address = _address(host)
    return host == "localhost" if address is None else address.is_loopback


class Guard:
    """The door of a server that listens on ``host``, a name or an address.

    ``entrance`` is to be opened in a browser, which then shows what is served at ``page``.
    """

    def __init__(self, host: str) -> None:
        self._host = host.lower()
        self._token, self._secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        self.page = f"/{secrets.token_urlsafe(16)}/"
        self.entrance = f"/?token={self._token}"

    def around(self, application: Application) -> Application:
        """Return an application that answers only those who may use the page."""

        async def guarded(scope: Message, receive: Receive, send: Send) -> None:
            if scope["type"] not in ("http", "websocket"):
                await application(scope, receive, send)
                return
            headers = {name.decode("latin-1"): text for name, text in scope["headers"]}
            host = _text(headers, "host").lower()
            if wrong := self._wrong(headers, host):
                await refuse(scope, send, 403, _REFUSALS[wrong])
            elif self._has_token(scope):
                cookie = f"{_COOKIE}={self._secret}; Path={self.page}; HttpOnly; SameSite=Strict"
                # After a redirection from another site the browser would keep the cookie back.
                await respond(send, 200, "text/html", leading_to(self.page), {"set-cookie": cookie})
            elif not self._has_cookie(headers):
                await refuse(scope, send, 403, _REFUSALS["cookie"])
            else:
                await application(scope, receive, _secured(send))

        return guarded

    def _wrong(self, headers: Mapping[str, bytes], host: str) -> str | None:
        if not self._is_name(host):
            return "host"
        origins = (f"http://{host}", f"https://{host}")
        if "origin" in headers and _text(headers, "origin").lower() not in origins:
            return "origin"
        return None

    def _is_name(self, host: str) -> bool:
        """Tell whether it is a name of this server; what is an address is nobody else's name."""
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = match[1] or match[2]
        if name == self._host or is_loopback(name):
            return True
        if is_loopback(self._host):
            return False
        return _address(name) is not None or name == socket.gethostname().lower()

    def _has_token(self, scope: Message) -> bool:
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
        return scope["type"] == "http" and scope["path"] == "/" and _same(given[0], self._token)

    def _has_cookie(self, headers: Mapping[str, bytes]) -> bool:
        pairs = (pair.strip().partition("=") for pair in _text(headers, "cookie").split(";"))
        # Any of them: another server of this machine may have set one of the same name.
        return any(name == _COOKIE and _same(text, self._secret) for name, _, text in pairs)


async def refuse(scope: Message, send: Send, status: int, reason: str) -> None:
    """Answer a request with a reason; a WebSocket does not open."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": reason})
    else:
        await respond(send, status, "text/plain", f"{reason}\n", {})


async def respond(
    send: Send, status: int, kind: str, text: str, headers: Mapping[str, str]
) -> None:
    """Answer an HTTP request with a text that no other page may read."""
    every = {
        "content-type": f"{kind}; charset=utf-8",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "cache-control": "no-store",
        **_SECURE,
        **headers,
    }
    await send({"type": "http.response.start", "status": status, "headers": _encoded(every)})
    await send({"type": "http.response.body", "body": text.encode()})


def _secured(send: Send) -> Send:
    """Return ``send`` with headers that keep a response to its own page."""
    added = {"content-security-policy": _POLICY, "cache-control": "no-store", **_SECURE}

    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [
                (name, text)
                for name, text in message["headers"]
                if (lower := name.decode("latin-1").lower()) not in added
                and not lower.startswith("access-control-")
            ]
            message = {**message, "headers": [*kept, *_encoded(added)]}
        await send(message)

    return secured


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), text.encode()) for name, text in headers.items()]


def _text(headers: Mapping[str, bytes], name: str) -> str:
    return headers.get(name, b"").decode("latin-1")


def _same(given: str, secret: str) -> bool:
    return secrets.compare_digest(given.encode(), secret.encode())


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@contextmanager
def file_leading_to(url: str) -> Iterator[str]:
    """Name a file that leads to an address and is this user's alone; remove it on exit."""
    try:
        number, name = tempfile.mkstemp(prefix="sendcap-", suffix=".html")
    except OSError as error:
        raise SendcapError(
            f"explore: no temporary file for the browser ({error.strerror}); use --no-open"
        ) from error

    def remove() -> None:
        with suppress(OSError):
            Path(name).unlink()

    with cleaned_by(remove):
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(leading_to(url))
            yield name
        finally:
            remove()
