"""Who may use the what-if page, and what its responses allow."""

from __future__ import annotations

import asyncio
import socket

import pytest

from sendcap.explore.guard import Guard

HERE = "127.0.0.1:8000"


class Stranger:
    """Asks a guarded application that opens its responses to everyone."""

    def __init__(self, host):
        self.guard = Guard(host)
        self.guarded = self.guard.around(self.application)
        self.reached = 0

    async def application(self, scope, receive, send):
        self.reached += 1
        headers = [(b"access-control-allow-origin", b"*"), (b"Referrer-Policy", b"unsafe-url")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    def ask(self, path=None, *, kind="http", **headers):
        """Return the status and the headers of the answer, None for a WebSocket that is closed."""
        path, _, query = (path or self.guard.page).partition("?")
        scope = {"type": kind, "method": "GET", "path": path, "query_string": query.encode()}
        scope["headers"] = [(name.encode(), text.encode()) for name, text in headers.items()]
        sent = []

        async def send(message):
            sent.append(message)

        asyncio.run(self.guarded(scope, None, send))
        if sent[0]["type"] == "websocket.close":
            return None
        received = {name.decode().lower(): text.decode() for name, text in sent[0]["headers"]}
        return sent[0]["status"], received

    def cookie(self):
        status, headers = self.ask(self.guard.entrance, host=HERE)
        assert status == 200
        return headers["set-cookie"].partition(";")[0]


@pytest.fixture
def stranger():
    return Stranger("127.0.0.1")


def test_the_token_gives_a_cookie_and_the_cookie_gives_the_page(stranger):
    status, headers = stranger.ask(stranger.guard.entrance, host=HERE)

    assert status == 200
    assert headers["set-cookie"].endswith(
        f"; Path={stranger.guard.page}; HttpOnly; SameSite=Strict"
    )
    assert stranger.guard.entrance.partition("=")[2] not in headers["set-cookie"]
    assert stranger.ask(host=HERE, cookie=stranger.cookie())[0] == 200
    assert stranger.reached == 1


@pytest.mark.parametrize(
    "cookie", [None, "", "sendcap", "sendcap=", "sendcap=é", "other={}", "sendcap={}x", "=;;=a;"]
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_nobody_gets_in_without_the_cookie(stranger, cookie, kind):
    headers = {} if cookie is None else {"cookie": cookie.format(stranger.cookie()[8:])}

    answer = stranger.ask(kind=kind, host=HERE, **headers)

    assert answer is None if kind == "websocket" else answer[0] == 403
    assert stranger.reached == 0


@pytest.mark.parametrize("path", ["/", "/?token=", "/?token=é", "/?token=x", "/?token", "{}?token"])
def test_a_wrong_token_gives_nothing(stranger, path):
    status, headers = stranger.ask(path.format(stranger.guard.page), host=HERE)

    assert status == 403
    assert "set-cookie" not in headers


def test_a_second_cookie_of_the_same_name_does_not_lock_out(stranger):
    cookie = f"sendcap=a; {stranger.cookie()}; sendcap=b"

    assert stranger.ask(host=HERE, cookie=cookie)[0] == 200


LOOPBACK = ["127.0.0.1", "localhost", "LocalHost:8000", "[::1]:8000", "127.0.0.1:1"]
FOREIGN = ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", "a@127.0.0.1"]
FOREIGN += [
    "",
    "localhost:8000:1",
    "127.0.0.1/..",
    "127.0.0.1:8000, evil.example",
    "[::1",
    "2130706433",
]
ADDRESSES = ["192.0.2.7:8000", "[2001:db8::7]:8000"]


@pytest.mark.parametrize(
    ("listening", "right", "wrong"),
    [
        ("127.0.0.1", LOOPBACK, [*FOREIGN, *ADDRESSES]),
        ("localhost", LOOPBACK, [*FOREIGN, *ADDRESSES]),
        ("0.0.0.0", [*LOOPBACK, *ADDRESSES, socket.gethostname()], FOREIGN),
        ("Planner.example", [*LOOPBACK, *ADDRESSES, "planner.example:80"], FOREIGN),
    ],
)
def test_a_host_must_be_a_name_of_the_server(listening, right, wrong):
    stranger = Stranger(listening)
    cookie = stranger.cookie()

    assert [name for name in right if stranger.ask(host=name, cookie=cookie)[0] != 200] == []
    assert [name for name in wrong if stranger.ask(host=name, cookie=cookie)[0] != 403] == []
    # Nor does the token help.
    assert stranger.ask(stranger.guard.entrance, host="evil.example")[0] == 403


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "http://127.0.0.1:9999",
        "http://127.0.0.1",
        "http://localhost:8000",
        "file://",
        "http://127.0.0.1:8000.evil.example",
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_another_origin_is_refused_even_with_the_cookie(stranger, origin, kind):
    answer = stranger.ask(kind=kind, host=HERE, origin=origin, cookie=stranger.cookie())

    assert answer is None if kind == "websocket" else answer[0] == 403
    assert stranger.reached == 0


def test_responses_stay_with_their_page(stranger):
    cookie = stranger.cookie()

    for answer in (
        stranger.ask(host=HERE, origin=f"http://{HERE}", cookie=cookie),
        stranger.ask(host=HERE),
        stranger.ask(stranger.guard.entrance, host=HERE),
    ):
        headers = answer[1]
        assert not [name for name in headers if name.startswith("access-control-")]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
