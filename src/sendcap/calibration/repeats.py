"""Records that logs hold again: overlapping rotated files, one log after another, two copies.

A record of a message and a recipient with numbers of their own is the same again if outcome,
reply, number of the attempt and time are. Copies of a log may tell the time in other units or in
another time zone; then the age of the message tells that it is the same attempt, because each retry
is older by more than a second.

Other records may be equal and yet of several deliveries: those of Momentum, which name no
recipient, and those of PowerMTA, whose messages have no number. So their repetitions within a log
all count. Of two logs, the one that has a record more often decides how often it counts.
"""

import math
from typing import Final

import numpy as np

from sendcap.calibration.attempts import LEFT, Flags, Floats, Ints, Records

_SAME: Final = ("message", "recipient", "outcome", "attempt", "enhanced", "code", "reason")
_SAME_AGE_S: Final = 0.001
_UNITS_S: Final = 1.5
"""Two stamps of a moment, in whole seconds and in parts of them, differ by less."""
_QUARTER_S: Final = 900.0
_MOST_ZONE_S: Final = 26 * 3600.0
_BACK_S: Final = 30.0
"""Records of an MTA are in order, but for those that take a while to be written."""
_MOST_SOURCES: Final = (1 << 16) - 1


class Sources:
    """Numbers of the stretches of logs; in a stretch, no time is long before the one above it.

    Where a log goes back in time, it has another one behind the first. The numbers are those in the
    column ``source``.
    """

    def __init__(self) -> None:
        self.log: list[int] = []
        """Position of the log of each stretch."""
        self._last_s = math.inf

    def begin(self) -> None:
        """Begin with the next log."""
        self.log.append(self.log[-1] + 1 if self.log else 0)
        self._last_s = -math.inf

    def of(self, finished_s: Floats) -> Ints:
        """Return the numbers of the next records of a log."""
        back = np.diff(finished_s, prepend=self._last_s) < -_BACK_S
        self._last_s = float(finished_s[-1])
        number = len(self.log) - 1 + np.cumsum(back)
        self.log += [self.log[-1]] * int(number[-1] + 1 - len(self.log))
        numbers: Ints = np.minimum(number, _MOST_SOURCES)
        return numbers


def repeated(records: Records, named: Flags) -> Flags:
    """Return a mask of the records that repeat an earlier one.

    Parameters
    ----------
    records
        Records of some messages, in the order of the logs.
    named
        For each source whether equal records of it are one event.
    """
    mask = np.zeros(len(records), np.bool_)
    which = _of_messages_with_several(records)
    if not len(which):
        return mask
    rows = records[which]
    alone = named[rows["source"]]
    ordinal = np.where(alone, 0, _ordinals(rows))
    keys = [rows["finished_s"], *(rows[name] for name in _SAME), ordinal]
    order = np.lexsort(keys)
    again = _again(rows[order], ordinal[order], alone[order])
    # Of equal records, the one that was read first stays.
    group = np.cumsum(~again) - 1
    first = np.full(group[-1] + 1, len(order))
    np.minimum.at(first, group, order)
    stays = np.zeros(len(rows), np.bool_)
    stays[first] = True
    mask[which[~stays]] = True
    return mask


def _of_messages_with_several(records: Records) -> Ints:
    """Return the positions of records whose message, recipient and outcome occur again."""
    factor = np.uint64(0x9E3779B97F4A7C15)
    key = records["message"] ^ (records["recipient"].astype(np.uint64) * factor)
    key += records["outcome"] * factor
    order = np.argsort(key)
    equal = np.diff(key[order]) == 0
    several = np.zeros(len(records), np.bool_)
    several[order[1:]] |= equal
    several[order[:-1]] |= equal
    # A message may go to several mailboxes here, and such a line has been passed over.
    return np.flatnonzero(several & (records["outcome"] != LEFT))


def _ordinals(rows: Records) -> Ints:
    """Return how many equal records come before each one in the same source."""
    columns = [rows["finished_s"], *(rows[name] for name in _SAME), rows["source"]]
    order = np.lexsort(columns)
    begins = np.ones(len(rows), np.bool_)
    begins[1:] = np.logical_or.reduce([np.diff(column[order]) != 0 for column in columns])
    first = np.flatnonzero(begins)
    ordinals = np.zeros(len(rows), np.int64)
    ordinals[order] = np.arange(len(rows)) - first[np.cumsum(begins) - 1]
    return ordinals


def _again(rows: Records, ordinal: Ints, alone: Flags) -> Flags:
    """Return a mask of rows, in order, that are the same record as the previous one."""
    before, after = rows[:-1], rows[1:]
    again = np.zeros(len(rows), np.bool_)
    again[1:] = (np.diff(ordinal) == 0) & np.logical_and.reduce(
        [before[name] == after[name] for name in _SAME]
    )
    apart_s = after["finished_s"] - before["finished_s"]
    age_s, ready_s = _since_arrival_s(rows, "finished_s"), _since_arrival_s(rows, "ready_s")
    older_s = np.diff(age_s)
    # NaN compares false: an unknown age is not another one.
    as_old = ~(np.abs(older_s) > _SAME_AGE_S) & ~(np.abs(np.diff(ready_s)) > _SAME_AGE_S)
    of_zones_s = apart_s - _QUARTER_S * np.rint(apart_s / _QUARTER_S)
    elsewhere = (np.abs(of_zones_s) < _UNITS_S) & (apart_s < _MOST_ZONE_S) & ~np.isnan(older_s)
    elsewhere &= alone[1:] & alone[:-1]
    again[1:] &= as_old & ((apart_s == 0.0) | elsewhere)
    return again


def _since_arrival_s(rows: Records, name: str) -> Floats:
    return np.asarray(rows[name] - rows["arrived_s"], np.float64)
