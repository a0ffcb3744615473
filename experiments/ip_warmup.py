"""How many new source addresses a daily send needs while they are warmed up.

**Question.** Half a million messages a day, for 14 days, from new source IPs that may send what
SparkPost's ramp allows: 200 on the first day, 150,000 on the twelfth. With how many addresses is
the send through within its day, from which day on, and how many messages expire before that?

**Answer.** With 8 addresses from day 13 on, with 16 from day 11, with 32 from day 9; with 4 or
fewer not within two weeks. Until then almost nothing of a day's send goes out on its day, since the
queue is first in, first out: 15 % of all messages expire untried with 32 addresses, 31 % with 8,
73 % with one. A warm-up needs volumes that follow the ramp; more addresses do not replace that.

Run by hand, a minute: ``python experiments/ip_warmup.py``. It writes ``ip-warmup.csv`` and
``ip-warmup.png`` into ``--out``. The address's volume of a day is spread evenly over it, by each
provider's share. A delivery's messages are given up after 3.5 days.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

import sendcap
from sendcap.charts.style import house_style, save_png
from sendcap.scenario import Scenario, updated

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IPS: Final = (1, 2, 4, 8, 16, 32)
DAYS: Final = 14
DAY_S: Final = 86_400.0
THROUGH: Final = 0.97
"""A send is through when this share of its messages is accepted: the others have no mailbox."""


def warm_up(messages: int) -> Scenario:
    """Return the preset with a send of so many messages a day, for two weeks."""
    preset = sendcap.load("ip-warm-up")
    day = {"messages": messages, "audience": dict(preset.deliveries[0].audience)}
    deliveries = [{"name": f"day {n + 1}", "at": f"{n}d", **day} for n in range(DAYS)]
    return updated(preset, {"deliveries": deliveries})


def by_day(run: sendcap.Run) -> dict[str, float]:
    """Return the share of each day's send that is accepted within the day."""
    ledger = run.ledger
    bins = round(DAY_S / ledger.bin_s)
    shares = {}
    for number, name in enumerate(ledger.deliveries):
        accepted = ledger.cumulative("accepted", clock="happened", delivery=name)
        until = min((number + 1) * bins, len(accepted) - 1)
        shares[name] = float(accepted[until]) / ledger.messages(delivery=name)
    return shares


def untried_pct(run: sendcap.Run) -> float:
    """Return the share of all messages that expire before they are tried at all."""
    untried = run.ledger.total("expired_untried", clock="happened")
    return 100.0 * untried / run.ledger.messages()


def main() -> None:
    """Sweep over the number of addresses, print the table, and write it with its chart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=500_000, help="a day")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--out", type=Path, default=Path("runs/ip-warmup"))
    options = parser.parse_args()
    runs = sendcap.sweep(
        warm_up(options.messages),
        {"mta.ips": IPS},
        measures=[by_day, untried_pct],
        workers=options.workers,
        store=options.out / "store",
    )
    runs.drop(columns=["wall_s", "cpu_s"]).to_csv(
        options.out / "ip-warmup.csv", index=False, lineterminator="\n"
    )
    save_png(chart(runs, options.messages), options.out / "ip-warmup.png")
    print(f"{'IPs':>4}{'through within the day from':>30}{'expire untried':>17}")
    for row in runs.to_dict("records"):
        day = through_from(row)
        told = "no day" if math.isinf(day) else f"day {day}"
        print(f"{row['mta.ips']:>4}{told:>30}{row['untried_pct']:>15.1f} %")


def shares(row: dict[str, Any]) -> list[float]:
    """Return the share that is through within each day."""
    return [row[f"by_day.day {number}"] for number in range(1, DAYS + 1)]


def through_from(row: dict[str, Any]) -> float:
    """Return the day from which on every send is through within its day, infinite if none."""
    late = [number for number, share in enumerate(shares(row), 1) if share < THROUGH]
    last = max(late, default=0)
    return last + 1 if last < DAYS else math.inf


def chart(runs: pd.DataFrame, messages: int) -> Figure:
    """Draw a line over the days for each number of addresses."""
    from matplotlib.figure import Figure

    colours = ("#c9dff5", "#94c2ec", "#5ba2e0", "#3f90da", "#22649f", "#123a5e")
    with house_style():
        figure = Figure(figsize=(7.2, 4.4), layout="constrained")
        axes = figure.subplots()
        for colour, row in zip(colours, runs.to_dict("records"), strict=True):
            pct = [100.0 * share for share in shares(row)]
            label = f"{row['mta.ips']} IP{'s' if row['mta.ips'] > 1 else ''}"
            axes.plot(range(1, DAYS + 1), pct, "o-", color=colour, label=label, markersize=4)
        axes.set_title(f"Accepted within the day, of {messages:,} messages a day")
        axes.set_xlabel("day of the warm-up", loc="left")
        axes.set_ylabel("%", loc="top")
        axes.set_ylim(0.0, 102.0)
        axes.set_xticks(range(1, DAYS + 1))
        axes.legend(frameon=False)
        return figure


if __name__ == "__main__":
    main()
