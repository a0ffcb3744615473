"""What a sweep looks like in the terminal: its points with the means of their measures."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from sendcap.cli.conduct import printable
from sendcap.cli.tables import console, heading, new_table
from sendcap.errors import SendcapError
from sendcap.study.sweeps.outcomes import sentences
from sendcap.text.measures import measure_text

if TYPE_CHECKING:
    import pandas as pd

    from sendcap.study.sweeps.study_file import Study

_MOST_POINTS: Final = 30
_OTHERS: Final = ("point", "replication", "seed", "error", "wall_s", "cpu_s")


def show_results(study: Study, table: pd.DataFrame) -> None:
    """Print the results of a study: its points, or where they are too many their range.

    Raises
    ------
    SendcapError
        If every run has failed.
    """
    failed = table[table["error"] != ""]
    if len(failed) == len(table):
        raise SendcapError(f"all {len(table):,} runs have failed: {failed['error'].iloc[0]}")
    screen = console()
    paths = list(study.plan.points.paths)
    measures = [name for name in table.columns if name not in (*_OTHERS, *paths)]
    if table["point"].nunique() <= _MOST_POINTS:
        screen_points(screen, study, table, paths, measures)
    else:
        screen_ranges(screen, study, table, measures)
    screen.print()
    for sentence in sentences(table):
        screen.print(printable(sentence))


def screen_points(
    screen: Any, study: Study, table: pd.DataFrame, paths: list[str], measures: list[str]
) -> None:
    """Print a row for each point, with the mean of each measure over its replications."""
    shown = new_table("Point", [*paths, *measures])
    for point, rows in table.groupby("point", sort=False):
        values = [_value(rows[path].iloc[0]) for path in paths]
        shown.add_row(
            str(point),
            *map(printable, values),
            *(printable(_middle(name, rows[name])) for name in measures),
        )
    count = study.replications
    mean = "" if count == 1 else f": means over {count:,} replications"
    heading(screen, (study.title or "Points") + mean)
    screen.print(shown)


def screen_ranges(screen: Any, study: Study, table: pd.DataFrame, measures: list[str]) -> None:
    """Print a row for each measure that is a number: its lowest, median and highest value."""
    shown = new_table("Measure", ["Lowest", "Median", "Highest"])
    for name in measures:
        values = _numbers(table[name])
        if values is not None and len(values):
            ends = (values.min(), values.median(), values.max())
            shown.add_row(printable(name), *(measure_text(name, float(value)) for value in ends))
    heading(screen, (study.title or "Runs") + f": {table['point'].nunique():,} points")
    screen.print(shown)


def _value(its: Any) -> str:
    """Write a parameter's value: of a design's many digits as many as tell points apart.

    Examples
    --------
    >>> _value(0.04827777048945427), _value(8), _value("20m"), _value(math.nan)
    ('0.0482778', '8', '20m', '–')
    """
    if isinstance(its, float):
        return "–" if math.isnan(its) else f"{its:.6g}"
    return "–" if its is None else str(its)


def _middle(name: str, values: pd.Series[Any]) -> str:
    """Return the mean of numbers, or the most frequent of words."""
    numbers = _numbers(values)
    if numbers is not None:
        return measure_text(name, float(numbers.mean()) if len(numbers) else math.nan)
    words = Counter(str(value) for value in values.dropna())
    return words.most_common(1)[0][0] if words else "–"


def _numbers(values: pd.Series[Any]) -> pd.Series[float] | None:
    import pandas as pd

    there = values.dropna()
    if len(there) and there.map(lambda its: isinstance(its, bool | str)).any():
        return None
    numbers: pd.Series[float] = pd.to_numeric(there).astype(float)
    return numbers
