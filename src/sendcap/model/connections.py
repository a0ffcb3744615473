"""A provider queue's connections and reactions, as the kernel takes them."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from sendcap.model.kernel.arrays import Connections, Ints, Reactions
from sendcap.scenario import Provider, Rate, Scenario

_UNLIMITED: Final = 1 << 60


def connections_of(provider: Provider, ips: int) -> Connections:
    """Return a queue's connections, none of them made yet; limits are per source IP."""
    count = provider.connections_per_ip * ips
    # With connection scaling, closed connections stand apart.
    free = 0 if provider.connection_scaling == "kumomta" else count
    limit = provider.messages_per_connection
    return Connections(
        free_at_s=np.full(count, -np.inf),
        free=np.arange(count),
        connected_at_s=np.zeros(count),
        connected=np.zeros(count, np.int64),
        sizes=np.array([free, 0]),
        attempts_left=np.zeros(count, np.int64),
        message_of=np.zeros(count, np.int64),
        idle_timeout_s=float(provider.idle_timeout),
        attempts_per_connection=_UNLIMITED if limit == "unlimited" else int(limit),
    )


def reactions_of(scenario: Scenario, name: str) -> Reactions | None:
    """Return the reactions of a provider's queue; None without any."""
    provider, ips = scenario.providers[name], scenario.mta.ips
    scaled = provider.connection_scaling == "kumomta"
    if provider.tolerance is None and not scaled:
        return None
    count = provider.connections_per_ip * ips
    tolerance, rule, after = np.zeros(3), np.zeros(4), 0
    tolerance[2] = -np.inf
    if provider.tolerance is not None:
        limit = provider.tolerance
        tolerance[:2] = 1.0 / (limit.per_s * ips), limit.burst_or_limit * ips
        suspend = scenario.suspend_of(name)
        if suspend is not None:
            after = suspend.after
            rule[:2] = suspend.within, suspend.lasts
            if isinstance(suspend.rate, Rate):
                rule[2:] = 1.0 / (suspend.rate.per_s * ips), suspend.rate.burst_or_limit * ips
    outages = [[outage.at, outage.at + outage.lasts] for outage in provider.outages]
    return Reactions(
        finish_s=np.zeros(count),
        finishing=np.zeros(count, np.int64),
        line=np.zeros(count, np.int64),
        line_start_s=np.zeros(count),
        line_before=np.zeros((count, 4)),
        closed=np.arange(count),
        # Where connections are opened as the queue grows, none is open at first.
        counts=np.array([0, 0, 0, count if scaled else 0, 0]),
        began_s=np.full(count, -np.inf),
        transaction_s=np.zeros(count),
        waiting_for=_waiting_for(count) if scaled else np.zeros(0, np.int64),
        tolerance=tolerance,
        outages_s=np.array(outages).reshape(-1, 2),
        rule=rule,
        throttled_s=np.full(after, -np.inf),
        hold=np.array([-np.inf, -np.inf, -np.inf]),
    )


def wanted_connections(waiting: int, limit: int) -> int:
    """Return the number of connections that KumoMTA wants for a queue of this length.

    Source: KumoMTA, ``crates/kumod/src/ready_queue.rs``, ``ideal_connection_count``.

    >>> [wanted_connections(waiting, 32) for waiting in (0, 1, 10, 32, 128, 256)]
    [0, 1, 7, 17, 31, 32]
    """
    return min(waiting, math.ceil(limit * (1.0 - math.exp(-0.023 * waiting))))


def _waiting_for(limit: int) -> Ints:
    """Return the shortest queue for which one more connection is wanted, by those open."""
    # The exponential is below one connection from here on.
    longest = max(limit, math.ceil(math.log(max(limit, 2)) / 0.023) + 1)
    lengths = np.arange(longest + 1)
    wanted = np.minimum(lengths, np.ceil(limit * (1.0 - np.exp(-0.023 * lengths)))).astype(np.int64)
    return np.searchsorted(wanted, np.arange(1, limit + 1))


def held(connections: Connections, reactions: Reactions | None) -> Ints:
    """Return the connections that hold a message: being made, in line, with one under way."""
    being_made = connections.connected[: connections.sizes[1]]
    if reactions is None:
        return being_made
    under_way, first, in_line = reactions.counts[:3]
    line = (first + np.arange(in_line)) % len(reactions.line)
    return np.concatenate((being_made, reactions.line[line], reactions.finishing[:under_way]))


def next_s(ready_s: float, connections: Connections, reactions: Reactions | None) -> float:
    """Return the earliest time of the next event; ``ready_s`` is infinite without a message."""
    soonest_s = connections.connected_at_s[0] if connections.sizes[1] else np.inf
    taken_s = max(ready_s, connections.free_at_s[0]) if connections.sizes[0] else np.inf
    if reactions is not None:
        under_way, first, in_line, closed, _ = reactions.counts
        if under_way:
            soonest_s = min(soonest_s, reactions.finish_s[0])
        if in_line:
            soonest_s = min(soonest_s, reactions.line_start_s[first])
        if closed:
            taken_s = min(taken_s, max(ready_s, reactions.hold[2]))
        if reactions.rule[2] == 0.0:
            taken_s = max(taken_s, reactions.hold[0])
    return float(min(soonest_s, taken_s))
