"""How many may have the what-if page open, and what the others are told."""

from __future__ import annotations

import asyncio

import pytest

from sendcap.explore import seats as module
from sendcap.explore.seats import Seats


class House:
    """A house of two seats; a connection stays until it is told to leave."""

    def __init__(self):
        self.application = Seats("/a/", 2).around(self._sit)
        self.leave = asyncio.Event()

    async def _sit(self, scope, _receive, send):
        if scope["path"] in ("/a/ws", "/a/sse"):
            await self.leave.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def ask(self, path, session=""):
        """Return the first message of the answer."""
        sent = []

        async def send(message):
            sent.append(message)

        kind = "websocket" if path.endswith("ws") else "http"
        query = f"session_id={session}".encode()
        scope = {"type": kind, "path": path, "query_string": query, "headers": []}
        await self.application(scope, None, send)
        return sent[0]

    async def sit(self, session, path="/a/ws"):
        task = asyncio.create_task(self.ask(path, session))
        await asyncio.sleep(0)
        return task

    async def empty(self, *seated):
        self.leave.set()
        await asyncio.gather(*seated)
        self.leave = asyncio.Event()


def test_the_page_says_when_it_is_full_and_opens_once_it_is_not():
    async def visit():
        house = House()
        seated = [await house.sit("s_1"), await house.sit("s_2", "/a/sse")]

        full = await house.ask("/a/")
        assert full["status"] == 503
        assert (b"refresh", b"5") in full["headers"]
        assert (await house.ask("/a/ws", "s_3"))["type"] == "websocket.close"
        assert (await house.ask("/a/sse", "s_3"))["status"] == 503
        # Those who have a seat go on.
        assert (await house.ask("/a/api/kernel/set_ui_element_value"))["status"] == 200
        await house.empty(*seated)
        assert (await house.ask("/a/"))["status"] == 200

    asyncio.run(visit())


def test_a_page_can_be_loaded_anew_but_not_without_end():
    async def visit():
        house = House()
        for number in range(4):
            await house.empty(await house.sit(f"s_{number}"))

        assert (await house.ask("/a/ws", "s_4"))["type"] == "websocket.close"
        # A session that was left comes back.
        seated = await house.sit("s_2")
        assert not seated.done()
        await house.empty(seated)

    asyncio.run(visit())


def test_a_session_that_nobody_looks_at_frees_its_seat(monkeypatch):
    monkeypatch.setattr(module, "LINGERS_S", 0.0)

    async def visit():
        house = House()
        for number in range(6):
            await house.empty(await house.sit(f"s_{number}"))
        seated = await house.sit("s_6")
        assert not seated.done()
        await house.empty(seated)

    asyncio.run(visit())


@pytest.mark.parametrize("queries", ["", "session_id=", "session_id=a&session_id=b", "%ff=%"])
def test_any_query_is_taken(queries):
    async def visit():
        sent = []

        async def application(_scope, _receive, send):
            await send({"type": "websocket.accept"})

        async def send(message):
            sent.append(message)

        scope = {"type": "websocket", "path": "/a/ws", "query_string": queries.encode()}
        await Seats("/a/", 2).around(application)(scope, None, send)
        assert sent == [{"type": "websocket.accept"}]

    asyncio.run(visit())
