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
from sendcap.errors import SendcapError
from sendcap.readings.modes import ALL_DELIVERIES, MODE_LABELS
from sendcap.text.clock import counted_from
from sendcap.text.measures import banded
from sendcap.text.quantities import capital, elapsed
from sendcap.text.shares import points_in_words, rounded_share


@click.command()
@options.scenario
@options.text(
    "--observed",
    "FILE",
    "The readings: CSV like a run's kpis.csv, at least time and delivered_pct.",
)
@options.moment(
    "--at",
    "at",
    "Use the readings up to T: 3h, or 17:00 by the clock (default: all); or when --delivered was "
    "read, repeatable.",
    multiple=True,
)
@options.text(
    "--delivered",
    "PCT",
    "Delivered % as read at --at, such as 98.7, in place of a file; repeatable.",
    multiple=True,
)
@click.option(
    "--range",
    "spans",
    multiple=True,
    metavar="PATH=LOW..HIGH",
    help="Range of an uncertain value, repeatable; added to the scenario's ranges.",
)
@options.flag(
    "--only-given",
    "Take values without a range as written, also those that nobody knows before a send.",
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
    observed: str | None,
    at: tuple[float | str, ...],
    delivered: tuple[str, ...],
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

    One reading is enough: --at 3h --delivered 98.7. What nobody knows before a send (shares of
    bounces, when faults clear, retries) is taken for a range around SCENARIO's value; a range of
    your own, e.g. share = { low = 0.002, high = 0.02 }, counts instead. The scenario is simulated
    at points across the ranges; the simulations that match the readings give the forecast.
    """
    from sendcap.study.forecasts.outlook import FORECAST
    from sendcap.study.forecasts.reference import simulations_of

    scenario = uncertain(source, spans, settings, seed)
    seen, until = _readings(observed, at, delivered)
    results = Results(FORECAST, out, source, "forecast", force=force)
    total = simulations_of(simulations)
    with results as folder:
        with simulating(workers, address, total) as means:
            outlook = sendcap.forecast(
                scenario,
                seen,
                until,
                delivery=delivery or ALL_DELIVERIES,
                simulations=simulations,
                **asked,
                **means,
            )
        outlook.write(folder)
    _show(outlook)
    results.announce()


def _readings(
    observed: str | None, at: tuple[float | str, ...], delivered: tuple[str, ...]
) -> tuple[str | dict[float | str, str], float | str | None]:
    """Return the readings, a file or Delivered % by moment, and until when to take them."""
    if observed is not None:
        if delivered:
            raise SendcapError("--observed and --delivered: give one, a file or typed readings")
        if len(at) > 1:
            raise SendcapError(f"--at: {len(at)} moments; with --observed give one")
        return observed, at[0] if at else None
    if not delivered:
        raise SendcapError(
            "Missing option '--observed'; give a file with readings, or type one: "
            "--at 3h --delivered 98.7"
        )
    if len(at) != len(delivered):
        raise SendcapError(
            f"--delivered: {len(delivered)} of them and {len(at)} of --at; give each reading its "
            "moment, such as --at 3h --delivered 98.7"
        )
    typed = dict(zip(at, delivered, strict=True))
    if len(typed) < len(at):
        raise SendcapError("--at: the same moment twice; give one reading for each")
    return typed, None


def _show(outlook: sendcap.Forecast) -> None:
    from sendcap.study.forecasts.sentences import (
        INFORMED,
        about_assumed,
        about_values,
        assumed_kinds,
        number_text,
    )

    scenario = outlook.uncertain
    which = "all deliveries" if outlook.delivery == ALL_DELIVERIES else outlook.delivery
    title = f"{which}: forecast after {elapsed(outlook.at_s)}"
    written = scenario.scenario.title
    say(f"{written}, {title}" if written else capital(title), *outlook.sentences())
    settling = {
        (row["tolerance_pt"], row["mode"]): banded(row, elapsed)
        for each in outlook.possible
        for row in each.settling().to_dict("records")
    }
    show_grid(
        "When Delivered % stays close to its end",
        "Within",
        {at: points_in_words(at) for at in outlook.tolerances_pt},
        {mode: MODE_LABELS[mode] for each in outlook.possible for mode in each.modes},
        lambda at, mode: settling[at, mode],
    )
    values = []
    for row in outlook.parameters().to_dict("records") if outlook.reachable else ():
        if row["assumed"] and row["narrowed"] < INFORMED:
            continue
        write = partial(number_text, scenario.ranges[row["path"]])
        ends = f"{write(row['range_low'])} to {write(row['range_high'])}"
        values.append([row["path"], ends, banded(row, write), rounded_share(row["narrowed"])])
    if kinds := assumed_kinds(outlook):
        show_table(
            "Taken for unknown",
            ["Value", "Number", "Range", "Why"],
            kinds,
            *about_assumed(outlook),
            words=("Value", "Range", "Why"),
        )
    notes = (*about_values(outlook), f"{counted_from(scenario.scenario.start)}.")
    if not outlook.reachable:
        say(*notes)
        return
    show_table(
        "What the readings say about what was not known",
        ["Value", "Range", "Given the readings", "Interval narrower by"],
        values,
        *notes,
    )
