"""From automation rules to what the model's MTA does after *throttled* answers.

The model knows one kind of answer to a sender that sends too much, and one rule for a provider;
KumoMTA reads the texts of the answers, and has many. So one is chosen:

1. of the most specific block that has one: domain, site, provider, default;
2. one whose pattern is about rates, connections or deferrals before one about block lists;
3. one that holds all back or lowers the message rate before one about connections alone;
4. the one that the fewest answers start, of these the strictest, of these the longest.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sendcap.importers.kumomta.rules import Action, Rule
from sendcap.importers.kumomta.values import limit_of, rate_of
from sendcap.scenario.durations import format_duration
from sendcap.scenario.rates import Rate

_PAUSES: Final = ("Suspend", "SuspendTenant", "SuspendCampaign")
_HOUR_S: Final = 3600.0


@dataclass(frozen=True)
class Carrier:
    """What a provider's connections carry, from each source address.

    Attributes
    ----------
    attempt_s
        Mean time that an attempt takes, its part of the reconnects included.
    deliveries
        Attempts that a connection is good for.
    rate_per_s
        The rate at which it is normally sent, at most.
    """

    attempt_s: float
    deliveries: int
    rate_per_s: float


@dataclass(frozen=True)
class Candidate:
    """A rule as the model can have it.

    Attributes
    ----------
    rule
        As it is written.
    suspend
        The same for a scenario.
    rate
        Attempts per second meanwhile.
    why
        How the two differ.
    connections_only
        Whether it only limits connections.
    """

    rule: Rule
    suspend: dict[str, Any]
    rate: float
    why: str
    connections_only: bool


def candidate_of(rule: Rule, carrier: Carrier) -> Candidate | str:
    """Return what a rule is in the model, or why it is nothing there."""
    rates: list[tuple[float, str]] = []
    notes: list[str] = []
    kinds = set()
    for action in rule.actions:
        found = _meanwhile(action, carrier)
        if found is None:
            notes.append(f"{action} has no counterpart")
            continue
        kinds.add(action.kind in _PAUSES or action.name == "max_message_rate")
        rates.append(found)
        if action.kind in _PAUSES[1:]:
            notes.append(f"{action.kind} holds back the tenant's mail, here all")
    if not rates:
        return notes[0]
    per_s, text = min(rates)
    if len(rates) == 1 and rule.actions[0].name in ("connection_limit", "max_connection_rate"):
        notes.append(f"{rule.actions[0]} carries {per_s:.3g} attempts/s")
    if per_s >= carrier.rate_per_s:
        return f"changes nothing: it sends {carrier.rate_per_s:.3g} attempts/s at most anyway"
    if rule.lasts_s < 1.0 or rule.lasts_s > 366 * 86_400.0:
        return "its duration is not from a second to a year"
    suspend = {
        "after": rule.after,
        "within": format_duration(rule.within_s),
        "lasts": format_duration(rule.lasts_s),
        "rate": text,
    }
    return Candidate(rule, suspend, per_s, "; ".join(notes), not any(kinds))


def _meanwhile(action: Action, carrier: Carrier) -> tuple[float, str] | None:
    """Return attempts per second while an action holds, and how a scenario writes it."""
    if action.kind in _PAUSES:
        return 0.0, "closed"
    try:
        if action.name == "max_message_rate":
            rate = rate_of(action.value)
        elif action.name == "max_connection_rate":
            connects = rate_of(action.value)
            rate = Rate(connects.limit * carrier.deliveries, connects.period_s)
        elif action.name == "connection_limit" and carrier.attempt_s > 0.0:
            per_s = limit_of(action.value) / carrier.attempt_s
            rate = Rate(max(1, math.floor(per_s * _HOUR_S)), _HOUR_S, 1)
        else:
            return None
    except ValueError:
        return None
    return rate.per_s, str(rate)


def chosen(levels: Sequence[Iterable[Candidate]]) -> Candidate | None:
    """Return the rule that the model gets.

    Parameters
    ----------
    levels
        The rules of each block, the most specific block last.
    """
    for level in reversed(levels):
        candidates = list(level)
        if candidates:
            return min(candidates, key=_order)
    return None


def _order(its: Candidate) -> tuple[bool, bool, int, float, float]:
    rule = its.rule
    return (
        not rule.about_sending_too_much,
        its.connections_only,
        rule.after,
        its.rate,
        -rule.lasts_s,
    )
