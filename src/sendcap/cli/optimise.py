"""``sendcap optimise``: the cheapest settings that meet a study's target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sendcap.cli import options

if TYPE_CHECKING:
    from sendcap.study.optimisation.optimise_file import OptimiseStudy
    from sendcap.study.optimisation.optimum import Optimum

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
    from sendcap.study.optimisation.files import CHART, FILES, FRONT, OPTIMUM, TRIALS, save
    from sendcap.study.optimisation.optimise import optimised
    from sendcap.study.optimisation.optimise_file import load_optimise_study
    from sendcap.study.optimisation.optimum import TargetError
    from sendcap.study.sweeps import files
    from sendcap.study.sweeps.store import Store

    study = load_optimise_study(source, study_edits(settings, seed))
    directory = out or options.study_directory(source, "optimise")
    files.require_sweep_directory(directory, FILES)
    runs = Store(store or directory / files.STORE)
    with (
        computing(workers, address) as execution,
        resumable(str(directory)) as progress,
    ):
        files.begin(directory, study.text, study.scenario)
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
            save(error.tried, directory, study.title)
            raise
    save(optimum, directory, study.title)
    _show(optimum, study)
    click.echo(f"Saved in {directory}: {OPTIMUM}, {FRONT}, {CHART}, {TRIALS}, {files.RESULTS_CSV}")


def _show(found: Optimum, study: OptimiseStudy) -> None:
    """Print the optimum and the results of other costs."""
    from sendcap.cli.conduct import printable
    from sendcap.cli.tables import console, heading, new_table
    from sendcap.study.optimisation.optimum import cost_text

    screen, target = console(), found.target
    heading(screen, study.title or f"The cheapest with {target}")
    answer = new_table("Lever", ["Value", "From", "To"])
    for path, lever in found.levers.items():
        ends = (found.settings[path], lever.low, lever.high)
        answer.add_row(printable(path), *(printable(str(value)) for value in ends))
    screen.print(answer)
    screen.print()
    cost, effort = found.sentences()
    screen.print(printable(cost))
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
    screen.print(effort)
