"""``sendcap forecast``: where Delivered % will end, given what the dashboard has shown so far."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from sendcap.cli import options


@click.command()
@click.argument("source", metavar=options.SOURCE, callback=options.not_empty)
@click.option(
    "--observed",
    required=True,
    callback=options.not_empty,
    metavar="FILE",
    help="What was read: CSV as a run's kpis.csv, at least time and delivered_pct.",
)
@click.option(
    "--at", "moment", metavar="T", help="Use the readings up to T, such as 3h; by default all."
)
@click.option(
    "--range",
    "spans",
    multiple=True,
    metavar="PATH=LOW..HIGH",
    help="One more value that is not known; may be repeated.",
)
@options.mode_option("Use the readings in this mode; may be repeated. By default all of FILE.")
@click.option("--delivery", default="*", metavar="NAME", help="Of this delivery only.")
@options.tolerance_option
@click.option(
    "--confidence", metavar="C", default="90%", show_default=True, help="Of the intervals."
)
@click.option(
    "--simulations",
    type=options.WholeNumber(min=1),
    metavar="N",
    help="How many, a power of two; 256 by default, 512 for more than 4 ranges.",
)
@click.option(
    "--seed",
    type=options.WholeNumber(min=0),
    metavar="N",
    help="Take this seed and not the scenario's.",
)
@options.workers_option
@click.option(
    "--out",
    callback=options.directory,
    metavar="DIR",
    help="Where to save tables and chart; by default a new directory under runs/.",
)
@click.option("--force", is_flag=True, help="Replace the saved forecast in DIR.")
def forecast(
    source: str,
    observed: str,
    moment: str | None,
    spans: tuple[str, ...],
    modes: tuple[str, ...],
    delivery: str,
    tolerances: tuple[str, ...],
    confidence: str,
    simulations: int | None,
    seed: int | None,
    workers: int | None,
    out: Path | None,
    force: bool,
) -> None:
    """Forecast the final Delivered % from what the dashboard has shown so far.

    In SCENARIO, what is not known is a range, such as share = { low = 0.002, high = 0.02 }. It is
    simulated at values all over the ranges; those that explain the readings tell what is to come.
    """
    from sendcap.charts.study_files import FORECAST, write_forecast
    from sendcap.cli.edits import ranges_of
    from sendcap.cli.forecasting import show_forecast
    from sendcap.cli.progress import simulations_bar
    from sendcap.files.cleaning import cleaned_by
    from sendcap.files.directory import Staging
    from sendcap.readings.modes import Mode
    from sendcap.scenario import UncertainScenario, load_uncertain
    from sendcap.scenario.durations import as_seconds
    from sendcap.study.convergence.converge import tolerances_of
    from sendcap.study.forecasts import forecast as study
    from sendcap.study.forecasts.reference import default_simulations
    from sendcap.study.replication.workers import Workers
    from sendcap.text.shares import parse_share

    points = tolerances_of(options.listed(tolerances))
    share = parse_share(confidence, "--confidence", whole=False)
    at_s = None if moment is None else as_seconds(moment, "--at")
    uncertain = load_uncertain(source, ranges_of(spans))
    if seed is not None:
        uncertain = UncertainScenario(uncertain.scenario.with_seed(seed), uncertain.ranges)
    if out is None:
        home = options.RUNS / f"{options.name_of(source)}-forecast"
        staging = Staging(home, FORECAST, numbered=True)
    else:
        staging = Staging(out, FORECAST, force=force)
    with staging as folder:
        with Workers(workers) as team, cleaned_by(team.abandon):
            count = simulations or default_simulations(len(uncertain.ranges))
            with simulations_bar(count) as progress:
                found = study.forecast(
                    uncertain,
                    observed,
                    at_s,
                    modes=cast("tuple[Mode, ...]", modes) or None,
                    delivery=delivery,
                    tolerances=points,
                    confidence=share,
                    simulations=simulations,
                    workers=team,
                    progress=progress,
                )
        write_forecast(found, folder)
        files = sorted(entry.name for entry in folder.iterdir())
    show_forecast(found)
    click.echo(f"Saved in {staging.directory}: {', '.join(files)}")
