"""What a fluid follows: scenarios with anything else are refused by name."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from sendcap.errors import ScenarioError
from sendcap.ledger import Event, Ledger
from sendcap.model.feasibility import LONGEST_S, simulated_s
from sendcap.scenario import Constant, Provider, Scenario, attempt_series_s
from sendcap.scenario.connection_scaling import PostfixScaling
from sendcap.scenario.section import Place
from sendcap.scenario.suspend import Answer
from sendcap.scenario.throttle import Schedule
from sendcap.text.quoting import dotted, first_few
from sendcap.text.shares import rounded_share

_MOST_ATTEMPTS: Final = 5_000
_OVERTAKING: Final = 0.05
"""Share of the feedback that may be slower than a retry: the error bound holds with it."""
_SPARE: Final = 1.5
"""A spool with so many times the room that expected courses need never fills."""
_IN_AND_OUT: Final[tuple[Event, ...]] = ("relayed", "accepted", "hard", "expired")

_NOT_FIFO: Final = "queues are not first in, first out"
_Problem = tuple[Place, str]


def require_known_starts(scenario: Scenario) -> None:
    """Refuse a scenario whose deliveries start, or are held up, when nobody knows."""
    _refuse(_of_starts(scenario))


def require_followed(scenario: Scenario) -> None:
    """Refuse a scenario with anything that may move its course and that no fluid follows."""
    takes_s = min(simulated_s(scenario), scenario.time.horizon or math.inf)
    if takes_s > LONGEST_S:
        raise ScenarioError(
            f"expected: this takes {takes_s / 86400:,.0f} days, more than {LONGEST_S / 86400:.0f}: "
            "make relay or feedback faster, or set time.horizon"
        )
    _refuse(_of_all(scenario))
    for name in dict.fromkeys(path.provider for path in scenario.paths()):
        _refuse(_of_provider(scenario, name))
        _require_few_attempts(scenario, name)


def require_room(scenario: Scenario, courses: Sequence[Ledger]) -> None:
    """Refuse a scenario whose spool may be full: then the relay waits."""
    spool = scenario.mta.spool
    if spool is None or spool >= sum(delivery.messages for delivery in scenario.deliveries):
        return
    # A batch has its room from the moment when a worker takes it.
    batches = scenario.relay.workers * max(map(scenario.batch_of, scenario.deliveries))
    needed = _SPARE * (batches + max(map(_most_held, courses)))
    if needed > spool:
        why = f"{spool:,} may be full, and then the relay waits for room"
        _refuse([(("mta", "spool"), why)])


def _refuse(problems: Iterable[_Problem]) -> None:
    for place, why in problems:
        raise ScenarioError(
            f"expected: {dotted(place)}: {why}, which takes a simulation (`sendcap run`); "
            "simulate, or leave it out"
        )


def _most_held(course: Ledger) -> float:
    """Return the most messages that the MTA holds at any moment, rather more than fewer."""
    relayed, accepted, hard, expired = (course.cumulative(event) for event in _IN_AND_OUT)
    # As if all of a bin came before anything of it became final.
    return float(np.max(relayed[1:] - (accepted + hard + expired)[:-1], initial=0.0))


def _of_starts(scenario: Scenario) -> Iterator[_Problem]:
    for number, delivery in scenario.numbered():
        confirm = delivery.confirm
        if confirm is not None and not isinstance(confirm.within, Constant):
            why = 'when somebody confirms is drawn (one time is not: within = "2h")'
            yield ("deliveries", number, "confirm", "within"), why
        for key in ("pause", "stop"):
            if getattr(delivery, key) is not None:
                yield ("deliveries", number, key), "operators hold it up"


def _of_all(scenario: Scenario) -> Iterator[_Problem]:
    """Yield what is about all providers."""
    if isinstance(scenario.relay.rate, Schedule):
        yield ("relay", "rate"), "a schedule is not followed (one rate is)"
    if scenario.backlog:
        yield ("backlog",), "its messages have been tried before"
    if scenario.limits:
        names = first_few([limit.name for limit in scenario.limits])
        yield ("limits",), f"queues share them ({names})"
    if scenario.population is not None:
        yield ("population",), "who is excluded depends on what came of earlier deliveries"
    active = scenario.mta.active
    if scenario.mta.order != "fifo":
        yield ("mta", "order"), _NOT_FIFO
    if active is not None and active < sum(delivery.messages for delivery in scenario.deliveries):
        yield ("mta", "active"), _NOT_FIFO
    for name, pool in scenario.mta.pools.items():
        if len(set(pool.weights or ())) > 1:
            yield ("mta", "pools", name, "weights"), "source addresses have unequal queues"


def _of_provider(scenario: Scenario, name: str) -> Iterator[_Problem]:
    """Yield what is about a provider to which messages go."""
    provider, place = scenario.providers[name], ("providers", name)
    if isinstance(provider.tolerance, Schedule):
        yield (*place, "tolerance"), "a schedule is not followed (one rate is)"
    if provider.refuses_connections:
        yield (*place, "accepts_connections"), "connections are not followed one by one"
    if provider.connection_rate is not None:
        yield (*place, "connection_rate"), "connections are not followed one by one"
    if _scales(scenario, name):
        yield (*place, "connection_scaling"), "connections are not followed one by one"
    for where, rule in scenario.rules_of(name):
        if _may_answer(provider, rule.counts):
            yield where, f"single answers suspend {name}"
    if provider.disturbances:
        yield (*place, "disturbances"), "bad times come at random"
    for number, outage in enumerate(provider.outages):
        if outage.fails_after is not None:
            why = "attempts in an outage take as long as any other"
            yield (*place, "outages", number, "fails_after"), why
    if _may_retry(provider):
        shortest_s = scenario.retry_of(name).shortest_delay_s
        slow = 1.0 - float(scenario.feedback.synchronous.cdf(np.array([shortest_s]))[0])
        if slow > _OVERTAKING:
            why = f"{rounded_share(slow)} of it takes longer than the shortest retry of {name}"
            yield ("feedback", "synchronous"), why


def _scales(scenario: Scenario, name: str) -> bool:
    """Tell whether there are ever fewer connections than a provider's limit."""
    provider = scenario.providers[name]
    if provider.connection_scaling == "none":
        return False
    if isinstance(provider.connection_scaling, PostfixScaling):
        # Nothing but an attempt that reaches nobody makes the window smaller.
        return provider.connection_scaling.initial < provider.connections_per_ip or bool(
            provider.outages
        )
    # One connection is as many as the shortest queue has.
    most = max(queue.ips for queue in scenario.queues() if queue.provider == name)
    return provider.connections_per_ip * most > 1


def _may_answer(provider: Provider, answers: Iterable[Answer]) -> bool:
    """Tell whether a provider ever gives one of these answers."""
    given: dict[Answer, bool] = {
        "throttled": provider.tolerance is not None,
        "unreachable": bool(provider.outages),
        "transient": provider.transient > 0.0,
        "fault": bool(provider.faults),
        "hard": bool(provider.hard),
    }
    return any(given[answer] for answer in answers)


def _may_retry(provider: Provider) -> bool:
    return bool(
        provider.transient or provider.faults or provider.outages or provider.tolerance is not None
    )


def _require_few_attempts(scenario: Scenario, name: str) -> None:
    if not _may_retry(scenario.providers[name]):
        return
    longest_s = max(map(scenario.honoured_validity, scenario.deliveries))
    attempts = attempt_series_s(scenario.retry_of(name), longest_s, limit=_MOST_ATTEMPTS + 1)
    if len(attempts) > _MOST_ATTEMPTS:
        whose = "mta" if scenario.providers[name].retry == "mta" else f"providers.{name}"
        raise ScenarioError(
            f"{whose}.retry: a message may be tried more than {_MOST_ATTEMPTS:,} times, which "
            "takes too long to work out; give longer delays, or simulate"
        )
