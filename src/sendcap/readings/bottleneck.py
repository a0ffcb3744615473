"""The stage that holds a run's deliveries up, in words."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from sendcap.ledger import Ledger
from sendcap.readings.refusals import refusal_sentences
from sendcap.scenario import FixedWindow, Gap, Scenario, Schedule, WarmUp, format_duration
from sendcap.scenario.carrying import carried
from sendcap.scenario.constraints import Constraint, suspensions
from sendcap.scenario.shared_constraints import WORKERS, WORKERS_AND_RATE
from sendcap.scenario.stages import Kind, Stage, bottleneck
from sendcap.scenario.throttle import Throttle
from sendcap.text.quantities import capital, counted, elapsed, rate
from sendcap.text.quoting import first_few

_CLOSE: Final = 0.9
"""A stage that needs this share of the bottleneck's time is close behind."""
_AT_ONCE_S: Final = 1.0


def holding_up(scenario: Scenario, stages: Sequence[Stage]) -> Stage | None:
    """Return the stage that holds a scenario's deliveries up, None if none does.

    The stage that falls the furthest behind the messages as they become ready, unless that is no
    time at all. For a single delivery without a spread it is the one that needs the longest.
    """
    return _furthest({stage: behind_s(scenario, stage) for stage in stages})


def _furthest(behind: Mapping[Stage, float]) -> Stage | None:
    furthest = max(behind, key=behind.__getitem__)
    return furthest if behind[furthest] >= _AT_ONCE_S else None


def held_up(scenario: Scenario, stages: Sequence[Stage], ledger: Ledger) -> str:
    """Return the bottleneck of a run and the reason, in words.

    The stages are all those of the scenario, with attempts per message as in the ledger.
    """
    untried = round(ledger.total("expired_untried", clock="happened"))
    text = _held_up(scenario, stages, ledger)
    if untried:
        text += f" The validity of {untried:,} messages ends before they are tried at all."
    return " ".join([text, *refusal_sentences(scenario, stages, ledger)])


def _held_up(scenario: Scenario, stages: Sequence[Stage], ledger: Ledger) -> str:
    what = "the delivery" if len(scenario.deliveries) == 1 else "the deliveries"
    takes_s = {stage: behind_s(scenario, stage) for stage in stages}
    slowest = _furthest(takes_s)
    if slowest is None:
        return f"Nothing holds {what} up: {_nothing(scenario, bottleneck(stages))}"
    binding = slowest.binding
    assert binding is not None
    # A provider's name is written as the scenario has it, so no sentence begins with it.
    text = f"Bottleneck: {_name(slowest)}. {capital(_because(scenario, slowest, binding))}"
    load = _load(slowest)
    text += f"; {load}, so it" if load else ", so it"
    longest_s = takes_s.pop(slowest)
    text += f" {how_far(scenario, longest_s, ledger)}"
    would = "need" if at_once(scenario) else "be behind by"
    if takes_s:
        other = max(takes_s, key=takes_s.__getitem__)
        if takes_s[other] >= _CLOSE * longest_s:
            text += f"; {_name(other)} is close behind, with {elapsed(takes_s[other])}"
        elif takes_s[other] >= _AT_ONCE_S:
            text += f", while {_name(other)} would {would} {elapsed(takes_s[other])}"
    return text + "."


def at_once(scenario: Scenario) -> bool:
    """Return whether all messages are ready at the same time."""
    times = {delivery.at for delivery in scenario.deliveries}
    return len(times) == 1 and not any(delivery.spread for delivery in scenario.deliveries)


def how_far(scenario: Scenario, behind_s: float, ledger: Ledger) -> str:
    """Return how far a stage is behind, in words; where all is ready at once, what it needs.

    It needs that on average: the draws of a run may have needed less.
    """
    text = elapsed(behind_s)
    if not at_once(scenario):
        return f"is behind by up to {text}"
    # Of those that expire the stage has not carried all.
    carried_all = not ledger.total("expired", clock="happened")
    done = ledger.changes(("accepted", "hard"), ["happened"])
    done_s = float(done[-1]) * ledger.bin_s if len(done) and carried_all else math.inf
    if done_s - scenario.deliveries[0].at < behind_s:
        return f"needs {text} on average"
    return f"needs at least {text}"


