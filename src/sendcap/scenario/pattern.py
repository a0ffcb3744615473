"""The pattern of a stream: how many of its messages become ready in each hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field

from sendcap.scenario.section import MOST, Number, Place
from sendcap.text.clock import after

if TYPE_CHECKING:
    from sendcap.scenario.delivery import Delivery

Floats = npt.NDArray[np.float64]
_DAY, _WEEK = 24, 168
_ROUNDED: Final = 1e-12
"""Share of all messages by which sums may be off."""


def _whole_days(weights: tuple[float, ...]) -> tuple[float, ...]:
    if len(weights) not in (_DAY, _WEEK):
        raise ValueError(
            f"has {len(weights)} numbers; must have 24, one for each hour of the day from 00:00, "
            "or 168, one for each hour of the week from Monday 00:00"
        )
    if not any(weights):
        raise ValueError("has only zeros; give at least one hour some messages")
    return weights


Pattern = Annotated[
    tuple[Annotated[Number, Field(ge=0, le=MOST)], ...], AfterValidator(_whole_days)
]
"""Weights of the hours of a day or a week, in any unit."""


def ready_s(
    delivery: Delivery, start: datetime | None, batch: npt.NDArray[Any], batches: int
) -> Floats:
    """Return when batches of a delivery are ready, numbered from 0 to below their number.

    An hour with twice the weight has twice the messages, evenly. A message that falls between two
    hours with messages is ready at the beginning of the later one. If no hour has any, since the
    delivery was confirmed late, all are ready at the end.
    """
    if delivery.pattern is None:
        return delivery.at + delivery.spread / batches * batch
    assert start is not None
    edges_s, weights = _hours(delivery, start)
    counts = np.concatenate(([0.0], np.cumsum(weights * np.diff(edges_s))))
    total = counts[-1]
    if not total:
        return np.full(len(batch), edges_s[-1])
    wanted = total / batches * batch
    # A sum that is rounded must not put what is ready after hours without messages before them.
    reached = np.minimum(wanted + _ROUNDED * total, np.nextafter(total, 0.0))
    hour = np.searchsorted(counts, reached, side="right") - 1
    after_s: Floats = np.maximum(wanted - counts[hour], 0.0) / weights[hour]
    moments_s: Floats = np.minimum(edges_s[hour] + after_s, edges_s[hour + 1])
    return moments_s


def pattern_problems(delivery: Delivery, start: datetime | None) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong with a delivery's pattern, and where."""
    if delivery.pattern is None:
        return
    if not delivery.spread:
        yield ("pattern",), 'is that of a stream; give its length, such as spread = "7d"'
    elif start is None:
        yield ("pattern",), "goes by the clock, which needs start, the date and time of t = 0"
    elif not _hours(delivery, start)[1].any():
        yield ("pattern",), "has only zeros for the hours of the spread; nothing would be ready"


def _hours(delivery: Delivery, start: datetime) -> tuple[Floats, Floats]:
    """Return the edges of the hours in which messages become ready, and the weight of each."""
    ends_s = delivery.at + delivery.spread
    assert delivery.pattern is not None
    edges_s, weights = [delivery.at], []
    while edges_s[-1] < ends_s:
        local = after(start, edges_s[-1])
        hour = local.replace(minute=0, second=0, microsecond=0, tzinfo=None)
        left_s = (hour + timedelta(hours=1) - local.replace(tzinfo=None)).total_seconds()
        number = 24 * local.weekday() + local.hour
        weights.append(delivery.pattern[number % len(delivery.pattern)])
        edges_s.append(min(edges_s[-1] + left_s, ends_s))
    # In units of the greatest, so that their sums are neither too large nor too small.
    return np.array(edges_s), np.array(weights) / (max(weights) or 1.0)
