"""The state of each delivery over time, as Campaign names it."""

import math
from collections.abc import Iterator
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from sendcap.ledger import Event, Ledger
from sendcap.model.confirmation import Asked, as_sent, confirmations
from sendcap.readings.modes import ALL_DELIVERIES, MODES, Mode, one_of
from sendcap.scenario import Delivery, Scenario
from sendcap.scenario.operators import held

_HANDED_OVER: Final[dict[Event, int]] = {"relayed": 1, "relay_failed": 1}
_TRIED: Final[dict[Event, int]] = {
    "accepted": 1,
    "recovered": -1,
    "hard": 1,
    "hard_after_soft": -1,
    "soft_first": 1,
    "expired_untried": 1,
    "relay_failed": 1,
}
_FINAL: Final[dict[Event, int]] = {"accepted": 1, "hard": 1, "expired": 1, "relay_failed": 1}
"""Events of each message once it has come so far, with their signs."""


class State(NamedTuple):
    """A state of a delivery, and how long it lasts; see `sendcap.Run.states`."""

    delivery: str
    state: str
    from_s: float
    until_s: float


def states(
    scenario: Scenario, ledger: Ledger, mode: Mode, delivery: str = ALL_DELIVERIES
) -> list[State]:
    """Return the states of a delivery, or of all; see `sendcap.Run.states`."""
    one_of("mode", mode, MODES)
    one_of("delivery", delivery, (*ledger.names, ALL_DELIVERIES))
    asked = confirmations(scenario)
    planned = {each.name: each for each in scenario.deliveries}
    return [
        state
        for each in as_sent(scenario).deliveries
        if delivery in (ALL_DELIVERIES, each.name, each.parent)
        for state in _of_one(ledger, mode, planned[each.name], each, asked.get(each.name))
    ]


def all_come_s(ledger: Ledger, events: dict[Event, int], delivery: str) -> float:
    """Return when Campaign knew that all messages of a delivery had come so far; else infinite."""
    edges = ledger.changes(events, ["known"], delivery=delivery)
    counts = (
        sign * ledger.cumulative(event, edges=edges, delivery=delivery)
        for event, sign in events.items()
    )
    missing = ledger.messages(delivery=delivery) - sum(counts)
    there = edges[missing == 0] if len(edges) else edges
    return float(there[0]) * ledger.bin_s if len(there) else math.inf


def handed_over_s(ledger: Ledger, delivery: str) -> float:
    """Return when the last message of a delivery had been relayed, or had failed before."""
    return all_come_s(ledger, _HANDED_OVER, delivery)


def _of_one(
    ledger: Ledger, mode: Mode, planned: Delivery, sent: Delivery, asked: Asked | None
) -> Iterator[State]:
    gone_s = handed_over_s(ledger, sent.name)
    tried_s, final_s = (all_come_s(ledger, events, sent.name) for events in (_TRIED, _FINAL))
    if not ledger.messages(delivery=sent.name):
        gone_s = tried_s = final_s = sent.at
    if mode == "without-efs":
        # Campaign is done when the MTA has the messages.
        tried_s = final_s = gone_s
    holds = list(held(sent))
    confirmed_s = -math.inf if asked is None else min(asked.confirmed_s, asked.gives_up_s)

    def state_at(time_s: float) -> str:
        if time_s < confirmed_s:
            return "editing" if asked and time_s < asked.asked_s else "ready to be delivered"
        if time_s >= final_s:
            return "finished"
        if sent.stop is not None and sent.stop <= time_s and sent.stop < gone_s:
            return "stopped"
        if time_s < sent.at:
            return "start pending"
        if time_s < gone_s and any(from_s <= time_s < until_s for from_s, until_s in holds):
            return "paused"
        return "in progress" if time_s < tried_s else "retry in progress"

    moments = {0.0, planned.at, sent.at, confirmed_s, gone_s, tried_s, final_s}
    moments |= {moment for hold in holds for moment in hold}
    moments |= {asked.asked_s} if asked else set()
    ordered = [*sorted(each for each in moments if 0.0 <= each < math.inf), math.inf]
    spans = [(state_at(from_s), from_s, until_s) for from_s, until_s in pairwise(ordered)]
    for name, group in groupby(spans, key=lambda span: span[0]):
        same = list(group)
        yield State(sent.name, name, same[0][1], same[-1][2])
