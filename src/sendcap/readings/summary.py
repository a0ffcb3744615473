"""The summary of a run: totals, times of acceptance and final KPIs."""

import math
from collections.abc import Iterable
from typing import Any

from sendcap.ledger import Event, Ledger
from sendcap.readings.delays import delay_figures
from sendcap.readings.kpis import Figures, Readings, deliveries_and_all
from sendcap.readings.modes import Denominator, Mode
from sendcap.readings.reached import reached_s
from sendcap.version import MODEL_VERSION, __version__

ACCEPTED_PCT = (50, 90, 99)
"""Shares of the finally accepted messages, whose times the summary has."""

_EVENTS: tuple[Event, ...] = (
    "relayed",
    "relay_failed",
    "attempted",
    "accepted",
    "recovered",
    "hard",
    "soft",
    "expired",
    "expired_untried",
    "async_bounced",
    "opened",
    "clicked",
)
_FINAL = (
    "sent",
    "failed",
    "pending",
    "delivered_pct",
    "bounces_errors_pct",
    "open_rate_pct",
    "click_through_pct",
)


def accepted_at_s(
    ledger: Ledger, pct: int, *, delivery: str | None = None, provider: str | None = None
) -> float | None:
    """Return the time at which a percentage of the finally accepted messages was accepted.

    In seconds from t = 0 and not from the delivery's own start, see `reached_s`; None if no message
    was ever accepted.
    """
    accepted = ledger.sparse("accepted", clock="happened", delivery=delivery, provider=provider)
    time_s = reached_s(accepted, ledger.bin_s, pct / 100.0)
    return time_s if time_s < math.inf else None


def totals(
    ledger: Ledger, *, delivery: str | None = None, provider: str | None = None
) -> dict[str, Any]:
    """Return the numbers of events of a delivery, a provider or all, and times of acceptance.

    With them come the delays from ready to accepted.
    """
    counts: dict[str, Any] = {"to_deliver": ledger.messages(delivery=delivery, provider=provider)}
    for event in _EVENTS:
        counts[event] = ledger.total(event, clock="happened", delivery=delivery, provider=provider)
    for pct in ACCEPTED_PCT:
        counts[f"accepted_{pct}_pct_s"] = accepted_at_s(
            ledger, pct, delivery=delivery, provider=provider
        )
    return counts | delay_figures(ledger, delivery=delivery, provider=provider)


def _final_kpis(figures: Figures) -> dict[str, Any]:
    """Return the KPIs at the end of the run; a percentage of nothing is None."""
    values: dict[str, Any] = {}
    for name in _FINAL:
        value = float(getattr(figures, name)[-1])
        if name.endswith("_pct"):
            values[name] = None if math.isnan(value) else round(value, 6)
        else:
            values[name] = round(value)
    return values


def summary(
    readings: Readings,
    modes: Iterable[Mode],
    *,
    title: str,
    seed: int,
    denominator: Denominator = "default",
) -> dict[str, Any]:
    """Return the summary of a run; see `sendcap.Run.summary`."""
    ledger, modes = readings.ledger, tuple(modes)
    final = {
        delivery: readings.final(modes, delivery, denominator)
        for delivery in deliveries_and_all(ledger)
    }
    return {
        "sendcap": __version__,
        "model": MODEL_VERSION,
        "title": title,
        "seed": seed,
        "bin_s": ledger.bin_s,
        "end_s": round(ledger.end_s, 6),
        "total": totals(ledger),
        "providers": {name: totals(ledger, provider=name) for name in ledger.providers},
        "deliveries": {name: totals(ledger, delivery=name) for name in ledger.names},
        "final_kpis": {
            mode: {delivery: _final_kpis(each[mode]) for delivery, each in final.items()}
            for mode in modes
        },
    }
