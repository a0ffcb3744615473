"""What a retry policy changes: six of them on the same Black Friday.

**Question.** Ten million messages, the same addresses with the same faults, six rules of when to
try again: Momentum's, KumoMTA's, Postfix's, Exim's, PowerMTA's and that of Campaign's own MTA. How
many soft-bounced messages does each recover, how many attempts does it spend on that, and how soon
are they accepted?

**Answer** (means of five replications). All recover about the same, 86.7 to 86.9 % of the
soft-bounced messages, but for KumoMTA, 85.2 %: its intervals double without a limit, so its last
attempt comes 42 h after the first, and the validity is 84 h. PowerMTA is the soonest, half of them
within 1 h 45 min, and pays for it with 2.31 attempts per message; Postfix has 1 h 46 min with 1.20,
Momentum 1 h 57 min with 1.05. Campaign's own MTA is the latest, 2 h 41 min with 1.04.

Run by hand, some four minutes: ``python experiments/retry_policies.py``. It writes
``retry-policies.csv`` and ``retry-policies.png`` into ``--out``. All policies have the same
addresses with the same faults (common random numbers), so small differences are real. The times
are of this preset's faults: greylisting that clears within minutes, mailboxes that are full for a
day, servers that are down.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

import sendcap
from sendcap.charts.style import house_style, save_png
from sendcap.scenario import updated
from sendcap.study.replication.estimates import estimate
from sendcap.text.quantities import elapsed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POLICIES: Final = (
    "momentum",
    "kumomta",
    "postfix",
    "exim",
    "powermta",
    "adobe-legacy",
    "opensmtpd",
)
MEASURES: Final = {
    "recovered_pct": "soft-bounced messages\nthat are accepted in the end, %",
    "attempts_per_message": "attempts per message",
    "recovered_half_s": "half of them accepted after, h",
}


def recovered_half_s(run: sendcap.Run) -> float:
    """Return when half of the recovered messages had been accepted, in seconds from t = 0."""
    recovered = run.ledger.cumulative("recovered", clock="happened")
    return float(run.ledger.edges_s[np.searchsorted(2 * recovered, recovered[-1])])


def main() -> None:
    """Sweep over the policies, print the table, and write it with its chart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000_000)
    parser.add_argument("--replications", type=int, default=5)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--out", type=Path, default=Path("runs/retry-policies"))
    options = parser.parse_args()
    runs = sendcap.sweep(
        updated(sendcap.load("black-friday"), {"deliveries[0].messages": options.messages}),
        {"mta.retry": [{"policy": policy} for policy in POLICIES]},
        replications=options.replications,
        measures=["recovered_pct", "attempts_per_message", recovered_half_s],
        workers=options.workers,
        store=options.out / "store",
    )
    table = summarised(runs)
    table.to_csv(options.out / "retry-policies.csv", index=False, lineterminator="\n")
    save_png(chart(table, options.messages), options.out / "retry-policies.png")
    print(f"{'policy':<14}{'recovered %':>13}{'attempts':>11}{'half after':>13}")
    for policy, group in table.groupby("policy", sort=False):
        mean = group.set_index("measure")["mean"]
        print(
            f"{policy:<14}{mean['recovered_pct']:>13.2f}{mean['attempts_per_message']:>11.3f}"
            f"{elapsed(mean['recovered_half_s']):>13}"
        )


def summarised(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of each measure over the replications, with its interval, per policy."""
    rows: list[dict[str, Any]] = []
    for retry, group in runs.groupby("mta.retry", sort=False):
        for name in MEASURES:
            found = estimate(group[name].tolist())
            rows.append(
                {
                    "policy": json.loads(str(retry))["policy"],
                    "measure": name,
                    "mean": found.mean,
                    "low": found.low,
                    "high": found.high,
                    "replications": found.n,
                }
            )
    return pd.DataFrame(rows)


def chart(table: pd.DataFrame, messages: int) -> Figure:
    """Draw a panel for each measure, a bar for each policy."""
    from matplotlib.figure import Figure

    with house_style():
        figure = Figure(figsize=(10.0, 3.4), layout="constrained")
        figure.suptitle(
            f"Retry policies on the same {messages:,} messages",
            x=0.01,
            ha="left",
            fontweight="bold",
        )
        panels = figure.subplots(1, len(MEASURES), sharey=True)
        for axes, (name, label) in zip(panels, MEASURES.items(), strict=True):
            rows = table[table["measure"] == name].iloc[::-1]
            scale = 1 / 3600.0 if name.endswith("_s") else 1.0
            axes.barh(rows["policy"], rows["mean"] * scale, color="#3f90da", height=0.6)
            for place, row in enumerate(rows.to_dict("records")):
                text = f"{row['mean'] * scale:.2f}"
                axes.annotate(
                    text,
                    (row["mean"] * scale, place),
                    (3, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=8,
                )
            axes.margins(x=0.18)
            axes.set_xlabel(label, loc="left")
            axes.tick_params(axis="y", length=0)
            axes.grid(visible=False, axis="y")
        return figure


if __name__ == "__main__":
    main()
