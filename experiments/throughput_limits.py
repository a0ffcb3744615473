"""How far more source addresses take a Black Friday, and what holds it up then.

**Question.** Ten million messages, from 8 to 256 source IPs, with the relay as it is and twice as
fast. When are 99 % of the messages accepted, and which stage is the bottleneck?

**Answer.** Twice as many addresses take half the time as long as gmail's connections are the
bottleneck: 16 h 45 min with 8, 4 h 12 min with 32, 2 h 6 min with 64. From 128 on the relay is, and
more addresses gain nothing: 1 h 51 min. With twice the relay's rate it is 1 h 4 min with 128, and
then the MTA's ingress is the bottleneck.

Run by hand, some two minutes: ``python experiments/throughput_limits.py``. It writes
``throughput-limits.csv`` and ``throughput-limits.png`` into ``--out``. One run each: replications
differ by less than what the chart shows.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

import sendcap
from sendcap.charts.style import house_style, save_png
from sendcap.scenario import updated
from sendcap.text.quantities import elapsed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IPS: Final = (8, 16, 32, 64, 128, 256)
RELAY_RATES: Final = ("1500/s,max_burst=256", "3000/s,max_burst=256")
LOOKS: Final = (("#3f90da", 3.2), ("#bd1f01", 1.6))
"""Colour and width: the lines lie on each other for the most part."""
MARKERS: Final = ("o", "s", "D", "^", "v", "P", "X")


def main() -> None:
    """Sweep over addresses and relay rates, print the table, and write it with its chart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000_000)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--out", type=Path, default=Path("runs/throughput-limits"))
    options = parser.parse_args()
    runs = sendcap.sweep(
        updated(sendcap.load("black-friday"), {"deliveries[0].messages": options.messages}),
        {"relay.rate": RELAY_RATES, "mta.ips": IPS},
        measures=["accepted_99_pct_s", "bottleneck", "peak_backlog", "peak_backlog_stage"],
        workers=options.workers,
        store=options.out / "store",
    )
    runs.drop(columns=["wall_s", "cpu_s"]).to_csv(
        options.out / "throughput-limits.csv", index=False, lineterminator="\n"
    )
    save_png(chart(runs, options.messages), options.out / "throughput-limits.png")
    print(f"{'relay':<22}{'IPs':>5}{'99 % after':>13}  {'bottleneck':<12}{'waiting at most':>16}")
    for row in runs.to_dict("records"):
        print(
            f"{row['relay.rate']:<22}{row['mta.ips']:>5}{elapsed(row['accepted_99_pct_s']):>13}  "
            f"{row['bottleneck']:<12}{row['peak_backlog']:>16,}"
        )


def chart(runs: pd.DataFrame, messages: int) -> Figure:
    """Draw the time over the number of addresses; the marker tells the bottleneck."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    with house_style():
        figure = Figure(figsize=(7.2, 4.4), layout="constrained")
        axes = figure.subplots()
        stages = dict(zip(runs["bottleneck"].unique(), MARKERS, strict=False))
        handles = []
        for (colour, width), (rate, group) in zip(LOOKS, runs.groupby("relay.rate"), strict=True):
            hours = group["accepted_99_pct_s"] / 3600.0
            axes.plot(group["mta.ips"], hours, color=colour, linewidth=width)
            handles.append(Line2D([], [], color=colour, label=f"relay {str(rate).split(',')[0]}"))
            for stage, marker in stages.items():
                at = group["bottleneck"] == stage
                axes.plot(
                    group["mta.ips"][at],
                    hours[at],
                    marker,
                    color=colour,
                    markersize=7,
                    clip_on=False,
                )
        handles += [
            Line2D(
                [], [], color="#22262b", marker=marker, linestyle="", label=f"held up by {stage}"
            )
            for stage, marker in stages.items()
        ]
        axes.set_title(f"When 99 % of {messages:,} messages are accepted")
        axes.set_xscale("log", base=2)
        axes.set_xticks(IPS, [str(count) for count in IPS])
        axes.set_ylim(bottom=0.0)
        axes.set_xlabel("source IPs", loc="left")
        axes.set_ylabel("hours", loc="top")
        axes.legend(handles=handles, frameon=False)
        return figure


if __name__ == "__main__":
    main()
