"""The KPIs of a run as files: CSV with rows on a grid for people, Parquet with every change."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.csv

from sendcap.files.figures import DECIMALS
from sendcap.files.parquet import TableWriter
from sendcap.files.tables import neutral
from sendcap.ledger import Edges, Ledger
from sendcap.readings.kpis import Figures, Readings, deliveries_and_all
from sendcap.readings.modes import ALL_DELIVERIES, Denominator, Mode
from sendcap.text.quantities import all_units
from sendcap.version import MODEL_VERSION, __version__

_NAMES: Final = ("mode", "delivery")
_MOMENT: Final = ("time_s", "elapsed", "clock_time")
_IN_WORDS = cache(all_units)

Columns = dict[str, npt.NDArray[Any]]


def write_kpis(
    table_file: Path,
    changes_file: Path,
    readings: Readings,
    modes: Sequence[Mode],
    denominator: Denominator = "default",
    start: datetime | None = None,
) -> None:
    """Write the KPIs of each delivery and mode as CSV on a grid, and as Parquet with each change.

    The columns are those of `sendcap.Run.kpis`; the CSV file also has the elapsed time in words
    and the time by the clock of ``start``, the moment of t = 0. A percentage of nothing is blank.
    """
    ledger = readings.ledger
    changes = {name: readings.changes(name) for name in deliveries_and_all(ledger)}
    shown = grids(changes, ledger, len(modes))
    about = {
        "version": __version__,
        "model": MODEL_VERSION,
        "bin_s": ledger.bin_s,
        "bins": ledger.bins,
    }
    coded = {"mode": _coded(modes), "delivery": _coded(list(changes))}
    options = _options(changes)
    with (
        table_file.open("wb") as file,
        TableWriter(changes_file, {b"sendcap": json.dumps(about).encode()}) as every,
    ):
        file.write(",".join((*_NAMES, *_MOMENT, *Figures._fields[1:])).encode() + b"\n")
        # One delivery at a time: together they would take many times the ledger's memory.
        for delivery, changed in changes.items():
            edges = ledger.with_ends(changed)
            at_changes = readings.figures_at(edges, modes, delivery, denominator)
            rows = np.searchsorted(edges, shown[delivery], side="right") - 1
            for mode, figures in at_changes.items():
                names = {"mode": mode, "delivery": delivery}
                columns = _rounded(figures)
                every.write(_changes(names, columns, coded))
                columns = {name: each[rows] for name, each in columns.items()}
                columns["time_s"] = np.round(shown[delivery] * ledger.bin_s, DECIMALS)
                pyarrow.csv.write_csv(_for_people(names, columns, start), file, options)


def _options(names: Mapping[str, Edges]) -> pyarrow.csv.WriteOptions:
    """Return options that quote only where a name needs it: most readers are short scripts."""
    quote = any(not set(name).isdisjoint(',"\r\n') for name in names)
    return pyarrow.csv.WriteOptions(
        include_header=False, quoting_style="needed" if quote else "none"
    )


def _rounded(figures: Figures) -> Columns:
    return {
        name: np.asarray(np.round(values, DECIMALS) if values.dtype == np.float64 else values)
        for name, values in figures._asdict().items()
    }


def _coded(names: Sequence[str]) -> dict[str, pa.Array]:
    """Return a column of one row for each name, all with the same list of names."""
    texts = pa.array(names, pa.string())
    return {
        name: pa.DictionaryArray.from_arrays(pa.array([number], pa.int32()), texts)
        for number, name in enumerate(names)
    }


def _changes(
    names: dict[str, str], columns: Columns, coded: dict[str, dict[str, pa.Array]]
) -> pa.Table:
    """Return the rows that differ from the one before, and the first and the last one."""
    changed = np.zeros(len(columns["time_s"]), np.bool_)
    changed[[0, -1]] = True
    for name, values in columns.items():
        if name != "time_s":
            one, two = values[:-1], values[1:]
            # A share of nothing is NaN, and may stay one.
            changed[1:] |= (one != two) & ~((one != one) & (two != two))
    number = np.zeros(np.count_nonzero(changed), np.int32)
    labels = {name: coded[name][names[name]].take(number) for name in _NAMES}
    kept = {name: pa.array(each[changed], from_pandas=True) for name, each in columns.items()}
    return pa.table({**labels, **kept})


def _for_people(names: dict[str, str], columns: Columns, start: datetime | None) -> pa.Table:
    """Return the rows of a mode and delivery as the CSV file has them."""
    time_s = columns["time_s"]
    texts = {name: pa.repeat(neutral(text), len(time_s)) for name, text in names.items()}
    moments = (time_s, list(map(_IN_WORDS, time_s.tolist())), _by_the_clock(time_s, start))
    figures = {name: columns[name] for name in Figures._fields[1:]}
    return pa.table(
        {
            **texts,
            **dict(zip(_MOMENT, moments, strict=True)),
            **{name: pa.array(values, from_pandas=True) for name, values in figures.items()},
        }
    )


def _by_the_clock(time_s: npt.NDArray[np.float64], start: datetime | None) -> pa.Array:
    """Return the dates and times of moments, blank where the scenario has no start."""
    if start is None:
        return pa.nulls(len(time_s), pa.string())
    began = pd.Timestamp(start).as_unit("ms")
    later = pd.to_timedelta(np.rint(1000.0 * time_s).astype("timedelta64[ms]"))
    # Daylight saving may begin or end meanwhile.
    moments = (began + later).tz_localize(None).to_numpy()
    in_seconds = moments.astype("datetime64[s]")
    return pa.array(in_seconds if (in_seconds == moments).all() else moments)


# The moments at which a table for people has rows. A row for each bin, mode and delivery would be
# more than a hundred megabytes for thirty deliveries on as many days. So the rows are close
# together after a delivery's first change and farther and farther apart from there on. The rows of
# very many deliveries are farther apart from the start, but for those of all of them together.

MOST_ROWS: Final = 500_000
"""About as many rows a table has at most; a spreadsheet holds twice as many."""
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0
_AGES_S: Final = (10 * _MINUTE, 4 * _HOUR, _DAY, 4 * _DAY, math.inf)
"""Times since a delivery's first change at which the distance of the rows grows."""
_STEPS_S: Final = (
    *(1.0, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR),
    *(4 * _HOUR, _DAY, 7 * _DAY, 28 * _DAY, 366 * _DAY),
)
"""Distances of rows: as many as there are ages are used, from the first one on or a later one."""


