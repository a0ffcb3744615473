"""Whether to read a send with EFS or without: how wrong each is, and when.

**Question.** The same ten million messages, as the preset has them, with a quarter of the source
IPs, with gmail unreachable for three hours, and to a list on which 6 % of gmail's mailboxes are
full. How far is Delivered % from what will have been delivered in the end, over time, with EFS and
without?

**Answer** (one run each; all have the same draws). Without EFS the reading is too high until the
validity is over, by what will never recover: as the preset has it by 0.45 points after an hour and
0.2 from half a day on, with 6 % of the mailboxes full by 2.4 points for three and a half days. An
outage or too few IPs hardly show in it: it is a share of what has been relayed, not of what has
arrived. With EFS the reading is what has arrived, 69 points too low after an hour and 81 with a
quarter of the IPs, and so tells of outages and bottlenecks; once the send is through, after 4 to 18
hours, it is off by 0.1 points, and by 1.4 after a day with 6 % full, less with each retry. So read
it without EFS while a send to a clean list is under way; read it with EFS to see what has arrived,
where mailboxes are full, and from the end of the send on.

Run by hand, a minute: ``python experiments/efs_or_not.py``. It writes ``efs-or-not.csv`` and
``efs-or-not.png`` into ``--out``. What will have been delivered is the share of the messages that
is accepted and not returned later.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

import sendcap
from sendcap.charts.style import GREY, MODE_LOOKS, house_style, save_png
from sendcap.scenario import updated

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SENDS: Final[dict[str, dict[str, Any]]] = {
    "as it is": {},
    "a quarter of the IPs": {"mta.ips": 8},
    "gmail out for 3 h": {"providers.gmail.outages": [{"at": "1h", "lasts": "3h"}]},
    "6 % mailboxes full": {"providers.gmail.faults[0].share": 0.06},
}
MODES: Final = ("without-efs", "efs")
HOURS: Final = tuple(float(hour) for hour in np.geomspace(0.25, 168.0, 120).round(3))
TOLD: Final = (1, 4, 12, 24, 72)


def readings(run: sendcap.Run) -> dict[str, float]:
    """Return Delivered % for each mode and moment, and what it is in truth."""
    ledger = run.ledger
    accepted = ledger.total("accepted", clock="happened")
    returned = ledger.total("async_bounced", clock="happened")
    found = {"truth": 100.0 * (accepted - returned) / ledger.messages()}
    for mode in MODES:
        kpis = run.kpis(mode)
        for hours in (*HOURS, *TOLD):
            value = np.interp(hours, kpis["time_s"] / 3600.0, kpis["delivered_pct"])
            found[f"{mode} {hours:g}"] = float(value)
    return found


def main() -> None:
    """Sweep over the sends, print the table, and write it with its chart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000_000)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--out", type=Path, default=Path("runs/efs-or-not"))
    options = parser.parse_args()
    runs = sendcap.sweep(
        updated(sendcap.load("black-friday"), {"deliveries[0].messages": options.messages}),
        list(SENDS.values()),
        measures=readings,
        workers=options.workers,
        store=options.out / "store",
    )
    table = errors(runs)
    table.to_csv(options.out / "efs-or-not.csv", index=False, lineterminator="\n")
    save_png(chart(table, options.messages), options.out / "efs-or-not.png")
    print(f"{'send':<22}{'mode':<13}" + "".join(f"{f'{hour} h':>9}" for hour in TOLD))
    for (send, mode), group in table.groupby(["send", "mode"], sort=False):
        off = group.set_index("hours")["points_off"]
        print(f"{send:<22}{mode:<13}" + "".join(f"{off[hours]:>+9.2f}" for hours in TOLD))


def errors(runs: pd.DataFrame) -> pd.DataFrame:
    """Return by how many points each reading is off the truth."""
    rows = []
    for send, row in zip(SENDS, runs.to_dict("records"), strict=True):
        for mode in MODES:
            for hours in sorted({*HOURS, *TOLD}):
                off = row[f"readings.{mode} {hours:g}"] - row["readings.truth"]
                rows.append(
                    {"send": send, "mode": mode, "hours": hours, "points_off": round(off, 6)}
                )
    return pd.DataFrame(rows)


def chart(table: pd.DataFrame, messages: int) -> Figure:
    """Draw a panel for each send: the points off over time, a line for each mode."""
    from matplotlib.figure import Figure

    with house_style():
        figure = Figure(figsize=(10.0, 5.6), layout="constrained")
        figure.suptitle(
            f"Points by which Delivered % of {messages:,} messages is off its end",
            x=0.01,
            ha="left",
            fontweight="bold",
        )
        panels = figure.subplots(2, 2, sharex=True, sharey=True)
        for axes, (send, of_send) in zip(
            panels.ravel(), table.groupby("send", sort=False), strict=True
        ):
            axes.axhline(0.0, color=GREY, linewidth=0.8)
            for mode in MODES:
                rows = of_send[of_send["mode"] == mode]
                look = MODE_LOOKS[mode]
                axes.plot(rows["hours"], rows["points_off"], label=look.label, **look.keywords())
            axes.set_title(str(send))
            axes.set_xscale("log")
            axes.set_xticks([0.25, 1, 4, 12, 24, 84], ["¼", "1", "4", "12", "24", "84"])
            axes.minorticks_off()
            axes.set_yscale("symlog", linthresh=0.1)
            axes.set_yticks(
                [-100, -10, -1, -0.1, 0, 0.1, 1], ["−100", "−10", "−1", "−0.1", "0", "+0.1", "+1"]
            )
        for axes in panels[1]:
            axes.set_xlabel("hours since the start", loc="left")
        for axes in panels[:, 0]:
            axes.set_ylabel("points", loc="top")
        panels[0, 0].legend(frameon=False, loc="lower right")
        return figure


if __name__ == "__main__":
    main()
