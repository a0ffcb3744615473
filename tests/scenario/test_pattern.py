"""When the batches of a stream are ready that follows the hours of the clock."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest
from test_programme import programme

from sendcap.scenario.pattern import ready_s

HOUR = 3600.0
BERLIN = {"zone": "Europe/Berlin"}


def weights(default: float = 0.0, **hours: float) -> list[float]:
    """Return the weights of a day, of some hours (h7) another one."""
    return [hours.get(f"h{hour}", default) for hour in range(24)]


def ready_h(
    pattern: list[float], spread: str, batches: int, start: str, **sections: Any
) -> list[float]:
    delivery = {"spread": spread, "pattern": pattern, "validity": "14d", "at": "0s"}
    mta = {"longest_validity": "14d"}
    scenario = programme(delivery, start=start, mta=mta, **sections)
    (sent,) = scenario.deliveries
    return list(ready_s(sent, scenario.start, np.arange(batches), batches) / HOUR)


@pytest.mark.parametrize(
    ("pattern", "spread", "start", "expected_h"),
    [
        (weights(1.0), "4h", "2026-11-27T08:00:00", [0, 1, 2, 3]),
        # Three quarters in the second hour.
        (weights(h8=1.0, h9=3.0), "2h", "2026-11-27T08:00:00", [0, 1, 4 / 3, 5 / 3]),
        # Half an hour of 8 o'clock, then one of 9 o'clock with as much.
        (weights(h8=2.0, h9=1.0), "90m", "2026-11-27T08:30:00", [0, 0.25, 0.5, 1]),
        # What falls between two hours with messages is ready at the beginning of the later one.
        (weights(h8=1.0, h11=1.0), "4h", "2026-11-27T08:00:00", [0, 0.5, 3, 3.5]),
        # So is what comes before the first.
        (weights(h10=1.0), "4h", "2026-11-27T08:00:00", [2, 2.25, 2.5, 2.75]),
        # By the days of a week: 23:00 on a Sunday, and 00:00 on a Monday, thrice as many.
        ([3.0] + [0.0] * 166 + [1.0], "2h", "2026-11-29T23:00:00", [0, 1, 4 / 3, 5 / 3]),
    ],
)
def test_an_hour_has_messages_as_its_weight(
    pattern: list[float], spread: str, start: str, expected_h: list[float]
) -> None:
    assert ready_h(pattern, spread, 4, start) == pytest.approx(expected_h, rel=1e-12)


@pytest.mark.parametrize(
    ("start", "pattern", "spread", "expected_h"),
    [
        # 02:00 comes twice, as 03:00 is 02:00 again.
        ("2026-10-25T01:00:00", weights(h2=1.0), "4h", [1, 1.5, 2, 2.5]),
        ("2026-10-25T01:00:00", weights(h1=1.0, h3=1.0), "4h", [0, 0.5, 3, 3.5]),
        # 02:00 does not come, as it is 03:00.
        ("2026-03-29T01:00:00", weights(h1=1.0, h2=9.0, h3=1.0), "2h", [0, 0.5, 1, 1.5]),
        ("2026-03-29T01:00:00", weights(h2=9.0, h4=1.0), "3h", [2, 2.25, 2.5, 2.75]),
    ],
)
def test_an_hour_that_the_clock_shows_twice_or_never_has_messages_twice_or_never(
    start: str, pattern: list[float], spread: str, expected_h: list[float]
) -> None:
    assert ready_h(pattern, spread, 4, start, **BERLIN) == pytest.approx(expected_h, rel=1e-12)


def test_half_an_hour_is_put_forward_or_back_on_lord_howe_island() -> None:
    zone = {"zone": "Australia/Lord_Howe"}
    two = weights(h2=1.0)
    # 02:00 is 02:30; and 02:00 is 01:30 again.
    assert ready_h(two, "3h", 2, "2026-10-04T01:00:00", **zone) == [1.0, 1.25]
    assert ready_h(two, "3h", 2, "2026-04-05T01:00:00", **zone) == [1.5, 2.0]


@pytest.mark.parametrize("weight", [0.001, 0.123, 5e-324, 1e9])
@pytest.mark.parametrize("batches", [7, 49, 112])
def test_rounding_puts_nothing_before_hours_without_messages_that_is_ready_after_them(
    weight: float, batches: int
) -> None:
    """As many hours with messages as batches, each with two others between."""
    pattern = weights(**{f"h{hour}": weight for hour in range(0, 24, 3)})
    found_h = ready_h(pattern, f"{3 * batches}h", batches, "2026-11-27T00:00:00")
    np.testing.assert_allclose(found_h, 3 * np.arange(batches), rtol=0, atol=1e-9)


def test_where_the_spread_has_come_to_lie_on_hours_without_messages_all_are_ready_at_the_end() -> (
    None
):
    scenario = programme({"spread": "1h", "pattern": weights(h8=1.0)}, start="2026-11-27T08:00:00")
    late = scenario.deliveries[0].model_copy(update={"at": 5 * HOUR})
    found = ready_s(late, datetime(2026, 11, 27, 8), np.arange(3), 3)
    assert found.tolist() == [6 * HOUR] * 3
