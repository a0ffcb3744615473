"""Plain sentences about throughput limits: the bottleneck, and the answers of the searches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sendcap.scenario import FixedWindow, Gap, Scenario, format_duration
from sendcap.scenario.constraints import Constraint
from sendcap.scenario.stages import Kind, Stage, bottleneck
from sendcap.text.quantities import elapsed, rate, significant

if TYPE_CHECKING:
    from sendcap.study.capacity.searches.levers import Levers
    from sendcap.study.capacity.searches.sustained import Sustained
    from sendcap.study.capacity.searches.within import Capacity
    from sendcap.study.replication.estimates import Estimate

_CLOSE: Final = 0.9
"""A stage that needs this share of the bottleneck's time is close behind."""
_AT_ONCE_S: Final = 1.0


def holding_up(scenario: Scenario, stages: Sequence[Stage]) -> Stage | None:
    """Return the stage that holds a scenario's deliveries up, None if none does.

    The stage that needs the longest for its load, unless that is no time at all, or less than the
    time over which the deliveries themselves spread their messages.
    """
    slowest = bottleneck(stages)
    spread = any(delivery.spread for delivery in scenario.deliveries)
    if slowest.needs_s < _AT_ONCE_S or (spread and slowest.needs_s < _ready_s(scenario, slowest)):
        return None
    return slowest


def _ready_s(scenario: Scenario, stage: Stage) -> float:
    """Return the time until the last message is ready."""
    return max(delivery.at + delivery.spread for delivery in scenario.deliveries) - stage.from_s


def sentence(scenario: Scenario, stages: Sequence[Stage]) -> str:
    """Return the bottleneck of a scenario's deliveries and the reason, in words.

    Parameters
    ----------
    stages
        All stages of the scenario, with attempts per message.
    """
    what = "the delivery" if len(scenario.deliveries) == 1 else "the deliveries"
    slowest = holding_up(scenario, stages)
    if slowest is None:
        return f"Nothing holds {what} up: {_nothing(scenario, bottleneck(stages))}"
    binding = slowest.binding
    assert binding is not None
    name = _name(slowest)
    subject = name if slowest.kind == "provider" else capital(name)
    text = f"{subject} holds {what} up: {_because(scenario, slowest, binding)}"
    load = _load(slowest)
    text += f"; {load}, so it" if load else ", so it"
    text += f" needs at least {elapsed(slowest.needs_s)}"
    others = [stage for stage in stages if stage is not slowest]
    if others:
        other = bottleneck(others)
        if other.needs_s >= _CLOSE * slowest.needs_s:
            text += f"; {_name(other)} is close behind, with {elapsed(other.needs_s)}"
        elif other.needs_s >= _AT_ONCE_S:
            text += f", while {_name(other)} would need {elapsed(other.needs_s)}"
    return text + "."


def _nothing(scenario: Scenario, slowest: Stage) -> str:
    if slowest.needs_s < _AT_ONCE_S:
        return "no stage needs as much as a second for its load."
    return (
        f"the messages become ready over {elapsed(_ready_s(scenario, slowest))}, and every stage "
        f"carries them as they come; the slowest, {_name(slowest)}, needs at least "
        f"{elapsed(slowest.needs_s)} for all of its load."
    )


