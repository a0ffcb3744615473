"""Rows of the sending log, put in order."""

from __future__ import annotations

import numpy as np
import pytest

from sendcap.model.kernel import log
from sendcap.model.kernel.pointer import by_pointer

RNG = np.random.default_rng(1)
TIMES = {
    "of a minute": RNG.uniform(3600.0, 3660.0, 5000),
    "around zero": np.concatenate((np.zeros(20), -np.zeros(20), RNG.uniform(0.0, 1e-9, 500))),
    "of all magnitudes": 10.0 ** RNG.uniform(-300.0, 300.0, 5000),
    "of whole seconds": RNG.integers(0, 100, 5000).astype(float),
    "one": np.array([7.0]),
    "none": np.zeros(0),
}


def room(count: int) -> log.Sorting:
    whole, short = np.zeros((2, count), np.int64), np.zeros((3, count), np.int32)
    digits = np.zeros(log.DIGITS, np.int32)
    return by_pointer(log.Sorting(*whole, *short[:2], digits, short[2]))


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("until_s", [np.inf, 50.0])
def test_reports_are_sorted_by_time_and_those_of_one_time_stay_in_order(name, until_s) -> None:
    known_s = TIMES[name].copy()
    reports = log.Kept(known_s, known_s.view(np.int64), np.zeros(len(known_s), log.ROW))
    sorting = room(len(known_s))
    ready = log.sort_before(by_pointer(reports), sorting, len(known_s), until_s)
    chosen = np.flatnonzero(known_s < until_s)
    expected = chosen[np.argsort(known_s[chosen], kind="stable")]
    assert sorting.order[:ready].tolist() == expected.tolist()
