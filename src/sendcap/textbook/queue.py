"""A provider's queue in the textbook model: who gets a connection, and who may start."""

from __future__ import annotations

import copy
import math
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, NamedTuple

import simpy

from sendcap.model.connections import wanted_connections
from sendcap.scenario import Rate, Scenario
from sendcap.textbook.throttles import RateThrottle, Throttle, throttle_of


@dataclass(order=True, slots=True)
class Connection:
    """A connection to a provider, made anew when it is used up or was idle for long."""

    free_since_s: float = -math.inf
    attempts_left: float = field(default=0, compare=False)


class InLine(NamedTuple):
    """A message in the throttle's line, and the throttles as they were before it asked."""

    process: simpy.Process
    throttle: Throttle
    meanwhile: Throttle


class Queue:
    """Messages wait for a connection, first come, first served, then for the throttle.

    The provider may throttle what is sent to it, and the MTA then suspend the queue.
    """

    def __init__(self, env: simpy.Environment, name: str, scenario: Scenario) -> None:
        self.env = env
        self.name = name
        self.provider = provider = scenario.providers[name]
        ips = scenario.mta.ips
        self.limit = provider.connections_per_ip * ips
        self.scaled = provider.connection_scaling == "kumomta"
        per_connection = provider.messages_per_connection
        self.attempts_per_connection = math.inf if per_connection == "unlimited" else per_connection
        self.waiting: deque[simpy.Event] = deque()
        self.connecting = 0  # those to be made for a message, with connection scaling
        self.idle = [] if self.scaled else [Connection() for _ in range(self.limit)]
        self.closed = self.limit - len(self.idle)
        self.throttle = throttle_of(provider.rate, ips)
        self.tolerance = (
            None if provider.tolerance is None else RateThrottle(provider.tolerance, ips)
        )
        self.rule = None if provider.tolerance is None else scenario.suspend_of(name)
        self.suspended_until_s = -math.inf
        self.throttled_s: deque[float] = deque(maxlen=self.rule.after if self.rule else 0)
        self.line: deque[InLine] = deque()
        self.fresh = Throttle()
        if self.rule is not None and isinstance(self.rule.rate, Rate):
            self.fresh = RateThrottle(self.rule.rate, ips)
        self.meanwhile = copy.copy(self.fresh)

    # --- Connections ----------------------------------------------------------------------------

    def ask(self) -> simpy.Event:
        """Return an event that is given a connection, or None by who waits no longer."""
        asked = self.env.event()
        self.waiting.append(asked)
        self.serve()
        return asked

    def hand_back(self, connection: Connection) -> None:
        """Let others have a connection."""
        self.put(connection)
        self.serve()

    def put(self, connection: Connection) -> None:
        """Keep a connection that nobody uses; one that is used up is closed."""
        if self.scaled and connection.attempts_left == 0:
            self.closed += 1
        else:
            heappush(self.idle, connection)

    def serve(self) -> None:
        """Give connections to those who wait, as long as there are any."""
        while self.waiting:
            connection = self.available()
            if connection is None:
                return
            asked = self.waiting.popleft()
            if asked.triggered:
                # Its message has expired, and went on counting until its turn.
                self.put(connection)
                continue
            if connection.attempts_left == 0:
                self.connecting += 1
            asked.succeed(connection)

    def available(self) -> Connection | None:
        """Take the connection that has been free the longest, or one that may be opened."""
        if self.closed_by_suspension:
            return None
        if not self.scaled:
            return heappop(self.idle) if self.idle else None
        while self.idle and self.env.now - self.idle[0].free_since_s > self.provider.idle_timeout:
            heappop(self.idle)
            self.closed += 1
        if self.idle:
            return heappop(self.idle)
        wanted = wanted_connections(len(self.waiting) + self.connecting, self.limit)
        if self.closed == 0 or self.limit - self.closed >= wanted:
            return None
        self.closed -= 1
        return Connection(self.env.now)

    # --- The throttle and the suspension --------------------------------------------------------

    @property
    def closed_by_suspension(self) -> bool:
        """Whether nothing may start now."""
        suspended = self.env.now < self.suspended_until_s
        return suspended and self.rule is not None and self.rule.rate == "closed"

    def start_s(self) -> float:
        """Return when an attempt may start that asks now, as things stand."""
        now_s, until_s = self.env.now, self.suspended_until_s
        if now_s >= until_s:
            return self.throttle.start_s(now_s)
        if not self.closed_by_suspension:
            start_s = self.throttle.start_s(self.meanwhile.start_s(now_s))
            if start_s < until_s:
                return start_s
        return self.throttle.start_s(until_s)

    def stand_in_line(self, process: simpy.Process, start_s: float, finish_s: float) -> None:
        """Let a process wait for the start that `start_s` has returned last."""
        self.line.append(InLine(process, copy.copy(self.throttle), copy.copy(self.meanwhile)))
        self.throttle.charge(start_s, finish_s)
        if start_s < self.suspended_until_s:
            self.meanwhile.charge(start_s, finish_s)

    def throttles(self) -> bool:
        """Tell whether the provider throttles an attempt that finishes now."""
        if self.tolerance is None:
            return False
        now_s = self.env.now
        if self.tolerance.start_s(now_s) <= now_s:
            self.tolerance.charge(now_s, now_s)
            return False
        if self.rule is not None:
            self.throttled_s.append(now_s)
            enough = len(self.throttled_s) == self.rule.after
            if enough and self.throttled_s[0] >= now_s - self.rule.within:
                self.suspend(self.rule.lasts)
        return True

    def suspend(self, lasts_s: float) -> None:
        """Hold the queue back from now on; those in line have to ask again."""
        begins = self.env.now >= self.suspended_until_s
        self.suspended_until_s = self.env.now + lasts_s
        waiting = list(self.line)
        self.line.clear()
        if waiting:
            self.throttle, self.meanwhile = waiting[0].throttle, waiting[0].meanwhile
        if begins:
            self.meanwhile = copy.copy(self.fresh)
        for message in waiting:
            message.process.interrupt()
        self.env.process(self.resume(lasts_s))

    def resume(self, after_s: float) -> Generator[simpy.Event, Any, None]:
        """Give connections again when a suspension is over."""
        yield self.env.timeout(after_s)
        self.serve()
