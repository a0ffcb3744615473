"""From attempts to the lives of messages: which attempts are one message's, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sendcap.calibration.attempts import (
    ACCEPTED,
    EXPIRED,
    HARD,
    RETURNED,
    SOFT,
    Flags,
    Floats,
    Ints,
    Records,
)

OPEN: Final = 0
"""How a life ends that was soft-bounced last: the log ends before it does."""

_TIME_EXPIRED: Final = 4_007
"""Subject and detail of "delivery time expired"."""
_SAME_EVENT_S: Final = 2.0
"""A bounce that two logs tell of has about the same time in both."""
_SAME_ARRIVAL_S: Final = 3.0
"""Arrivals of one message differ no more; Postfix rounds what they are computed from."""
_BEFORE_S: Final = 60.0
"""What arrived so long before the log's first attempt may have been tried before."""


@dataclass(frozen=True)
class Lives:
    """The attempts of a part of the messages, and their lives.

    Attributes
    ----------
    rows : ndarray of ATTEMPT
        The attempts, life by life, in order of time.
    number : ndarray of int, shape (rows,)
        Of the attempt in its life, from 0.
    first, last : ndarray of int, shape (lives,)
        Rows of each life's first and last attempt.
    end : ndarray of int, shape (lives,)
        ACCEPTED, HARD, EXPIRED or OPEN.
    whole : ndarray of bool, shape (lives,)
        Whether its first attempt is in the log.
    expired_s : ndarray of float, shape (lives,)
        When it expired; NaN where it did not.
    returned : ndarray of ATTEMPT
        Asynchronous bounces.
    """

    rows: Records
    number: Ints
    first: Ints
    last: Ints
    end: Ints
    whole: Flags
    expired_s: Floats
    returned: Records

    @property
    def tries(self) -> Ints:
        """Attempts of each life."""
        return self.last - self.first + 1


def lives(records: Records, first_s: float, *, strict: bool = True) -> Lives:
    """Join attempts to lives.

    A message's number may be used again, so a life also ends with an acceptance or a hard bounce,
    and another one begins where the arrival is another.

    Parameters
    ----------
    records
        All rows of some messages.
    first_s
        When the log's first attempt finished.
    strict
        Whether a message that came well before that may have been tried before.
    """
    records = _expiries_marked(records)
    outcome = records["outcome"]
    rows = records[(outcome == ACCEPTED) | (outcome == SOFT) | (outcome == HARD)]
    rows = rows[np.lexsort((rows["finished_s"], rows["recipient"], rows["message"]))]
    rows = rows[~_told_twice(rows)]
    begins = ~_continues(rows)
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(rows))[: len(first)] - 1
    number = np.arange(len(rows)) - np.repeat(first, last - first + 1)
    end = np.where(rows["outcome"][last] == SOFT, OPEN, rows["outcome"][last]).astype(np.int64)
    expired_s = _expired_s(rows[last], records[outcome == EXPIRED])
    expired_s[end != OPEN] = np.nan
    end[~np.isnan(expired_s)] = EXPIRED
    whole = rows["attempt"][first] <= 1
    if strict:
        # Of those whose arrival is unknown nobody can tell.
        whole &= ~(rows["arrived_s"][first] < first_s - _BEFORE_S)
    return Lives(rows, number, first, last, end, whole, expired_s, records[outcome == RETURNED])


def _expiries_marked(records: Records) -> Records:
    """Return the rows with those hard bounces as expiries by which an MTA gives up itself."""
    gave_up = (records["outcome"] == HARD) & (records["enhanced"] % 1_000_000 == _TIME_EXPIRED)
    if not gave_up.any():
        return records
    records = records.copy()
    records["outcome"][gave_up] = EXPIRED
    return records


def _same_message(rows: Records) -> Flags:
    """Tell which rows are of the same message as the row before."""
    same = np.zeros(len(rows), np.bool_)
    same[1:] = (rows["message"][1:] == rows["message"][:-1]) & (
        rows["recipient"][1:] == rows["recipient"][:-1]
    )
    return same


def _told_twice(rows: Records) -> Flags:
    """Tell which hard bounces are the one before once more, from the other log."""
    again = _same_message(rows)
    its, before = rows[1:], rows[:-1]
    again[1:] &= (its["outcome"] == HARD) & (before["outcome"] == HARD)
    again[1:] &= its["finished_s"] - before["finished_s"] <= _SAME_EVENT_S
    return again


def _continues(rows: Records) -> Flags:
    """Tell which attempts are of the same life as the one before."""
    same = _same_message(rows)
    same[1:] &= rows["outcome"][:-1] == SOFT
    apart = np.abs(rows["arrived_s"][1:] - rows["arrived_s"][:-1])
    same[1:] &= ~(apart > _SAME_ARRIVAL_S)
    return same


def _expired_s(last: Records, expired: Records) -> Floats:
    """Return when the message of each life expired after its last attempt, NaN if it did not."""
    found_s = np.full(len(last), np.nan)
    if not len(expired):
        return found_s
    expired = expired[np.lexsort((expired["finished_s"], expired["message"]))]
    place = np.searchsorted(expired["message"], last["message"], side="right") - 1
    its = expired[np.maximum(place, 0)]
    same = (place >= 0) & (its["message"] == last["message"])
    same &= (its["recipient"] == 0) | (its["recipient"] == last["recipient"])
    same &= its["finished_s"] >= last["finished_s"] - _SAME_EVENT_S
    found_s[same] = its["finished_s"][same]
    return found_s


def gaps_s(its: Lives) -> tuple[Ints, Floats]:
    """Return the rows that another attempt follows, and the time until that one was due.

    Where the log does not tell when an attempt was due, its finish stands for it.
    """
    follows = np.flatnonzero(its.number[1:] > 0)
    after = its.rows[follows + 1]
    due_s = np.where(np.isnan(after["ready_s"]), after["finished_s"], after["ready_s"])
    return follows, due_s - its.rows["finished_s"][follows]
