"""``sendcap optimise``: the cheapest settings that meet a study's target."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sendcap.cli import options

if TYPE_CHECKING:
    from sendcap.study.optimisation.optimise_file import OptimiseStudy
    from sendcap.study.optimisation.optimum import Optimum, Tried

TRIALS: Final = "trials.csv"
FRONT: Final = "front.csv"
CHART: Final = "front.png"
ANSWER: Final = "optimum.toml"
_MOST_ROWS: Final = 12


@click.command()
@options.study
@options.resumable("optimise")
@options.overrides
@options.processes
def optimise(
    source: str,
    out: Path | None,
    store: Path | None,
    settings: tuple[str, ...],
    seed: int | None,
    workers: int | None,
    address: str | None,
) -> None:
    """Find the cheapest settings of a scenario that meet a target.

    STUDY.toml names a scenario, its [levers] with their costs and the [target]. A search proposes
    and simulates settings; more replications then decide whether the cheapest meet the target at
    the requested confidence. DIR gets optimum.toml, the scenario with these settings; front.csv
    and front.png, the result for each cost; trials.csv and all runs. If interrupted, run the same
    command again to resume.
    """
    from sendcap.cli.computing import computing, resumable
    from sendcap.cli.edits import study_edits
    from sendcap.scenario import dumps
    from sendcap.study.optimisation.optimise import optimised
    from sendcap.study.optimisation.optimise_file import load_optimise_study
    from sendcap.study.optimisation.optimum import TargetError
    from sendcap.study.sweeps import results
    from sendcap.study.sweeps.store import Store

    study = load_optimise_study(source, study_edits(settings, seed))
    directory = out or options.study_directory(source, "optimise")
    results.require_sweep_directory(directory, frozenset({TRIALS, FRONT, CHART, ANSWER}))
    runs = Store(store or directory / results.STORE)
    with (
        computing(workers, address) as execution,
        resumable(str(directory)) as progress,
    ):
        results.begin(directory, study)
        try:
            optimum = optimised(
                study.scenario,
                study.levers,
                study.target,
                study.effort,
                study.measures,
                execution,
                runs,
                progress,
            )
        except TargetError as error:
            # The directory may hold the optimum of another target.
            (directory / ANSWER).unlink(missing_ok=True)
            _write(directory, error.tried, study)
            raise
    _write(directory, optimum, study)
    results.write_files(directory, {ANSWER: dumps(optimum.scenario).encode()})
    _show(optimum, study)
    click.echo(f"Saved in {directory}: {ANSWER}, {FRONT}, {CHART}, {TRIALS}, {results.RESULTS_CSV}")


def _write(directory: Path, found: Tried, study: OptimiseStudy) -> None:
    """Write the trials, also after a search without success."""
    from sendcap.charts.style import save_png
    from sendcap.files.tables import csv_text
    from sendcap.study.optimisation.chart import front_chart
    from sendcap.study.sweeps import results

    files = {TRIALS: csv_text(found.trials).encode(), FRONT: csv_text(found.front()).encode()}
    if len(found.front()):
        chart = io.BytesIO()
        save_png(front_chart(found, study.title), chart)
        files[CHART] = chart.getvalue()
    if len(found.runs):
        results.write_results(directory, found.runs)
    results.write_files(directory, files)


def _show(found: Optimum, study: OptimiseStudy) -> None:
    """Print the optimum and the results of other costs."""
    from sendcap.cli.conduct import printable
    from sendcap.cli.tables import console, heading, new_table
    from sendcap.study.optimisation.optimum import cost_text
    from sendcap.text.quantities import counted
    from sendcap.text.shares import share_text

    screen, target = console(), found.target
    heading(screen, study.title or f"The cheapest with {target}")
    answer = new_table("Lever", ["Value", "From", "To"])
    for path, lever in found.levers.items():
        ends = (found.settings[path], lever.low, lever.high)
        answer.add_row(printable(path), *(printable(str(value)) for value in ends))
    screen.print(answer)
    screen.print()
    side = "at most" if target.at_least is None else "at least"
    sentence = (
        f"Cost {cost_text(found.cost)}; {target.column} is "
        f"{target.written(found.estimate.mean)} on average, and {side} "
        f"{target.written(found.bound)} with {share_text(target.confidence)} confidence."
    )
    screen.print(printable(sentence))
    screen.print()
    front = found.front()
    here = int((front["cost"] - found.cost).abs().argmin())
    first = max(0, min(here - _MOST_ROWS // 2, len(front) - _MOST_ROWS))
    trade_off = new_table("Cost", [*found.levers, target.column])
    for row in front.iloc[first : first + _MOST_ROWS].to_dict("records"):
        trade_off.add_row(
            cost_text(row["cost"]),
            *(printable(str(row[path])) for path in found.levers),
            target.written(row[target.column]),
        )
    heading(screen, "Results of other costs, from the few replications of the search")
    screen.print(trade_off)
    screen.print()
    tests = counted(found.attempts, "test")
    screen.print(f"{len(found.trials):,} settings tried, {len(found.runs):,} runs, {tests}.")
