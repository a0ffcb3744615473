"""Automation rules, as the reaction of the model's MTA to *throttled* answers.

The model has one kind of throttled answer and one rule per provider; KumoMTA reads the texts of
answers and has many rules. One of them is chosen:

1. from the most specific block: domain, site, provider, default;
2. with a pattern about rates, connections or deferrals before one about block lists;
3. with a pause or a lower message rate before one about connections alone;
4. started by the fewest answers; then the strictest; then the longest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sendcap.importers.kumomta.files import limit_of
from sendcap.importers.kumomta.rules import Action, Rule
from sendcap.scenario.durations import format_duration
from sendcap.scenario.rates import Rate

_PAUSES: Final = ("Suspend", "SuspendTenant", "SuspendCampaign")
_HOUR_S: Final = 3600.0


class Carrier(NamedTuple):
    """The capacity of a provider's connections, for each source address."""

    attempt_s: float  # mean duration, including a share of the reconnects
    deliveries: int  # attempts per connection
    rate_per_s: float  # largest rate of attempts without the rule


@dataclass(frozen=True)
class Candidate:
    """A rule for the model."""

    rule: Rule  # of the file
    suspend: dict[str, Any]  # of the scenario
    rate: float  # attempts per second meanwhile
    why: str  # differences between the two
    connections_only: bool  # whether it limits connections only


def candidate_of(rule: Rule, carrier: Carrier) -> Candidate | str:
    """Return a rule for the model, or the reason for none."""
    rates: list[tuple[float, str]] = []
    notes: list[str] = []
    kinds = set()
    for action in rule.actions:
        meanwhile = _meanwhile(action, carrier)
        if meanwhile is None:
            notes.append(f"{action} has no counterpart")
            continue
        kinds.add(action.kind in _PAUSES or action.name == "max_message_rate")
        rates.append(meanwhile)
        if action.kind in _PAUSES[1:]:
            notes.append(f"{action.kind} pauses a tenant's mail, the scenario all mail")
    if not rates:
        return notes[0]
    per_s, text = min(rates)
    if len(rates) == 1 and rule.actions[0].name in ("connection_limit", "max_connection_rate"):
        notes.append(f"{rule.actions[0]} has room for {per_s:.3g} attempts/s")
    if per_s >= carrier.rate_per_s:
        return f"changes nothing: at most {carrier.rate_per_s:.3g} attempts/s are sent anyway"
    if rule.lasts_s < 1.0 or rule.lasts_s > 366 * 86_400.0:
        return "lasts less than a second or more than a year"
    suspend = {
        "after": rule.after,
        "within": format_duration(rule.within_s),
        "lasts": format_duration(rule.lasts_s),
        "rate": text,
    }
    return Candidate(rule, suspend, per_s, "; ".join(notes), not any(kinds))


def _meanwhile(action: Action, carrier: Carrier) -> tuple[float, str] | None:
    """Return the attempts per second during an action, and the rate of a scenario."""
    if action.kind in _PAUSES:
        return 0.0, "closed"
    try:
        if action.name == "max_message_rate":
            rate = Rate.parse(action.value)
        elif action.name == "max_connection_rate":
            connects = Rate.parse(action.value)
            rate = Rate(connects.limit * carrier.deliveries, connects.period_s)
        elif action.name == "connection_limit" and carrier.attempt_s > 0.0:
            per_s = limit_of(action.value) / carrier.attempt_s
            rate = Rate(max(1, math.floor(per_s * _HOUR_S)), _HOUR_S, 1)
        else:
            return None
    except ValueError:
        return None
    return rate.per_s, str(rate)


def chosen(levels: Sequence[Sequence[Candidate]]) -> Candidate | None:
    """Return the rule for the model from those of each block, the most specific block last."""
    for level in reversed(levels):
        if level:
            return min(level, key=_order)
    return None


def _order(candidate: Candidate) -> tuple[bool, bool, int, float, float]:
    rule = candidate.rule
    return (
        not rule.about_sending_too_much,
        candidate.connections_only,
        rule.after,
        candidate.rate,
        -rule.lasts_s,
    )
