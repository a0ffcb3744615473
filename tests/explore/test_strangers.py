"""What a stranger gets from the what-if page over the wire: nothing."""

from __future__ import annotations

import http.client
import json
from urllib.parse import urlsplit

import pytest
from serving import served


@pytest.fixture(scope="module")
def url(warm):
    with served("quickstart", start=warm.start) as (_, url):
        yield url


@pytest.fixture(scope="module")
def here(url):
    return urlsplit(url).netloc


def asked(here, path, headers=(), method="GET", body=None):
    connection = http.client.HTTPConnection(here, timeout=60)
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
PATHS += ["page.js", "page.css", "answer", "picture", "simulate", "ws"]


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


@pytest.mark.parametrize("name", ["answer", "picture", "simulate"])
def test_questions_are_answered_to_the_page_alone(here, entered, name):
    page, cookie = entered
    own = cookie | {"Origin": f"http://{here}"}

    for wrong in ({}, {"Origin": own["Origin"]}, own | {"Origin": "http://evil.example"}):
        assert asked(here, page + name, wrong, "POST", "{}")[0] == 403
    status, headers, text = asked(here, page + name, own, "POST", "{}")
    assert status == 200
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert json.loads(text)


def test_there_is_no_websocket(here, entered):
    page, cookie = entered
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "AAAAAAAAAAAAAAAAAAAAAA=="

    assert asked(here, f"{page}ws", upgrade)[0] == 403
    assert asked(here, f"{page}ws", upgrade | cookie)[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        *("", "[]", "1", "{", '{"values": 1}', '{"values": {"ips": "x"}}', '{"modes": 5}'),
        *('{"values": {"ips": -1}}', '{"values": {"ips": NaN}}', '{"values": {"ips": 1e999}}'),
    ],
)
def test_a_question_that_is_none_is_refused_and_the_next_is_answered(here, entered, body):
    page, cookie = entered

    assert asked(here, f"{page}answer", cookie, "POST", body)[0] == 400
    assert asked(here, f"{page}answer", cookie, "POST", "{}")[0] == 200


@pytest.mark.parametrize("length", ["9" * 30, "-1", "x", "100001"])
def test_what_is_too_long_is_not_read(here, entered, length):
    page, cookie = entered

    assert asked(here, f"{page}answer", cookie | {"Content-Length": length}, "POST")[0] == 413


def test_the_server_does_not_tell_what_it_is(here, entered):
    page, cookie = entered
    _, headers, _ = asked(here, page, cookie)

    assert "Server" not in headers
    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert asked(here, page, cookie, "BREW")[0] == 404
