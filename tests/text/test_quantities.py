from __future__ import annotations

import pytest

from sendcap.text.quantities import elapsed


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
