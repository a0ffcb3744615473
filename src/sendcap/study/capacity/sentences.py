"""Where a delivery is held up, in a sentence for readers who know email."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from sendcap.scenario import FixedWindow, Gap, Scenario, format_duration
from sendcap.scenario.constraints import Constraint
from sendcap.scenario.stages import Kind, Stage, bottleneck
from sendcap.text.quantities import elapsed, rate

_CLOSE: Final = 0.9
"""A stage that needs this share of the bottleneck's time is as good as one itself."""
_AT_ONCE_S: Final = 1.0


def holding_up(scenario: Scenario, stages: Sequence[Stage]) -> Stage | None:
    """Return the stage that holds a scenario's deliveries up, None if nothing does.

    It is the one that needs the longest for its load, unless that is no time at all, or less than
    that over which the deliveries themselves spread their messages.
    """
    slowest = bottleneck(stages)
    spread = any(its.spread for its in scenario.deliveries)
    if slowest.needs_s < _AT_ONCE_S or (spread and slowest.needs_s < _ready_s(scenario, slowest)):
        return None
    return slowest


def _ready_s(scenario: Scenario, stage: Stage) -> float:
    """Return how long it takes until the last message is ready."""
    return max(its.at + its.spread for its in scenario.deliveries) - stage.from_s


def sentence(scenario: Scenario, stages: Sequence[Stage]) -> str:
    """Return what holds a scenario's deliveries up, or that nothing does.

    Parameters
    ----------
    stages
        All stages of the scenario, each with its attempts per message.
    """
    one = len(scenario.deliveries) == 1
    what = "the delivery" if one else "the deliveries"
    slowest = holding_up(scenario, stages)
    if slowest is None:
        slowest = bottleneck(stages)
        if slowest.needs_s < _AT_ONCE_S:
            return f"Nothing holds {what} up: no stage needs as much as a second for its load."
        return (
            f"Nothing holds {what} up: the messages become ready over "
            f"{elapsed(_ready_s(scenario, slowest))}, and every stage carries them as they come; "
            f"the slowest, {_name(slowest)}, needs {_needs(slowest)} for all of its load."
        )
    others = sorted((its for its in stages if its is not slowest), key=lambda its: -its.needs_s)
    binding = slowest.binding
    assert binding is not None
    subject = _name(slowest)
    told = f"{subject[0].upper()}{subject[1:]}" if slowest.kind != "provider" else subject
    told += f" holds {what} up: {_because(scenario, slowest, binding)}"
    where = _load(slowest)
    told += f"; {where}, so it" if where else ", so it"
    told += f" needs {_needs(slowest)}"
    if others and others[0].needs_s >= _CLOSE * slowest.needs_s:
        told += f", and {_name(others[0])} is hardly faster, with {elapsed(others[0].needs_s)}"
    elif others and others[0].needs_s >= _AT_ONCE_S:
        told += f", while {_name(others[0])} would need {elapsed(others[0].needs_s)}"
    return told + "."


def called(kind: Kind, name: str) -> str:
    """Return what a stage is called in a sentence."""
    return {"relay": "the relay", "ingress": "the MTA's ingress"}.get(kind, name)


def _name(stage: Stage) -> str:
    return called(stage.kind, stage.name)


def _needs(stage: Stage) -> str:
    return f"at least {elapsed(stage.needs_s)}"


def _load(stage: Stage) -> str:
    """Return how much a provider has to carry, and how often it is tried."""
    if stage.kind != "provider":
        return ""
    pct = 100.0 * stage.share
    where = "all messages go there" if pct > 99.5 else f"{pct:.2g} % of the messages go there"
    if pct >= 10.0:
        where = where.replace(f"{pct:.2g}", f"{pct:.0f}")
    if stage.attempts_per_message >= 1.02:
        where += f", each is tried {stage.attempts_per_message:.2f} times"
    return where


def _because(scenario: Scenario, stage: Stage, binding: Constraint) -> str:
    """Return what the binding constraint does."""
    if stage.kind == "relay":
        if binding.name == "workers":
            workers = (
                "its one worker hands"
                if stage.servers == 1
                else (f"its {stage.servers:,} workers hand")
            )
            return f"{workers} over {rate(stage.per_s, 'messages')}"
        return f"its rate lets {rate(stage.per_s, 'messages')} through"
    if stage.kind == "ingress":
        return f"it takes in {rate(stage.per_s, 'messages')}"
    provider = scenario.providers[stage.name]
    carried = rate(stage.per_s, "attempts")
    connections = (
        "its one connection" if stage.servers == 1 else f"its {stage.servers:,} connections"
    )
    match binding.name:
        case "connections":
            return f"{connections} carr{'ies' if stage.servers == 1 else 'y'} {carried}"
        case "reconnect cycling":
            each = provider.messages_per_connection
            assert each != "unlimited"
            connecting_s = provider.connect_time.mean_s / each
            pct = 100.0 * connecting_s / (connecting_s + provider.transaction_time.mean_s)
            return (
                f"{connections} need {pct:.0f} % of their time to be made anew, after {each} "
                f"attempt{'' if each == 1 else 's'} each, and carry {carried}"
            )
        case "rate" if isinstance(provider.rate, FixedWindow):
            limit = provider.rate.limit * scenario.mta.ips
            window = format_duration(provider.rate.window)
            return f"its limit lets {limit:,} attempts through every {window}, {carried}"
        case "gap":
            assert isinstance(provider.rate, Gap)
            pause = format_duration(provider.rate.pause)
            return f"it is sent one message at a time with a pause of {pause}, {carried}"
        case "tolerance":
            return f"it lets no more than {carried} through"
        case "suspension":
            rule = scenario.suspend_of(stage.name)
            assert rule is not None
            return (
                f"it throttles what is above its tolerance, the queue is suspended again and again "
                f"for {format_duration(rule.lasts)}, and {carried} get through"
            )
        case "outage":
            lost_s = math.fsum(its.lasts for its in provider.outages)
            return f"it cannot be reached for {elapsed(lost_s)}"
        case "schedule" | "warm-up":
            what = "its schedule" if binding.name == "schedule" else "the warm-up"
            return f"{what} lets {carried} through on average"
        case _:
            return f"its rate lets {carried} through"
