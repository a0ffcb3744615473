from __future__ import annotations

import math

import pytest

from sendcap.text.quantities import counted, elapsed, precise


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.25, "0.25s"),
        (45, "45s"),
        (59.9999, "1m"),
        (60, "1m"),
        (61.4, "1m 1s"),
        (119.7, "2m"),
        (3_599.9, "1h"),
        (3_660, "1h 1m"),
        (86_399.9, "1d"),
        (302_400, "3d 12h"),
        (1_209_600, "14d"),
    ],
)
def test_elapsed_names_the_two_largest_units(seconds, text) -> None:
    assert elapsed(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(math.nan, "–"), (0.0004, "0s"), (0.0006, "0.0006s"), (90, "1m 30s")]
)
def test_a_missing_time_is_a_dash_and_a_tiny_one_zero(seconds, text) -> None:
    assert elapsed(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0ms"), (0.9994, "999ms"), (1.0, "1s"), (99.94, "99.9s"), (math.inf, "never")],
)
def test_a_precise_has_three_digits(seconds, text) -> None:
    assert precise(seconds) == text


def test_one_has_no_plural() -> None:
    assert [counted(n, "run") for n in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]