def _nothing(scenario: Scenario, slowest: Stage) -> str:
    if slowest.needs_s < _AT_ONCE_S:
        return "no stage needs as much as a second for its load."
    ready_s = max(map(scenario.all_ready_s, scenario.deliveries))
    return (
        f"the messages become ready over {elapsed(ready_s - slowest.from_s)}, and every stage "
        f"carries them as they come; the slowest, {_name(slowest)}, needs at least "
        f"{elapsed(slowest.needs_s)} for all of its load."
    )


def called(kind: Kind, name: str) -> str:
    """Return the name of a stage in a sentence."""
    names = {"relay": "the relay", "ingress": "the MTA's ingress", "limit": f"the limit {name}"}
    return names.get(kind, name)


def _name(stage: Stage) -> str:
    return called(stage.kind, stage.name)


def _load(stage: Stage) -> str:
    """Return a provider's share of the messages and the attempts per message."""
    if stage.kind not in ("provider", "limit"):
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
        messages, one = rate(stage.per_s, "messages"), stage.servers == 1
        workers = "its one worker" if one else f"its {stage.servers:,} workers"
        if binding.name == WORKERS_AND_RATE:
            return f"{workers} and its rate wait for each other, and hand over {messages}"
        if binding.name != WORKERS:
            return f"its rate lets {messages} through"
        return f"{workers} {'hands' if one else 'hand'} over {messages}"
    if stage.kind == "ingress":
        return f"it takes in {rate(stage.per_s, 'messages')}"
    if stage.kind == "limit":
        return _shared(scenario, stage, binding)
    return _at_queue(scenario, stage, binding) + _by_weight(scenario, stage)


def _at_queue(scenario: Scenario, stage: Stage, binding: Constraint) -> str:
    """Return the effect of a constraint of a queue."""
    provider, ips = scenario.providers[stage.paths[0].provider], stage.paths[0].ips
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
        case "connection rate":
            each = provider.messages_per_connection
            assert each != "unlimited"
            opened = rate(stage.per_s / each, "connections")
            return f"{opened} may be opened for {counted(each, 'attempt')} each, {carried}"
        case "connections and rate":
            verb = "waits" if one else "wait"
            return f"{connections} and its rate {verb} for each other, and carry {carried}"
        case "accepted connections":
            accepted = provider.accepts_connections
            assert accepted is not None
            if accepted * ips == 1:
                return f"it accepts one connection, which carries {carried}"
            return f"it accepts {accepted * ips:,} connections, which carry {carried}"
        case "tolerance":
            return f"it lets no more than {carried} through"
        case "suspension":
            rule, _ = suspensions(scenario, stage.paths[0])[0]
            return (
                f"it throttles what is above its tolerance, the queue is suspended again and again "
                f"for {format_duration(rule.lasts)}, and {carried} get through"
            )
        case "disturbances":
            return f"it is disturbed from time to time, and lets {carried} through on average"
        case "outage":
            lost_s = math.fsum(outage.lasts for outage in provider.outages)
            return f"it cannot be reached for {elapsed(lost_s)}"
        case _:
            return _throttled(binding.throttle, ips, carried)


def _by_weight(scenario: Scenario, stage: Stage) -> str:
    """Return how much of the load one address has, where it has more than others."""
    pool = stage.paths[0].pool
    weights = () if pool is None else scenario.mta.pools[pool].weights
    if len(set(weights)) < 2:
        return ""
    return f", with {100.0 * max(weights) / sum(weights):.0f} % of the messages at one IP"


def _shared(scenario: Scenario, stage: Stage, binding: Constraint) -> str:
    """Return the effect of a limit over several queues, and which queues these are."""
    carried = rate(stage.per_s, "attempts")
    if stage.deliveries:
        carried += f" of {first_few(stage.deliveries)}"
    if len(stage.paths) == len(scenario.paths()):
        over = "all queues"
    else:
        over = first_few([path.name for path in stage.paths])
    if len(stage.paths) > 1:
        over += " together"
    if binding.name == "connections":
        return f"its {stage.servers:,} connections, over {over}, carry {carried}"
    return f"{_throttled(binding.throttle, 1, carried)}, over {over}"


