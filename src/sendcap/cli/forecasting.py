"""What a forecast looks like in the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from sendcap.cli.conduct import printable
from sendcap.cli.tables import console, heading, new_table
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.study.convergence.sentences import label
from sendcap.study.forecasts.outlook import INFORMED, decimals
from sendcap.text.bands import Write, bracketed
from sendcap.text.points import points_in_words
from sendcap.text.quantities import elapsed
from sendcap.text.shares import share_text

if TYPE_CHECKING:
    from rich.console import Console

    from sendcap.readings.modes import Mode
    from sendcap.scenario import Range
    from sendcap.study.forecasts.outlook import Forecast


def show_forecast(its: Forecast) -> None:
    """Print what is to come, and what the readings say about the values."""
    screen = console()
    which = "all deliveries" if its.delivery == ALL_DELIVERIES else its.delivery
    title = its.uncertain.scenario.title or "Forecast"
    heading(screen, f"{title}, {which}: forecast after {elapsed(its.at_s)}")
    for sentence in sentences(its):
        screen.print(printable(sentence))
    screen.print()
    _settling(screen, its)
    _parameters(screen, its)


def sentences(its: Forecast) -> Iterator[str]:
    """Yield what a forecast says, for each mode."""
    share = share_text(its.confidence).replace("%", " %")
    for row in its.final().to_dict("records"):
        mode = row["mode"]
        write = _percent(row["high"] - row["low"])
        middle, low, high = (write(row[name]) for name in ("median", "low", "high"))
        yield (
            f"After {elapsed(its.at_s)} {label(mode)} {_shown(its, mode)}. It will end at "
            f"{middle} % ({share}: {low} to {high} %)."
        )
    horizon = its.uncertain.scenario.time.horizon
    if horizon is not None:
        yield (
            f"The horizon cuts it off: the end is that of {elapsed(horizon)}; messages under way "
            "then count as not delivered."
        )
    if its.reachable:
        yield (
            f"The readings fit the scenario and its ranges: {its.p_value:.0%} of the simulations "
            "are at least as unlike the others."
        )
    else:
        yield (
            "No values in the ranges explain these readings: do not trust this forecast. Widen "
            "the ranges, or correct the scenario."
        )


def _shown(its: Forecast, mode: Mode) -> str:
    readings = its.readings[mode]
    told: list[str] = []
    for name, words in (("delivered_pct", ""), ("bounces_errors_pct", " Bounces + errors")):
        values = readings.percent.get(name)
        if values is not None and not math.isnan(values[-1]) and (not told or not words):
            told.append(f"{values[-1]:.2f} %{words}")
    return f"shows {told[0]}" if told else "shows nothing yet"


def _percent(width_pt: float) -> Write:
    return lambda value: f"{value:.{decimals(width_pt)}f}"


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
        write = partial(written, its.uncertain.ranges[row["path"]])
        table.add_row(
            printable(row["path"]),
            f"{write(row['range_low'])} to {write(row['range_high'])}",
            bracketed(row["median"], row["low"], row["high"], write),
            f"{row['narrowed']:.0%}",
        )
    heading(screen, "What the readings say about what was not known")
    screen.print(table)
    unknown = [row["path"] for row in rows if row["narrowed"] < INFORMED]
    if unknown:
        screen.print(printable(f"The readings say nothing yet about {', '.join(unknown)}."))
    screen.print("Times count from t = 0, the start of the simulation.")
    screen.print()


def written(its: Range, number: float) -> str:
    """Return a number of `Range.number_at` as people read it.

    Examples
    --------
    >>> from sendcap.scenario import Range
    >>> written(Range(0.1, 0.3), 0.12345), written(Range(1000, 8000), 2000.0)
    ('0.123', '2,000')
    >>> written(Range("1m", "3m"), 90.0), written(Range("1,000/h", "3,000/h"), 1234.0)
    ('1m 30s', '1,234/h')
    """
    if isinstance(its.low, int):
        return f"{number:,.0f}"
    if not isinstance(its.low, str):
        return f"{number:.3g}"
    # Whatever follows the count of a rate is the same at both ends.
    return f"{number:,.0f}/{its.low.partition('/')[2]}" if "/" in its.low else elapsed(number)
