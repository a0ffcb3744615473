from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from sendcap.errors import SendcapError
from sendcap.study.capacity.searches.search import (
    AT_A_TIME,
    AllLargeEnoughError,
    NoneSmallEnoughError,
    Root,
    Trial,
    largest_size,
)


def search(
    root_of: Callable[[int], float],
    guess: float,
    slope: float = 1.0,
    asked: list[Trial] | None = None,
    **keywords,
) -> Root:
    """Search where each replication has its own root, known to the test."""

    def excess(questions: Sequence[Trial]) -> list[float]:
        if asked is not None:
            asked.extend(questions)
        return [
            slope * math.log(question.size / root_of(question.replication))
            for question in questions
        ]

    settings = {"most": 10**9, "confidence": 0.95, "precision": 0.002, "replications": 40}
    return largest_size(excess, guess, **(settings | keywords))


@pytest.mark.parametrize("root", [3.5, 77.0, 9_537_123.0])
@pytest.mark.parametrize("off", [1e-6, 0.5, 0.97, 1.0, 1.1, 40.0])
@pytest.mark.parametrize("slope", [0.05, 1.0, 4.0])
def test_the_root_is_found_from_any_guess(root, off, slope) -> None:
    found = search(lambda _: root, off * root, slope)
    # A size is a whole number.
    assert math.floor(found.size.mean) == pytest.approx(root, rel=0.002, abs=0.5)
    assert found.precise


def test_a_good_guess_takes_few_simulations() -> None:
    asked: list[Trial] = []
    roots = np.random.default_rng(1).normal(9_500_000, 4_000, AT_A_TIME)
    found = search(lambda number: roots[number], 9_400_000, asked=asked)
    assert len(asked) <= 2 + 2 * AT_A_TIME
    assert found.roots == pytest.approx(list(roots), rel=1e-4)


def test_nothing_is_simulated_twice() -> None:
    asked: list[Trial] = []
    search(lambda number: 50.5 + number % 7, 9.0, asked=asked)
    assert len(set(asked)) == len(asked)


def test_a_jump_across_the_target_is_its_root() -> None:
    # As where retries come in: up to 5000 messages half the time is enough.
    def excess(questions: Sequence[Trial]) -> list[float]:
        return [-0.7 if question.size <= 5000 else 0.4 for question in questions]

    found = largest_size(excess, 900, most=10**9, confidence=0.95, precision=0.002, replications=4)
    assert found.size.mean == pytest.approx(5000, rel=0.001)


def test_replications_are_added_until_the_interval_is_as_narrow_as_asked() -> None:
    draws = np.random.default_rng(2).normal(1e6, 2e4, 200)
    narrow = search(lambda number: draws[number], 1e6, precision=0.005, replications=200)
    wide = search(lambda number: draws[number], 1e6, precision=0.05, replications=200)
    assert narrow.precise
    assert wide.precise
    assert wide.size.n == AT_A_TIME
    assert narrow.size.n > 10
    assert narrow.size.half_width <= 0.005 * narrow.size.mean
    assert narrow.size.low < 1e6 < narrow.size.high
    stopped = search(lambda number: draws[number], 1e6, precision=0.0005, replications=10)
    assert not stopped.precise
    assert stopped.size.n == 10


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    generator = np.random.default_rng(3)
    covered = []
    for _ in range(300):
        draws = generator.normal(1e6, 1e4, 40)
        size = search(lambda number, drawn=draws: drawn[number], 1e6, precision=0.01).size
        covered.append(size.low <= 1e6 <= size.high)
    # A sequential rule covers a little less often than it says.
    assert 0.90 <= np.mean(covered) <= 0.98


def test_without_a_root_it_says_on_which_side() -> None:
    with pytest.raises(NoneSmallEnoughError):
        search(lambda _: 0.5, 1000.0)
    with pytest.raises(AllLargeEnoughError):
        search(lambda _: 2e9, 1000.0)
    # One replication is enough: no size can be promised.
    with pytest.raises(NoneSmallEnoughError):
        search(lambda number: 0.5 if number == 3 else 100.0, 1000.0)


def test_a_size_that_just_meets_the_target_meets_it() -> None:
    def excess(questions: Sequence[Trial]) -> list[float]:
        return [max(float(question.size - 20), 0.0) for question in questions]

    found = largest_size(excess, 3, most=50, confidence=0.95, precision=0.002, replications=4)
    assert math.floor(found.size.mean) == 20


@pytest.mark.parametrize("precision", [0.0, -1.0, math.nan])
def test_a_precision_that_cannot_be_reached_is_refused(precision) -> None:
    with pytest.raises(SendcapError, match="precision: must be more than 0"):
        search(lambda _: 50.0, 50.0, precision=precision)


def test_a_shallow_excess_takes_few_simulations() -> None:
    # As where a provider refuses connections: retries make up for most of it.
    asked: list[Trial] = []
    found = search(lambda number: 8_600_000 + 2_000 * number, 1e7, slope=0.15, asked=asked)
    assert found.size.n == AT_A_TIME
    assert len(asked) <= 2 + 5 * AT_A_TIME
    assert found.size.mean == pytest.approx(8_603_000, rel=1e-3)


def test_a_jump_is_bracketed_by_what_is_known() -> None:
    asked: list[Trial] = []

    def excess(questions: Sequence[Trial]) -> list[float]:
        asked.extend(questions)
        return [-0.002 if question.size <= 985_000 else 0.5 for question in questions]

    settings = {"most": 10**9, "confidence": 0.95, "precision": 0.002, "replications": 4}
    found = largest_size(excess, 1_000_000, **settings)
    assert found.size.mean == pytest.approx(985_000, rel=0.001)
    assert len(asked) <= 4 + 15 * AT_A_TIME
