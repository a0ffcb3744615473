"""The sending log: one row per message and status change, written while the run goes on."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sendcap.ledger import EVENTS
from sendcap.model.addresses import AddressKinds
from sendcap.model.messages import WITH_REASON, Floats, Ints, Reports
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
_Rows = dict[str, npt.NDArray[Any]]


def _rows(count: int, **columns: Any) -> _Rows:
    """Return rows; a column may be one value for all of them."""
    return {
        name: np.broadcast_to(np.asarray(columns[name], kind), count)
        for name, kind in _TYPES.items()
    }


def _chosen(rows: _Rows, index: npt.NDArray[Any]) -> _Rows:
    return {name: column[index] for name, column in rows.items()}


def _joined(parts: Sequence[_Rows]) -> _Rows:
    if not parts:
        return _rows(0, **dict.fromkeys(_TYPES, 0))
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in _TYPES}


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
        )
        self._horizon_s = scenario.time.horizon or np.inf
        self._relayed: list[_Rows] = []
        self._reported: list[_Rows] = []
        self._ready: list[_Rows] = []
        self._ready_count = 0

    def handed_over(
        self,
        delivery: int,
        provider: npt.NDArray[np.int16],
        times_s: Floats,
        message: Ints,
        failed: Ints,
    ) -> None:
        """Add what the relay did, in order of time; Campaign knows it at once.

        ``failed`` are the places of the messages that failed before they were handed over.
        """
        event = np.full(len(times_s), EVENTS.index("relayed"), np.int8)
        event[failed] = EVENTS.index("relay_failed")
        self._relayed.append(
            _rows(
                len(times_s),
                delivery=delivery,
                provider=provider,
                message=message,
                event=event,
                reason=0,
                attempt=0,
                happened_s=times_s,
                known_s=times_s,
            )
        )

    def reported(self, reports: Reports, known_s: Floats) -> None:
        """Add reports, known at the times given."""
        reason: Any = 0
        if reports.event in WITH_REASON:
            reason = self._reason[reports.provider][reports.reason]
        self._reported.append(
            _rows(
                len(reports),
                delivery=reports.delivery,
                provider=reports.provider,
                message=reports.message,
                event=EVENTS.index(reports.event),
                reason=reason,
                attempt=reports.attempt,
                happened_s=reports.happened_s,
                known_s=known_s,
            )
        )

    def write_before(self, until_s: float) -> None:
        """Write what is known before ``until_s``; nothing of it may be added any more.

        What is known at the horizon or after it is left out.
        """
        until_s = min(until_s, self._horizon_s)
        relayed, self._relayed = _split(self._relayed, until_s)
        reported, self._reported = _split(self._reported, until_s)
        if len(relayed["known_s"]) + len(reported["known_s"]):
            rows = _in_order(relayed, reported)
            self._ready.append(rows)
            self._ready_count += len(rows["known_s"])
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
        rows = _joined(self._ready)
        self._ready, self._ready_count = [], 0
        columns = [
            pa.DictionaryArray.from_arrays(pa.array(column), self._labels[name])
            if name in self._labels
            else pa.array(column)
            for name, column in rows.items()
        ]
        table = pa.Table.from_arrays(columns, schema=self._schema)
        self._writer.write_table(table, row_group_size=_ROW_GROUP)


def _split(parts: Sequence[_Rows], until_s: float) -> tuple[_Rows, list[_Rows]]:
    """Return the rows that are known before a time, and the others."""
    now: list[_Rows] = []
    later: list[_Rows] = []
    for part in parts:
        known = part["known_s"] < until_s
        if known.all():
            now.append(part)
        else:
            now.append(_chosen(part, np.flatnonzero(known)))
            later.append(_chosen(part, np.flatnonzero(~known)))
    return _joined(now), later


def _in_order(relayed: _Rows, reported: _Rows) -> _Rows:
    """Return all rows by known time; of one time, message by message as things happened.

    The relay's rows come in order of time. Times of reports rarely tie, so the full comparison is
    made only where one does.
    """
    order = np.argsort(reported["known_s"])
    reported_s, relayed_s = reported["known_s"][order], relayed["known_s"]
    before = np.searchsorted(relayed_s, reported_s)
    if _ties(relayed, reported_s, before):
        rows = _joined((relayed, reported))
        message = rows["delivery"].astype(np.int64) << 40 | rows["message"]
        keys = (rows["event"], rows["happened_s"], message, rows["known_s"])
        return _chosen(rows, np.lexsort(keys))
    places = before + np.arange(len(order))
    is_relayed = np.ones(len(relayed_s) + len(order), np.bool_)
    is_relayed[places] = False
    rows = {}
    for name, kind in _TYPES.items():
        column = np.empty(len(is_relayed), kind)
        column[is_relayed] = relayed[name]
        column[places] = reported[name][order]
        rows[name] = column
    return rows


def _ties(relayed: _Rows, reported_s: Floats, before: Ints) -> bool:
    """Tell whether rows of one time could be in disorder, given the reports' times in order."""
    relayed_s = relayed["known_s"]
    if np.any(np.diff(reported_s) == 0.0):
        return True
    if len(relayed_s) and np.any(relayed_s[np.minimum(before, len(relayed_s) - 1)] == reported_s):
        return True
    # The relay's messages are in order within a delivery: only another one can come between.
    delivery = relayed["delivery"]
    mixed = np.flatnonzero(np.diff(delivery) < 0)
    return bool(np.any(relayed_s[mixed] == relayed_s[mixed + 1]))
