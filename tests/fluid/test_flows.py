"""Spans, limits and first-in-first-out stages, against figures worked out one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sendcap.fluid.backoff import before_expiry
from sendcap.fluid.limits import Fifo, Limit, Stepwise, Windowed, steady
from sendcap.fluid.spans import Spans, counted

TIMES = st.floats(0.0, 5000.0)
STRETCHES = st.lists(st.tuples(TIMES, st.floats(0.0, 900.0), st.floats(0.0, 100.0)), min_size=1)


def spans_of(stretches: list[tuple[float, float]], variance_s2: float = 0.0) -> Spans:
    first_s, last_s = np.array(stretches, np.float64).T
    return Spans(first_s, last_s, np.full(len(first_s), variance_s2))


@settings(max_examples=50, deadline=None)
@given(STRETCHES, st.sampled_from([1.0, 60.0, 7.3]))
@example([(0.0, 817.0, 1.0), (0.984375, 0.03125, 1.0)], 1.0)
def test_messages_are_counted_where_their_stretch_is(
    stretches: list[tuple[float, float, float]], bin_s: float
) -> None:
    spans = spans_of([(begin_s, begin_s + width_s) for begin_s, width_s, _ in stretches])
    messages = np.array([[count for _, _, count in stretches]])
    found = counted(spans, messages, bin_s)[0]
    expected = np.zeros(len(found))
    begins_s, ends_s = spans.ends_s
    for begin_s, end_s, count in zip(begins_s, ends_s, messages[0], strict=True):
        if count == 0.0:
            continue
        edges_s = np.clip(np.arange(len(found) + 1) * bin_s, begin_s, end_s)
        expected += count * np.diff(edges_s) / (end_s - begin_s)
    # An edge that cuts a moment may be rounded to either side.
    assert np.cumsum(found) == pytest.approx(np.cumsum(expected), abs=1e-3 * messages.max() + 1e-9)
    assert found.sum() == pytest.approx(messages.sum(), rel=1e-12)
    assert (found >= 0.0).all()


def test_chance_widens_a_stretch_to_the_same_variance() -> None:
    begin_s, end_s = spans_of([(100.0, 106.0)], variance_s2=(8.0**2) / 12.0).ends_s
    assert end_s - begin_s == pytest.approx(10.0)
    assert (end_s + begin_s) / 2 == pytest.approx(103.0)


@pytest.mark.parametrize(
    ("times", "expiry", "share", "stretch"),
    [
        ((0.0, 100.0), (60.0, 60.0), 0.6, (0.0, 60.0)),
        ((0.0, 100.0), (100.0, 100.0), 1.0, (0.0, 100.0)),
        ((70.0, 100.0), (60.0, 60.0), 0.0, None),
        # Whoever comes later lives longer, too: the stretch is shifted as a whole.
        ((0.0, 100.0), (20.0, 120.0), 1.0, (0.0, 100.0)),
    ],
)
def test_of_a_cohort_those_are_tried_that_come_before_they_expire(
    times: tuple[float, float],
    expiry: tuple[float, float],
    share: float,
    stretch: tuple[float, float] | None,
) -> None:
    shares, tried = before_expiry(spans_of([times]), spans_of([expiry]))
    assert shares.tolist() == pytest.approx([share])
    if stretch is not None:
        assert (tried.first_s[0], tried.last_s[0]) == pytest.approx(stretch)


LIMITS: dict[str, Limit] = {
    "steady": steady(2.0, 0.0),
    "burst": steady(0.5, 30.0),
    "stepwise": Stepwise(np.array([0.0, 50.0, 90.0]), np.array([1.0, 0.0, 5.0]), np.zeros(3)),
    "windowed": Windowed(25.0, 40.0),
}


@pytest.mark.parametrize("name", LIMITS)
def test_granted_and_when_are_inverse(name: str) -> None:
    limit = LIMITS[name]
    amounts = np.linspace(0.5, 300.0, 77)
    when_s = limit.when(amounts)
    assert (np.diff(when_s) >= 0.0).all()
    # A moment later they have been granted, a moment earlier they had not been.
    granted = limit.granted(when_s + 1e-6) + (25.0 if name == "windowed" else 0.0)
    assert (granted >= amounts - 1e-9).all()
    later = when_s[when_s > 0.0]
    before = limit.granted(later - 1e-3) + (25.0 if name == "windowed" else 0.0)
    assert (before < amounts[when_s > 0.0] + 1e-9).all()


def starts_one_by_one(limit: Limit, arrives_s: list[float], each: float) -> list[float]:
    """Starts of portions of so many messages each, as a token bucket lets them go."""
    if isinstance(limit, Windowed):
        window, used, starts_s = 0.0, 0.0, []
        for arrives in arrives_s:
            now = max(arrives // limit.window_s, window)
            if now > window:
                window, used = now, 0.0
            if used + each > limit.limit + 1e-9:
                window, used = window + 1.0, 0.0
            used += each
            starts_s.append(max(arrives, window * limit.window_s))
        return starts_s
    tokens_at, starts_s = -np.inf, []
    for arrives in arrives_s:
        arrival = limit.opens_s(np.array([arrives]))
        needs = max(tokens_at, limit.granted(arrival)[0])
        size = np.broadcast_to(limit.burst(arrival), 1)[0]
        start = max(arrival[0], limit.when(np.array([needs - size]))[0])
        starts_s.append(float(limit.opens_s(np.array([start]))[0]))
        tokens_at = needs + each
    return starts_s


@pytest.mark.parametrize("name", LIMITS)
def test_a_fifo_stage_agrees_with_a_bucket_portion_by_portion(name: str) -> None:
    rng = np.random.default_rng(5)
    arrives_s = np.sort(rng.uniform(0.0, 100.0, 600)).tolist()
    spans = spans_of([(arrives_, arrives_) for arrives_ in arrives_s])
    each = 0.5
    stage = Fifo([LIMITS[name]], spans, np.full(len(arrives_s), each))
    found = stage.through(spans).middle_s
    by_hand = np.array(starts_one_by_one(LIMITS[name], arrives_s, each))
    # The middle of a portion starts half a portion later than its beginning; one that is cut by
    # the end of a window or by closing time is in both.
    off = np.abs(found - by_hand)
    assert np.quantile(off, 0.98) < 1.0
    assert (found >= np.array(arrives_s) - 1e-5).all()


def test_limits_that_hold_each_other_back_are_both_kept() -> None:
    quiet = Stepwise(np.array([0.0, 10.0, 100.0]), np.array([50.0, 0.0, 50.0]), np.zeros(3))
    spans = spans_of([(0.001 * number, 0.001 * (number + 1)) for number in range(1000)])
    stage = Fifo([quiet, steady(10.0, 0.0)], spans, np.ones(1000))
    starts_s = np.sort(stage.through(spans).first_s)
    # 100 until the quiet time, the other 900 after it, and never more than 10 per second.
    assert np.searchsorted(starts_s, 10.0) == pytest.approx(100, abs=2)
    assert starts_s[-1] == pytest.approx(190.0, abs=0.5)
    assert (starts_s[50:] - starts_s[:-50] >= 5.0 - 0.01).all()


def test_a_stage_without_limits_holds_nobody_back() -> None:
    spans = spans_of([(1.0, 2.0), (2.0, 3.0)])
    assert Fifo([], spans, np.array([1e6, 1e6])).through(spans).last_s == pytest.approx([2.0, 3.0])
    assert Fifo([steady(1.0, 0.0)], spans, np.zeros(2)).starts_s(np.array([5.0])) == [5.0]
