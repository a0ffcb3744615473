"""Counts by series and bin against a `Counter`, while the hash table grows and fills."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from sendcap.ledger import CLOCKS, EVENTS
from sendcap.model import tally as room
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
        names, event, reason, clock = tally._names(DELIVERIES, number)
        delivery, provider = DELIVERIES.index(names[0]), PROVIDERS.index(names[1])
        for bin_, count in zip(counts.bins.tolist(), counts.counts.tolist(), strict=True):
            key = (delivery, provider, EVENTS[event], reason, clock, bin_)
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
    """One eight of bins after the other, in a table that is half full."""
    tally = Tally(1.0, np.inf, PROVIDERS, REASONS)
    expected: Counter[tuple[object, ...]] = Counter()
    for bin_ in range(0, 8 * 200, 8):
        tally.add("happened", "accepted", 0, 2, np.array([float(bin_)]))
        expected[0, 2, "accepted", "", "happened", bin_] += 1
    assert counted(tally) == expected


def test_bins_far_away_are_those_of_their_series() -> None:
    """A year in bins of 100 ms has twice as many as fit into 27 bits."""
    tally = Tally(0.1, np.inf, PROVIDERS, REASONS)
    far_s = 366 * 86_400.0
    tally.add("happened", "accepted", 0, 1, np.array([far_s + 0.05]))
    assert counted(tally) == {(0, 1, "accepted", "", "happened", int(far_s * 10)): 1}
