"""The things of the textbook model: connections, queues, messages."""

from __future__ import annotations

import math
from dataclasses import dataclass

import simpy

from sendcap.model.addresses import NOT_ATTEMPTED
from sendcap.scenario import Delivery, Fault, Provider
from sendcap.textbook.throttles import throttle_of


@dataclass(slots=True)
class Connection:
    """A connection to a provider, made anew when it is used up or was idle for long."""

    attempts_left: float = 0
    free_since_s: float = -math.inf


class Queue:
    """A provider's queue: messages wait for a connection, first come, first served."""

    def __init__(self, env: simpy.Environment, name: str, provider: Provider, ips: int) -> None:
        self.name = name
        self.provider = provider
        # A store hands out its items in the order in which they came back: the longest free first.
        self.connections = simpy.Store(env)
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
    failures: int = 0
    first_failed_s: float = 0.0
    previous_delay_s: float = 0.0
    reason: str = NOT_ATTEMPTED  # of its last soft bounce
