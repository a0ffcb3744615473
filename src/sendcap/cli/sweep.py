"""``sendcap sweep``: run a study, and resume it after an interruption."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sendcap.cli import options
from sendcap.cli.computing import store_of, table_of
from sendcap.cli.edits import study_edits
from sendcap.cli.saving import study_directory
from sendcap.cli.tables import show_grid, show_list, wrapped
from sendcap.errors import SendcapError
from sendcap.text.measures import measure_text
from sendcap.text.quantities import capital

if TYPE_CHECKING:
    import pandas as pd

    from sendcap.study.sweeps.study_file import Study

_MOST_POINTS: Final = 30


def _list_measures() -> None:
    from sendcap.study.replication.measures import MEASURES

    show_list({measure.name: measure.meaning for measure in MEASURES.values()})


@click.command()
@options.study
@options.resumable("sweep")
@options.overrides
@options.processes
@options.status
@options.shown("--list-measures", _list_measures, "List the measures of a study and exit.")
def sweep(
    source: str,
    out: Path | None,
    store: Path | None,
    settings: tuple[str, ...],
    seed: int | None,
    workers: int | None,
    address: str | None,
    status: bool,
) -> None:
    """Simulate a scenario at many points and measure each run.

    STUDY.toml names a scenario, the values that vary ([over] for a grid, points for a table,
    [design] for points across ranges), the replications and the measures. DIR gets results.csv and
    results.parquet with a row per point and replication. If interrupted, run the same command
    again to resume; only unfinished runs are repeated.
    """
    from sendcap.study.sweeps import files
    from sendcap.study.sweeps.study_file import load_study

    study = load_study(source, study_edits(settings, seed))
    directory = out or study_directory(source, "sweep")
    runs = store_of(directory, store)
    table = table_of(study, study.plan, runs, directory, workers, address, status=status)
    files.write_results(directory, table)
    _show(study, table)
    click.echo(f"Saved in {directory}: {files.RESULTS_CSV}, {files.RESULTS_PARQUET}")


def _show(study: Study, table: pd.DataFrame) -> None:
    """Print the points of a study, or the range of each measure where they are too many."""
    from sendcap.study.replication.measures import OF_A_RUN
    from sendcap.study.sweeps.outcomes import sentences

    failed = table[table["error"] != ""]
    if len(failed) == len(table):
        raise SendcapError(f"all {len(table):,} runs have failed: {failed['error'].iloc[0]}")
    paths = study.plan.points.paths
    measures = [name for name in table.columns if name not in (*OF_A_RUN, *paths)]
    if table["point"].nunique() <= _MOST_POINTS:
        _show_points(study, table, paths, measures)
    else:
        _show_ranges(study, table, measures)
    for sentence in sentences(table):
        click.echo(wrapped(sentence))


def _show_points(
    study: Study, table: pd.DataFrame, paths: Sequence[str], measures: Sequence[str]
) -> None:
    """Print a row for each point, with the mean of each measure over its replications."""
    count = study.replications
    mean = "" if count == 1 else f": means over {count:,} replications"
    points = dict(iter(table.groupby("point", sort=False)))
    show_grid(
        (study.title or "Points") + mean,
        "Point",
        list(points),
        {path: path for path in paths} | _headings(measures),
        lambda point, name: (
            _value(points[point][name].iloc[0])
            if name in paths
            else _middle(name, points[point][name])
        ),
    )


def _show_ranges(study: Study, table: pd.DataFrame, measures: Sequence[str]) -> None:
    """Print the lowest, median and highest value of each measure that is a number."""
    numbers = {name: values for name in measures if len(values := _numbers(table[name]))}
    show_grid(
        f"{study.title or 'Runs'}: {table['point'].nunique():,} points",
        "Measure",
        _headings(numbers),
        {0.0: "Lowest", 0.5: "Median", 1.0: "Highest"},
        lambda name, level: measure_text(name, float(numbers[name].quantile(level))),
    )


def _headings(measures: Iterable[str]) -> dict[str, str]:
    from sendcap.study.replication.measure_names import in_words

    return {measure: capital(in_words(measure)) for measure in measures}


def _value(value: Any) -> str:
    """Return a parameter's value, with six digits to keep the points of a design apart.

    >>> _value(0.04827777048945427), _value(8), _value("20m"), _value(math.nan)
    ('0.0482778', '8', '20m', '–')
    """
    if isinstance(value, float):
        return "–" if math.isnan(value) else f"{value:.6g}"
    return "–" if value is None else str(value)


def _middle(name: str, values: pd.Series[Any]) -> str:
    """Return the mean of numbers, or the most frequent of words."""
    numbers = _numbers(values)
    if len(numbers) or values.isna().all():
        return measure_text(name, float(numbers.mean()))
    return Counter(map(str, values.dropna())).most_common(1)[0][0]


def _numbers(values: pd.Series[Any]) -> pd.Series[float]:
    """Return the numbers of a column; a column of words has none."""
    import pandas as pd

    values = values.dropna()
    if values.map(lambda value: isinstance(value, bool | str)).any():
        values = values.iloc[:0]
    return pd.to_numeric(values).astype(float)
