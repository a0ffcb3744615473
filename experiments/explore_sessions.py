"""How soon the what-if page answers many at once, and what is left of the memory they took.

Run by hand, a minute or two: ``python experiments/explore_sessions.py [--sessions 20]``. It starts
``sendcap explore``, and opens that many sessions at once, each with the requests of a browser but
without drawing anything. Then all of them move a slider in the same instant, each to a position of
its own; and once more. Then they close. It prints when the sessions had their first page with a
chart, and their numbers and charts after each move; the CPU time of the server and its workers, and
their memory (PSS).

On an AMD EPYC machine with 2 cores (Python 3.11.7) of which nobody else took any time, 20 sessions
had their first page after 0.2 s, their numbers after 1.4 to 1.5 s (the last one; median 0.9), and
their charts after 5.4 to 6.0 s (median 3.7). A move took 10.6 to 13.5 s of CPU time. Memory: 470
MiB before, 897 to 926 with all sessions, 480 to 496 after.
"""

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sendcap.explore.sliders import sliders
from sendcap.scenario import load

SCENARIO = "quickstart"
SOON_S = 5.0
"""From the pages to the moves: people read first, and the second worker starts."""


class Session:
    """A session of the page, as a browser has one."""

    def __init__(self, place: str, page: str, cookie: str) -> None:
        self._connection = http.client.HTTPConnection(place, timeout=300)
        self._page, self._headers = page, {"Cookie": cookie}

    def open(self) -> float:
        """Open the page; return the seconds until it has a chart."""
        start_s = time.monotonic()
        for name in ("", "page.css", "page.js"):
            self._asked("GET", name)
        self.move({})
        return time.monotonic() - start_s

    def move(self, values: dict[str, float]) -> tuple[float, float]:
        """Move sliders; return the seconds until the numbers are there, and the chart."""
        start_s, asked = time.monotonic(), json.dumps({"values": values})
        assert not json.loads(self._asked("POST", "answer", asked))["problem"]
        answered_s = time.monotonic() - start_s
        assert "<svg" in json.loads(self._asked("POST", "picture", asked))["chart"]
        return answered_s, time.monotonic() - start_s

    def close(self) -> None:
        """Close the page."""
        self._connection.close()

    def _asked(self, method: str, name: str, body: str | None = None) -> str:
        self._connection.request(method, self._page + name, body, self._headers)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 200, text
        return text


def started() -> subprocess.Popen[str]:
    """Start the process that serves the page."""
    command = [sys.executable, "-m", "sendcap", "explore", SCENARIO, "--no-open"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@contextmanager
def served() -> Iterator[tuple[int, Callable[[], Session]]]:
    """Serve the page; yield the process, and what makes a session."""
    with started() as process:
        try:
            url = urlsplit(re.search(r"http://\S+", process.stdout.readline())[0])
            connection = http.client.HTTPConnection(url.netloc)
            connection.request("GET", f"{url.path}?{url.query}")
            answer = connection.getresponse()
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
            page = re.search('url=([^"]*)"', answer.read().decode())[1]
            connection.close()
            yield process.pid, lambda: Session(url.netloc, page, cookie)
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
    """Return the CPU time of a process and its children, ended ones included (Linux)."""
    fields = [
        Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        for each in family(process)
    ]
    ended = sum(map(int, fields[0][13:15]))
    ticks = ended + sum(int(each[11]) + int(each[12]) for each in fields)
    return ticks / os.sysconf("SC_CLK_TCK")


def row(name: str, values: list[float]) -> None:
    """Print a row of the table."""
    ordered = sorted(values)
    print(f"| {name} | {statistics.median(ordered):.1f} s | {ordered[-1]:.1f} s |", flush=True)


def at_once(sessions: list[Session], does: Callable[[int, Session], Any]) -> list[Any]:
    """Have all sessions do something in the same instant."""
    instant = threading.Barrier(len(sessions))

    def done(numbered: tuple[int, Session]) -> Any:
        instant.wait()
        return does(*numbered)

    with ThreadPoolExecutor(len(sessions)) as threads:
        return list(threads.map(done, enumerate(sessions)))


def moves(count: int) -> list[list[dict[str, float]]]:
    """Return two moves for each session, no two alike."""
    every = [
        {slider.key: value}
        for slider in sliders(load(SCENARIO))
        # Soon after a minute nobody knows what to expect.
        if slider.key != "first_retry"
        for value in slider.steps
        if value != slider.value
    ]
    every = [every[number * len(every) // (2 * count)] for number in range(2 * count)]
    return [every[::2], every[1::2]]


def measure(process: int, session: Callable[[], Session], count: int, rests_s: float) -> None:
    """Print what many sessions at once cost."""
    first = session()
    first.open()
    first.close()
    time.sleep(rests_s)
    memory, cpu = [memory_mib(process)], [cpu_s(process)]
    print(f"| {count} sessions at once | median | last |\n|---|---|---|")
    sessions = [session() for _ in range(count)]
    row("first page with chart", at_once(sessions, lambda _, each: each.open()))
    cpu.append(cpu_s(process))
    for number, move in enumerate(moves(count), 1):
        time.sleep(min(rests_s, SOON_S))
        answers = at_once(sessions, lambda place, each, move=move: each.move(move[place]))
        row(f"numbers after move {number}", [answered_s for answered_s, _ in answers])
        row(f"chart after move {number}", [drawn_s for _, drawn_s in answers])
        cpu.append(cpu_s(process))
    memory.append(memory_mib(process))
    for each in sessions:
        each.close()
    time.sleep(rests_s)
    memory.append(memory_mib(process))
    spent = ", ".join(f"{after - before:.1f}" for before, after in pairwise(cpu))
    print(f"\nCPU: {spent} s for the first pages and each move")
    print("memory: {:.0f} MiB before, {:.0f} with all sessions, {:.0f} after".format(*memory))
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")


def main() -> None:
    """Take the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--rests-s", type=float, default=75.0, help="until memory is free again")
    options = parser.parse_args()
    with served() as (process, session):
        measure(process, session, options.sessions, options.rests_s)


if __name__ == "__main__":
    main()
