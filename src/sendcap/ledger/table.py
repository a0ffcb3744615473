"""The ledger as an Arrow table: a row for each series and bin with events, sorted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sendcap.files.parquet import whole_numbers
from sendcap.ledger.series import CLOCKS, EVENTS, Event, Series
from sendcap.ledger.sparse import NO_COUNTS, SparseCounts

_ONCE: Final[frozenset[Event]] = frozenset({"relayed", "accepted", "hard", "expired"})
"""What happens to a message once at most."""

SparseSeries = Mapping[Series, SparseCounts]


class Labels:
    """A column of texts: each once, and its number for each series."""

    def __init__(self, texts: Sequence[str]) -> None:
        numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        self._texts = pa.array(list(numbers), pa.string())
        self._codes = np.array([numbers[text] for text in texts], np.int32)

    def repeated(self, series: slice, repeats: npt.NDArray[np.int64]) -> pa.Array:
        """Return the text of each series, repeated."""
        codes = np.repeat(self._codes[series], repeats)
        return pa.DictionaryArray.from_arrays(codes, self._texts)


def tables(series: SparseSeries, bin_s: float, most_rows: int) -> Iterator[pa.Table]:
    """Yield the rows in tables of about so many; without any rows, one empty table."""
    names = sorted(series, key=lambda name: name.order)
    texts = zip(*names, strict=True) if names else [()] * len(Series._fields)
    labels = dict(zip(Series._fields, map(Labels, texts), strict=True))
    lengths = np.array([len(series[name].bins) for name in names], np.int64)
    cuts = np.flatnonzero(np.diff(np.cumsum(lengths) // most_rows)) + 1
    for first, last in pairwise([0, *cuts.tolist(), len(names)]):
        these = slice(first, last)
        counts = [series[name] for name in names[these]] or [NO_COUNTS]
        columns = {name: label.repeated(these, lengths[these]) for name, label in labels.items()}
        columns["bin_start_s"] = pa.array(np.concatenate([each.bins for each in counts]) * bin_s)
        columns["count"] = pa.array(np.concatenate([each.counts for each in counts]))
        yield pa.table(columns)


def series_of(
    tables: Iterable[pa.Table], bin_s: float, bins: int, to_deliver: Mapping[tuple[str, str], int]
) -> dict[Series, SparseCounts]:
    """Return the counts of tables; a ValueError says why no ledger can have written them."""
    parts: dict[Series, list[SparseCounts]] = {}
    for table in tables:
        rows = _bins(table.column("bin_start_s"), bin_s, bins)
        values = whole_numbers(table.column("count"))
        filled = values > 0
        for names, positions in rows_by(table, Series._fields):
            series = Series(*names)
            _require_possible(series, to_deliver)
            positions = positions[filled[positions]]
            parts.setdefault(series, []).append(SparseCounts(rows[positions], values[positions]))
    counts = {series: _ascending(some) for series, some in parts.items()}
    for series, found in counts.items():
        messages = to_deliver[series.delivery, series.provider]
        if series.event in _ONCE and float(found.counts.sum(dtype=float)) > messages:
            raise ValueError(f"more messages {series.event} than there are to deliver")
    return {series: found for series, found in counts.items() if len(found.bins)}


def _require_possible(series: Series, to_deliver: Mapping[tuple[str, str], int]) -> None:
    if series.event not in EVENTS or series.clock not in CLOCKS:
        raise ValueError(f"unknown event or clock: {series.event}, {series.clock}")
    if (series.delivery, series.provider) not in to_deliver:
        raise ValueError(
            f"counts of delivery {series.delivery!r} to {series.provider!r}, which has "
            "nothing to deliver"
        )


def _ascending(parts: Sequence[SparseCounts]) -> SparseCounts:
    """Return counts with each bin once; a table that somebody has sorted may have another order."""
    counts = parts[0]
    if len(parts) > 1:
        counts = SparseCounts(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    in_order = (np.diff(counts.bins) > 0).all()
    return counts if in_order else SparseCounts.gathered(*counts)


def _bins(column: pa.ChunkedArray, bin_s: float, bins: int) -> npt.NDArray[np.int32]:
    """Return the numbers of bins, from a column of their starts."""
    starts_s = np.asarray(column, np.float64)
    if column.null_count or not np.isfinite(starts_s).all():
        raise ValueError("a bin has no start")
    numbers = starts_s / bin_s
    rows = np.rint(numbers)
    if len(rows) and not (rows.min() >= 0 and rows.max() < bins):
        raise ValueError(f"a bin lies outside the run's {bins} bins")
    if len(rows) and np.abs(numbers - rows).max() > 1e-3:
        raise ValueError(f"a bin does not start at a multiple of {bin_s:g} s")
    return rows.astype(np.int32)


def rows_by(
    table: pa.Table, names: Sequence[str]
) -> Iterator[tuple[tuple[Any, ...], npt.NDArray[np.int64]]]:
    """Yield the texts of some columns and the numbers of their rows; they are compared as numbers.

    A ValueError names a column with anything but texts.
    """
    label = np.zeros(table.num_rows, np.int64)
    texts: list[list[Any]] = []
    for name in names:
        column = table.column(name).combine_chunks()
        if not isinstance(column, pa.DictionaryArray):
            column = column.dictionary_encode()
        labels = column.dictionary.to_pylist()
        if column.null_count or not all(isinstance(label, str) for label in labels):
            raise ValueError(f"a row has no {name}")
        texts.append(labels)
        label = label * len(labels) + np.asarray(column.indices, np.int64)
    order = np.argsort(label, kind="stable")
    cuts = np.flatnonzero(np.diff(label[order])) + 1
    for positions in np.split(order, cuts) if len(order) else ():
        number = int(label[positions[0]])
        parts = []
        for labels in reversed(texts):
            number, position = divmod(number, len(labels))
            parts.append(labels[position])
        yield tuple(reversed(parts)), positions
