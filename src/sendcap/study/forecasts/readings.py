"""Readings of a real dashboard: a CSV file with a row for each noted moment.

The columns are those of a saved run's ``kpis.csv``; further columns are ignored. A time and one
percentage are enough.
"""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from sendcap.errors import SendcapError
from sendcap.files.reading import table_lines
from sendcap.files.tables import restored
from sendcap.readings.convergence import Floats
from sendcap.readings.modes import ALL_DELIVERIES, MODES, Mode, one_of
from sendcap.scenario.durations import checked_duration
from sendcap.text.quantities import elapsed
from sendcap.text.quoting import shown

READ: Final = ("delivered_pct", "bounces_errors_pct")
"""The percentages a forecast is based on."""
_TIMES: Final = ("time_s", "time")
_COLUMNS: Final = ("mode", "delivery", *_TIMES, *READ)


@dataclass(frozen=True, eq=False)
class Readings:
    """The readings in one mode."""

    mode: Mode
    time_s: Floats = field(repr=False)  # of the figures, from t = 0; ascending: shape (n,)
    percent: Mapping[str, Floats] = field(repr=False)  # by column: shape (n,); NaN: no reading
    decimals: int  # of the percentages

    def until(self, at_s: float) -> Readings:
        """Return the readings up to a moment."""
        early = self.time_s <= at_s * (1 + 1e-12)
        if not early.any():
            raise SendcapError(
                f"observed: no row up to {elapsed(at_s)} in mode {self.mode}; "
                f"the first is at {elapsed(float(self.time_s[0]))}"
            )
        return self._taken(early)

    def thinned(self, most: int) -> Readings:
        """Return so many readings at most, denser at the start."""
        return self._taken(thinned(self.time_s, most))

    def _taken(self, places: npt.NDArray[Any]) -> Readings:
        percent = {name: values[places] for name, values in self.percent.items()}
        return Readings(self.mode, self.time_s[places], percent, self.decimals)


def last_reading_s(readings: Mapping[Mode, Readings]) -> float:
    """Return the time of the last reading of all modes."""
    return max(float(each.time_s[-1]) for each in readings.values())


def thinned(time_s: Floats, most: int, first: int = 0) -> npt.NDArray[np.intp]:
    """Return the indices of so many ascending times at most, denser at the start.

    ``first`` is the index of the first time to take; the last one is always taken.
    """
    wanted = np.linspace(np.sqrt(time_s[first]), np.sqrt(time_s[-1]), most) ** 2
    after = np.clip(np.searchsorted(time_s, wanted * (1 - 1e-12)), first, len(time_s) - 1)
    before = np.maximum(after - 1, first)
    nearer = np.where(wanted - time_s[before] < time_s[after] - wanted, before, after)
    nearer[-1] = len(time_s) - 1
    return np.unique(nearer)


def read_readings(
    source: str | os.PathLike[str] | pd.DataFrame,
    modes: Sequence[Mode] | None = None,
    delivery: str = ALL_DELIVERIES,
) -> dict[Mode, Readings]:
    """Read the readings of a dashboard from a CSV file, or a table as `Run.kpis` returns it.

    Modes are those to take (default: all in the file); for a file without modes, the file's.
    Delivery ``"*"`` is all of them together, or the only one in the file.
    """
    if not isinstance(source, str | os.PathLike):
        return _taken("observed", io.StringIO(source.to_csv(index=False)), modes, delivery)
    if Path(source).is_dir():
        raise SendcapError(f"{source}: is a directory; give a CSV file, such as a run's kpis.csv")
    try:
        with table_lines(Path(source)) as lines:
            return _taken(str(source), lines, modes, delivery)
    except OSError as problem:
        raise SendcapError(f"{source}: {problem.strerror or problem}") from None
    except UnicodeDecodeError:
        raise SendcapError(f"{source}: is not UTF-8 text") from None


def typed_readings(
    percent: Mapping[float, float | str], modes: Sequence[Mode]
) -> dict[Mode, Readings]:
    """Return Delivered % by moment, in seconds, as readings in each of the modes.

    The decimals are those that are written: 98.7 is 98.65 to 98.75.
    """
    if not percent:
        raise SendcapError("observed: no reading; give Delivered % at a moment")
    cells = [(time_s, str(value).strip()) for time_s, value in sorted(percent.items())]
    rows = [
        _Row(0, None, None, time_s, {READ[0]: _percent("delivered", text)}, _decimals(text))
        for time_s, text in cells
    ]
    return {mode: _readings("delivered", mode, rows) for mode in modes}


@dataclass(frozen=True)
class _Row:
    line: int
    mode: str | None
    delivery: str | None
    time_s: float
    percent: Mapping[str, float]
    decimals: int


