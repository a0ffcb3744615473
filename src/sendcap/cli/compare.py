"""``sendcap compare``: the effect of a change, with the same draws on both sides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

import sendcap
from sendcap.cli import options
from sendcap.cli.computing import simulations
from sendcap.cli.edits import edited
from sendcap.cli.saving import Results
from sendcap.cli.tables import say, show_table
from sendcap.errors import SendcapError
from sendcap.readings.modes import MODE_LABELS
from sendcap.text.clock import brief_moment
from sendcap.text.measures import bracketed, is_time
from sendcap.text.quantities import capital, elapsed, time_difference
from sendcap.text.shares import percentage, points, points_in_words, signed_points

if TYPE_CHECKING:
    from sendcap.study.convergence.compare import Side
    from sendcap.study.replication.replications import Replications

_MOST_DELIVERIES: Final = 20
_LABELS: Final = {
    "delivered_pct": "Final Delivered %",
    "bounces_errors_pct": "Final Bounces + errors %",
    "settling_s": "Delivered % stays within {} from",
    "cliff_height_pt": "Cliff at the end of validity, points",
    "cliff_begins_s": "Cliff begins",
    "cliff_width_s": "Cliff lasts",
    "peak_pct": "Peak of Bounces + errors %",
    "peak_s": "Peak comes at",
    "overshoot_pt": "Overshoot of Bounces + errors %, points",
    "overshoot_gone_s": "Overshoot is within {} from",
    "accepted_50_pct_s": "50 % accepted",
    "accepted_90_pct_s": "90 % accepted",
    "accepted_99_pct_s": "99 % accepted",
    "delay_mean_s": "Delay from ready to accepted, mean",
    "delay_p50_s": "50 % are accepted within",
    "delay_p95_s": "95 % are accepted within",
    "delay_p99_s": "99 % are accepted within",
    "delay_longest_s": "Longest delay",
}
_MOMENTS: Final = frozenset(
    {
        *("settling_s", "cliff_begins_s", "peak_s", "overshoot_gone_s"),
        *("accepted_50_pct_s", "accepted_90_pct_s", "accepted_99_pct_s"),
    }
)
"""They count from t = 0, and a clock shows them."""


@click.command()
@click.argument("a", metavar="A", callback=options.not_empty)
@click.argument("b", metavar="[B]", required=False, callback=options.not_empty)
@options.out_directory
@options.overrides
@options.mode()
@options.tolerance
@options.confidence()
@options.number("--replications", "Pairs of simulations, each with different draws (default: 20).")
@options.processes
def compare(
    a: str,
    b: str | None,
    out: Path | None,
    force: bool,
    settings: tuple[str, ...],
    seed: int | None,
    replications: int | None,
    workers: int | None,
    address: str | None,
    **asked: Any,
) -> None:
    """Compare two scenarios, or one with and without a change.

    A and B are scenarios, presets or directories of saved runs. Without B, A is compared with A
    changed by --set. Scenarios are simulated in pairs with the same draws, so that differences
    come from the change and not from chance. A saved run is a single simulation: the comparison
    is one pair, without intervals.
    """
    from sendcap.study.convergence.compare import COMPARISON
    from sendcap.study.replication.replicate import DEFAULT_REPLICATIONS

    one, two = _sides(a, b, settings, seed)
    results = Results(COMPARISON, out, a, "compare", force=force)
    with results as folder:
        total = 2 * (replications or DEFAULT_REPLICATIONS)
        with simulations(workers, address, total) as means:
            comparison = sendcap.compare(
                one.run or one.scenario,
                two.run or two.scenario,
                replications,
                names=(one.name, two.name),
                **asked,
                **means,
            )
        comparison.write(folder)
    _show(comparison)
    results.announce()


def _sides(a: str, b: str | None, settings: tuple[str, ...], seed: int | None) -> tuple[Side, Side]:
    from sendcap.study.convergence.compare import Side, side

    if b is not None and settings:
        raise SendcapError("compare: give B or --set, not both")
    if b is None and not settings:
        raise SendcapError("compare: give B, or a change with --set, e.g. mta.retry.first=10m")
    one = side(a, a)
    if seed is not None:
        if one.run is not None:
            raise SendcapError(f"--seed: {a} is a saved run with a seed of its own")
        one = one._replace(scenario=one.scenario.with_seed(seed))
    if b is not None:
        return one, side(b, b)
    return one, Side(", ".join(settings), edited(one.scenario, settings), None)


def _show(comparison: sendcap.Comparison) -> None:
    import pandas as pd

    one, two = comparison.names
    title = comparison.a.scenario.title
    say(f"{title}: {one} and {two}" if title else f"{one} and {two}", f"A: {one}", f"B: {two}")
    certain = comparison.a.n > 1
    table, of_deliveries = comparison.differences(), comparison.by_delivery()
    table = table[table["n"] > 0]
    moments = [each[each["name"].isin(_MOMENTS)][["a", "b"]] for each in (table, of_deliveries)]
    latest_s = float(pd.concat(moments).max().max())
    columns = ["A", "B", "B − A", *(["Differs"] if certain else [])]
    cells = partial(_cells, comparison, latest_s)
    for mode in ("", *comparison.modes):
        title = MODE_LABELS[mode] if mode else "messages at the MTA"  # type: ignore[index]
        # Where one side accepts nothing there is nothing to hold against each other.
        if rows := table[table["mode"] == mode].to_dict("records"):
            show_table(capital(title), ["", *columns], map(cells, rows), words=("",))
    rows = of_deliveries[of_deliveries["name"] == "accepted_99_pct_s"].to_dict("records")
    if 0 < len(rows) <= _MOST_DELIVERIES:
        named = [[row["delivery"], *cells(row)[1:]] for row in rows]
        show_table("Deliveries: 99 % accepted", ["Delivery", *columns], named)
    scale = ["Delays are exact to 0.8 %: a smaller difference of them is not shown."]
    say(*comparison.sentences(), *(scale if certain else []))


def _cells(comparison: sendcap.Comparison, latest_s: float, row: Mapping[Any, Any]) -> list[str]:
    """Return a row of a table; the last moment of all tables is the latest."""
    name = row["name"]
    write = elapsed if is_time(name) else percentage if name.endswith("_pct") else points
    difference = time_difference if is_time(name) else signed_points
    return [
        _LABELS[name].format(points_in_words(row["tolerance_pt"])),
        *(
            _moment(row[which], side, latest_s) if name in _MOMENTS else write(row[which])
            for which, side in (("a", comparison.a), ("b", comparison.b))
        ),
        bracketed(row["difference"], row["low"], row["high"], difference),
        *([_differs(row)] if comparison.a.n > 1 else []),
    ]


def _moment(seconds: float, side: Replications, latest_s: float) -> str:
    """Return a moment since t = 0, and by the clock of a scenario that has one."""
    start, common = side.scenario.start, side.scenario.common_start
    if start is None or not math.isfinite(seconds):
        return elapsed(seconds)
    clock = brief_moment(seconds, start, latest_s)
    return f"{elapsed(seconds)}, {clock}" if common is None else clock


def _differs(row: Mapping[Any, Any]) -> str:
    from sendcap.ledger.delays import RESOLUTION
    from sendcap.readings.delays import DELAY_FIGURES

    if math.isnan(row["low"]):
        return "–"
    if row["low"] == row["high"] == 0.0:
        return "no"
    if row["name"] in DELAY_FIGURES and abs(row["difference"]) <= RESOLUTION * row["a"]:
        return "not shown"
    return "not shown" if row["low"] <= 0.0 <= row["high"] else "yes"
