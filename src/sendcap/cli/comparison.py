"""What a comparison looks like in the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sendcap.charts.style import MODE_LOOKS
from sendcap.cli.conduct import printable
from sendcap.cli.tables import console, heading, new_table
from sendcap.text.measures import Write, bracketed
from sendcap.text.quantities import elapsed, time_difference
from sendcap.text.shares import percentage, points, points_in_words, signed_points

if TYPE_CHECKING:
    from sendcap.study.convergence.compare import Comparison

_WHAT: Final = {
    "delivered_pct": "Final Delivered %",
    "bounces_errors_pct": "Final Bounces + errors %",
    "settling_s": "Delivered % stays within {} from",
    "cliff_height_pt": "Cliff at the end of validity, points",
    "cliff_begins_s": "Cliff begins",
    "cliff_width_s": "Cliff lasts",
    "peak_pct": "Peak of Bounces + errors %",
    "peak_s": "Peak comes after",
    "overshoot_pt": "Overshoot of Bounces + errors %, points",
    "overshoot_gone_s": "Overshoot is within {} from",
    "accepted_50_pct_s": "50 % accepted",
    "accepted_90_pct_s": "90 % accepted",
    "accepted_99_pct_s": "99 % accepted",
}


def show_comparison(comparison: Comparison) -> None:
    """Print the numbers of A and B and their differences."""
    screen = console()
    one, two = comparison.names
    title = comparison.a.scenario.title
    heading(screen, f"{title}: {one} and {two}" if title else f"{one} and {two}")
    screen.print(f"A: {printable(one)}")
    screen.print(f"B: {printable(two)}")
    screen.print()
    rows = comparison.differences().to_dict("records")
    for mode in ("", *comparison.modes):
        of_mode = [row for row in rows if row["mode"] == mode and row["n"]]
        certain = comparison.a.n > 1
        table = new_table("", ["A", "B", "B − A", *(["Differs"] if certain else [])])
        for row in of_mode:
            table.add_row(*_cells(row, certain=certain))
        about = MODE_LOOKS[mode].label if mode else "messages at the MTA"  # type: ignore[index]
        heading(screen, about[0].upper() + about[1:])
        screen.print(table)
        screen.print()
    for sentence in comparison.sentences():
        screen.print(printable(sentence))
    screen.print()


def _cells(row: Mapping[Any, Any], *, certain: bool) -> list[str]:
    name = row["name"]
    write, difference = _writers(name)
    cells = [
        _WHAT[name].format(points_in_words(row["tolerance_pt"])),
        write(row["a"]),
        write(row["b"]),
        bracketed(row["difference"], row["low"], row["high"], difference),
    ]
    if certain:
        cells.append(_differs(row))
    return cells


def _writers(name: str) -> tuple[Write, Write]:
    """Return how to write a number, and how a difference of two."""
    if name.endswith("_s"):
        return elapsed, time_difference
    return (percentage if name.endswith("_pct") else points), signed_points


def _differs(row: Mapping[Any, Any]) -> str:
    if math.isnan(row["low"]):
        return "–"
    if row["low"] == row["high"] == 0.0:
        return "no"
    return "not shown" if row["low"] <= 0.0 <= row["high"] else "yes"