def grids(
    changes: Mapping[str, Edges], ledger: Ledger, tables: int, most_rows: int = MOST_ROWS
) -> dict[str, Edges]:
    """Return the edges with rows, by delivery, for a number of tables of each of them.

    ``changes`` are the edges by which something of a delivery has changed.
    """
    for coarser in range(len(_STEPS_S) - len(_AGES_S) + 1):
        chosen = {
            name: grid(edges, ledger, _STEPS_S[0 if name == ALL_DELIVERIES else coarser :])
            for name, edges in changes.items()
        }
        if tables * sum(map(len, chosen.values())) <= most_rows:
            break
    return chosen


def grid(changes: Edges, ledger: Ledger, steps_s: Sequence[float]) -> Edges:
    """Return the edges with rows: the ends of the run, and some from first to last change."""
    if not len(changes):
        return ledger.with_ends(changes)
    # Nothing has changed yet at the edge before the first change.
    first, last = int(changes[0]) - 1, int(changes[-1])
    parts = [np.array([first, last])]
    begin = first
    for age_s, step_s in zip(_AGES_S, steps_s, strict=False):
        end = int(min(first + age_s / ledger.bin_s, last))
        stride = max(round(step_s / ledger.bin_s), 1)
        parts.append(np.arange(math.ceil(begin / stride) * stride, end + 1, stride))
        begin = end
    return ledger.with_ends(np.concatenate(parts))
