"""``sendcap optimise``: the cheapest settings that meet a study's target."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

import sendcap
from sendcap.cli import options
from sendcap.cli.computing import computing, store_of
from sendcap.cli.edits import study_edits
from sendcap.cli.progress import runs_bar
from sendcap.cli.saving import study_directory
from sendcap.cli.tables import say, show_table, wrapped
from sendcap.text.quantities import capital

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
    from sendcap.study.optimisation.optimise import optimised
    from sendcap.study.optimisation.optimise_file import load_optimise_study
    from sendcap.study.optimisation.optimum import (
        CHART,
        FILES,
        FRONT,
        OPTIMUM,
        TRIALS,
        TargetError,
    )
    from sendcap.study.sweeps import files

    study = load_optimise_study(source, study_edits(settings, seed))
    directory = out or study_directory(source, "optimise")
    runs = store_of(directory, store, FILES)
    with computing(workers, address) as execution, runs_bar(directory) as progress:
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
            error.tried.save(directory, study.title)
            raise
    optimum.save(directory, study.title)
    _show(optimum, study.title or f"The cheapest settings for the target: {study.target}")
    click.echo(f"Saved in {directory}: {OPTIMUM}, {FRONT}, {CHART}, {TRIALS}, {files.RESULTS_CSV}")


def _show(optimum: sendcap.Optimum, title: str) -> None:
    """Print the optimum and the results of other costs."""
    from sendcap.study.optimisation.optimum import cost_text
    from sendcap.study.replication.measure_names import in_words

    target = optimum.target
    show_table(
        title,
        ["Lever", "Value", "From", "To"],
        [
            [path, *map(str, (optimum.settings[path], lever.low, lever.high))]
            for path, lever in optimum.levers.items()
        ],
    )
    cost, effort = optimum.sentences()
    say(cost)
    front = optimum.front()
    position = int((front["cost"] - optimum.cost).abs().argmin())
    first = max(0, min(position - _MOST_ROWS // 2, len(front) - _MOST_ROWS))
    show_table(
        "What each cost buys: means over the replications of the search",
        ["Cost", *optimum.levers, capital(in_words(target.column))],
        [
            [
                cost_text(row["cost"]),
                *(str(row[path]) for path in optimum.levers),
                target.written(row[target.column]),
            ]
            for row in front.iloc[first : first + _MOST_ROWS].to_dict("records")
        ],
    )
    click.echo(wrapped(effort))
