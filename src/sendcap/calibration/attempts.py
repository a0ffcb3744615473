"""The table of attempts: one row for each time an MTA tried to deliver a message.

A log may be larger than memory. So rows are kept as records of one fixed type, and beyond a
million of them they are moved to temporary files, one for each of 64 buckets. A message's bucket
follows from its hash: all its attempts are in one, and each bucket is a random sample of the
messages. Raw records and not Parquet, because 64 columnar writers would need 64 buffers, and
because nothing is ever read of a bucket but all of it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Records = npt.NDArray[np.void]

ACCEPTED, SOFT, HARD, EXPIRED, RETURNED = 1, 2, 3, 4, 5
"""Outcomes; RETURNED is an asynchronous bounce."""

ATTEMPT: Final = np.dtype(
    [
        ("message", "u8"),  # keyed hash of the MTA's own number of the message
        ("recipient", "u4"),  # keyed hash of the address; 0 where the log has none
        ("session", "u8"),  # keyed hash of the connection; 0 where the log has none
        ("arrived_s", "f8"),  # when the MTA took the message; all times since 1970, NaN if unknown
        ("ready_s", "f8"),  # when the attempt was due
        ("started_s", "f8"),  # when the connection was asked for
        ("finished_s", "f8"),
        ("setup_s", "f4"),  # to open the connection; 0 if it was open, NaN if unknown
        ("transaction_s", "f4"),
        ("enhanced", "u4"),  # class, subject, detail: 5.7.26 is 5_007_026; 0 without one
        ("code", "u2"),
        ("provider", "u2"),
        ("attempt", "u2"),  # as the log numbers it, from 1; 0 if it does not
        ("use", "u2"),  # of the connection, from 1; 0 if unknown
        ("outcome", "u1"),
        ("reason", "u1"),
    ]
)

_IN_MEMORY: Final = 1_000_000
_BUCKETS: Final = 64
_UNKNOWN: Final = {"arrived_s", "ready_s", "started_s", "setup_s", "transaction_s"}


def rows(count: int, columns: Mapping[str, Any]) -> Records:
    """Return records; columns that are not given are unknown."""
    records = np.zeros(count, ATTEMPT)
    for name in _UNKNOWN - columns.keys():
        records[name] = np.nan
    for name, values in columns.items():
        records[name] = values
    return records


class Attempts:
    """All attempts of a calibration; a context manager that removes its temporary files.

    Parameters
    ----------
    in_memory
        Rows that are kept in memory; with more of them all move to temporary files.

    Attributes
    ----------
    count
        Rows so far.
    first_s, last_s
        When the first attempt finished, and when the last of all events was; infinite without.
    sharp
        Whether times are finer than whole seconds.
    by_provider : ndarray of int
        Attempts at each provider, by number.
    """

    def __init__(self, in_memory: int = _IN_MEMORY) -> None:
        self._in_memory = in_memory
        self._held: list[Records] = []
        self._held_count = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.count = 0
        self.first_s, self.last_s = np.inf, -np.inf
        self.sharp = False
        self.by_provider = np.zeros(1 << 16, np.int64)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the temporary files; at any moment, and more than once."""
        if self._folder is not None:
            self._folder.cleanup()

    def add(self, records: Records) -> None:
        """Add rows, in any order."""
        if not len(records):
            return
        self._held.append(records)
        self._held_count += len(records)
        self.count += len(records)
        if self._held_count > self._in_memory:
            self._spill()
        self.last_s = max(self.last_s, float(records["finished_s"].max()))
        tried = records["outcome"] <= HARD
        if not tried.any():
            return
        self.by_provider += np.bincount(records["provider"][tried], minlength=1 << 16)
        finished_s = records["finished_s"][tried]
        self.sharp |= bool(np.any(finished_s != np.floor(finished_s)))
        self.first_s = min(self.first_s, float(finished_s.min()))

    def parts(self) -> Iterator[Records]:
        """Yield all rows in parts, each with all the rows of its messages."""
        if self._folder is None:
            yield np.concatenate(self._held) if self._held else np.zeros(0, ATTEMPT)
            return
        self._spill()
        for bucket in range(_BUCKETS):
            path = self._path(bucket)
            if path.exists():
                yield np.fromfile(path, ATTEMPT)

    def _spill(self) -> None:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="sendcap-attempts-")
        if not self._held:
            return
        records = np.concatenate(self._held)
        self._held, self._held_count = [], 0
        bucket = (records["message"] % np.uint64(_BUCKETS)).astype(np.int64)
        order = np.argsort(bucket, kind="stable")
        edges = np.searchsorted(bucket[order], np.arange(_BUCKETS + 1))
        for number in range(_BUCKETS):
            mine = order[edges[number] : edges[number + 1]]
            if len(mine):
                with self._path(number).open("ab") as file:
                    records[mine].tofile(file)

    def _path(self, bucket: int) -> Path:
        assert self._folder is not None
        return Path(self._folder.name, f"{bucket:02d}")
