"""The sending log: one row per message and status change, written while the run goes on.

Compiled code keeps the rows and puts them in order; a second thread packs them and writes them, one
group of rows at a time.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sendcap.ledger import EVENTS
from sendcap.model.kernel import log as kernel
from sendcap.model.kernel.pointer import by_pointer
from sendcap.model.kernel.relay_state import Relay
from sendcap.model.kernel.state import Floats, Numbers, Records
from sendcap.model.records import power_of_two
from sendcap.scenario import Scenario

_ROW_GROUP: Final = 1 << 18
_FEW_ROWS: Final = 1 << 10
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
_EVENTS: Final = [EVENTS.index(event) for event in ("relayed", "relay_failed")]


class _Kept:
    """Rows that are not written yet."""

    def __init__(self) -> None:
        self.arrays, self.count = by_pointer(_room(_FEW_ROWS)), 0

    def room_for(self, more: int) -> kernel.Kept:
        """Return the arrays, with room for more rows."""
        needed = self.count + more
        if needed > len(self.arrays.rows):
            arrays, kept = _room(power_of_two(needed)), slice(self.count)
            arrays.known_s[kept], arrays.rows[kept] = (
                self.arrays.known_s[kept],
                self.arrays.rows[kept],
            )
            self.arrays = by_pointer(arrays)
        return self.arrays


def _room(count: int) -> kernel.Kept:
    """Return room for so many rows."""
    known_s = np.zeros(count)
    return kernel.Kept(known_s, known_s.view(np.int64), np.zeros(count, kernel.ROW))


def _sorting(count: int) -> kernel.Sorting:
    """Return room to sort so many rows."""
    keys = np.zeros(count, np.int64)
    return by_pointer(
        kernel.Sorting(
            keys=keys,
            other_keys=np.zeros(count, np.int64),
            order=np.zeros(count, np.int32),
            other_order=np.zeros(count, np.int32),
            times_s=keys.view(np.float64),
            digits=np.zeros(kernel.DIGITS, np.int32),
            merged=np.zeros(count, np.int32),
            known_s=np.zeros(count),
        )
    )


def _columns() -> kernel.Columns:
    """Return the columns of a group of rows."""
    return by_pointer(
        kernel.Columns(**{name: np.empty(_ROW_GROUP, kind) for name, kind in _TYPES.items()})
    )


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
                pa.field(
                    name,
                    pa.dictionary(pa.from_numpy_dtype(kind), pa.string())
                    if name in self._labels
                    else pa.from_numpy_dtype(kind),
                    nullable=False,
                )
                for name, kind in _TYPES.items()
            ]
        )
        # A dictionary of numbers costs more than it saves, and so do the extremes of columns that
        # nobody searches by.
        self._writer = pq.ParquetWriter(
            path,
            self._schema,
            use_dictionary=list(self._labels),
            write_statistics=["known_s"],
            column_encoding={"message": "DELTA_BINARY_PACKED"},
            write_page_checksum=True,
            # Fewer, larger steps: a page ends at its size in bytes, not before.
            max_rows_per_page=_ROW_GROUP,
            write_batch_size=_ROW_GROUP,
        )
        self._horizon_s = scenario.time.horizon or np.inf
        self._relayed, self._reported = _Kept(), _Kept()
        self._sorting = _sorting(_FEW_ROWS)
        # One of them is filled while the other is written.
        self._columns, self._others, self._filled = _columns(), _columns(), 0
        self._thread = ThreadPoolExecutor(1, "sending log")
        self._written: Future[None] = self._thread.submit(lambda: None)

    def handed_over(self, state: Relay) -> None:
        """Add what the relay did, in order of time; Campaign knows it at once."""
        kept, handed = self._relayed, state.handed[: state.relay["handed"][0]]
        more = int(handed["count"].sum() + handed["failed"].sum())
        kernel.keep_handed(kept.room_for(more), kept.count, state, *_EVENTS)
        kept.count += more

    def reported(self, reports: Records, known_s: Floats) -> None:
        """Add reports with the times at which they are known."""
        kept, more = self._reported, len(reports)
        known_s = np.ascontiguousarray(known_s)
        kernel.keep_reports(kept.room_for(more), kept.count, reports, known_s)
        kept.count += more

    def write_before(self, until_s: float) -> None:
        """Write rows known before ``until_s`` and the horizon; none may be added afterwards."""
        until_s = min(until_s, self._horizon_s)
        relayed, reported = self._relayed, self._reported
        needed = relayed.count + reported.count
        if needed > len(self._sorting.keys):
            self._sorting = _sorting(power_of_two(needed))
        sorting, parts = self._sorting, (reported.arrays, relayed.arrays)
        ready = kernel.sort_before(reported.arrays, sorting, reported.count, until_s)
        count, in_order = kernel.merge(
            reported.arrays, sorting, ready, relayed.arrays, relayed.count, until_s
        )
        if not in_order:
            _sort_fully(*parts, sorting.merged[:count])
        first = 0
        while first < count:
            more = min(count - first, _ROW_GROUP - self._filled)
            kernel.write_columns(*parts, sorting, first, self._columns, self._filled, more)
            first, self._filled = first + more, self._filled + more
            if self._filled == _ROW_GROUP:
                self._write()
        for kept in (relayed, reported):
            kept.count = kernel.keep_later(kept.arrays, kept.count, until_s)

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
            if log._filled:
                log._write()
            log._written.result()

    def _write(self) -> None:
        """Let the other thread write a group of rows, once it has written the one before."""
        self._written.result()
        self._written = self._thread.submit(self._write_columns, self._columns, self._filled)
        self._columns, self._others, self._filled = self._others, self._columns, 0

    def _write_columns(self, columns: kernel.Columns, count: int) -> None:
        arrays = []
        for name in _TYPES:
            array: Any = pa.array(getattr(columns, name)[:count])
            if name in self._labels:
                array = pa.DictionaryArray.from_arrays(array, self._labels[name], safe=False)
            arrays.append(array)
        table = pa.Table.from_arrays(arrays, schema=self._schema)
        self._writer.write_table(table, row_group_size=_ROW_GROUP)


def _sort_fully(reported: kernel.Kept, relayed: kernel.Kept, merged: Numbers) -> None:
    """Sort rows that are in order of time; of one time, message by message as things happened."""
    known_s = np.empty(len(merged))
    rows = np.empty(len(merged), kernel.ROW)
    for kept, chosen, places in (
        (reported, merged >= 0, merged),
        (relayed, merged < 0, -1 - merged),
    ):
        known_s[chosen], rows[chosen] = kept.known_s[places[chosen]], kept.rows[places[chosen]]
    message = (rows["delivery"].astype(np.int64) << 32) + rows["message"]
    merged[:] = merged[np.lexsort((rows["event"], rows["happened_s"], message, known_s))]