def _throttled(throttle: Throttle | None, ips: int, carried: str) -> str:
    """Return the effect of a throttle."""
    match throttle:
        case FixedWindow(limit=limit, window=window_s):
            window = format_duration(window_s)
            return f"its limit lets {limit * ips:,} attempts through every {window}, {carried}"
        case Gap(pause=pause_s):
            sends = "each IP sends it" if ips > 1 else "it is sent"
            pause = format_duration(pause_s)
            return f"{sends} one message at a time with a pause of {pause}, {carried}"
        case Schedule() | WarmUp():
            what = "its schedule" if isinstance(throttle, Schedule) else "the warm-up"
            return f"{what} lets {carried} through on average"
        case _:
            return f"its rate lets {carried} through"


# How far a stage falls behind: its backlog as a fluid, in the time that it takes to carry it.

Arrival = tuple[float, float, float]
"""Start, spread and attempts of a delivery."""


def behind_s(scenario: Scenario, stage: Stage) -> float:
    """Return the longest time that messages would wait at a stage if it were the only one.

    Messages come when they are ready, and the stage carries them at its ceiling.
    """
    if stage.needs_s == 0.0:
        return 0.0
    arrivals = sorted(_arrivals(scenario, stage))
    if len({at_s for at_s, *_ in arrivals}) == 1 and not any(each[1] for each in arrivals):
        return stage.needs_s
    if any(limit.varies for limit in stage.constraints):
        return _in_turn(stage, arrivals)
    return _together(stage.per_s, arrivals)


def _in_turn(stage: Stage, arrivals: Iterable[Arrival]) -> float:
    """Return the same where the ceiling changes: one delivery after the other, as a whole."""
    free_s = longest_s = 0.0
    for at_s, spread_s, attempts in arrivals:
        free_s = carried(stage.constraints, attempts, max(at_s, free_s)).at_s
        longest_s = max(longest_s, free_s - at_s - spread_s)
        free_s = max(free_s, at_s + spread_s)
    return longest_s


def _together(per_s: float, arrivals: Sequence[Arrival]) -> float:
    moments, at_once, rates = [], [], []
    for at_s, spread_s, attempts in arrivals:
        moments += [at_s, at_s + spread_s]
        at_once += [0.0, 0.0] if spread_s else [attempts, 0.0]
        rates += [attempts / spread_s, -attempts / spread_s] if spread_s else [0.0, 0.0]
    order = np.argsort(moments, kind="stable")
    times_s, jumps = np.array(moments)[order], np.array(at_once)[order]
    growing = np.cumsum(np.array(rates)[order]) - per_s
    backlog = highest = 0.0
    for jump, grows, lasts_s in zip(jumps, growing, np.diff(times_s, append=np.inf), strict=True):
        backlog += jump
        highest = max(highest, backlog)
        if lasts_s < np.inf:
            backlog = max(backlog + grows * lasts_s, 0.0)
            highest = max(highest, backlog)
    return float(highest / per_s)


def _arrivals(scenario: Scenario, stage: Stage) -> Iterator[Arrival]:
    """Yield start, spread and attempts of each delivery that passes a stage."""
    loads = scenario.loads()
    if stage.kind == "limit":
        limit = next(each for each in scenario.limits if each.name == stage.name)
        loads = limit.covered(loads)
    elif stage.paths:
        loads = {key: count for key, count in loads.items() if key[0] in stage.paths}
    counts: dict[str, int] = {}
    for (_, name), count in loads.items():
        counts[name] = counts.get(name, 0) + count
    if stage.kind == "relay" and stage.binding is not None and stage.binding.name == WORKERS:
        # A batch takes a worker as long whatever its size; the ceiling is that of a mean one.
        counts = {each.name: scenario.batches_of(each) for each in scenario.relayed}
    scale = stage.attempts / sum(counts.values())
    for delivery in scenario.deliveries:
        if delivery.name in counts:
            yield delivery.at, delivery.spread, scale * counts[delivery.name]
