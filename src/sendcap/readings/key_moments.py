"""The moments at which a look at the dashboard matters most."""

import math
from datetime import datetime, time
from typing import Final, NamedTuple

from sendcap.ledger import Ledger
from sendcap.text.clock import daily_s

_DAY_S: Final = 86_400.0
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
        return relayed_s + _DAY_S
    mornings = daily_s(_MORNING, start, relayed_s + 2 * _DAY_S)
    return next((each_s for each_s in mornings if each_s >= relayed_s + _NIGHT_S), math.inf)
