"""A small Postfix of the tests' own: a queue for each destination, and the lines of its log.

Stamps are whole seconds, and delays have two digits, at most two of them behind the point
(``format_tv`` in ``src/util/format_tv.c`` of Postfix).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from sendcap.calibration.calibrate import Calibration, calibrate

_BEGAN = datetime(2026, 3, 2, 8, 0, 0, tzinfo=UTC)


@dataclass
class Queue:
    """How the messages of one destination leave."""

    domain: str = "one.test"
    messages: int = 300
    per_s: float = 200.0  # arrivals
    limit: int = 5  # connections at a time
    delay_s: float = 0.0  # the pause after each delivery
    takes_s: Callable[[np.random.Generator], float] = lambda rng: rng.uniform(0.1, 0.3)
    connect_s: float = 0.0
    uses: int = 10_000  # messages of a connection
    idle_s: float = 0.002  # until a free connection has its next message


def _digits(seconds: float) -> str:
    places = min(1 - math.floor(math.log10(max(seconds, 0.001))), 2)
    rounded = round(seconds, places)
    return (
        f"{rounded:.{max(places, 0)}f}".rstrip("0").rstrip(".") if places > 0 else f"{rounded:.0f}"
    )


def log_of(
    *queues: Queue, seed: int = 1, shared: int | None = None, in_turn: bool = False
) -> list[str]:
    """Return the lines of a log; ``shared`` connections are all that the destinations have.

    Those that are both ready come by chance, or in turn, as Postfix's queue manager has it.
    """
    rng = np.random.default_rng(seed)
    lines: list[tuple[float, str]] = []
    # By the moment when it is free, the number of uses of each connection.
    free = [[(0.0, 0)] * queue.limit for queue in queues]
    slots = [0.0] * (shared or 10_000)
    done = [0] * len(queues)
    while any(count < queue.messages for count, queue in zip(done, queues, strict=True)):
        due = [
            (max(free[place][0][0], done[place] / queue.per_s), place)
            for place, queue in enumerate(queues)
            if done[place] < queue.messages
        ]
        ready_s, place = min(due)
        queue, number = queues[place], done[place]
        later = [each for each in due if each[0] <= slots[0]]
        if len(later) > 1:
            fewest = min(later, key=lambda each: done[each[1]])
            ready_s, place = fewest if in_turn else later[rng.integers(len(later))]
            queue, number = queues[place], done[place]
        start_s = max(ready_s, slots[0])
        came_s = number / queue.per_s
        _, use = heapq.heappop(free[place])
        use = use % queue.uses + 1
        c, d = queue.connect_s if use == 1 else 0.0, queue.takes_s(rng)
        end_s = start_s + c + d
        heapq.heappush(free[place], (end_s + queue.delay_s + queue.idle_s, use))
        heapq.heapreplace(slots, end_s + queue.idle_s)
        done[place] += 1
        lines.append(
            (end_s, _line(queue.domain, f"{place}{number:05d}", came_s, start_s, c, d, use))
        )
    return [line for _, line in sorted(lines)]


def _line(
    domain: str, name: str, came_s: float, start_s: float, c: float, d: float, use: int
) -> str:
    end_s = start_s + c + d
    stamp = (_BEGAN + timedelta(seconds=int(end_s))).strftime("%b %e %H:%M:%S")
    delays = "/".join(map(_digits, (0.0, start_s - came_s, c, d)))
    reused = f"conn_use={use}, " if use > 1 else ""
    return (
        f"{stamp} mx postfix/smtp[{100 + use % 7}]: A{name}: to=<u{name}@{domain}>, "
        f"relay=mx.{domain}[192.0.2.1]:25, {reused}delay={_digits(end_s - came_s)}, "
        f"delays={delays}, dsn=2.0.0, status=sent (250 2.0.0 Ok)"
    )


def calibrated(
    lines: Sequence[str], folder: Path, names: Sequence[str] = ("one.test", "two.test")
) -> Calibration:
    """Return the calibration of a log."""
    log = folder / "mail.log"
    log.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return calibrate([log], format="postfix", year=2026, providers={name: name for name in names})
