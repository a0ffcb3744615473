"""Rows of the sending log, put in order."""

from __future__ import annotations

import numpy as np
import pytest

from sendcap.model.kernel import log
from sendcap.model.kernel.pointer import by_pointer
from sendcap.model.sending_log import _sorting

RNG = np.random.default_rng(1)
TIMES = {
    "of a minute": RNG.uniform(3600.0, 3660.0, 5000),
    "around zero": np.concatenate((np.zeros(20), -np.zeros(20), RNG.uniform(0.0, 1e-9, 500))),
    "of all magnitudes": 10.0 ** RNG.uniform(-300.0, 300.0, 5000),
    "of whole seconds": RNG.integers(0, 100, 5000).astype(float),
    # All of them have the same highest bits: the last is in another day.
    "of a moment, and one": np.append(40.0 + RNG.uniform(0.0, 1e-6, 5000), 1e5),
    "one": np.array([7.0]),
    "none": np.zeros(0),
}


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("until_s", [np.inf, 50.0])
def test_reports_are_sorted_by_time_and_those_of_one_time_stay_in_order(name, until_s) -> None:
    known_s = TIMES[name].copy()
    reports = log.Kept(known_s, known_s.view(np.int64), np.zeros(len(known_s), log.ROW))
    sorting = _sorting(len(known_s))
    ready = log.sort_before(by_pointer(reports), sorting, len(known_s), until_s)
    chosen = np.flatnonzero(known_s < until_s)
    expected = chosen[np.argsort(known_s[chosen], kind="stable")]
    assert sorting.order[:ready].tolist() == expected.tolist()
    assert sorting.times_s[:ready].tolist() == known_s[expected].tolist()
