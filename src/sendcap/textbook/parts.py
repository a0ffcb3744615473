"""The things of the textbook model: connections, queues, messages."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import simpy
from simpy.resources.store import StoreGet

from sendcap.model.addresses import NOT_ATTEMPTED
from sendcap.scenario import Delivery, Fault, Provider
from sendcap.textbook.throttles import throttle_of


@dataclass(order=True, slots=True)
class Connection:
    """A connection to a provider, made anew when it is used up or was idle for long."""

    free_since_s: float = -math.inf
    attempts_left: float = field(default=0, compare=False)


class Queue:
    """A provider's queue: messages wait for a connection, first come, first served."""

    def __init__(self, env: simpy.Environment, name: str, provider: Provider, ips: int) -> None:
        self.name = name
        self.provider = provider
        # It hands out the connection that has been free the longest.
        self.connections = simpy.PriorityStore(env)
        for _ in range(provider.connections_per_ip * ips):
            self.connections.put(Connection())
        self.throttle = throttle_of(provider.rate, ips)
        limit = provider.messages_per_connection
        self.attempts_per_connection = math.inf if limit == "unlimited" else limit


@dataclass(slots=True)
class Message:
    """What is known of a message on its way."""

    delivery: Delivery
    queue: Queue
    relayed_s: float
    expiry_s: float
    hard: str = ""  # reason to bounce it hard
    fault: Fault | None = None
    clears_at_s: float = math.inf
    reported_s: float = -math.inf
    asked: StoreGet | None = None  # the connection that it waits for, or has
    failures: int = 0
    first_failed_s: float = 0.0
    previous_delay_s: float = 0.0
    reason: str = NOT_ATTEMPTED  # of its last soft bounce
