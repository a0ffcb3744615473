"""A provider's queue in the textbook model: who gets a connection, and who may start."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import simpy

from sendcap.model.addresses import UNREACHABLE
from sendcap.model.scaling import wanted_connections
from sendcap.scenario import Queue as Path
from sendcap.scenario import Scenario
from sendcap.textbook.concurrency import Window
from sendcap.textbook.disturbance import BadTimes
from sendcap.textbook.server import Server
from sendcap.textbook.shared import Shared
from sendcap.textbook.suspension import Suspension
from sendcap.textbook.throttles import Throttle, scheduled, throttle_of

SENT_BACK: Final = object()
"""Given to those who ask for a connection of a queue that sends them back."""
AN_INSTANT_S: Final = 1e-6
"""What waits this much longer comes after all that happens at a moment."""


@dataclass(slots=True)
class Connection:
    """A connection to a provider, made anew when it is used up or was idle for long."""

    used_s: float = -math.inf  # when its last attempt ended, or when it was made
    attempts_left: float = 0


class Queue:
    """Messages wait for a connection, first come, first served, then for the throttle.

    The provider may throttle what is sent to it, and the MTA then suspend the queue.
    """

    def __init__(
        self,
        env: simpy.Environment,
        path: Path,
        scenario: Scenario,
        shared: list[Shared],
        bad_times: list[BadTimes],
    ) -> None:
        self.env = env
        self.path = path
        self.name = path.provider
        self.provider = provider = scenario.providers[path.provider]
        ips = path.ips
        self.shared = shared
        self.rivals: list[Queue] = []  # queues with a common limit, this one included
        self.limit = provider.connections_per_ip * ips
        self.scaled = provider.connection_scaling == "kumomta"
        per_connection = provider.messages_per_connection
        self.attempts_per_connection = math.inf if per_connection == "unlimited" else per_connection
        self.waiting: deque[tuple[float, simpy.Event]] = deque()  # and since when
        self.connecting = 0  # those to be made for a message
        self.in_use = 0  # those that are made and carry an attempt or wait in line
        rate = provider.connection_rate
        self.connection_throttle = Throttle() if rate is None else scheduled(rate, ips)
        accepted = provider.accepts_connections
        self.accepted = math.inf if accepted is None else accepted * ips
        # The one that has been free the longest first.
        self.idle = deque([] if self.scaled else [Connection() for _ in range(self.limit)])
        self.closed = self.limit - len(self.idle)
        self.window = Window(provider.connection_scaling, self.limit, ips)
        self.throttle = throttle_of(provider.throttles, ips)
        self.server = Server(env, provider, bad_times, ips)
        self.suspensions = [Suspension(rule, ips) for rule in scenario.acting_rules(self.name)]
        self.limits: list[Throttle | Suspension] = [self.throttle, *self.suspensions]
        self.limits += [each.throttle for each in shared]
        # Those that have a connection, and since when they have been ready.
        self.line: deque[tuple[float, simpy.Process]] = deque()

    # --- Connections ----------------------------------------------------------------------------

    def ask(self) -> simpy.Event:
        """Return an event that is given a connection, or None by who waits no longer."""
        asked = self.env.event()
        self.waiting.append((self.env.now, asked))
        self.serve()
        return asked

    def give_up(self, asked: simpy.Event) -> None:
        """Let one who asked wait no longer, unless a connection has been given."""
        if not asked.triggered:
            self.waiting = deque(each for each in self.waiting if each[1] is not asked)
            asked.succeed(None)

    def hand_back(self, connection: Connection) -> None:
        """Let others have a connection."""
        self.put(connection)
        for each in self.shared:
            each.used -= 1
        self.serve()

    def put(self, connection: Connection) -> None:
        """Keep a connection that nobody uses; one that is used up is closed."""
        if self.scaled and connection.attempts_left == 0:
            self.closed += 1
        else:
            self.idle.append(connection)

    def serve(self) -> None:
        """Give connections to those who wait, as long as there are any."""
        while self.waiting and self.sends_back:
            self.waiting.popleft()[1].succeed(SENT_BACK)
        # Of queues with a common limit, the message that has been ready the longest goes first.
        served = True
        while served:
            waiting = (queue for queue in self.rivals if queue.waiting)
            served = any(queue.serves_one() for queue in sorted(waiting, key=Queue.since_s))

    def since_s(self) -> float:
        """Return since when the first message has waited for a connection."""
        return self.waiting[0][0]

    def serves_one(self) -> bool:
        """Give the first message a connection; return False if there is none."""
        if any(each.used >= each.connections for each in self.shared):
            return False
        connection = self.available()
        if connection is None:
            return False
        _, asked = self.waiting.popleft()
        if self.has_to_be_made(connection):
            self.connecting += 1
        else:
            self.in_use += 1
        for each in self.shared:
            each.used += 1
        asked.succeed(connection)
        return True

    def has_to_be_made(self, connection: Connection) -> bool:
        """Tell whether a connection is used up, or has been idle for too long."""
        idle_s = self.env.now - connection.used_s
        return connection.attempts_left == 0 or idle_s > self.provider.idle_timeout

    def available(self) -> Connection | None:
        """Take the connection that has been free the longest, or one that may be opened."""
        if self.closed_by_suspension:
            return None
        if not self.scaled:
            return self.idle.popleft() if self.busy < self.window.size else None
        while self.idle and self.env.now - self.idle[0].used_s > self.provider.idle_timeout:
            self.idle.popleft()
            self.closed += 1
        if self.idle:
            return self.idle.popleft()
        wanted = wanted_connections(len(self.waiting) + self.connecting, self.limit)
        if self.closed == 0 or self.limit - self.closed >= wanted:
            return None
        self.closed -= 1
        return Connection(self.env.now)

    def connect(
        self, connection: Connection, connect_s: float, expiry_s: float
    ) -> Generator[simpy.Event, Any, bool | None]:
        """Make a connection; return whether it is accepted, None if its message expires before."""
        opens_s = self.connection_throttle.start_s(self.env.now)
        self.connection_throttle.charge(opens_s, opens_s)
        made_s = opens_s + connect_s
        if made_s > expiry_s:
            self.env.process(self.connect_in_vain(connection, made_s, expiry_s))
            return None
        yield self.env.timeout(made_s - self.env.now)
        self.connecting -= 1
        self.connected(connection)
        if self.accepts(connection):
            self.in_use += 1
            return True
        self.answered(UNREACHABLE)
        self.hand_back(connection)
        return False

    def connect_in_vain(
        self, connection: Connection, made_s: float, expiry_s: float
    ) -> Generator[simpy.Event, Any, None]:
        """Make a connection for a message that will not live to use it."""
        # An instant later: what is taken at that very moment still counts it.
        yield self.env.timeout(expiry_s + AN_INSTANT_S - self.env.now)
        self.connecting -= 1
        yield self.env.timeout(max(made_s - self.env.now, 0.0))
        self.connected(connection)
        self.accepts(connection)
        self.hand_back(connection)

    def connected(self, connection: Connection) -> None:
        """Note that a connection has been made."""
        connection.attempts_left = self.attempts_per_connection
        connection.used_s = self.env.now

    def accepts(self, connection: Connection) -> bool:
        """Tell whether the provider accepts a connection made now; one it refuses is closed."""
        idle = sum(not self.has_to_be_made(each) for each in self.idle)
        if self.in_use + idle < self.accepted:
            return True
        connection.attempts_left = 0
        return False

    # --- The throttle and the suspension --------------------------------------------------------

    @property
    def closed_by_suspension(self) -> bool:
        """Whether nothing may start now."""
        return any(each.closes and self.env.now < each.until_s for each in self.suspensions)

    @property
    def sends_back(self) -> bool:
        """Whether messages are sent back to their schedule now."""
        return any(each.sends_back and self.env.now < each.until_s for each in self.suspensions)

    def start_s(self) -> float:
        """Return when an attempt may start that asks now, as things stand."""
        start_s = -math.inf
        later_s = self.env.now
        # Each limit may be met only later than the others allow.
        while later_s > start_s:
            start_s = later_s
            for limit in self.limits:
                later_s = limit.start_s(later_s)
        return start_s

    def has_to_wait(self, ready_s: float) -> bool:
        """Tell whether the first in line lets that of another queue go first, by a common limit."""
        return any(
            queue is not self
            and queue.line
            and queue.line[0][0] < ready_s
            and queue.start_s() <= self.env.now
            for queue in self.rivals
        )

    def wait_in_line(self, ready_s: float, until_s: float) -> Generator[simpy.Event, Any, bool]:
        """Wait until it is one's turn and the limits let an attempt start; False if it does not.

        It is late then, or sent back.
        """
        process = self.env.active_process
        assert process is not None
        place = (ready_s, process)
        self.line.append(place)
        while not self.sends_back:
            start_s = self.start_s() if self.line[0] is place else math.inf
            if start_s <= self.env.now and self.has_to_wait(ready_s):
                start_s = self.env.now + AN_INSTANT_S
            if start_s <= self.env.now <= until_s or self.env.now > until_s:
                break
            # An instant later: what may start at that very moment still does.
            wait_s = min(start_s, until_s + AN_INSTANT_S) - self.env.now
            with suppress(simpy.Interrupt):
                yield self.env.timeout(max(wait_s, 0.0))
        was_first = self.line[0] is place
        self.line.remove(place)
        if was_first:
            self.call_first()
        return self.env.now <= until_s and not self.sends_back

    def call_first(self) -> None:
        """Let the first in line ask anew."""
        if self.line:
            self.line[0][1].interrupt()

    def charge(self, finish_s: float) -> None:
        """Let an attempt start now."""
        for limit in self.limits:
            limit.charge(self.env.now, finish_s)

    @property
    def busy(self) -> int:
        """Connections that have a message."""
        return self.limit - len(self.idle)

    def answered(self, answer: str) -> None:
        """Let the rules count an answer: a reason of every provider, or a kind of address."""
        self.window.answered(answer == UNREACHABLE, self.busy)
        for suspension in self.suspensions:
            if suspension.rule.share is not None and suspension.attempts == 0:
                self.env.process(self.sweep(suspension))
            if suspension.answered(self.env.now, answer):
                self.suspend(suspension)

    def sweep(self, suspension: Suspension) -> Generator[simpy.Event, Any, None]:
        """Look at a period's attempts at its end."""
        yield self.env.timeout(suspension.next_sweep_s(self.env.now) - self.env.now)
        if suspension.swept():
            self.suspend(suspension)

    def suspend(self, suspension: Suspension) -> None:
        """Hold the queue back from now on."""
        suspension.begin(self.env.now)
        self.call_first()
        self.serve()
        self.env.process(self.resume(suspension.rule.lasts))

    def resume(self, after_s: float) -> Generator[simpy.Event, Any, None]:
        """Give connections again when a suspension is over."""
        yield self.env.timeout(after_s)
        self.serve()
