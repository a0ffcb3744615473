"""Connections, where a log distinguishes them: uses, duration of attempts, open ones over time."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sendcap.calibration.attempts import Bins, Flags, Floats, Ints, Records
from sendcap.calibration.times import Figure, Times

_MOST_ATTEMPTS: Final = 400_000
_CLOSED_AT_LIMIT: Final = 0.5
_LEAST_CLOSED: Final = 10
_LEAST_COARSE: Final = 200
_SAME_S: Final = 1.0


class Sessions:
    """Complete connections: those whose hash is a multiple of a power of two, so that they fit."""

    def __init__(self, *, sharp: bool) -> None:
        self._parts: list[Records] = []
        self._count = 0
        self._one_in = 1
        self._sharp = sharp  # whether times are finer than whole seconds

    def add(self, rows: Records) -> None:
        """Add attempts; those without a connection are dropped."""
        rows = rows[(rows["session"] > 0) & (rows["session"] % np.uint64(self._one_in) == 0)]
        self._parts.append(rows)
        self._count += len(rows)
        while self._count > _MOST_ATTEMPTS:
            self._one_in *= 2
            divisor = np.uint64(self._one_in)
            self._parts = [part[part["session"] % divisor == 0] for part in self._parts]
            self._count = sum(map(len, self._parts))

    @cached_property
    def rows(self) -> Records:
        """The attempts, connection by connection, in order of time."""
        rows = np.concatenate(self._parts)
        return rows[np.lexsort((rows["message"], rows["finished_s"], rows["session"]))]

    @cached_property
    def uses(self) -> dict[int, Ints]:
        """For each provider the transactions by position in the connection.

        Recipients of a message whose attempts end within a second are those of a transaction.
        """
        rows, leading = self.rows, np.ones(len(self.rows), np.bool_)
        # The upper half of a number is that of the message, whatever recipient the lower one has.
        message = rows["message"] >> np.uint64(32)
        leading[1:] = (np.diff(message) != 0) | (np.diff(rows["session"]) != 0)
        leading[1:] |= np.diff(rows["finished_s"]) >= _SAME_S
        first = _session_starts(rows)
        sizes = np.diff(np.append(first, len(rows)))
        counted = np.cumsum(leading)
        use: Ints = counted - np.repeat(counted[first] - 1, sizes)
        by_provider = _by_provider(rows["provider"][leading], use[leading])
        return {number: np.bincount(uses) for number, uses in by_provider}

    def carried(self, number: int) -> int:
        """Return the attempts at a provider."""
        return int(np.count_nonzero(self.rows["provider"] == number))

    @cached_property
    def transactions(self) -> dict[int, Times]:
        """For each provider the durations of attempts; empty if stamps are whole seconds.

        On an open connection an attempt begins at the end of the previous one, or at the arrival of
        the message, if that is later. Only first attempts count: the due time of a retry is
        unknown.
        """
        if not self._sharp:
            return {}
        first_try, after, before_s = self._later
        new = first_try & ~np.isnan(after["arrived_s"])
        gap_s = after["finished_s"] - np.maximum(before_s, after["arrived_s"])
        by_provider = _by_provider(after["provider"][new], gap_s[new])
        return {number: Times.of(times_s, times_s) for number, times_s in by_provider}

    @cached_property
    def means(self) -> dict[int, Figure]:
        """For each provider the mean duration of attempts, if stamps are whole seconds.

        The difference of two stamps is off by up to a second either way, and on average by nothing:
        the mean is right, the spread is not. Only messages that had waited for their connection
        count: their attempts began at the end of the previous one.
        """
        if self._sharp:
            return {}
        first_try, after, before_s = self._later
        waited = first_try & (after["arrived_s"] < before_s - 1.0)
        gap_s = (after["finished_s"] - before_s)[waited]
        session = np.unique(after["session"][waited], return_inverse=True)[1]
        by_provider = _by_provider(after["provider"][waited], np.column_stack((gap_s, session)))
        return {
            number: _mean(*timed.T)
            for number, timed in by_provider
            if len(timed) >= _LEAST_COARSE and timed[:, 0].any()
        }

    @cached_property
    def _later(self) -> tuple[Flags, Records, Floats]:
        """All attempts but the first: a mask, the attempts, and the ends of those before them.

        The mask has the first tries of messages over a connection that another message had before.
        """
        rows, after = self.rows, self.rows[1:]
        same = after["session"] == rows["session"][:-1]
        return same & (after["attempt"] <= 1), after, rows["finished_s"][:-1]

    def open(self, number: int, bins: Bins) -> Floats | None:
        """Return the mean number of open connections to a provider in each bin; None if unknown.

        A connection counts from the end of the first attempt to the end of the last: no log says
        when it was opened. For the first attempt, a usual gap is put before it.
        """
        if number not in self.uses:
            return None
        rows = self.rows[self.rows["provider"] == number]
        open_s = np.zeros(bins.number)
        first = _session_starts(rows)
        last = np.append(first[1:], len(rows)) - 1
        within_s = np.delete(np.diff(rows["finished_s"]), first[1:] - 1)
        gap_s = float(np.median(within_s)) if len(within_s) else 0.0
        bins.add_spans(open_s, rows["finished_s"][first] - gap_s, rows["finished_s"][last])
        return open_s / bins.width_s * self._one_in


def _mean(times_s: Floats, session: Floats) -> Figure:
    """Return the mean of times; those of a session share the errors of the stamps between them."""
    mean_s = float(times_s.mean())
    off_s = np.bincount(session.astype(np.int64), times_s - mean_s)
    return Figure.with_error(mean_s, float(np.sqrt((off_s**2).sum())) / len(times_s))


def _session_starts(rows: Records) -> Ints:
    """Return the positions of the first attempt of each session."""
    begins = np.ones(len(rows), np.bool_)
    begins[1:] = rows["session"][1:] != rows["session"][:-1]
    return np.flatnonzero(begins)


def _by_provider(provider: Ints, values: npt.NDArray[Any]) -> Iterator[tuple[int, Any]]:
    for number in np.unique(provider).tolist():
        yield number, values[provider == number]


@dataclass(frozen=True)
class PerConnection:
    """Transactions per connection, each of a message to one recipient or several."""

    most: int
    closed_there: int  # connections with that many transactions, and closed there
    limit: bool  # whether that is a limit, rather than chance
    mean: float
    connections: int
    recipients: float = 1.0  # of a transaction, on average

    @property
    def messages(self) -> int:
        """The largest number in messages of a scenario, which have one recipient each."""
        return max(round(self.most * self.recipients), 1)


def per_connection(uses: Ints, carried: int = 0) -> PerConnection | None:
    """Return the transactions per connection; None if unknown.

    The largest number is a limit if at least 10 connections reached it, and at least half of
    those with one transaction less: chance alone does not close so many at the same number. The
    recipients of a transaction share a connection, whatever the limit is.

    Parameters
    ----------
    uses
        Transactions by their position in the connection, from 0 (unknown).
    carried
        Attempts in these transactions, one for each recipient.
    """
    known = np.flatnonzero(uses[1:]) + 1
    if not len(known):
        return None
    most = int(known[-1])
    last, before = int(uses[most]), int(uses[most - 1]) if most > 1 else int(uses[most])
    limit = last >= _LEAST_CLOSED and last >= _CLOSED_AT_LIMIT * before
    # Without any reuse, a single transaction per connection is no limit.
    limit &= most > 1
    total = int(uses[1:].sum())
    first = int(uses[1])
    recipients = max(carried / total, 1.0)
    return PerConnection(most, last, limit, total / max(first, 1), first, recipients)
