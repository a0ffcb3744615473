"""What a stranger gets from the what-if page over the wire: nothing."""

from __future__ import annotations

import http.client
import socket
from urllib.parse import urlsplit

import pytest
from serving import served

pytest.importorskip("marimo", reason="the extra sendcap[explore] is not installed")
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

pytestmark = pytest.mark.extra("explore")


@pytest.fixture(scope="module")
def url():
    with served("quickstart") as (_, url):
        yield url


@pytest.fixture(scope="module")
def here(url):
    return urlsplit(url).netloc


def asked(here, path, headers=(), method="GET", body=None):
    connection = http.client.HTTPConnection(here)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def entered(url, here):
    """The path of the page, and the headers of a browser that may use it."""
    parts = urlsplit(url)
    status, headers, text = asked(here, f"{parts.path}?{parts.query}")
    assert status == 200
    return text.partition("url=")[2].partition('"')[0], {
        "Cookie": headers["Set-Cookie"].partition(";")[0]
    }


def test_with_the_cookie_the_page_answers_itself_alone(here, entered):
    page, cookie = entered

    status, headers, text = asked(here, page, cookie | {"Origin": f"http://{here}"})

    assert status == 200
    assert "what if?" in text
    assert "Access-Control-Allow-Origin" not in headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers.get_all("Referrer-Policy") == ["no-referrer"]
    assert headers.get_all("Cache-Control") == ["no-store"]


PATHS = ["", "health", "api/status", "api/version", "api/sessions", "api/usage", "sse?session_id=a"]
PATHS += ["assets/", "favicon.ico", "auth/login", "api/status/connections", "public/page.py"]


@pytest.mark.parametrize("path", PATHS)
def test_without_the_cookie_every_path_is_refused(here, entered, path):
    page, _ = entered

    for prefix in ("/", page):
        assert asked(here, prefix + path)[0] == 403


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}]
)
def test_a_foreign_host_or_origin_is_refused_with_the_cookie_too(here, entered, headers):
    page, cookie = entered

    assert asked(here, page, cookie | headers)[0] == 403
    assert asked(here, page, cookie | headers, "OPTIONS")[0] == 403
    driven = "api/kernel/set_ui_element_value"
    assert asked(here, page + driven, cookie | headers, "POST", "{}")[0] == 403


def test_a_websocket_opens_for_the_page_alone(here, entered):
    page, cookie = entered
    address = f"ws://{here}{page}ws?session_id=s_a"
    own = {"origin": f"http://{here}", "additional_headers": cookie}

    for wrong in ({"origin": own["origin"]}, own | {"origin": "http://evil.example"}):
        with pytest.raises(InvalidStatus, match="403"):
            connect(address, **wrong)
    with (
        socket.create_connection(here.split(":")) as sock,
        pytest.raises(InvalidStatus, match="403"),
    ):
        connect(address.replace(here, "evil.example"), sock=sock, **own)

    with connect(address, **own) as opened:
        assert "kernel-ready" in opened.recv()
