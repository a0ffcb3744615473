"""When attempts start under the limits of a queue: by hand, and as the rules say in plain words."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from sendcap.model.kernel import fields
from sendcap.model.kernel.limits import charge, earliest_s
from sendcap.model.kernel.pointer import by_pointer
from sendcap.model.limit_rows import LimitRows
from sendcap.model.records import records
from sendcap.scenario import FixedWindow, Gap, Rate, Schedule

WINDOW = FixedWindow(limit=2, window="10s")


def starts_s(limits: Sequence[Any], ready_s: Sequence[float], ips: int = 1) -> list[float]:
    """Let messages start as soon as all limits allow; each attempt takes three seconds."""
    rows = LimitRows()
    arrays = by_pointer(rows.numbers([rows.add(limit, ips) for limit in limits]))
    row = {"limits": len(limits), "held_until_s": -np.inf}
    queue = records(fields.QUEUE, [row])[0]
    starts, now_s = [], 0.0
    for ready in ready_s:
        now_s = earliest_s(arrays, queue, max(ready, now_s))
        charge(arrays, queue, now_s, now_s + 3.0)
        starts.append(now_s)
    return starts


def schedule(*steps: tuple[str, str]) -> Schedule:
    return Schedule.model_validate({"steps": [{"at": at, "rate": rate} for at, rate in steps]})


@pytest.mark.parametrize(
    ("limits", "ips", "ready_s", "expected_s"),
    [
        # GCRA: the burst at once, then one per interval; what is saved up is never more than it.
        ([Rate.parse("2/10s")], 1, [0] * 5, [0, 0, 5, 10, 15]),
        ([Rate.parse("2/10s")], 1, [0, 0, 7, 7, 99, 99, 99], [0, 0, 7, 10, 99, 99, 104]),
        ([Rate.parse("2/10s,max_burst=1")], 1, [0, 1, 20, 24], [0, 5, 20, 25]),
        ([Rate.parse("1/8s,max_burst=3")], 1, [0] * 5, [0, 0, 0, 8, 16]),
        ([Rate.parse("1/8s")], 2, [0] * 4, [0, 0, 4, 8]),
        # Fixed windows begin at whole multiples, whenever they are used.
        ([WINDOW], 1, [3, 9, 9, 9, 9], [3, 9, 10, 10, 20]),
        ([WINDOW], 1, [9, 10, 10, 10, 35], [9, 10, 10, 20, 35]),
        ([WINDOW], 2, [0] * 5, [0, 0, 0, 0, 10]),
        # A pause begins at the finish, three seconds after the start; each address has its own.
        ([Gap(pause="1s")], 1, [0, 0, 0, 20], [0, 4, 8, 20]),
        ([Gap(pause="1s")], 2, [0, 1, 1, 1, 1], [0, 1, 4, 5, 8]),
        # A new step has its burst, less what is owed: at 10 s half the attempt at 9 s.
        ([schedule(("0s", "1/2s"), ("10s", "2/2s"))], 1, [9] * 5, [9, 10, 10.5, 11.5, 12.5]),
        # At 8 s half the attempt at 7.5 s is paid; the other half takes a second.
        ([schedule(("0s", "1/2s"), ("4s", "1/s"), ("8s", "1/2s"))], 1, [0, 7.5, 7.5], [0, 7.5, 9]),
        # A closed queue saves nothing: at 4 s the attempt has been paid, at 6 s half the next.
        ([schedule(("0s", "1/4s"), ("6s", "closed"), ("8s", "1/4s"))], 1, [0] * 4, [0, 4, 10, 14]),
        # No attempt starts at the moment at which the queue is closed.
        ([schedule(("0s", "1/2s"), ("6s", "closed"), ("20s", "1/2s"))], 1, [0] * 4, [0, 2, 4, 20]),
        # Each limit may be met only later than another allows: the gap at 8, the window at 10.
        ([Gap(pause="1s"), WINDOW], 1, [0] * 4, [0, 4, 10, 14]),
        ([WINDOW, Gap(pause="5s")], 1, [1] * 4, [1, 9, 17, 25]),
        ([Rate.parse("1/8s"), WINDOW, Gap(pause="4s")], 1, [0] * 4, [0, 8, 16, 24]),
        # The pause lasts until the queue is closed.
        (
            [schedule(("0s", "1/s"), ("6s", "closed"), ("20s", "1/s")), Gap(pause="5s")],
            1,
            [0] * 3,
            [0, 20, 28],
        ),
    ],
)
def test_attempts_start_when_they_should(limits, ips, ready_s, expected_s) -> None:
    assert starts_s(limits, ready_s, ips) == expected_s


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize("window", ["700ms", "100ms", "1100ms", "3300ms"])
def test_a_window_begins_at_its_multiple_however_that_is_rounded(limit: int, window: str) -> None:
    """The third multiple of 700 ms over 700 ms is a little less than three."""
    fixed = FixedWindow(limit=limit, window=window)
    expected = [number // limit * fixed.window for number in range(200)]
    assert starts_s([fixed], [0.0] * 200) == expected


def conforms_to_rate(starts: list[float], rate: Rate) -> bool:
    """No stretch of time has more than the burst and what the rate gives in it."""
    return all(
        last - first + 1 <= rate.burst_or_limit + (starts[last] - starts[first]) * rate.per_s + 1e-9
        for first, last in itertools.combinations(range(len(starts)), 2)
    )


def conforms_to_window(starts: list[float], limit: FixedWindow) -> bool:
    windows = [math.floor(start / limit.window) for start in starts]
    return max(map(windows.count, windows)) <= limit.limit


def conforms_to_gap(starts: list[float], limit: Gap) -> bool:
    return all(two - one >= 3.0 + limit.pause for one, two in itertools.pairwise(starts))


RULES: list[tuple[Any, Any]] = [
    (Rate.parse("4/8s"), conforms_to_rate),
    (Rate.parse("4/8s,max_burst=2"), conforms_to_rate),
    (FixedWindow(limit=3, window="6s"), conforms_to_window),
    (Gap(pause="500ms"), conforms_to_gap),
]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("chosen", [[0], [1], [2], [3], [0, 2], [1, 3], [2, 3], [1, 2, 3]])
def test_each_attempt_is_the_earliest_that_all_rules_allow(chosen, seed) -> None:
    """On a grid of half seconds, on which all times fall, none earlier would do."""
    limits = [RULES[number][0] for number in chosen]
    ready_s = np.cumsum(np.random.default_rng(seed).choice([0.0, 0.0, 0.5, 1.0, 9.0], 25)).tolist()
    starts = starts_s(limits, ready_s)
    for number, start_s in enumerate(starts):
        before = starts[:number]
        first_s = max(ready_s[number], before[-1] if before else 0.0)
        allowed = [
            all(RULES[rule][1]([*before, at_s], RULES[rule][0]) for rule in chosen)
            for at_s in np.arange(first_s, start_s + 0.5, 0.5).tolist()
        ]
        assert allowed.index(True) == len(allowed) - 1, (number, start_s)
