"""The limits over several queues, in closed form."""

from collections.abc import Mapping
from dataclasses import replace

from sendcap.scenario.constraints import Constraint, over, throttle_constraint
from sendcap.scenario.hand_over import connect_s
from sendcap.scenario.pools import Queue, SharedLimit
from sendcap.scenario.scenario import Scenario
from sendcap.scenario.throttle import Gap


def shared_constraints(
    scenario: Scenario, limit: SharedLimit, covered: Mapping[tuple[Queue, str], int]
) -> tuple[Constraint, ...]:
    """Return what a limit over several queues lets through, of all of them together.

    A connection in use carries an attempt per connect and transaction time, on average over the
    queues that are covered, by their messages.
    """
    constraints, messages, busy_s, transactions_s = [], 0.0, 0.0, 0.0
    for (path, _), count in covered.items():
        provider = scenario.providers[path.provider]
        messages += count
        transactions_s += count * provider.transaction_time.mean_s
        busy_s += count * (provider.transaction_time.mean_s + connect_s(provider))
    if limit.connections is not None:
        per_s = over(limit.connections * messages, busy_s)
        constraints.append(Constraint.constant("connections", per_s))
    for number, throttle in enumerate(limit.throttles):
        if isinstance(throttle, Gap):
            # One attempt at a time, whatever its queue.
            attempts_s = transactions_s + messages * throttle.pause
            constraint = Constraint.constant("gap", over(messages, attempts_s))
        else:
            constraint = throttle_constraint(throttle, None, 1)
        name = constraint.name if len(limit.throttles) == 1 else f"rate[{number}]"
        constraints.append(replace(constraint, name=name, throttle=throttle))
    return tuple(constraints)
