"""The tables of a run in words: the dashboard beside the truth, totals, and delays."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sendcap.ledger import Ledger
from sendcap.readings.dashboard import FIGURES
from sendcap.readings.delays import DELAY_FIGURES
from sendcap.readings.modes import MODE_LABELS
from sendcap.readings.truth import Truth
from sendcap.text.clock import brief_moment, daily_s
from sendcap.text.quantities import DAY_S
from sendcap.text.tables import Table, cell

if TYPE_CHECKING:
    from sendcap.run import Run


_SHOWN: Final = ("sent", "failed", "pending", "delivered_pct", "bounces_errors_pct")
_FIGURES: Final = {name: FIGURES[name] for name in _SHOWN}
_THE_TRUTH: Final = (
    "The truth: Sent is accepted and not returned, Failed is failed for good, Pending is relayed "
    "and still under way; percentages are of all messages to deliver."
)
_EVENTS: Final = {
    "relay_failed": "Relay failed",
    "accepted": "Accepted",
    "hard": "Hard",
    "soft": "Soft",
    "expired": "Expired",
    "async_bounced": "Async",
}
_TIMES: Final = {
    "accepted_50_pct_s": "50 %",
    "accepted_90_pct_s": "90 %",
    "accepted_99_pct_s": "99 %",
}


def beside_the_truth(run: Run) -> Table:
    """Return the dashboards when the relay is done, the next morning and at the end, as a table."""
    start, rows = run.scenario.start, []
    for name, time_s in key_moments(run.ledger, start):
        rows.append([f"{name}, {brief_moment(time_s, start, time_s)}", *[""] * len(_FIGURES)])
        for mode in run.scenario.reporting.modes:
            shown = run.dashboard(time_s, mode, compute_stats=True)
            figures = {name: getattr(shown, name) for name in _FIGURES}
            rows.append(_indented(MODE_LABELS[mode], figures))
        rows.append(_indented("the truth", _true(run.truth(time_s))))
    return Table("The dashboard, and the truth", ["", *_FIGURES.values()], rows, [_THE_TRUTH])


def _true(truth: Truth) -> dict[str, float]:
    return {
        "sent": truth.delivered,
        "failed": truth.failed,
        "pending": truth.untried + truth.backing_off,
        "delivered_pct": truth.delivered_pct,
        "bounces_errors_pct": truth.failed_pct,
    }


def _indented(label: str, figures: Mapping[str, Any]) -> list[str]:
    return [f"  {label}", *(cell(name, figures[name]) for name in _FIGURES)]


def totals_tables(run: Run, summary: Mapping[str, Any]) -> Iterator[Table]:
    """Yield what became of the messages of each delivery, where there are several, and provider.

    Of several deliveries nobody counts from the start of the simulation: times are by the clock,
    and the calendar has those of the deliveries.
    """
    start = run.scenario.common_start
    for first, rows in _groups(run, summary):
        columns = _EVENTS | (_TIMES if first == "Provider" else {})
        if not summary["total"]["relay_failed"]:
            del columns["relay_failed"]
        moments_s = [each[key] for each in rows.values() for key in _TIMES if each[key] is not None]
        within_s = max(moments_s, default=0.0)

        def write(key: str, value: Any, within_s: float = within_s) -> str:
            if start is None or value is None or key not in _TIMES:
                return cell(key, value)
            return brief_moment(value, start, within_s)

        yield _table("messages at the MTA", first, rows, columns, write)


def delays_tables(run: Run, summary: Mapping[str, Any]) -> Iterator[Table]:
    """Yield how long messages took, of each delivery, where there are several, and provider."""
    for first, rows in _groups(run, summary):
        yield _table("delay from ready to accepted", first, rows, DELAY_FIGURES, cell)


_Rows = Mapping[str, Mapping[str, Any]]


def _groups(run: Run, summary: Mapping[str, Any]) -> Iterator[tuple[str, _Rows]]:
    """Yield figures by delivery and by provider, with those of all messages last."""
    written, total = run.ledger.written, {"all": summary["total"]}
    if len(written) > 1:
        yield "Delivery", {name: summary["deliveries"][name] for name in written} | total
    yield "Provider", summary["providers"] | total


def _table(
    what: str,
    first: str,
    rows: _Rows,
    columns: Mapping[str, str],
    write: Callable[[str, Any], str],
) -> Table:
    plural = {"Delivery": "Deliveries", "Provider": "Providers"}[first]
    return Table(
        f"{plural}: {what}",
        [first, *columns.values()],
        [[name, *(write(key, row[key]) for key in columns)] for name, row in rows.items()],
    )


# The moments at which a look at the dashboard matters most.

_MORNING: Final = time(8)
_NIGHT_S: Final = 6 * 3600.0
"""A morning that comes sooner is the same one."""


class KeyMoment(NamedTuple):
    """A moment, and what it is."""

    name: str
    time_s: float


def key_moments(ledger: Ledger, start: datetime | None) -> list[KeyMoment]:
    """Return when the relay is done, the next morning, and the end, as far as they differ.

    The morning is 08:00 by the clock of ``start``, the moment of t = 0, after a night of six hours
    at least; without a clock it is a day later. Times are those of counts in the ledger, so
    that a dashboard has figures as of them.
    """
    relayed_s = relayed_by_s(ledger)
    moments = [KeyMoment("Relay done", relayed_s)]
    morning_s = _morning_s(relayed_s, start)
    counted_s = float(ledger.last_edges(morning_s)) * ledger.bin_s
    if relayed_s < counted_s and morning_s < ledger.end_s:
        moments.append(KeyMoment("Next morning" if start else "A day later", counted_s))
    if relayed_s < ledger.end_s:
        moments.append(KeyMoment("End", ledger.end_s))
    return moments


def relayed_by_s(ledger: Ledger) -> float:
    """Return when the last message was relayed, or failed before; 0 without any."""
    edges = ledger.changes(("relayed", "relay_failed"), ["known"])
    return float(ledger.edges_s[edges[-1]]) if len(edges) else 0.0


def _morning_s(relayed_s: float, start: datetime | None) -> float:
    if start is None:
        return relayed_s + DAY_S
    mornings = daily_s(_MORNING, start, relayed_s + 2 * DAY_S)
    return next((each_s for each_s in mornings if each_s >= relayed_s + _NIGHT_S), math.inf)
