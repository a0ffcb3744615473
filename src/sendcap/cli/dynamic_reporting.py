"""``sendcap dashboard``: Dynamic reporting, and why it differs from the dashboard."""

from __future__ import annotations

from typing import Any, Final

import sendcap
from sendcap.cli.reports import Asked
from sendcap.cli.tables import say, show_grid, show_table
from sendcap.text.quantities import MINUS, NOTHING
from sendcap.text.tables import cell

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
