"""When Delivered % becomes reliable: validity, the list's quality, EFS.

**Question.** Ten million messages, with EFS and without, to lists on which few or many mailboxes
are full, given up after one, two or 3.5 days. When does Delivered % begin to stay within half a
point of where it ends?

**Answer** (means of two replications). Without EFS it depends on the list. As the preset has it,
with 0.4 % of gmail's mailboxes full, the reading is within half a point after 9 minutes at 3.5
days' validity, and after 2 h 10 min at one day's; with 2 % or 6 % full not before the validity is
over, 1 d 1 h to 3 d 14 h, when all that never recovered fails at once. With EFS it is within half a
point when the send is through, after 4 h 15 min, and with 6 % full once most of the retries have
succeeded: after 14 h at one day's validity, 25 h at two, 37 h at 3.5 days'. A shorter validity
settles sooner and ends lower: with 6 % full on 95.98 % after one day, on 97.04 % after 3.5 days.

Run by hand, some two minutes: ``python experiments/delivered_convergence.py``. It writes
``delivered-convergence.csv`` and ``delivered-convergence.png`` into ``--out``. A mailbox that is
full is emptied after 30 hours on average, half of them never; times count from the start of the
send, and are of the reading itself, not of the dashboard that is refreshed every ten minutes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

import sendcap
from sendcap.charts.style import MODE_LOOKS, house_style, save_png
from sendcap.scenario import parse_duration, updated
from sendcap.text.quantities import elapsed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VALIDITIES: Final = ("1d", "2d", "3.5d")
FULL: Final = "providers.gmail.faults[0].share"
SHARES: Final = {0.004: "0.4 % full: the preset's", 0.02: "2 % full", 0.06: "6 % full"}
MODES: Final = ("without-efs", "efs")
TOLERANCE: Final = "0.5pt"
HOUR_S: Final = 3600.0


def main() -> None:
    """Sweep over validity and full mailboxes, print the table, and write it with its chart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000_000)
    parser.add_argument("--replications", type=int, default=2)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--out", type=Path, default=Path("runs/delivered-convergence"))
    options = parser.parse_args()
    runs = sendcap.sweep(
        updated(sendcap.load("black-friday"), {"deliveries[0].messages": options.messages}),
        {FULL: list(SHARES), "deliveries[0].validity": VALIDITIES},
        replications=options.replications,
        measures=["settling_s", "delivered_pct"],
        workers=options.workers,
        store=options.out / "store",
    )
    table = summarised(runs)
    table.to_csv(options.out / "delivered-convergence.csv", index=False, lineterminator="\n")
    save_png(chart(table, options.messages), options.out / "delivered-convergence.png")
    print(f"{'full':>6}{'validity':>10}  {'mode':<13}{'ends at %':>10}{'within half a point':>21}")
    for row in table.to_dict("records"):
        print(
            f"{row['full']:>6.1%}{row['validity']:>10}  {row['mode']:<13}"
            f"{row['delivered_pct']:>10.2f}{elapsed(row['settling_s']):>21}"
        )


def summarised(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the means over the replications, a row for each point and mode."""
    rows = [
        {
            "full": share,
            "validity": validity,
            "mode": mode,
            "delivered_pct": group[f"delivered_pct.{mode}"].mean(),
            "settling_s": group[f"settling_s.{mode}.{TOLERANCE}"].mean(),
        }
        for (share, validity), group in runs.groupby([FULL, "deliveries[0].validity"], sort=False)
        for mode in MODES
    ]
    return pd.DataFrame(rows)


def chart(table: pd.DataFrame, messages: int) -> Figure:
    """Draw a panel for each list: the time over the validity, a line for each mode."""
    from matplotlib.figure import Figure

    with house_style():
        figure = Figure(figsize=(10.0, 3.6), layout="constrained")
        figure.suptitle(
            f"When Delivered % of {messages:,} messages stays within half a point of its end",
            x=0.01,
            ha="left",
            fontweight="bold",
        )
        panels = figure.subplots(1, len(SHARES), sharey=True)
        for axes, (share, label) in zip(panels, SHARES.items(), strict=True):
            for mode in MODES:
                rows = table[(table["full"] == share) & (table["mode"] == mode)]
                hours = [parse_duration(validity) / HOUR_S for validity in rows["validity"]]
                look = MODE_LOOKS[mode]
                axes.plot(
                    hours,
                    rows["settling_s"] / HOUR_S,
                    marker="o",
                    label=look.label,
                    clip_on=False,
                    **look.keywords(),
                )
            axes.set_title(label)
            axes.set_xticks([24, 48, 84])
            axes.set_xlabel("validity, hours", loc="left")
        panels[0].set_ylim(bottom=0.0)
        panels[0].set_ylabel("hours", loc="top")
        panels[0].legend(frameon=False)
        return figure


if __name__ == "__main__":
    main()
