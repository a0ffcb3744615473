"""The reports of ``sendcap dashboard`` beside the Deployment dashboard."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

import sendcap
from sendcap.cli.tables import cell, say, show_grid, show_table
from sendcap.readings.modes import ALL_DELIVERIES, Mode
from sendcap.text.clock import moment_text
from sendcap.text.quantities import MINUS, NOTHING, elapsed

_DYNAMIC: Final = {
    "processed": "Processed/sent",
    "delivered": "Delivered",
    "bounces_errors": "Bounces + errors",
    "soft_bounces": "Soft bounces",
    "hard_bounces": "Hard bounces",
    "delivered_pct": "Delivered rate %",
    "bounces_errors_pct": "Bounce + error rate %",
    "soft_bounces_pct": "Soft bounce rate %",
    "hard_bounces_pct": "Hard bounce rate %",
    "open_rate_pct": "Open rate %",
    "click_through_pct": "Click-through rate %",
}
_BOTH: Final = {
    "Delivered": ("sent", "delivered"),
    "Bounces + errors": ("failed", "bounces_errors"),
    "Pending": ("pending", ""),
    "To deliver": ("to_deliver", ""),
    "Processed/sent": ("", "processed"),
    "Delivered %": ("delivered_pct", "delivered_pct"),
    "Bounces + errors %": ("bounces_errors_pct", "bounces_errors_pct"),
    "Open rate %": ("open_rate_pct", "open_rate_pct"),
    "Click-through rate %": ("click_through_pct", "click_through_pct"),
}
"""The figures of the dashboard and of Dynamic reporting that stand side by side."""


_CAUSE: Final = "Cause"


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


def dynamic(asked: Asked) -> None:
    """Print Dynamic reporting, a column per mode."""
    from sendcap.readings.dashboard import EARLY_OPENS, opens_are_early

    shown = [asked.run.dynamic_report(asked.time_s, mode, asked.delivery) for mode in asked.modes]
    title = f"Dynamic reporting, {asked.title}"
    first = shown[0]
    if not first.has_figures:
        night = asked.moment(first.first_night_s)
        say(title, bold=True)
        say(f"No figures until the first night, at {night}.", *asked.nights())
        return
    show_grid(
        title,
        "",
        _DYNAMIC,
        {report: report.mode for report in shown},
        lambda name, report: cell(name, getattr(report, name)),
    )
    say(
        f"As of the last night, {asked.moment(first.as_of_s)}.",
        *asked.nights(),
        *asked.ended(),
        *([EARLY_OPENS] if any(map(opens_are_early, shown)) else []),
    )


def explanations(asked: Asked) -> None:
    """Print the dashboard beside Dynamic reporting, and why they differ, for each mode."""
    for mode in asked.modes:
        explained = asked.run.explain(asked.time_s, mode, asked.delivery, asked.compute_stats)
        _both(asked, explained)
        _causes(explained)
    if notes := [*asked.nights(), *asked.ended()]:
        say(*notes)


def _both(asked: Asked, explained: sendcap.Explanation) -> None:
    deployment, dynamic = explained.deployment, explained.dynamic

    def figure(report: Any, name: str) -> str:
        exists = name and (report is deployment or dynamic.has_figures)
        return cell(name, getattr(report, name)) if exists else NOTHING

    night = asked.moment(dynamic.as_of_s) if dynamic.has_figures else NOTHING
    show_table(
        f"Deployment dashboard and Dynamic reporting, {dynamic.mode}, {asked.title}",
        ["", "Dashboard", "Dynamic reporting"],
        [
            *(
                [label, figure(deployment, one), figure(dynamic, other)]
                for label, (one, other) in _BOTH.items()
            ),
            ["As of", asked.moment(deployment.as_of_s), night],
        ],
    )


def _causes(explained: sendcap.Explanation) -> None:
    title = f"Why they differ, {explained.dynamic.mode}"
    causes = explained.causes
    if not causes or causes[0].name == "no figures":
        say(title, bold=True)
        say(*(cause.words for cause in causes), *([] if causes else ["They do not differ."]))
        return
    together = ("Together", explained.delivered_pt, explained.bounces_errors_pt)
    rows = [(each.words, each.delivered_pt, each.bounces_errors_pt) for each in causes]
    show_table(
        f"{title}: points from the dashboard to Dynamic reporting",
        [_CAUSE, "Delivered %", "Bounces + errors %"],
        [[words, *map(_signed, points)] for words, *points in (*rows, together)],
        words=[_CAUSE],
    )


def _signed(points: float) -> str:
    """Return points with the decimals of the percentages above them."""
    text = f"{points:+.2f}".replace("-", MINUS)
    return "0.00" if text[1:] == "0.00" else text
