"""How late bounces distort what the dashboard shows.

**Question.** Ten million messages, whose events reach Campaign at once, or late: synchronous ones
after 90 seconds on average up to four hours, asynchronous bounces after nine hours up to two days.
By how many points is Delivered % off then, against the same send without any delay, after an hour,
four hours, a day?

**Answer** (one run each; all have the same draws). Without EFS all is delivered until a bounce is
known, so late ones make the reading too high, by little: after an hour 0.01 points with a delay of
90 seconds, 0.25 with an hour, 0.36 with four. With EFS nothing is delivered until it is known, so
late reports make it too low, by a lot while the send goes on: after an hour 0.8 points with 90
seconds, 7.6 with 15 minutes, 21 with an hour; after four hours still 59 with a delay of four hours,
and 0.7 after a day. Asynchronous bounces are so few that their delay matters little to either: 0.06
points at most, and after a day 0.006 with nine hours, 0.035 with two days.

Run by hand, a minute: ``python experiments/feedback_latency.py``. It writes
``feedback-latency.csv`` and ``feedback-latency.png`` into ``--out``. Delays are lognormal, with a
coefficient of variation of 1 (1.5 for asynchronous bounces), and are cut at seven days.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

import sendcap
from sendcap.charts.style import MODE_LOOKS, house_style, save_png
from sendcap.scenario import updated

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NONE: Final = "0s"
SYNCHRONOUS: Final = ("90s", "15m", "1h", "4h")
ASYNCHRONOUS: Final = ("9h", "48h")
MODES: Final = ("without-efs", "efs")
HOURS: Final = (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 18, 24, 36, 48)
TOLD: Final = (1, 4, 24)
SHADES: Final = {
    "without-efs": ("#f7b8bc", "#ee7b84", "#e42536", "#8f1020"),
    "efs": ("#bcd2fe", "#8ab2fd", "#5790fc", "#2a4f9e"),
}


def delivered(run: sendcap.Run) -> dict[str, float]:
    """Return Delivered % as Campaign has it, for each mode and moment."""
    found = {}
    for mode in MODES:
        kpis = run.kpis(mode)
        values = np.interp(HOURS, kpis["time_s"] / 3600.0, kpis["delivered_pct"])
        found |= {
            f"{mode} {hours:g}": float(value) for hours, value in zip(HOURS, values, strict=True)
        }
    return found


def delays(synchronous: str, asynchronous: str) -> dict[str, Any]:
    """Return the changes that make reports so late."""
    late = {"synchronous": (synchronous, 1.0), "asynchronous": (asynchronous, 1.5)}
    return {
        f"feedback.{kind}": mean if mean == NONE else {"dist": "lognormal", "mean": mean, "cv": cv}
        for kind, (mean, cv) in late.items()
    }


CASES: Final = {
    "no delay": delays(NONE, NONE),
    **{f"synchronous {mean}": delays(mean, NONE) for mean in SYNCHRONOUS},
    **{f"asynchronous {mean}": delays(NONE, mean) for mean in ASYNCHRONOUS},
}


def main() -> None:
    """Sweep over the delays, print the table, and write it with its chart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000_000)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--out", type=Path, default=Path("runs/feedback-latency"))
    options = parser.parse_args()
    runs = sendcap.sweep(
        updated(sendcap.load("black-friday"), {"deliveries[0].messages": options.messages}),
        list(CASES.values()),
        measures=delivered,
        workers=options.workers,
        store=options.out / "store",
    )
    table = distorted(runs)
    table.to_csv(options.out / "feedback-latency.csv", index=False, lineterminator="\n")
    save_png(chart(table, options.messages), options.out / "feedback-latency.png")
    print(f"{'delay':<18}{'mode':<13}" + "".join(f"{f'after {hour} h':>12}" for hour in TOLD))
    for (case, mode), group in table.groupby(["delay", "mode"], sort=False):
        off = group.set_index("hours")["points_off"]
        print(f"{case:<18}{mode:<13}" + "".join(f"{off[hours]:>+12.3f}" for hours in TOLD))


def distorted(runs: pd.DataFrame) -> pd.DataFrame:
    """Return by how many points each reading is off what it is without any delay."""
    readings = runs.filter(like="delivered.")
    off = readings - readings.iloc[0]
    return pd.DataFrame(
        [
            {"delay": case, "mode": mode, "hours": hours, "points_off": points}
            for case, (_, row) in zip(CASES, off.iterrows(), strict=True)
            for mode in MODES
            for hours in HOURS
            for points in (round(float(row[f"delivered.{mode} {hours:g}"]), 6),)
        ][len(MODES) * len(HOURS) :]
    )


def chart(table: pd.DataFrame, messages: int) -> Figure:
    """Draw a panel for each mode: the points off over time, a line for each delay."""
    from matplotlib.figure import Figure

    with house_style():
        figure = Figure(figsize=(10.0, 4.0), layout="constrained")
        figure.suptitle(
            f"Points by which late reports distort Delivered % of {messages:,} messages",
            x=0.01,
            ha="left",
            fontweight="bold",
        )
        for axes, mode in zip(figure.subplots(1, len(MODES)), MODES, strict=True):
            of_mode = table[table["mode"] == mode]
            for colour, mean in zip(SHADES[mode], SYNCHRONOUS, strict=True):
                rows = of_mode[of_mode["delay"] == f"synchronous {mean}"]
                axes.plot(
                    rows["hours"], rows["points_off"], color=colour, label=f"synchronous {mean}"
                )
            for dashes, mean in zip(((1, 2), (4, 2)), ASYNCHRONOUS, strict=True):
                rows = of_mode[of_mode["delay"] == f"asynchronous {mean}"]
                axes.plot(
                    rows["hours"],
                    rows["points_off"],
                    color="#22262b",
                    linewidth=1.1,
                    dashes=dashes,
                    label=f"asynchronous {mean}",
                )
            axes.set_title(MODE_LOOKS[mode].label)
            axes.set_xscale("log")
            axes.set_xticks([0.25, 1, 4, 12, 48], ["¼", "1", "4", "12", "48"])
            axes.minorticks_off()
            axes.set_xlabel("hours since the start", loc="left")
            axes.set_ylabel("points", loc="top")
            axes.legend(frameon=False)
        return figure


if __name__ == "__main__":
    main()
