"""Postfix's feedback, by the experiment of its SCHEDULER_README."""

from __future__ import annotations

import heapq

import pytest

from sendcap.model.kernel import fields
from sendcap.model.kernel.concurrency import ONE, OVER_ROOT, OVER_WINDOW, feed_back
from sendcap.model.records import records

DELIVERIES, ACCEPTED, LIMIT, INITIAL = 1000, 5, 20, 5
DELIVERS_S, REFUSES_S = 2.0, 0.2
"""2,000 recipients, two per delivery, for each of which the server sleeps a second."""
APART_S = DELIVERS_S / ACCEPTED
"""The first deliveries begin one after the other: of those that end at one moment, the first
successes would let in too many before the last ones end."""


def deferred_pct(feedback: int, half_steps: bool) -> float:
    """Deliver to a server that answers 421 beyond five connections."""
    row = {"positive": feedback, "negative": feedback, "half_steps": half_steps}
    row |= {"initial": INITIAL, "window": INITIAL, "connections": LIMIT}
    queue = records(fields.QUEUE, [row])[0]
    under_way: list[tuple[float, int, int]] = []
    now_s, open_connections, deferred, begun = 0.0, 0, 0, 0
    while begun < DELIVERIES or under_way:
        while begun < DELIVERIES and queue["taken"] < queue["window"]:
            is_refused = open_connections >= ACCEPTED
            queue["taken"] += 1
            open_connections += not is_refused
            ends_s = now_s + (REFUSES_S if is_refused else DELIVERS_S)
            ends_s += APART_S * begun if begun < INITIAL else 0.0
            heapq.heappush(under_way, (ends_s, begun, is_refused))
            begun += 1
        now_s, _, is_refused = heapq.heappop(under_way)
        queue["taken"] -= 1
        open_connections -= not is_refused
        deferred += is_refused
        feed_back(queue, fields.UNREACHABLE if is_refused else fields.NO_REASON)
    return 100.0 * deferred / DELIVERIES


@pytest.mark.parametrize(
    ("feedback", "published_pct"), [(OVER_WINDOW, 16.5), (OVER_ROOT, 24.5), (ONE, 49.7)]
)
def test_as_many_are_deferred_as_postfix_measured(feedback: int, published_pct: float) -> None:
    assert deferred_pct(feedback, half_steps=False) == pytest.approx(published_pct, abs=0.4)


@pytest.mark.parametrize(("feedback", "pct"), [(OVER_WINDOW, 16.5), (OVER_ROOT, 33), (ONE, 33)])
def test_the_source_defers_less_at_constant_feedback(feedback: int, pct: float) -> None:
    """Nothing is published on it: these are one refused in six, and one in three."""
    assert deferred_pct(feedback, half_steps=True) == pytest.approx(pct, abs=0.4)


def test_the_source_changes_the_window_half_a_step_earlier() -> None:
    rows = [{"negative": ONE, "window": 5, "connections": 20}] * 2
    queues = records(fields.QUEUE, rows)
    queues["half_steps"] = (0, 1)
    for queue in queues:
        feed_back(queue, fields.UNREACHABLE)
    assert queues["window"].tolist() == [4, 3]


def test_a_success_that_counts_forgets_failures_and_a_failure_successes() -> None:
    start = {"window": 2, "initial": 2, "connections": 20}
    rows = [
        start | {"positive": ONE, "negative": OVER_WINDOW},
        start | {"positive": OVER_WINDOW, "negative": ONE},
    ]
    unlucky, lucky = records(fields.QUEUE, rows)
    # One less for the first half of a failure; then one more, and one less again.
    for answer in (fields.UNREACHABLE, fields.NO_REASON, fields.UNREACHABLE):
        feed_back(unlucky, answer)
    assert unlucky["window"] == 1
    # Half a connection that the failure takes away; then one more, and half a one.
    for answer in (fields.NO_REASON, fields.UNREACHABLE, fields.NO_REASON, fields.NO_REASON):
        feed_back(lucky, answer)
    assert lucky["window"] == 2
