"""Lives of messages: the attempts of each message, and the outcome."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from sendcap.calibration.attempts import (
    ACCEPTED,
    EXPIRED,
    HARD,
    LEFT,
    RECEIVED,
    REMOVED,
    RETURNED,
    SOFT,
    Flags,
    Floats,
    Ints,
    Records,
)

OPEN: Final = 0
"""The outcome of a message that was soft-bounced last: the log ends before it does."""

_TIME_EXPIRED: Final = 4_007
"""Subject and detail of "delivery time expired"."""
_SAME_EVENT_S: Final = 2.0
"""A bounce reported by two logs has about the same time in both."""
_SAME_ARRIVAL_S: Final = 3.0
"""Largest difference between arrivals of one message, which Postfix computes from rounded times."""
_HOUR_S: Final = 3600.0
_TIMES: Final = ("arrived_s", "ready_s", "not_due_s", "started_s", "finished_s")
BEFORE_S: Final = 60.0
"""A message that arrived this long before the first attempt may have been tried before."""


@dataclass(frozen=True)
class Lives:
    """Lives of some messages: first an array entry for each attempt, then one for each life."""

    rows: Records  # attempts, life by life, in order of time
    life: Ints
    number: Ints  # position of an attempt in the life, from 0
    first: Ints  # row of the first attempt
    last: Ints
    end: Ints  # ACCEPTED, HARD, EXPIRED or OPEN
    complete: Flags  # whether the first attempt is in the log
    expired_s: Floats  # NaN without an expiry
    returned: Records  # asynchronous bounces
    untold: Records  # a record of each message without an attempt: EXPIRED, REMOVED or RECEIVED
    removed: int  # messages that an operator bounced
    withdrawn: Flags  # whether a life is open because an operator bounced the message

    @property
    def tries(self) -> Ints:
        """Attempts of each life."""
        return self.last - self.first + 1


def lives(records: Records, first_s: float, *, strict: bool = True) -> Lives:
    """Join attempts to lives.

    An MTA may reuse the number of a message, so a life also ends with an acceptance or a hard
    bounce, and a different arrival begins another one. ``strict`` counts a message that arrived
    well before the first attempt as tried before.
    """
    _add_arrivals(records)
    _set_back(records)
    outcome = records["outcome"].copy()
    # By such a hard bounce the MTA itself gives up.
    outcome[(outcome == HARD) & (records["enhanced"] % 1_000_000 == _TIME_EXPIRED)] = EXPIRED
    rows = records[(outcome == ACCEPTED) | (outcome == SOFT) | (outcome == HARD)]
    rows = rows[np.lexsort((rows["finished_s"], rows["recipient"], rows["message"]))]
    rows = _of_recipients(rows[~_reported_twice(rows)])
    begins = ~_continues(rows)
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(rows))[: len(first)] - 1
    life = np.cumsum(begins) - 1
    number = np.arange(len(rows)) - first[life]
    end = np.where(rows["outcome"][last] == SOFT, OPEN, rows["outcome"][last]).astype(np.int64)
    expired_s = _expired_s(rows[last], records[outcome == EXPIRED])
    expired_s[end != OPEN] = np.nan
    end[~np.isnan(expired_s)] = EXPIRED
    complete = rows["attempt"][first] <= 1
    if strict:
        # NaN compares false: a message of unknown arrival counts as complete.
        complete &= ~(rows["arrived_s"][first] < first_s - BEFORE_S)
    returned = records[outcome == RETURNED]
    untold = _untold(records, outcome, rows)
    removed = records["message"][outcome == REMOVED]
    withdrawn = (end == OPEN) & np.isin(rows["message"][first], removed)
    of_lives = (first, last, end, complete, expired_s)
    return Lives(rows, life, number, *of_lives, returned, untold, len(removed), withdrawn)


def _add_arrivals(records: Records) -> None:
    """Give attempts whose records do not tell the arrival that of the record of the reception."""
    received = records[(records["outcome"] == RECEIVED) & ~np.isnan(records["arrived_s"])]
    unknown = np.flatnonzero(np.isnan(records["arrived_s"]))
    if not len(received) or not len(unknown):
        return
    keys, first = np.unique(_key(received), return_index=True)
    wanted = _key(records[unknown])
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    known = keys[place] == wanted
    records["arrived_s"][unknown[known]] = received["arrived_s"][first[place[known]]]


def _set_back(records: Records) -> None:
    """Set back the times of attempts that are an hour off, because the clocks were changed.

    Stamps of local time without a zone jump then. An age does not, so the arrival that it tells has
    another hour for the attempts behind the jump.
    """
    again = np.isin(records["message"], records["message"][records["outcome"] == SOFT])
    again &= (records["outcome"] <= HARD) & ~np.isnan(records["arrived_s"])
    which = np.flatnonzero(again)
    if not len(which):
        return
    rows = records[which]
    age_s = rows["finished_s"] - rows["arrived_s"]
    order = np.lexsort((age_s, rows["recipient"], rows["message"]))
    which, rows = which[order], rows[order]
    same, _, _ = _same_message(rows)
    begins = np.flatnonzero(~same)
    first_s = rows["arrived_s"][begins][np.cumsum(~same) - 1]
    off_s = rows["arrived_s"] - first_s
    jumped = same & (np.abs(np.abs(off_s) - _HOUR_S) <= _SAME_ARRIVAL_S)
    for name in _TIMES if jumped.any() else ():
        records[name][which[jumped]] -= np.copysign(_HOUR_S, off_s[jumped])


def _untold(records: Records, outcome: Ints, rows: Records) -> Records:
    """Return one record of each message that has no attempt; an end tells more than a reception.

    A record without a recipient, and a reception, which may name several, concern all recipients.
    """
    which = np.flatnonzero((outcome == EXPIRED) | (outcome == REMOVED) | (outcome == RECEIVED))
    if not len(which):
        return records[:0]
    of_all = (records["recipient"][which] == 0) | (outcome[which] == RECEIVED)
    told = np.isin(records["message"][which], rows["message"]) & of_all
    told |= np.isin(records["message"][which], rows["message"][rows["recipient"] == 0])
    told |= np.isin(_key(records[which]), _key(rows))
    # A bounce that came back is a reception, too, and so is a message to a local mailbox.
    elsewhere = records["message"][(outcome == RETURNED) | (outcome == LEFT)]
    told |= np.isin(records["message"][which], elsewhere) & (outcome[which] == RECEIVED)
    which = which[~told]
    ended = records["message"][which[outcome[which] != RECEIVED]]
    which = which[(outcome[which] != RECEIVED) | ~np.isin(records["message"][which], ended)]
    # Of two ends, an expiry tells more than a removal.
    which = which[np.argsort(outcome[which], kind="stable")]
    _, first = np.unique(_key(records[which]), return_index=True)
    untold: Records = records[which[first]]
    untold["outcome"] = outcome[which[first]]
    return untold


def _key(records: Records) -> npt.NDArray[np.uint64]:
    """Return a number for each message and recipient."""
    odd = np.uint64(0x9E3779B97F4A7C15)
    return np.asarray(records["message"] + records["recipient"].astype(np.uint64) * odd, np.uint64)


def _same_message(rows: Records) -> tuple[Flags, Records, Records]:
    """Return a mask of rows of the same message as the previous row, and all pairs of rows."""
    before, after = rows[:-1], rows[1:]
    same = np.zeros(len(rows), np.bool_)
    same[1:] = before["message"] == after["message"]
    same[1:] &= before["recipient"] == after["recipient"]
    return same, before, after


def _reported_twice(rows: Records) -> Flags:
    """Return a mask of bounces that repeat another row, from another log.

    One log has the number of the attempt and the other has none. And no recipient bounces twice:
    where none is named, as in Momentum's logs, several bounces are of several recipients.
    """
    again, before, after = _same_message(rows)
    again[1:] &= after["outcome"] == before["outcome"]
    again[1:] &= after["finished_s"] - before["finished_s"] <= _SAME_EVENT_S
    bounced, numbered = np.isin(rows["outcome"], (SOFT, HARD)), rows["attempt"] > 0
    event = np.cumsum(~again) - 1
    with_number = np.zeros(len(rows), np.bool_)
    with_number[event[numbered]] = True
    twice: Flags = bounced & ~numbered & with_number[event]
    twice |= again & (rows["outcome"] == HARD) & (rows["recipient"] != 0)
    return twice


def _of_recipients(rows: Records) -> Records:
    """Return rows with recipients for those that name none and number their attempts.

    Momentum has a line for each recipient of a message at a domain. Who was deferred has the next
    attempt, so in each one those who are come first, and the numbers of the same are the same.
    """
    which = np.flatnonzero((rows["recipient"] == 0) & (rows["attempt"] > 0))
    own = rows[which]
    order = np.lexsort((own["outcome"] != SOFT, own["attempt"], own["message"]))
    which, own = which[order], own[order]
    begins = np.ones(len(own), np.bool_)
    begins[1:] = (np.diff(own["message"]) != 0) | (np.diff(own["attempt"]) != 0)
    if begins.all():
        return rows
    place = np.arange(len(own))
    rows["recipient"][which] = place - place[begins][np.cumsum(begins) - 1]
    return rows[np.lexsort((rows["finished_s"], rows["recipient"], rows["message"]))]


def _continues(rows: Records) -> Flags:
    """Return a mask of attempts of the same life as the previous row."""
    same, before, after = _same_message(rows)
    same[1:] &= before["outcome"] == SOFT
    same[1:] &= ~(np.abs(after["arrived_s"] - before["arrived_s"]) > _SAME_ARRIVAL_S)
    return same


def _expired_s(last: Records, expired: Records) -> Floats:
    """Return the expiry of each life after the last attempt; NaN without one."""
    expired_s = np.full(len(last), np.nan)
    if not len(expired):
        return expired_s
    expired = expired[np.lexsort((expired["finished_s"], expired["message"]))]
    position = np.searchsorted(expired["message"], last["message"], side="right") - 1
    expiry = expired[np.maximum(position, 0)]
    same = (position >= 0) & (expiry["message"] == last["message"])
    same &= (expiry["recipient"] == 0) | (expiry["recipient"] == last["recipient"])
    same &= expiry["finished_s"] >= last["finished_s"] - _SAME_EVENT_S
    expired_s[same] = expiry["finished_s"][same]
    return expired_s


def gaps_s(part: Lives) -> tuple[Ints, Floats]:
    """Return the rows followed by another attempt, and the time until that one was due.

    Where the due time is unknown, the end of the attempt stands for it.
    """
    follows = np.flatnonzero(part.number[1:] > 0)
    after = part.rows[follows + 1]
    due_s = np.where(np.isnan(after["ready_s"]), after["finished_s"], after["ready_s"])
    return follows, due_s - part.rows["finished_s"][follows]
