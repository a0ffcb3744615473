"""What the limits of a scenario look like in the terminal."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Final

from sendcap.cli.conduct import printable
from sendcap.cli.tables import heading, new_table
from sendcap.text.quantities import elapsed

if TYPE_CHECKING:
    from rich.console import Console

    from sendcap.study.capacity.limits import Limits

_CEILINGS: Final = (
    "Limited by",
    "Ceiling/s",
    "Ceiling/h",
    "Share %",
    "Attempts",
    "Delivery/s",
    "Delivery/h",
    "Needs",
)
_OBSERVED: Final = (
    "In use %",
    "Mean wait",
    "95 %",
    "Longest",
    "Most waiting",
    "At",
    "Gone at",
)
_NOTES: Final = (
    "Ceiling: attempts at a provider, messages at the relay and the ingress. Delivery: the",
    "ceiling that follows for all messages together. Attempts: per message, until 99 % of what",
    "is ever accepted has been accepted. Needs: the least time in which it can carry its load.",
    "A message waits from when it is ready to its attempt, at the relay until it is handed over.",
    "In use: of workers, connections or rate, until 99 % of the messages had been carried.",
)
_WIDTH: Final = 100


def show_limits(screen: Console, limits: Limits) -> None:
    """Print the ceilings, what was seen of the stages, and what holds the deliveries up."""
    rows = limits.table().to_dict("records")
    table = new_table("Stage", _CEILINGS)
    for row in rows:
        table.add_row(
            _marked(row["stage"], limits),
            row["binding"],
            *(_number(row[name]) for name in ("ceiling_per_s", "ceiling_per_hour")),
            f"{row['share_pct']:.1f}",
            f"{row['attempts_per_message']:.2f}",
            *(_number(row[name]) for name in ("delivery_per_s", "delivery_per_hour")),
            elapsed(row["needs_s"]),
        )
    heading(screen, "Ceilings: the most that each stage can carry")
    screen.print(table)
    screen.print()
    table = new_table("Stage", _OBSERVED)
    for row in rows:
        table.add_row(
            _marked(row["stage"], limits),
            f"{row['utilisation_pct']:.0f}",
            *(elapsed(row[name]) for name in ("mean_wait_s", "p95_wait_s", "longest_wait_s")),
            f"{row['peak_backlog']:,}",
            elapsed(row["peak_at_s"]),
            "not yet" if row["drained_at_s"] == math.inf else elapsed(row["drained_at_s"]),
        )
    heading(screen, "Simulated: how busy each stage was, and how many waited there")
    screen.print(table)
    screen.print()
    for line in textwrap.wrap(printable(limits.sentence), _WIDTH):
        screen.print(line, style="bold")
    screen.print()
    for note in _NOTES:
        screen.print(note)
    screen.print()


def _marked(stage: str, limits: Limits) -> str:
    return f"{printable(stage)} ◀" if stage == limits.bottleneck else printable(stage)


def _number(value: float) -> str:
    if value == math.inf:
        return "no limit"
    return f"{value:,.0f}" if value >= 10.0 else f"{value:.3g}"
