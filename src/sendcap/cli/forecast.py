"""``sendcap forecast``: the final Delivered %, from the dashboard's readings so far."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from sendcap.cli import options


@click.command()
@options.scenario
@click.option(
    "--observed",
    required=True,
    callback=options.not_empty,
    metavar="FILE",
    help="The readings: CSV like a run's kpis.csv, at least time and delivered_pct.",
)
@click.option(
    "--at", "moment", metavar="T", help="Use the readings up to T, e.g. 3h (default: all)."
)
@click.option(
    "--range",
    "spans",
    multiple=True,
    metavar="PATH=LOW..HIGH",
    help="Range of an uncertain value, repeatable; added to the scenario's ranges.",
)
@options.out_directory
@options.overrides
@options.mode("all in FILE")
@options.delivery
@options.tolerance
@options.confidence("90%")
@options.number(
    "--simulations",
    "Number of simulations, a power of two (default: 256, with more than 4 ranges 512).",
)
@options.processes
def forecast(
    source: str,
    observed: str,
    moment: str | None,
    spans: tuple[str, ...],
    out: Path | None,
    force: bool,
    settings: tuple[str, ...],
    seed: int | None,
    modes: tuple[str, ...],
    delivery: str | None,
    tolerances: tuple[str, ...],
    confidence: str,
    simulations: int | None,
    workers: int | None,
    address: str | None,
) -> None:
    """Forecast the final Delivered % from the dashboard's readings so far.

    An uncertain value in SCENARIO is a range, e.g. share = { low = 0.002, high = 0.02 }. The
    scenario is simulated at points across the ranges; the simulations that match the readings
    give the forecast.
    """
    from sendcap.cli.computing import simulations as simulating
    from sendcap.cli.edits import uncertain
    from sendcap.cli.forecasting import show_forecast
    from sendcap.cli.saving import Results
    from sendcap.readings.modes import ALL_DELIVERIES, Mode
    from sendcap.scenario.durations import as_seconds
    from sendcap.study.convergence.converge import tolerances_of
    from sendcap.study.forecasts import files
    from sendcap.study.forecasts import forecast as study
    from sendcap.study.forecasts.reference import default_simulations
    from sendcap.text.shares import parse_share

    points = tolerances_of(options.listed(tolerances))
    share = parse_share(confidence, "--confidence", whole=False)
    at_s = None if moment is None else as_seconds(moment, "--at")
    scenario = uncertain(source, spans, settings, seed)
    results = Results(files.FORECAST, out, source, "forecast", force=force)
    total = simulations or default_simulations(len(scenario.ranges))
    with results as folder:
        with simulating(workers, address, total) as (pool, progress):
            outlook = study.forecast(
                scenario,
                observed,
                at_s,
                modes=cast("tuple[Mode, ...]", modes) or None,
                delivery=delivery or ALL_DELIVERIES,
                tolerances=points,
                confidence=share,
                simulations=simulations,
                workers=pool,
                progress=progress,
            )
        files.save(outlook, folder)
    show_forecast(outlook)
    results.announce()
