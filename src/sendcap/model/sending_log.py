"""The sending log: one row per message and status change, written while the run goes on.

A second thread packs the rows and writes them, one group of rows at a time.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from sendcap.ledger import EVENTS
from sendcap.model.kernel.relay_state import Relay
from sendcap.model.kernel.state import Floats, Ints, Records
from sendcap.scenario import Scenario

_ROW_GROUP: Final = 1 << 18
_TYPES: Final = {
    "delivery": np.int16,
    "provider": np.int16,
    "message": np.int64,
    "event": np.int8,
    "reason": np.int16,
    "attempt": np.int32,
    "happened_s": np.float64,
    "known_s": np.float64,
}
_PLACES: Final = {
    "message": ("what", 24, 30),
    "attempt": ("what", 4, 20),
    "event": ("what", 0, 4),
    "delivery": ("where", 32, 16),
    "provider": ("where", 16, 16),
    "reason": ("where", 0, 16),
}
"""Where the whole numbers of a row are packed: which column of `_Rows`, from which bit, how many.

Every row is moved a few times on its way to the file, so fewer columns make it faster.
"""


class _Rows(NamedTuple):
    """Rows of the log, their whole numbers packed as `_PLACES` says."""

    known_s: Floats
    happened_s: Floats
    what: Ints
    where: Ints

    @classmethod
    def of(cls, known_s: Floats, happened_s: Floats, **numbers: Any) -> _Rows:
        """Pack rows; a number may be one for all of them."""
        packed = {"what": np.zeros(len(known_s), np.int64)}
        packed["where"] = np.zeros(len(known_s), np.int64)
        for name, (column, first, _) in _PLACES.items():
            packed[column] += np.asarray(numbers[name], np.int64) << first
        return cls(known_s, happened_s, **packed)

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return a column of the file."""
        if name not in _PLACES:
            return cast("npt.NDArray[Any]", getattr(self, name))
        column, first, bits = _PLACES[name]
        packed = self.what if column == "what" else self.where
        return ((packed >> first) & ((1 << bits) - 1)).astype(_TYPES[name])

    def message_order(self) -> Ints:
        """Return a number for each message: by delivery, then by message."""
        return (self.column("delivery").astype(np.int64) << 30) + (self.what >> 24)

    def chosen(self, index: Ints) -> _Rows:
        """Return some of the rows."""
        return _Rows(
            self.known_s[index], self.happened_s[index], self.what[index], self.where[index]
        )

    @staticmethod
    def joined(parts: Sequence[_Rows]) -> _Rows:
        """Return the rows of all the parts."""
        if len(parts) == 1:
            return parts[0]
        none = _Rows(np.zeros(0), np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))
        return _Rows(*(np.concatenate(columns) for columns in zip(none, *parts, strict=True)))


