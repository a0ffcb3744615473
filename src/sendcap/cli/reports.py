"""``sendcap dashboard``: what a user asks to see; throughput, bounce summary and alerts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sendcap
from sendcap.cli.tables import say, show_table
from sendcap.readings.modes import ALL_DELIVERIES, Mode
from sendcap.text.clock import moment_text
from sendcap.text.quantities import NOTHING, elapsed
from sendcap.text.shares import rounded_share
from sendcap.text.tables import cell

if TYPE_CHECKING:
    import pandas as pd

_OF_MODES: Final = {"bounces": "bounce_summary", "alerts": "alerts"}
"""Methods of a run that return a table for each mode, by the name of the report."""
_MOST_HOURS: Final = 48
_BOUNCES: Final = {
    "label": "In Campaign",
    "type": "Type",
    "messages": "Messages",
    "messages_pct": "% of processed",
    "final": "Failed for good",
    "final_pct": "% of processed",
}
"""The columns of the bounce summary, with their headings."""


class Asked(NamedTuple):
    """What a user asks to see."""

    run: sendcap.Run
    time_s: float
    modes: tuple[Mode, ...]
    delivery: str
    compute_stats: bool

    @property
    def title(self) -> str:
        """The deliveries and the moment."""
        return f"{which(self.delivery)}, at {self.moment(self.time_s)}"

    def moment(self, seconds: float) -> str:
        """Return a moment in words."""
        return in_words(seconds, self.run.scenario.start)

    def clock(self, seconds: float) -> str:
        """Return a moment by the clock, where there is one."""
        return moment_text(seconds, self.run.scenario.start)

    def ended(self) -> list[str]:
        """Return a note where the simulation has ended before."""
        end_s = self.run.ledger.end_s
        if self.time_s <= end_s:
            return []
        return [f"The simulation ends at {elapsed(end_s)}; the figures are those of then."]

    def nights(self) -> list[str]:
        """Return a note where no clock tells when it is night."""
        if self.run.scenario.start is not None:
            return []
        return ["The scenario has no start: nights count from t = 0, the first one at 1d."]


def in_words(seconds: float, start: datetime | None) -> str:
    """Return a moment since t = 0, and by the clock where there is one."""
    text = elapsed(seconds)
    return text if start is None else f"{text} ({moment_text(seconds, start)})"


def which(delivery: str) -> str:
    """Return the deliveries that a title names."""
    return "all deliveries" if delivery == ALL_DELIVERIES else delivery


def figures(report: str, asked: Asked) -> pd.DataFrame:
    """Return the figures of a report as a table; those of several modes below each other."""
    import pandas as pd

    run = asked.run
    if report == "throughput":
        return run.throughput(asked.time_s, asked.delivery)
    if report in _OF_MODES:
        method: Callable[..., pd.DataFrame] = getattr(run, _OF_MODES[report])
        tables = [method(asked.time_s, mode, asked.delivery) for mode in asked.modes]
        for mode, table in zip(asked.modes, tables, strict=True):
            table.insert(0, "mode", mode)
        return pd.concat(tables)
    if report == "dynamic":
        nights = (run.dynamic_report(asked.time_s, mode, asked.delivery) for mode in asked.modes)
        return pd.DataFrame(list(map(asdict, nights)))
    shown = (
        run.dashboard(asked.time_s, mode, asked.delivery, asked.compute_stats)
        for mode in asked.modes
    )
    return pd.DataFrame(list(map(asdict, shown)))


def show_throughput(asked: Asked) -> None:
    """Print the messages of each hour; of very many, those of the busiest ones."""
    from sendcap.readings.throughput import busiest

    table = asked.run.throughput(asked.time_s, asked.delivery)
    if table.empty:
        _nothing(f"Delivery throughput, {asked.title}", "Nothing has been relayed or accepted.")
        return
    hours = busiest(table, _MOST_HOURS)
    rows = [
        (asked.clock(hour["hour_s"]), hour["relayed"], hour["accepted"])
        for hour in hours.to_dict("records")
    ]
    together = ("Sum", table.relayed.sum(), table.accepted.sum())
    left_out = (
        f"The {len(hours)} busiest of {len(table):,} hours, by messages relayed or accepted, "
        "whichever is more; the sum is of all."
    )
    show_table(
        f"Delivery throughput, messages per hour, {asked.title}",
        ["Hour from", "Relayed", "Accepted"],
        [[first, *(f"{count:,}" for count in counts)] for first, *counts in (*rows, together)],
    )
    say(
        "Relayed: handed over to the MTA, which the product's report shows. Accepted: by "
        "recipients' servers.",
        *([left_out] if len(hours) < len(table) else []),
        *asked.ended(),
    )


def show_bounces(asked: Asked) -> None:
    """Print the bounces by reason, for each mode."""
    for mode in asked.modes:
        _bounces(asked, mode)
    say(
        "A soft-bounced message counts with the reason of its first bounce, an expired one with "
        "that of its last. In Campaign: its label for the reason.",
        *asked.ended(),
    )


def _bounces(asked: Asked, mode: Mode) -> None:
    table = asked.run.bounce_summary(asked.time_s, mode, asked.delivery)
    title = f"Bounce summary, {mode}, {asked.title}"
    if table.empty:
        _nothing(title, "Nothing has bounced.")
        return
    rows: list[dict[Any, Any]] = table.replace("", NOTHING).to_dict("records")
    rows.append({"reason": "Sum", "final": table.final.sum(), "final_pct": table.final_pct.sum()})
    show_table(
        title,
        ["Reason", *_BOUNCES.values()],
        [
            [row["reason"], *(cell(name, row.get(name, NOTHING)) for name in _BOUNCES)]
            for row in rows
        ],
        words=["In Campaign", "Type"],
    )


def show_alerts(asked: Asked) -> None:
    """Print the alerts of each delivery, for each mode."""
    for mode in asked.modes:
        table = asked.run.alerts(asked.time_s, mode, asked.delivery)
        title = f"Alerts, {mode}, {asked.title}"
        if table.empty:
            _nothing(title, "None would have been sent.")
            continue
        show_table(
            title,
            ["Delivery", "Alert", "Limit", "First", "Until", "Worst"],
            [
                [
                    row["delivery"],
                    row["alert"],
                    _value(row["alert"], row["limit"]),
                    asked.clock(row["first_s"]),
                    asked.clock(row["until_s"]),
                    _value(row["alert"], row["worst"]),
                ]
                for row in table.to_dict("records")
            ],
            words=["Alert", "First", "Until"],
        )
    say(
        "Adobe's text has the limits of 5 % and a watch of 24 h before and after the contact date, "
        "every 10 minutes; a screenshot alone has 50 messages at least, and 20 minutes pending.",
        *asked.ended(),
    )


def _value(alert: str, value: float) -> str:
    """Return a limit or a worst value in the unit of an alert."""
    return elapsed(value) if alert == "start pending" else rounded_share(value, 2)


def _nothing(title: str, words: str) -> None:
    say(title, bold=True)
    say(words)
