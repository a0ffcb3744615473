"""How far a simulation may be from the expected course: courses of runs that differ, and chance."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from sendcap.readings.convergence import Floats
from sendcap.readings.kpis import Figures, Readings
from sendcap.readings.modes import ALL_DELIVERIES, Denominator, Mode

_WIDER: Final = 1.5
"""Runs differ by so much more than the few courses do. Tuned on random scenarios."""
_DEVIATIONS: Final = 3.0
"""Standard deviations of a share of independent messages: a course has many moments."""
_UNSEEN: Final = 2.0
"""Messages that may have another fate although none is expected to."""


class ErrorBound(NamedTuple):
    """The bound over time, in points of both percentages, and the part of it without chance."""

    delivered_pt: Floats
    bounces_errors_pt: Floats
    courses_pt: Floats  # of whichever is more, but for courses that are a bin early or late


def error_bound(
    readings: Readings,
    courses: Sequence[Readings],
    mode: Mode,
    delivery: str = ALL_DELIVERIES,
    denominator: Denominator = "default",
) -> ErrorBound:
    """Return how far a simulation may be from an expected ledger, at the edges of its bins.

    The first course is the expected one on a coarser grid; the others are those of runs that are
    late or early. At each moment the bound is how far any of them is from the expected course, a
    bin earlier or later, and half as much again; and three standard deviations of the share of as
    many independent messages.
    """
    names = (mode, delivery, denominator)
    expected = readings.figures(*names)
    others = [course.figures(*names) for course in courses]
    shares = {
        name: _furthest(getattr(expected, name), [getattr(each, name) for each in others])
        for name in ("delivered_pct", "bounces_errors_pct")
    }
    counted = _messages(expected)
    delivered, bounced = (
        _WIDER * furthest + _by_chance(getattr(expected, name), counted)
        for name, furthest in shares.items()
    )
    apart = [
        _apart(getattr(expected, name), getattr(course, name))
        for course in others
        for name in shares
    ]
    return ErrorBound(delivered, bounced, _WIDER * np.fmax.reduce(apart, initial=0.0))


def _furthest(expected: Floats, courses: Sequence[Floats]) -> Floats:
    """Return how far other courses are from the expected one within a bin before and after."""
    bins = len(expected)
    furthest = np.where(np.isnan(expected), np.nan, 0.0)
    for course in courses:
        long = np.pad(course[:bins], (1, max(bins - len(course), 0) + 1), mode="edge")
        for shift in range(3):
            furthest = np.fmax(furthest, np.abs(long[shift : shift + bins] - expected))
    return furthest


def _apart(expected: Floats, course: Floats) -> Floats:
    """Return how far a course is from all that is expected within a bin before and after.

    A jump is no difference where only its bin is another one.
    """
    around = np.pad(expected, 1, mode="edge")
    near = np.stack([around[shift : shift + len(expected)] for shift in range(3)])
    padded = np.pad(course[: len(expected)], (0, max(len(expected) - len(course), 0)), mode="edge")
    apart: Floats = np.fmax(
        np.fmax(np.fmin.reduce(near) - padded, padded - np.fmax.reduce(near)), 0.0
    )
    return apart


def _messages(expected: Figures) -> Floats:
    """Return the messages that the percentages divide by, where there are any."""
    pct = expected.delivered_pct + expected.bounces_errors_pct
    counted = expected.to_deliver.astype(np.float64)
    np.divide(100.0 * (expected.sent + expected.failed), pct, out=counted, where=pct > 0.0)
    return np.maximum(counted, 1.0)


def _by_chance(pct: Floats, messages: Floats) -> Floats:
    share = np.clip(pct / 100.0, 0.0, 1.0)
    deviation = np.sqrt(share * (1.0 - share) / messages)
    return 100.0 * (_DEVIATIONS * deviation + _UNSEEN / messages)
