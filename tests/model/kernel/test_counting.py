"""Counts by series and bin against a `Counter`, while the hash table grows and fills."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from sendcap.ledger import CLOCKS, EVENTS
from sendcap.model import tally as room
from sendcap.model.kernel import tally as kernel
from sendcap.model.kernel.pointer import by_pointer
from sendcap.model.tally import Tally

PROVIDERS, REASONS, DELIVERIES = ("p", "q", "r"), ("", "full", "gone"), ("a", "b")
BIN_S, HORIZON_S = 7.5, 30_000.0
Key = tuple[int, int, str, str, str, int]


@pytest.fixture(autouse=True)
def _little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table as full as it gets, so that keys collide, and that grows often."""
    monkeypatch.setattr(room, "_FIRST_ROOM", 4)
    monkeypatch.setattr(room, "_PIECE", 4)


def series(rng: np.random.Generator) -> tuple[str, str, int, int, str]:
    return (
        str(rng.choice(CLOCKS)),
        str(rng.choice(EVENTS[:10])),
        int(rng.integers(len(DELIVERIES))),
        int(rng.integers(len(PROVIDERS))),
        str(rng.choice(REASONS)),
    )


def times_s(rng: np.random.Generator) -> np.ndarray:
    """Times of one bin, of neighbouring ones, or anywhere; on the edges of bins, too."""
    first_s, width_s = rng.uniform(0.0, HORIZON_S), rng.choice([1.0, 100.0, HORIZON_S])
    drawn = first_s + rng.uniform(0.0, width_s, int(rng.integers(0, 60)))
    return np.where(rng.random(len(drawn)) < 0.3, np.round(drawn / BIN_S) * BIN_S, drawn)


def added(tally: Tally, rng: np.random.Generator, steps: int) -> Counter[tuple[object, ...]]:
    """Count at random; return what should be counted."""
    expected: Counter[tuple[object, ...]] = Counter()
    for _ in range(steps):
        clock, event, delivery, provider, reason = series(rng)
        times = times_s(rng)
        weights = rng.integers(0, 1000, len(times)) if rng.random() < 0.5 else None
        tally.add(clock, event, delivery, provider, times, reason, weights)
        for number, time_s in enumerate(times.tolist()):
            if time_s < HORIZON_S:
                key = (delivery, provider, event, reason, clock, int(time_s / BIN_S))
                expected[key] += 1 if weights is None else int(weights[number])
    return +expected


def counted(tally: Tally) -> Counter[tuple[object, ...]]:
    found: Counter[tuple[object, ...]] = Counter()
    for number, counts in tally._found():
        pair, event, reason, clock = tally._parts(number)
        delivery, provider = divmod(pair, len(PROVIDERS))
        for bin_, count in zip(counts.bins.tolist(), counts.counts.tolist(), strict=True):
            key = (delivery, provider, EVENTS[event], REASONS[reason], CLOCKS[clock], bin_)
            assert key not in found
            found[key] = count
    return found


@pytest.mark.parametrize("seed", range(3))
def test_each_event_counts_in_its_bin_and_series(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tally = Tally(BIN_S, HORIZON_S, PROVIDERS, REASONS)
    expected = added(tally, rng, 120)
    assert counted(tally) == expected
    # Parts of a simulation are counted apart, and added up.
    other = tally.another()
    expected += added(other, rng, 60)
    tally.counted(other)
    assert counted(tally) == expected


def test_series_whose_keys_collide_are_counted_apart() -> None:
    """Seven bins after the other, in a table that is half full."""
    tally = Tally(1.0, np.inf, PROVIDERS, REASONS)
    expected: Counter[tuple[object, ...]] = Counter()
    for bin_ in range(0, 7 * 200, 7):
        tally.add("happened", "accepted", 0, 2, np.array([float(bin_)]))
        expected[0, 2, "accepted", "", "happened", bin_] += 1
    assert counted(tally) == expected


def test_bins_far_away_are_those_of_their_series() -> None:
    """A year in bins of 100 ms has twice as many as fit into 27 bits."""
    tally = Tally(0.1, np.inf, PROVIDERS, REASONS)
    far_s = 366 * 86_400.0
    tally.add("happened", "accepted", 0, 1, np.array([far_s + 0.05]))
    assert counted(tally) == {(0, 1, "accepted", "", "happened", int(far_s * 10)): 1}


@pytest.mark.parametrize("bin_s", [0.1, 0.3, 60.0, 1 / 3])
def test_what_happens_from_now_on_is_in_the_bin_of_its_time(bin_s: float) -> None:
    """The bin of the present moment is known; times just before its end are its own, too."""
    rng = np.random.default_rng(1)
    horizon_s = 900.5 * bin_s
    tally = Tally(bin_s, horizon_s, PROVIDERS, REASONS)
    edges_s = rng.integers(0, 1000, 500) * bin_s
    beside_s = np.nextafter(edges_s, rng.choice([0.0, np.inf], len(edges_s)))
    moments_s = np.sort(np.concatenate([edges_s, beside_s, rng.uniform(0, 1000 * bin_s, 500)]))
    tally.make_room(3000)
    counters, which = by_pointer(tally.counters), kernel.of_event(EVENTS.index("accepted"), 0)
    expected: Counter[tuple[object, ...]] = Counter()
    for now_s in moments_s[moments_s < horizon_s].tolist():
        kernel.begin(counters, now_s)
        for time_s in (now_s, now_s + float(rng.uniform(0.0, 9.0 * bin_s))):
            kernel.count(counters, kernel.series_of(counters, 0), which, time_s)
            if time_s < horizon_s:
                expected[0, 0, "accepted", REASONS[0], CLOCKS[0], int(time_s / bin_s)] += 1
    assert counted(tally) == expected
