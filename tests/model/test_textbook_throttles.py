"""The limits of the textbook model."""

from __future__ import annotations

from collections import Counter

import pytest

from sendcap.scenario import FixedWindow
from sendcap.textbook.throttles import FixedWindowThrottle


@pytest.mark.parametrize("window", ["1100ms", "700ms", "1s", "100ms"])
def test_a_fixed_window_holds_at_each_of_its_begins(window) -> None:
    throttle = FixedWindowThrottle(FixedWindow(limit=2, window=window), 1)
    starts = []
    for _ in range(400):
        starts.append(throttle.start_s(0.0))
        throttle.charge(starts[-1], starts[-1])
    assert set(Counter(starts).values()) == {2}
