"""What a forecast looks like in the terminal."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sendcap.cli.conduct import printable
from sendcap.cli.tables import console, heading, new_table
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.study.convergence.sentences import label
from sendcap.study.forecasts.sentences import about_values, number_text
from sendcap.text.measures import bracketed
from sendcap.text.quantities import elapsed
from sendcap.text.shares import points_in_words

if TYPE_CHECKING:
    from rich.console import Console

    from sendcap.study.forecasts.outlook import Forecast


def show_forecast(its: Forecast) -> None:
    """Print what is to come, and what the readings say about the values."""
    screen = console()
    which = "all deliveries" if its.delivery == ALL_DELIVERIES else its.delivery
    title = its.uncertain.scenario.title or "Forecast"
    heading(screen, f"{title}, {which}: forecast after {elapsed(its.at_s)}")
    for sentence in its.sentences():
        screen.print(printable(sentence))
    screen.print()
    _settling(screen, its)
    _parameters(screen, its)


def _settling(screen: Console, its: Forecast) -> None:
    rows = {(row["tolerance_pt"], row["mode"]): row for row in its.settling().to_dict("records")}
    table = new_table("Within", [label(mode) for mode in its.modes])
    for at in its.tolerances_pt:
        found = (rows[at, mode] for mode in its.modes)
        table.add_row(
            points_in_words(at),
            *(bracketed(row["median"], row["low"], row["high"], elapsed) for row in found),
        )
    heading(screen, "From when on Delivered % stays that close to its end")
    screen.print(table)
    screen.print()


def _parameters(screen: Console, its: Forecast) -> None:
    table = new_table("Value", ["Range", "Given the readings", "Interval narrower by"])
    rows: list[dict[Any, Any]] = its.parameters().to_dict("records")
    for row in rows:
        write = partial(number_text, its.uncertain.ranges[row["path"]])
        table.add_row(
            printable(row["path"]),
            f"{write(row['range_low'])} to {write(row['range_high'])}",
            bracketed(row["median"], row["low"], row["high"], write),
            f"{row['narrowed']:.0%}",
        )
    heading(screen, "What the readings say about what was not known")
    screen.print(table)
    for sentence in about_values(its):
        screen.print(printable(sentence))
    screen.print("Times count from t = 0, the start of the simulation.")
    screen.print()
