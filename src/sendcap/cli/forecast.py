"""``sendcap forecast``: the final Delivered %, from the dashboard's readings so far."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

import sendcap
from sendcap.cli import options
from sendcap.cli.computing import simulations as simulating
from sendcap.cli.edits import uncertain
from sendcap.cli.saving import Results
from sendcap.cli.tables import say, show_grid, show_table
from sendcap.readings.modes import ALL_DELIVERIES, MODE_LABELS
from sendcap.text.clock import counted_from
from sendcap.text.measures import banded
from sendcap.text.quantities import elapsed
from sendcap.text.shares import points_in_words, rounded_share


@click.command()
@options.scenario
@options.text(
    "--observed",
    "FILE",
    "The readings: CSV like a run's kpis.csv, at least time and delivered_pct.",
    required=True,
)
@options.moment("--at", "at", "Use the readings up to T: 3h, or 17:00 by the clock (default: all).")
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
@options.delivery("Forecast")
@options.tolerance
@options.confidence("90%")
@options.number(
    "--simulations",
    "Number of simulations, a power of two (default: 64).",
)
@options.processes
def forecast(
    source: str,
    observed: str,
    at: float | str | None,
    spans: tuple[str, ...],
    out: Path | None,
    force: bool,
    settings: tuple[str, ...],
    seed: int | None,
    delivery: str | None,
    simulations: int | None,
    workers: int | None,
    address: str | None,
    **asked: Any,
) -> None:
    """Forecast the final Delivered % from readings so far.

    An uncertain value in SCENARIO is a range, e.g. share = { low = 0.002, high = 0.02 }. The
    scenario is simulated at points across the ranges; the simulations that match the readings
    give the forecast.
    """
    from sendcap.study.forecasts import files
    from sendcap.study.forecasts.reference import simulations_of

    scenario = uncertain(source, spans, settings, seed)
    results = Results(files.FORECAST, out, source, "forecast", force=force)
    total = simulations_of(simulations)
    with results as folder:
        with simulating(workers, address, total) as means:
            outlook = sendcap.forecast(
                scenario,
                observed,
                at,
                delivery=delivery or ALL_DELIVERIES,
                simulations=simulations,
                **asked,
                **means,
            )
        files.save(outlook, folder)
    _show(outlook)
    results.announce()


def _show(outlook: sendcap.Forecast) -> None:
    from sendcap.study.forecasts.outlook import about_values, number_text

    scenario = outlook.uncertain
    which = "all deliveries" if outlook.delivery == ALL_DELIVERIES else outlook.delivery
    title = scenario.scenario.title or "Forecast"
    say(f"{title}, {which}: forecast after {elapsed(outlook.at_s)}", *outlook.sentences())
    settling = {
        (row["tolerance_pt"], row["mode"]): banded(row, elapsed)
        for row in outlook.settling().to_dict("records")
    }
    show_grid(
        "When Delivered % stays close to its end",
        "Within",
        {at: points_in_words(at) for at in outlook.tolerances_pt},
        {mode: MODE_LABELS[mode] for mode in outlook.modes},
        lambda at, mode: settling[at, mode],
    )
    values = []
    for row in outlook.parameters().to_dict("records"):
        write = partial(number_text, scenario.ranges[row["path"]])
        ends = f"{write(row['range_low'])} to {write(row['range_high'])}"
        values.append([row["path"], ends, banded(row, write), rounded_share(row["narrowed"])])
    show_table(
        "What the readings say about what was not known",
        ["Value", "Range", "Given the readings", "Interval narrower by"],
        values,
        *about_values(outlook),
        f"{counted_from(scenario.scenario.start)}.",
    )
