"""The table of attempts: one row for each time an MTA tried to deliver a message.

A log may be larger than memory. So rows are records of one fixed type, and beyond a million of
them all move to temporary files, one for each of 64 buckets. The hash of a message decides its
bucket: all attempts of a message share one, and each bucket is a random sample of the messages.
The files hold raw records, not Parquet, because 64 columnar writers would need 64 buffers, and a
bucket is always read as a whole. They have no names, so a process that is killed leaves none.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from sendcap.files.single import in_temporary_files

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Records = npt.NDArray[np.void]

ACCEPTED, SOFT, HARD, EXPIRED, RETURNED, REMOVED, RECEIVED, LEFT = 1, 2, 3, 4, 5, 6, 7, 8
"""Outcomes, and records of messages without an attempt.

RETURNED is an asynchronous bounce, REMOVED one by an operator, RECEIVED the reception by the MTA.
LEFT is a delivery that is none of a scenario's, to a mailbox on the same machine.
"""

UNNAMED: Final = 1 << 16
"""Recipients below are those whom a record counts and does not name; 0 stands for all of them."""

ATTEMPT: Final = np.dtype(
    [
        ("message", "u8"),  # keyed hash of the MTA's number of the message
        ("recipient", "u4"),  # keyed hash of the address; a number below UNNAMED if unknown
        ("session", "u8"),  # keyed hash of the connection; 0 if unknown
        ("arrived_s", "f8"),  # reception by the MTA; all times since 1970, NaN if unknown
        ("ready_s", "f8"),  # due time of the attempt
        ("not_due_s", "f8"),  # when the MTA last looked at the message before, and it was not due
        ("started_s", "f8"),  # request of the connection
        ("finished_s", "f8"),
        ("within_s", "f4"),  # from a whole-second stamp to the end, by the order of the lines
        ("setup_s", "f4"),  # opening the connection; 0 if it was open, NaN if unknown
        ("transaction_s", "f4"),
        ("enhanced", "u4"),  # class, subject, detail: 5.7.26 is 5_007_026; 0 if unknown
        ("code", "u2"),
        ("provider", "u2"),
        ("attempt", "u2"),  # number in the log, from 1; 0 if unknown
        ("use", "u2"),  # position in the connection, from 1; 0 if unknown
        ("together", "u2"),  # recipients among which a transaction is shared; 0 if it is not
        ("outcome", "u1"),
        ("reason", "u1"),
        ("source", "u2"),  # number of the stretch of a log that has it
    ]
)

_IN_MEMORY: Final = 1_000_000
_BUCKETS: Final = 64
_MOST_BINS: Final = 400_000
_UNKNOWN: Final = {*("arrived_s", "ready_s", "not_due_s", "started_s", "setup_s", "transaction_s")}


def rows(count: int, columns: Mapping[str, Any]) -> Records:
    """Return records; missing columns are unknown."""
    records = np.zeros(count, ATTEMPT)
    for name in _UNKNOWN - columns.keys():
        records[name] = np.nan
    for name, values in columns.items():
        records[name] = values
    return records


def leads(records: Records) -> Flags:
    """Return a mask of the recipients that stand for their transactions, one of each."""
    first: Flags = (records["together"] <= 1) | ~np.isnan(records["started_s"])
    return first


class Bins(NamedTuple):
    """Even bins over the span of a log; bin 0 ends with the first attempt."""

    first_s: float
    width_s: float
    number: int

    def of(self, times_s: Floats) -> Ints:
        """Return the bins of times."""
        return self._of(times_s - self.first_s)

    def _of(self, since_s: Floats) -> Ints:
        position = np.floor(since_s / self.width_s).astype(np.int64) + 1
        return np.clip(position, 0, self.number - 1)

    def add_spans(self, total_s: Floats, from_s: Floats, to_s: Floats) -> None:
        """Add to each bin the seconds of spans inside it."""
        for times_s, sign in ((from_s, 1.0), (to_s, -1.0)):
            since_s = times_s - self.first_s
            bins = self._of(since_s)
            rest_s = np.clip(bins * self.width_s - since_s, 0.0, self.width_s)
            total_s += sign * np.bincount(bins, rest_s, minlength=self.number)
            counts = np.bincount(bins, minlength=self.number)
            total_s[1:] += sign * self.width_s * np.cumsum(counts)[:-1]


class Attempts:
    """All attempts of a calibration; a context manager that closes the temporary files."""

    def __init__(self, in_memory: int = _IN_MEMORY) -> None:
        self._in_memory = in_memory
        self._pending: list[Records] = []
        self._pending_count = 0
        self._files: list[IO[bytes]] = []
        self._forget()

    def _forget(self) -> None:
        self.first_s, self.last_s = np.inf, -np.inf  # first attempt's end, last event
        self.sharp = False  # whether times are finer than whole seconds
        self.by_provider = np.zeros(1 << 16, np.int64)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the temporary files, which removes them."""
        for file in self._files:
            file.close()

    def add(self, records: Records) -> None:
        """Add rows, in any order."""
        if not len(records):
            return
        self._pending.append(records)
        self._pending_count += len(records)
        if self._pending_count > self._in_memory:
            self._spill()
        self._note(records)

    def _note(self, records: Records) -> None:
        self.last_s = max(self.last_s, float(records["finished_s"].max()))
        tried = records["outcome"] <= HARD
        self.by_provider += np.bincount(records["provider"][tried], minlength=1 << 16)
        # A log may have nothing of a message but its expiry.
        finished_s = records["finished_s"][records["outcome"] <= EXPIRED]
        if not len(finished_s):
            return
        self.sharp |= bool(np.any(finished_s != np.floor(finished_s)))
        self.first_s = min(self.first_s, float(finished_s.min()))

    def drop(self, repeated: Callable[[Records], Flags]) -> Ints:
        """Drop the records of a mask; return how many of each source are gone.

        The mask is made of all records of some messages, in the order in which they were added.
        """
        dropped = np.zeros(1 << 16, np.int64)
        if self._files:
            self._spill()
        for place in range(len(self._files) or 1):
            part = self._part(place)
            gone = repeated(part)
            if not gone.any():
                continue
            dropped += np.bincount(part["source"][gone], minlength=len(dropped))
            self._replace(place, part[~gone])
        if dropped.any():
            self._forget()
            for part in self.parts():
                self._note(part)
        return dropped

    def bins(self, least_s: float | None = None) -> Bins:
        """Return bins of a length, wider for long logs.

        By default of a second, or of ten if stamps are whole seconds.
        """
        if least_s is None:
            least_s = 1.0 if self.sharp else 10.0
        span_s = self.last_s - self.first_s
        width_s = max(least_s, least_s * np.ceil(span_s / _MOST_BINS / least_s))
        return Bins(self.first_s, width_s, int(span_s / width_s) + 3)

    def parts(self) -> Iterator[Records]:
        """Yield all rows in parts; the rows of a message are in the same part."""
        if not self._files:
            yield self._part(0)
            return
        self._spill()
        for place in range(len(self._files)):
            part = self._part(place)
            if len(part):
                yield part

    def _part(self, place: int) -> Records:
        if not self._files:
            return np.concatenate(self._pending) if self._pending else np.zeros(0, ATTEMPT)
        self._files[place].seek(0)
        return np.fromfile(self._files[place], ATTEMPT)

    def _replace(self, place: int, records: Records) -> None:
        """Put fewer records in place of a part."""
        if not self._files:
            self._pending, self._pending_count = [records], len(records)
            return
        file = self._files[place]
        file.seek(0)
        file.write(records.tobytes())
        file.truncate()
        file.flush()

    def _spill(self) -> None:
        if not self._pending:
            return
        records = np.concatenate(self._pending)
        self._pending, self._pending_count = [], 0
        bucket = (records["message"] % np.uint64(_BUCKETS)).astype(np.int64)
        order = np.argsort(bucket, kind="stable")
        edges = np.searchsorted(bucket[order], np.arange(_BUCKETS + 1))
        with in_temporary_files():
            while len(self._files) < _BUCKETS:
                self._files.append(tempfile.TemporaryFile())  # noqa: SIM115
            for number, file in enumerate(self._files):
                file.seek(0, os.SEEK_END)
                file.write(records[order[edges[number] : edges[number + 1]]].tobytes())
                file.flush()