class SendingLog:
    """Writes rows to a Parquet file in the order in which Campaign learns of them.

    Columns: delivery, provider, message (the number within the delivery, in the order of
    relaying), event, reason, attempt (0 before the first), happened_s, known_s.
    """

    def __init__(
        self,
        path: Path | IO[bytes],
        scenario: Scenario,
        providers: Sequence[str],
        reasons: Sequence[str],
    ) -> None:
        self._labels = {
            "delivery": pa.array([delivery.name for delivery in scenario.deliveries], pa.string()),
            "provider": pa.array(providers, pa.string()),
            "event": pa.array(EVENTS, pa.string()),
            "reason": pa.array(reasons, pa.string()),
        }
        self._schema = pa.schema(
            [
                (
                    name,
                    pa.dictionary(pa.from_numpy_dtype(kind), pa.string())
                    if name in self._labels
                    else pa.from_numpy_dtype(kind),
                )
                for name, kind in _TYPES.items()
            ]
        )
        # A dictionary of numbers that hardly repeat costs more than it saves, and so do the
        # extremes of columns that nobody searches by.
        self._writer = pq.ParquetWriter(
            path,
            self._schema,
            use_dictionary=[*self._labels, "attempt"],
            write_statistics=["known_s"],
            column_encoding={"message": "DELTA_BINARY_PACKED"},
            write_page_checksum=True,
        )
        self._horizon_s = scenario.time.horizon or np.inf
        self._relayed: list[_Rows] = []
        self._reported: list[_Rows] = []
        self._ready: list[_Rows] = []
        self._ready_count = 0
        self._thread = ThreadPoolExecutor(1, "sending log")
        self._written: Future[None] = self._thread.submit(lambda: None)

    def handed_over(self, state: Relay) -> None:
        """Add what the relay did, in order of time; Campaign knows it at once.

        A batch's messages that failed have its last numbers.
        """
        rows = state.handed[: state.relay["handed"][0]]
        begins = np.flatnonzero(np.diff(rows["batch"], prepend=-1))
        batch = rows["batch"][begins]
        handed = np.add.reduceat(rows["count"], begins)
        sizes = handed + np.add.reduceat(rows["failed"], begins)
        first = np.cumsum(sizes) - sizes
        # Where each message belongs: by batch, then by number.
        ends = np.cumsum(np.diff(begins, append=len(rows)))
        of_batch = np.searchsorted(ends, np.arange(len(rows)), side="right")
        of_handed, of_failed = (np.repeat(of_batch, rows[name]) for name in ("count", "failed"))
        handed_at = first[of_handed] + state.places[: len(of_handed)]
        failed_first = np.cumsum(sizes - handed) - (sizes - handed)
        failed_at = first[of_failed] + handed[of_failed]
        failed_at += np.arange(len(of_failed)) - failed_first[of_failed]
        provider = np.empty(len(of_handed) + len(of_failed), np.int64)
        event = np.full(len(provider), EVENTS.index("relayed"))
        provider[handed_at] = np.repeat(rows["provider"], rows["count"])
        provider[failed_at] = np.repeat(rows["provider"], rows["failed"])
        event[failed_at] = EVENTS.index("relay_failed")
        batch, place = np.repeat(batch, sizes), np.arange(len(provider)) - np.repeat(first, sizes)
        times_s = state.batches.relayed_s[batch]
        self._relayed.append(
            _Rows.of(
                times_s,
                times_s,
                delivery=state.batches.delivery[batch],
                provider=provider,
                message=state.batches.first_number[batch] + place,
                event=event,
                reason=0,
                attempt=0,
            )
        )

    def reported(self, reports: Records, known_s: Floats) -> None:
        """Add reports with the times at which they are known."""
        self._reported.append(
            _Rows.of(
                known_s.copy(),  # they are those of a buffer
                reports["happened_s"].copy(),
                delivery=reports["delivery"],
                provider=reports["provider"],
                message=reports["message"],
                event=reports["event"],
                reason=reports["reason"],
                attempt=reports["attempt"],
            )
        )

    def write_before(self, until_s: float) -> None:
        """Write rows known before ``until_s`` and the horizon; none may be added afterwards."""
        until_s = min(until_s, self._horizon_s)
        relayed, self._relayed = _split(self._relayed, until_s)
        reported, self._reported = _split(self._reported, until_s)
        if len(relayed.known_s) + len(reported.known_s):
            rows = _in_order(relayed, reported)
            self._ready.append(rows)
            self._ready_count += len(rows.known_s)
        if self._ready_count >= _ROW_GROUP:
            self._write()

    @classmethod
    @contextmanager
    def opened(
        cls,
        path: Path | IO[bytes],
        scenario: Scenario,
        providers: Sequence[str],
        reasons: Sequence[str],
    ) -> Generator[SendingLog, None, None]:
        """Open the file, and write the rest and close it at the end."""
        log = cls(path, scenario, providers, reasons)
        # Whatever happens, the thread ends before the file is closed.
        with log._writer, log._thread:
            yield log
            log.write_before(np.inf)
            log._write()
            log._written.result()

    def _write(self) -> None:
        """Let the other thread write the rows that are ready, once it has written those before."""
        rows = _Rows.joined(self._ready)
        self._ready, self._ready_count = [], 0
        self._written.result()
        self._written = self._thread.submit(self._write_rows, rows)

    def _write_rows(self, rows: _Rows) -> None:
        if not len(rows.known_s):
            return
        columns = []
        for name in _TYPES:
            column = pa.array(rows.column(name))
            if name in self._labels:
                column = pa.DictionaryArray.from_arrays(column, self._labels[name])
            columns.append(column)
        table = pa.Table.from_arrays(columns, schema=self._schema)
        self._writer.write_table(table, row_group_size=_ROW_GROUP)


def _split(parts: Sequence[_Rows], until_s: float) -> tuple[_Rows, list[_Rows]]:
    """Return the rows that are known before a time, and the others in one part."""
    rows = _Rows.joined(parts)
    known = rows.known_s < until_s
    if known.all():
        return rows, []
    return rows.chosen(np.flatnonzero(known)), [rows.chosen(np.flatnonzero(~known))]


def _in_order(relayed: _Rows, reported: _Rows) -> _Rows:
    """Return all rows by known time; of one time, message by message as things happened.

    The relay's rows come in order of time. Times of reports rarely tie, so the full comparison is
    made only where one does.
    """
    order = np.argsort(reported.known_s)
    reported_s, relayed_s = reported.known_s[order], relayed.known_s
    before = np.searchsorted(relayed_s, reported_s)
    if _ties(relayed, reported_s, before):
        rows = _Rows.joined((relayed, reported))
        keys = (rows.column("event"), rows.happened_s, rows.message_order(), rows.known_s)
        return rows.chosen(np.lexsort(keys))
    places = before + np.arange(len(order))
    is_relayed = np.ones(len(relayed_s) + len(order), np.bool_)
    is_relayed[places] = False
    merged: list[Any] = []
    for one, two in zip(relayed, reported, strict=True):
        column = np.empty(len(is_relayed), one.dtype)
        column[is_relayed] = one
        column[places] = two[order]
        merged.append(column)
    return _Rows(*merged)


def _ties(relayed: _Rows, reported_s: Floats, before: Ints) -> bool:
    """Return whether rows of one time could be in disorder; the reports' times are in order."""
    relayed_s = relayed.known_s
    if np.any(np.diff(reported_s) == 0.0):
        return True
    if len(relayed_s) and np.any(relayed_s[np.minimum(before, len(relayed_s) - 1)] == reported_s):
        return True
    # The relay's messages are in order within a delivery: only another one can come between.
    mixed = np.flatnonzero(np.diff(relayed.column("delivery")) < 0)
    return bool(np.any(relayed_s[mixed] == relayed_s[mixed + 1]))
