from __future__ import annotations

import math

import pytest

from sendcap.text.measures import measure_text
from sendcap.text.quantities import compact


@pytest.mark.parametrize(
    ("measure", "value", "text"),
    [
        ("accepted_99_pct_s", 5400.0, "1h 30m"),
        ("settling_s.0.5", 60.0, "1m"),
        ("truth_pct", 98.765, "98.77"),
        ("error_pt.efs", 0.5, "0.50"),
        ("soft", 1234.0, "1,234"),
        ("relay_per_s", 8.33333, "8.333"),
        ("soft", math.nan, "–"),
        ("settling_s", math.inf, "∞"),
    ],
)
def test_a_value_is_written_in_the_unit_of_its_measure(measure, value, text) -> None:
    assert measure_text(measure, value) == text


def test_charts_write_large_numbers_short() -> None:
    assert measure_text("soft", 12_500.0, compact) == "12.5 k"
