"""What charts of a sweep share: its parameters and measures, and how their values are written."""

import re
from numbers import Integral, Real
from typing import Any, Final

import pandas as pd
from matplotlib.axis import Axis
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from sendcap.charts.ticks import even_ticks, ticks
from sendcap.errors import SendcapError
from sendcap.scenario import Scenario
from sendcap.scenario.durations import parse_duration
from sendcap.study.replication.measures import MEASURES, OF_A_RUN
from sendcap.text.measures import is_percentage, is_time
from sendcap.text.quantities import capital, compact, elapsed
from sendcap.text.quoting import shortened

_LONGEST: Final = 40


def parameters_of(results: pd.DataFrame) -> list[str]:
    """Return the columns of a sweep's results that are paths of the scenario, and that vary."""
    paths = [name for name in map(str, results.columns) if name not in OF_A_RUN and _is_path(name)]
    return [name for name in paths if len(set(results[name].astype(str))) > 1]


def _is_path(name: str) -> bool:
    return re.split(r"[.\[]", name, maxsplit=1)[0] in Scenario.model_fields


def measures_of(results: pd.DataFrame) -> list[str]:
    """Return the columns of a sweep's results that are measures and numbers."""
    return [
        name
        for name in map(str, results.columns)
        if name not in OF_A_RUN
        and not _is_path(name)
        and is_numeric_dtype(results[name])
        and not is_bool_dtype(results[name])
        and results[name].notna().any()
    ]


def done(results: pd.DataFrame) -> pd.DataFrame:
    """Return the runs that have not failed."""
    table = results
    if "error" in results:
        table = results[results["error"].isna() | (results["error"] == "")]
    if not len(table):
        raise SendcapError("no run of these results is done, so there is nothing to draw")
    return table


def measure_of(table: pd.DataFrame, measure: str | None) -> str:
    """Return a measure's name (default: the first); refuse an unknown one."""
    known = measures_of(table)
    if measure is None and known:
        return known[0]
    if measure not in known:
        names = ", ".join(known) or "none"
        raise SendcapError(f"measure: there is no {measure!r} with numbers; there are: {names}")
    return measure


def parameter_of(table: pd.DataFrame, name: str | None, but: str | None = None) -> str:
    """Return a parameter's name, by default of the one with most values; refuse others."""
    known = [path for path in parameters_of(table) if path != but]
    if name is None and known:
        return max(known, key=lambda path: table[path].nunique())
    if name not in known:
        names = ", ".join(known) or "none"
        raise SendcapError(f"parameter: {name or 'another one'} does not vary; those do: {names}")
    return name


def values_of(table: pd.DataFrame, name: str) -> list[Any]:
    """Return the values of a parameter: numbers and durations in order, text as it comes."""
    values = list(dict.fromkeys(table[name].dropna().tolist()))
    sizes = {value: quantity(value) for value in values}
    if None in sizes.values():
        return values
    return sorted(values, key=lambda value: sizes[value] or 0.0)


def quantity(value: Any) -> float | None:
    """Return a value of a parameter as a number, a duration as seconds; None for other text.

    >>> quantity(4), quantity("20m"), quantity("kumomta")
    (4.0, 1200.0, None)
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(value)
    try:
        return parse_duration(value) if isinstance(value, str) else None
    except ValueError:
        return None


def about_the_measure(measure: str) -> str:
    """Return a sentence about a measure, empty if nothing is known of it."""
    known = MEASURES.get(measure.partition(".")[0])
    return f"{capital(known.meaning)}. " if known and known.meaning else ""


def measure_axis(axis: Axis, measure: str) -> None:
    """Let an axis of a measure have ticks that are easily read; its limits must be final."""
    if is_time(measure):
        low, high = axis.get_view_interval()
        if axis.get_scale() == "log":
            positions = ticks(low, high)
        else:
            positions = [tick for tick in even_ticks(low, high, most=7) if tick >= 0.0]
            # Times to the second have no ticks between seconds.
            seconds = [tick for tick in positions if tick % 1.0 == 0.0]
            positions = seconds if len(seconds) > 1 else positions
        axis.set_ticks(positions, [elapsed(tick) for tick in positions])
    elif not is_percentage(measure):
        axis.set_major_formatter(compact)


def value_label(value: Any) -> str:
    """Write a value of a parameter."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return shortened(str(value))
    return f"{value:,}" if isinstance(value, Integral) else f"{value:g}"


def long_label(name: str) -> str:
    """Return a path that fits beside a row."""
    return name if len(name) <= _LONGEST else f"…{name[1 - _LONGEST :]}"
