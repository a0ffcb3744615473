"""The things of the textbook model: throttles, connections, queues, messages."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import simpy
from simpy.resources.store import StoreGet

from sendcap.model.addresses import NOT_ATTEMPTED
from sendcap.scenario import Delivery, Fault, Provider, Rate


class Throttle:
    """The generic cell rate algorithm (GCRA), as KumoMTA throttles."""

    def __init__(self, rate: Rate | None, times: int = 1) -> None:
        self.interval_s = 0.0 if rate is None else 1.0 / (rate.per_s * times)
        self.burst = 0 if rate is None else rate.burst_or_limit * times
        self.arrival_time_s = -math.inf

    def start_s(self, now_s: float, quantity: int = 1) -> float:
        """Return when ``quantity`` may start that ask now."""
        slack_s = self.interval_s * (max(self.burst, quantity) - quantity)
        return max(now_s, self.arrival_time_s - slack_s)

    def charge(self, start_s: float, quantity: int = 1) -> None:
        """Let ``quantity`` start at that time."""
        self.arrival_time_s = max(self.arrival_time_s, start_s) + self.interval_s * quantity


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
        self.throttle = Throttle(provider.rate, ips)
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
