"""The sending log: one row per message and status change, written while the run goes on."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sendcap.ledger import EVENTS, Event
from sendcap.model.addresses import AddressKinds
from sendcap.model.messages import WITH_REASON, Floats, Ints, Reports
from sendcap.scenario import Scenario

_ROW: Final = np.dtype(
    [
        ("known_s", "f8"),
        ("happened_s", "f8"),
        ("message", "i8"),
        ("attempt", "i4"),
        ("delivery", "i2"),
        ("provider", "i2"),
        ("reason", "i2"),
        ("event", "i1"),
    ],
    align=True,
)
_ROW_GROUP: Final = 1 << 18


class SendingLog:
    """Writes rows in the order in which Campaign learns of them, a row group at a time.

    Columns: delivery, provider, message (its number within the delivery, in the order of
    relaying), event, reason, attempt (0 before the first), happened_s, known_s.

    Parameters
    ----------
    path
        The Parquet file to write.
    scenario
        The scenario that is simulated.
    providers
        Names of the providers, by number.
    """

    def __init__(self, path: Path, scenario: Scenario, providers: Sequence[str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        reasons = [AddressKinds(scenario.providers[name]).reasons for name in providers]
        names = list(dict.fromkeys(["", *(name for its in reasons for name in its)]))
        self._reason = [np.array([names.index(name) for name in its]) for its in reasons]
        self._labels = {
            "delivery": pa.array([delivery.name for delivery in scenario.deliveries], pa.string()),
            "provider": pa.array(providers, pa.string()),
            "event": pa.array(EVENTS, pa.string()),
            "reason": pa.array(names, pa.string()),
        }
        label = pa.dictionary(pa.int32(), pa.string())
        self._schema = pa.schema(
            [
                ("delivery", label),
                ("provider", label),
                ("message", pa.int64()),
                ("event", label),
                ("reason", label),
                ("attempt", pa.int32()),
                ("happened_s", pa.float64()),
                ("known_s", pa.float64()),
            ]
        )
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._horizon_s = scenario.time.horizon or np.inf
        self._pending: list[npt.NDArray[np.void]] = []
        self._ready: list[npt.NDArray[np.void]] = []
        self._ready_count = 0

    def relayed(
        self,
        event: Event,
        delivery: int,
        provider: npt.NDArray[np.int16],
        times_s: Floats,
        message: Ints,
    ) -> None:
        """Add what the relay did; Campaign knows it at once."""
        rows = np.zeros(len(times_s), _ROW)
        rows["known_s"] = rows["happened_s"] = times_s
        rows["message"] = message
        rows["delivery"] = delivery
        rows["provider"] = provider
        rows["event"] = EVENTS.index(event)
        self._pending.append(rows)

    def reported(self, reports: Reports, known_s: Floats) -> None:
        """Add reports, known at the times given."""
        rows = np.zeros(len(reports), _ROW)
        rows["known_s"] = known_s
        rows["happened_s"] = reports.happened_s
        rows["message"] = reports.message
        rows["attempt"] = reports.attempt
        rows["delivery"] = reports.delivery
        rows["provider"] = reports.provider
        if reports.event in WITH_REASON:
            rows["reason"] = self._reason[reports.provider][reports.reason]
        rows["event"] = EVENTS.index(reports.event)
        self._pending.append(rows)

    def write_before(self, until_s: float) -> None:
        """Write what is known before ``until_s``; nothing of it may be added any more.

        What is known at the horizon or after it is left out.
        """
        until_s = min(until_s, self._horizon_s)
        if not self._pending:
            return
        pending = np.concatenate(self._pending)
        now = pending["known_s"] < until_s
        self._pending = [pending[~now]]
        rows = pending[now]
        self._ready.append(rows[_order(rows)])
        self._ready_count += len(rows)
        if self._ready_count >= _ROW_GROUP:
            self._write()

    @classmethod
    @contextmanager
    def opened(
        cls, path: Path, scenario: Scenario, providers: Sequence[str]
    ) -> Generator[SendingLog, None, None]:
        """Open the file, and write the rest and close it at the end."""
        log = cls(path, scenario, providers)
        with log._writer:
            yield log
            log.write_before(np.inf)
            log._write()

    def _write(self) -> None:
        import pyarrow as pa

        if not self._ready_count:
            return
        rows = np.concatenate(self._ready)
        self._ready, self._ready_count = [], 0
        columns: list[Any] = []
        for field in self._schema:
            values = np.ascontiguousarray(rows[field.name])
            if field.name in self._labels:
                codes = pa.array(values.astype(np.int32))
                columns.append(pa.DictionaryArray.from_arrays(codes, self._labels[field.name]))
            else:
                columns.append(pa.array(values))
        table = pa.Table.from_arrays(columns, schema=self._schema)
        self._writer.write_table(table, row_group_size=_ROW_GROUP)


def _order(rows: npt.NDArray[np.void]) -> Ints:
    """Return the rows' order: by known time, then message by message as things happened.

    Times rarely tie in disorder, so the full comparison is made only where they do.
    """
    known_s = np.ascontiguousarray(rows["known_s"])
    happened_s = np.ascontiguousarray(rows["happened_s"])
    message = rows["delivery"].astype(np.int64) << 40 | rows["message"]
    order = np.argsort(known_s, kind="stable")
    tied = np.diff(known_s[order]) == 0.0
    next_message, next_s = np.diff(message[order]), np.diff(happened_s[order])
    if np.any(tied & ((next_message < 0) | ((next_message == 0) & (next_s <= 0.0)))):
        order = np.lexsort((rows["event"], happened_s, message, known_s))
    return order