def capital(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[0].upper() + text[1:]


def called(kind: Kind, name: str) -> str:
    """Return the name of a stage in a sentence."""
    return {"relay": "the relay", "ingress": "the MTA's ingress"}.get(kind, name)


def _name(stage: Stage) -> str:
    return called(stage.kind, stage.name)


def _load(stage: Stage) -> str:
    """Return a provider's share of the messages and the attempts per message."""
    if stage.kind != "provider":
        return ""
    pct = 100.0 * stage.share
    number = f"{pct:.0f}" if pct >= 10.0 else f"{pct:.2g}"
    text = "all messages go there" if pct > 99.5 else f"{number} % of the messages go there"
    if stage.attempts_per_message >= 1.02:
        text += f", each is tried {stage.attempts_per_message:.2f} times"
    return text


def _because(scenario: Scenario, stage: Stage, binding: Constraint) -> str:
    """Return the effect of the binding constraint."""
    if stage.kind == "relay":
        messages = rate(stage.per_s, "messages")
        if binding.name != "workers":
            return f"its rate lets {messages} through"
        if stage.servers == 1:
            return f"its one worker hands over {messages}"
        return f"its {stage.servers:,} workers hand over {messages}"
    if stage.kind == "ingress":
        return f"it takes in {rate(stage.per_s, 'messages')}"
    provider = scenario.providers[stage.name]
    carried = rate(stage.per_s, "attempts")
    one = stage.servers == 1
    connections = "its one connection" if one else f"its {stage.servers:,} connections"
    match binding.name:
        case "connections":
            return f"{connections} {'carries' if one else 'carry'} {carried}"
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
            lost_s = math.fsum(outage.lasts for outage in provider.outages)
            return f"it cannot be reached for {elapsed(lost_s)}"
        case "schedule" | "warm-up":
            what = "its schedule" if binding.name == "schedule" else "the warm-up"
            return f"{what} lets {carried} through on average"
        case _:
            return f"its rate lets {carried} through"


def within_sentence(capacity: Capacity) -> str:
    """Return the largest delivery within a time."""
    several = len(capacity.scenario.deliveries) > 1
    messages = sum(delivery.messages for delivery in capacity.scenario.deliveries)
    return (
        f"{capacity.share * 100:g} % of the messages that can be delivered are accepted within "
        f"{elapsed(capacity.within_s)} if there are at most {capacity.messages:,}"
        f"{' in all deliveries together' if several else ''}"
        f" ({_interval(capacity.size, capacity.confidence, ',.0f')}"
        f"{effort(capacity.size.n, capacity.simulations)}). That is {capacity.factor:.3g} times "
        f"{'each' if several else 'the'} delivery as it is, {messages:,} messages."
        f"{_imprecise(capacity.precise)}"
    )


def sustained_sentence(sustained: Sustained) -> str:
    """Return the highest steady rate, and the backlogs at the relay's own rate."""
    stage = called(sustained.kind, sustained.name)
    per_s = sustained.per_s
    text = f"Steadily, at most {significant(per_s.mean)} messages/s can be delivered"
    text += f", {significant(per_s.mean * 3600)} per hour"
    if sustained.kind == "provider":
        text += f" ({_interval(per_s, sustained.confidence, '.4g')}"
        text += f"{effort(per_s.n, sustained.simulations)}); with more, {stage} falls behind for"
        text += " good."
    else:
        text += f": {stage} carries no more, and no provider falls behind at that rate"
        text += f"{effort(per_s.n, sustained.simulations)}."
    return text + _relay(sustained) + _imprecise(sustained.precise)


def _relay(sustained: Sustained) -> str:
    """Return the consequences of the relay's own rate."""
    relay = significant(sustained.relay_per_s)
    if sustained.growing:
        first, *others = (
            (significant(growth.per_s, 3), called(growth.kind, growth.name))
            for growth in sustained.growing
        )
        behind = [f"{first[0]} messages/s at {first[1]}", *(f"{n} at {at}" for n, at in others)]
        return (
            f" As long as the relay has messages it hands over {relay}/s: meanwhile the backlog "
            f"grows by {', '.join(behind)}."
        )
    if sustained.relay_per_s == math.inf:
        return " The relay itself has no limit."
    return "" if sustained.kind == "relay" else f" The relay hands over {relay}/s at most."


def levers_sentence(levers: Levers) -> str:
    """Return the time that a delivery takes without any lever, and the bottleneck."""
    slowest = levers.bottleneck
    holding = "nothing" if slowest is None else called(slowest.kind, slowest.name)
    return (
        f"As it is, {levers.share * 100:g} % are accepted after {elapsed(levers.takes_s.mean)}; "
        f"{holding} holds them up."
    )


def effort(replications: int, simulations: int) -> str:
    """Return the number of replications and simulations, to end a bracket."""
    return f"; {replications} replications, {simulations} simulations"


def _interval(estimate: Estimate, confidence: float, form: str) -> str:
    low, high = format(estimate.low, form), format(estimate.high, form)
    return f"{low} to {high} with {confidence * 100:g} % confidence"


def _imprecise(precise: bool) -> str:
    return "" if precise else " More replications would narrow the interval further."
