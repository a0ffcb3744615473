"""The page's questions: how many at once, and what a page holds."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from contextlib import ExitStack

import pytest

from sendcap.explore.answer import Answer
from sendcap.explore.server import LOOPBACK, MOST_AT_ONCE, WebServer, _listening, application
from sendcap.scenario import load


class Slow:
    """Answers that come when they are let."""

    def __init__(self):
        self.scenario = load("quickstart")
        self.let, self.waiting = threading.Event(), threading.Semaphore(0)
        self.looks, self.pages = [], 0

    def opened(self):
        self.pages += 1

    def answer(self, values, modes, look=None):
        self.looks.append((values, modes, look))
        self.waiting.release()
        assert self.let.wait(30.0)
        return Answer({"a": "1"}, scenario="text")


@pytest.fixture
def slow():
    return Slow()


def ask(slow, body, name="answer", method="POST"):
    sent = []

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": f"/p/{name}"}
    asyncio.run(slow.application(scope, receive, send))
    return sent[0]["status"], sent[1]["body"].decode()


def test_more_than_so_many_questions_are_refused_until_there_is_room(slow):
    slow.application = application("/p/", slow, None)
    threads = [threading.Thread(target=ask, args=(slow, b"{}")) for _ in range(MOST_AT_ONCE)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert slow.waiting.acquire(timeout=30.0)

    assert ask(slow, b"{}") == (503, "Too many ask at once: try again.\n")

    slow.let.set()
    for thread in threads:
        thread.join()
    assert ask(slow, b"{}")[0] == 200
    # A question that fails leaves its place.
    for _ in range(MOST_AT_ONCE + 1):
        assert ask(slow, b"[]")[0] == 400
    assert ask(slow, b"{}")[0] == 200


def test_many_may_come_in_the_same_instant() -> None:
    """Before any of them is met: who finds no place tries again after a second."""
    with WebServer(_listening(LOOPBACK, 0), None) as server, ExitStack() as opened:
        for _ in range(60):
            opened.enter_context(socket.create_connection(server.server_address, timeout=0.9))


def test_what_a_browser_may_not_know_is_left_out(slow):
    slow.application = application("/p/", slow, None)
    slow.let.set()
    asked = {"values": {"ips": 3, "mta.order": 5}, "modes": ["efs", "x"], "delivery": "<b>"}

    status, text = ask(slow, json.dumps(asked).encode())

    assert status == 200
    assert json.loads(text)["scenario"] == "text"
    assert slow.looks[0] == ({"ips": 3.0}, ("efs",), ("*", False))


def test_the_page_holds_a_slider_and_a_field_for_each_number(slow):
    slow.application = application("/p/", slow, None)
    hostile = slow.scenario.model_copy(update={"title": "</script><b>"})
    slow.scenario = hostile
    slow.application = application("/p/", slow, None)

    status, text = ask(slow, b"", "", "GET")

    assert status == 200
    assert slow.pages == 1
    assert text.count('type="range"') == text.count('type="number"') == 7
    assert "&lt;/script&gt;&lt;b&gt;: what if?" in text
    assert "<b>" not in text
    assert ask(slow, b"", "page.js", "GET")[1].startswith('"use strict";')
    assert ask(slow, b"", "../page.css", "GET")[0] == 404
    assert ask(slow, b"", "answer", "GET")[0] == 404
