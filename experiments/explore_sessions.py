"""How soon the what-if page answers many at once, and what is left of the memory they took.

Run by hand, two minutes: ``python experiments/explore_sessions.py [--sessions 20]``. It starts
``sendcap explore``, and opens that many sessions at once, each with the messages of a browser but
without drawing anything. Then all of them move a slider at once, each to a position of its own.
Then they close. It prints when the sessions had their first page with a chart, and their numbers
and charts after the move; and the memory (PSS) and CPU time of the server and its workers.

On an AMD EPYC machine with 2 cores (Python 3.11.7) that had nothing else to do, the worst of three
runs:

| 20 sessions at once | median | last |
|---|---|---|
| first page with chart | 2.7 s | 3.1 s |
| numbers after a move | 2.1 s | 3.3 s |
| chart after a move | 6.0 s | 8.3 s |

CPU: 3.2 s for the first pages, 16.3 s for the moves
memory: 617 MiB before, 912 with all sessions, 658 after
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from websockets.asyncio.client import connect

from sendcap.explore.seats import LINGERS_S, MOST
from sendcap.explore.sliders import sliders
from sendcap.scenario import load

SCENARIO = "quickstart"


class Place(NamedTuple):
    """Where the page is, and what lets a browser in."""

    url: str
    headers: dict[str, str]


class Session:
    """A session of the page, as a browser has one."""

    def __init__(self, place: Place, number: int) -> None:
        self.place, self.id = place, f"s_{number:06d}"

    async def open(self) -> float:
        """Open the page; return the seconds until it has a chart."""
        start = time.monotonic()
        await asyncio.to_thread(self._asked, "")
        address = f"{self.place.url}ws?session_id={self.id}".replace("http", "ws", 1)
        self.socket = await connect(
            address, additional_headers=self.place.headers, max_size=None, open_timeout=300
        )
        self.page = await self._page(lambda page: 'aria-busy="false"' in page)
        return time.monotonic() - start

    async def move(self, key: str, step: int) -> tuple[float, float]:
        """Move a slider; return the seconds until the numbers are there, and the chart."""
        start, before = time.monotonic(), self.page
        body = json.dumps({"objectIds": [self._slider(key)], "values": [step]}).encode()
        await asyncio.to_thread(self._asked, "api/kernel/set_ui_element_value", body)
        tiles = _tiles(before)
        await self._page(lambda page: _tiles(page) != tiles)
        answered = time.monotonic() - start
        if 'aria-busy="false"' not in self.page:
            await self._page(lambda page: 'aria-busy="false"' in page)
        return answered, time.monotonic() - start

    def _slider(self, key: str) -> str:
        labels = [slider.label for slider in sliders(load(SCENARIO)) if slider.key == key]
        for element in re.findall(r"<marimo-ui-element [^>]*>.*?</marimo-ui-element>", self.page):
            if labels[0] in element:
                return re.search(r"object-id='([^']*)'", element)[1]
        raise LookupError(key)

    async def _page(self, wanted: Any) -> str:
        while True:
            message = json.loads(await self.socket.recv())
            output = (message.get("data") or {}).get("output") or {}
            if message["op"] == "cell-op" and "sc-page" in str(output.get("data")):
                self.page = output["data"]
                if wanted(self.page):
                    return self.page

    def _asked(self, path: str, body: bytes | None = None) -> bytes:
        headers = self.place.headers | {"Marimo-Session-Id": self.id}
        headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.place.url + path, body, headers)
        with urllib.request.urlopen(request, timeout=300) as answer:
            return answer.read()


def _tiles(page: str) -> list[str]:
    return re.findall(r"<dd>.*?</dd>", page)


@contextmanager
def served() -> Iterator[tuple[int, Place]]:
    """Serve the page; yield the process and the place."""
    command = [sys.executable, "-m", "sendcap", "explore", SCENARIO, "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = re.search(r"http://\S+", process.stdout.readline())[0]
            with urllib.request.urlopen(url) as answer:
                cookie = answer.headers["Set-Cookie"].partition(";")[0]
                page = re.search('url=([^"]*)"', answer.read().decode())[1]
            parts = urlsplit(url)
            yield process.pid, Place(f"http://{parts.netloc}{page}", {"Cookie": cookie})
        finally:
            process.terminate()


def family(process: int) -> list[int]:
    """Return a process and its children (Linux)."""
    children = Path(f"/proc/{process}/task").glob("*/children")
    return [process, *(int(child) for path in children for child in path.read_text().split())]


def memory_mib(process: int) -> float:
    """Return the memory of a process and its children, shared pages in proportion (Linux)."""
    pages = [Path(f"/proc/{each}/smaps_rollup").read_text() for each in family(process)]
    return sum(int(re.search(r"^Pss: +(\d+)", text, re.MULTILINE)[1]) for text in pages) / 1024


def cpu_s(process: int) -> float:
    """Return the CPU time of a process and its children (Linux)."""
    fields = [
        Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        for each in family(process)
    ]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


def row(name: str, values: Iterable[float]) -> None:
    """Print a row of the table."""
    ordered = sorted(values)
    print(f"| {name} | {statistics.median(ordered):.1f} s | {ordered[-1]:.1f} s |", flush=True)


async def measure(process: int, place: Place, count: int, lingers_s: float) -> None:
    """Print what many sessions at once cost."""
    first = Session(place, 0)
    await first.open()
    await first.socket.close()
    await asyncio.sleep(lingers_s)
    memory, cpu = [memory_mib(process)], [cpu_s(process)]

    print(f"| {count} sessions at once | median | last |\n|---|---|---|")
    sessions = [Session(place, number) for number in range(1, count + 1)]
    row("first page with chart", await asyncio.gather(*(each.open() for each in sessions)))
    cpu.append(cpu_s(process))
    moves = [
        (slider.key, step)
        for slider in sliders(load(SCENARIO))
        for step, value in enumerate(slider.steps)
        if value != slider.value
    ]
    moves = [moves[number * len(moves) // count] for number in range(count)]
    answers = await asyncio.gather(
        *(each.move(*move) for each, move in zip(sessions, moves, strict=True))
    )
    row("numbers after a move", (answered for answered, _ in answers))
    row("chart after a move", (drawn for _, drawn in answers))
    cpu.append(cpu_s(process))
    memory.append(memory_mib(process))
    for session in sessions:
        await session.socket.close()
    await asyncio.sleep(lingers_s)
    memory.append(memory_mib(process))
    print(
        f"\nCPU: {cpu[1] - cpu[0]:.1f} s for the first pages, {cpu[2] - cpu[1]:.1f} s for the moves"
    )
    print("memory: {:.0f} MiB before, {:.0f} with all sessions, {:.0f} after".format(*memory))
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")


def main() -> None:
    """Take the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sessions", type=int, default=MOST)
    parser.add_argument("--lingers-s", type=float, default=LINGERS_S + 5.0)
    options = parser.parse_args()
    with served() as (process, place):
        asyncio.run(measure(process, place, options.sessions, options.lingers_s))


if __name__ == "__main__":
    main()
