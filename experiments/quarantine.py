"""When to quarantine an address: good addresses lost by mistake, against dead ones written to.

**Question.** Campaign quarantines an address at the fifth significant soft bounce, where bounces
less than a day apart are not significant. What would other thresholds, another distance and a
shorter validity change, of Delivered % and of good addresses lost? And what do bad days of a
provider do: Outlook cannot be reached for four days, and Gmail refuses good addresses as *user
unknown* for two, as it did in December 2020?

**Answer.** On usual days Campaign's own rule loses nobody: what bounced softly is accepted by a
retry, which sets the count back. A threshold of 1 has 25 % of the list in quarantine by mistake
after half a year, one of 2 has 0.06 %, and any larger one nobody. Above 5, mailboxes that stay full
are tried longer: 99.43 instead of 99.44 % are delivered. A validity of a day costs 0.33 points.

If Outlook is away for four days, one delivery is enough for four significant bounces: thresholds up
to 4, or bounces that count after 6 h, quarantine every good address there, 24 % of the list, and in
half a year each person gets 17.6 messages instead of 23. At Campaign's 5 it is 0.2 %: those that
bounce softly once more within ten days. That is what the threshold is for.

If Gmail refuses for two days, no threshold helps: a hard bounce is enough. 41 % of the list is gone
by mistake, and 96.6 % are delivered of what is still sent. Only resetting these addresses by hand
brings them back, as Campaign's documentation says of that December.

Run by hand, about a minute: ``python experiments/quarantine.py``. It writes
``quarantine.csv`` and ``quarantine.png`` into ``--out``. A list of 100,000 addresses gets a
newsletter each week for half a year; all policies have the same people (common random numbers).
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

import sendcap
from sendcap.charts.style import house_style, save_png

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIST: Final = """
[population]
size = 100_000
providers = { gmail = 0.5, outlook = 0.3, other = 0.2 }
decay = "22%"                   # Campaign's example of a list whose addresses live three years
new_per_day = 60                # about as many as die (assumption)
dead_among_new = 0.02           # slips of the pen (assumption)

[[deliveries]]
name = "weekly"
every = "7d"
times = 26

[relay]
workers = 4
batch_time = "100ms"

[providers.gmail]
connections_per_ip = 100
connect_time = "250ms"
transaction_time = "320ms"
hard = [{ reason = "user unknown", share = 0.004 }]
faults = [{ reason = "mailbox full", share = 0.006, clears_after = "30h", never = 0.4 }]
transient = 0.01

[providers.outlook]
connections_per_ip = 100
connect_time = "250ms"
transaction_time = "400ms"
hard = [{ reason = "user unknown", share = 0.004 }]
faults = [{ reason = "mailbox full", share = 0.006, clears_after = "30h", never = 0.4 }]
transient = 0.01

[providers.other]
connections_per_ip = 50
connect_time = "500ms"
transaction_time = "700ms"
hard = [{ reason = "user unknown", share = 0.008 }]
transient = 0.03

[feedback]
synchronous = "2m"
"""
"""Shares of faults and times are assumptions, of the size of those of the presets."""
BAD_DAYS: Final = {
    "none": {},
    "Outlook away for 4 d": {"providers.outlook.outages": [{"at": "28d", "lasts": "4d"}]},
    "Gmail refuses for 2 d": {
        "providers.gmail.refusals": [{"at": "56d", "lasts": "2d", "reason": "user unknown"}]
    },
}
THRESHOLDS: Final = (1, 2, 3, 4, 5, 6, 10)
SIGNIFICANT: Final = ("6h", "1d", "3d")
VALIDITIES: Final = ("1d", "84h")
USUAL: Final = {"threshold": 5, "significant": "1d", "validity": "84h"}


def policies() -> list[dict[str, Any]]:
    """Return Campaign's own policy, and those that differ from it in one or two settings."""
    varied = [
        *({"threshold": number} for number in THRESHOLDS),
        *({"significant": time} for time in SIGNIFICANT),
        *({"validity": time} for time in VALIDITIES),
        *({"threshold": 3, "significant": time} for time in SIGNIFICANT),
        *({"threshold": 3, "validity": time} for time in VALIDITIES),
    ]
    found = [USUAL | each for each in varied]
    return [each for number, each in enumerate(found) if each not in found[:number]]


def outcome(scenario: sendcap.Scenario) -> dict[str, float]:
    """Return what a policy costs over the half year."""
    run = sendcap.simulate(scenario)
    ledger, last = run.ledger, run.list_health().iloc[-1]
    accepted, hard, expired = (
        ledger.total(event, clock="happened") for event in ("accepted", "hard", "expired")
    )
    messages = ledger.messages()
    return {
        "delivered_pct": 100.0 * accepted / messages,
        "hard_pct": 100.0 * hard / messages,
        "expired_pct": 100.0 * expired / messages,
        "mistaken_pct": 100.0 * last["quarantined_by_mistake"] / last["people"],
        "accepted_per_person": accepted / last["people"],
    }


def main() -> None:
    """Simulate each policy with each kind of bad days, print the table, and draw it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--weeks", type=int, default=26)
    parser.add_argument("--out", type=Path, default=Path("runs/quarantine"))
    options = parser.parse_args()
    base = sendcap.updated(
        sendcap.loads(LIST, "the list"),
        {"population.size": options.people, "deliveries[0].times": options.weeks},
    )
    rows = []
    for (days, changes), policy in product(BAD_DAYS.items(), policies()):
        scenario = sendcap.updated(
            base,
            {
                "population.quarantine.threshold": policy["threshold"],
                "population.quarantine.significant": policy["significant"],
                "deliveries[0].validity": policy["validity"],
                **changes,
            },
        )
        rows.append({"bad_days": days} | policy | outcome(scenario))
    table = pd.DataFrame(rows)
    options.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.out / "quarantine.csv", index=False, lineterminator="\n")
    save_png(chart(table), options.out / "quarantine.png")
    with pd.option_context("display.width", 120, "display.max_rows", None):
        print(table.round(3).to_string(index=False))


def chart(table: pd.DataFrame) -> Figure:
    """Draw Delivered % and good addresses lost by the threshold, a line for each kind of days."""
    from matplotlib.figure import Figure

    usual = table[(table["significant"] == "1d") & (table["validity"] == "84h")]
    with house_style():
        figure = Figure(figsize=(10.0, 3.6), layout="constrained")
        figure.suptitle(
            "Quarantine at the nth significant soft bounce: what it delivers, and whom it loses",
            x=0.01,
            ha="left",
            fontweight="bold",
        )
        panels = figure.subplots(1, 2)
        labels = {
            "delivered_pct": "Delivered %, of all weeks",
            "mistaken_pct": "good addresses in quarantine in the end, % of the list",
        }
        for axes, (name, label) in zip(panels, labels.items(), strict=True):
            for days, rows in usual.groupby("bad_days", sort=False):
                ordered = rows.sort_values("threshold")
                axes.plot(ordered["threshold"], ordered[name], marker="o", label=str(days))
            axes.axvline(USUAL["threshold"], color="#94a4a2", linewidth=0.8, linestyle=":")
            axes.set_xlabel("threshold (5 is Campaign's)", loc="left")
            axes.set_title(label, loc="left")
            axes.set_xticks(THRESHOLDS)
        panels[1].legend(title="Bad days", frameon=False, loc="upper right")
        return figure


if __name__ == "__main__":
    main()