def _taken(
    name: str, lines: Iterable[str], modes: Sequence[Mode] | None, delivery: str
) -> dict[Mode, Readings]:
    rows = _of_delivery(name, list(_rows(name, lines)), delivery)
    present = list(dict.fromkeys(row.mode for row in rows))
    if present == [None]:
        if modes is None or len(modes) != 1:
            raise SendcapError(
                f"{name}: no column mode; say by --mode which one it is, of {', '.join(MODES)}"
            )
        return {modes[0]: _readings(name, modes[0], rows)}
    wanted = cast("list[Mode]", present) if modes is None else list(dict.fromkeys(modes))
    for mode in wanted:
        if mode not in present:
            known = ", ".join(map(str, present))
            raise SendcapError(f"{name}: no rows of mode {mode}; there are {known}")
    return {
        mode: _readings(name, mode, [row for row in rows if row.mode == mode]) for mode in wanted
    }


def _of_delivery(name: str, rows: list[_Row], delivery: str) -> list[_Row]:
    present = list(dict.fromkeys(row.delivery for row in rows))
    if present in ([None], [delivery]) or (delivery == ALL_DELIVERIES and len(present) == 1):
        return rows
    if delivery not in present:
        known = ", ".join(map(shown, present))
        raise SendcapError(f"{name}: no rows of delivery {shown(delivery)}; there are {known}")
    return [row for row in rows if row.delivery == delivery]


def _readings(name: str, mode: Mode, rows: Sequence[_Row]) -> Readings:
    for before, row in pairwise(rows):
        if not row.time_s > before.time_s:
            raise SendcapError(
                f"{name}, line {row.line}: time does not ascend: {elapsed(row.time_s)} comes "
                f"after {elapsed(before.time_s)}"
            )
    percent = {
        column: np.array([row.percent.get(column, math.nan) for row in rows]) for column in READ
    }
    percent = {column: values for column, values in percent.items() if not np.isnan(values).all()}
    if not percent:
        raise SendcapError(f"{name}: no percentage in any row of mode {mode}")
    if np.nanmax(percent.get(READ[0], [100.0])) <= 1.0 and np.nanmax(percent[READ[0]]) > 0.0:
        raise SendcapError(
            f"{name}: {READ[0]} is never more than 1 in mode {mode}; write 98 % as 98, not as 0.98"
        )
    decimals = max(row.decimals for row in rows)
    return Readings(mode, np.array([row.time_s for row in rows]), percent, decimals)


def _rows(name: str, lines: Iterable[str]) -> Iterator[_Row]:
    table = csv.DictReader(lines)
    columns = [restored(column.strip()) for column in table.fieldnames or []]
    if not any(columns):
        raise SendcapError(f"{name}: is empty; its first line must name the columns")
    table.fieldnames = columns
    time = next((column for column in _TIMES if column in columns), None)
    percents = [column for column in READ if column in columns]
    if time is None or not percents:
        names = ", ".join(map(shown, columns))
        semicolons = "; separate them by commas" if ";" in names else ""
        raise SendcapError(
            f"{name}: no column {READ[0] if time else ' or '.join(_TIMES)}; its first line names "
            f"{names}{semicolons}; it needs time_s or time, and {' or '.join(READ)}"
        )
    empty = True
    try:
        for row in table:
            line = table.line_num
            cells: dict[str, str] = {
                key: restored((row.get(key) or "").strip()) for key in _COLUMNS if key in columns
            }
            if not any(cells.values()):
                continue
            empty = False
            try:
                noted = _row(line, cells, time, percents)
            except SendcapError as problem:
                raise SendcapError(f"{name}, line {line}: {problem}") from None
            yield noted
    except csv.Error as problem:
        raise SendcapError(f"{name}, line {table.line_num}: not CSV: {problem}") from None
    if empty:
        raise SendcapError(f"{name}: no rows below its header")


def _row(line: int, cells: Mapping[str, str], time: str, percents: Sequence[str]) -> _Row:
    texts = {key: cells[key] for key in percents if cells[key]}
    return _Row(
        line,
        one_of("mode", cells["mode"], MODES) if "mode" in cells else None,
        cells.get("delivery"),
        _time_s(cells[time]),
        {key: _percent(key, text) for key, text in texts.items()},
        max(map(_decimals, texts.values()), default=0),
    )


def _decimals(text: str) -> int:
    return len(text.removesuffix("%").strip().partition(".")[2])


def _time_s(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        try:
            return checked_duration(text)
        except ValueError as problem:
            since = "; it counts from t = 0, the start" if ":" in text else ""
            raise SendcapError(f"time: {problem}{since}") from None
    if not 0.0 <= seconds < math.inf:
        raise SendcapError(f"time: {text} is not a time from 0 on")
    return seconds


def _percent(column: str, text: str) -> float:
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = math.nan
    if math.isnan(value) and text.lower() == "nan":
        return value
    if not 0.0 <= value <= 100.0:
        point = "; write it with a point" if "," in text else ""
        raise SendcapError(f"{column}: {shown(text)} is not a percentage from 0 to 100{point}")
    return value
