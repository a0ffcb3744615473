"""A provider's queue in the textbook model: who gets a connection, and who may start."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Final

import simpy

from sendcap.model.addresses import UNREACHABLE
from sendcap.model.scaling import wanted_connections
from sendcap.scenario import Queue as Path
from sendcap.scenario import Scenario
from sendcap.textbook.concurrency import Window
from sendcap.textbook.disturbance import BadTimes
from sendcap.textbook.line import AN_INSTANT_S, Limit, Line, Turn
from sendcap.textbook.message import Message
from sendcap.textbook.server import Server
from sendcap.textbook.shared import Shared
from sendcap.textbook.suspension import DeadSite, Suspension
from sendcap.textbook.throttles import Throttle, scheduled, throttle_of
from sendcap.textbook.waiting import Waiting

SENT_BACK: Final = object()
"""Given to those who ask for a connection of a queue that sends them back."""


@dataclass(slots=True)
class Connection:
    """A connection to a provider, made anew when it is used up or was idle for long."""

    used_s: float = -math.inf  # when its last attempt ended, or when it was made
    attempts_left: float = 0
    counted: list[Shared] = field(default_factory=list)  # by these limits, while it is in use


class Queue:
    """Messages wait for a connection in the MTA's order, then in line for the throttle.

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
        self.over_queues = [each for each in shared if not each.limit.lets_others_pass]
        self.passing = [each for each in shared if each.limit.lets_others_pass]
        self.rivals: list[Queue] = []  # queues with a common limit, this one included
        self.limit = provider.connections_per_ip * ips
        self.scaled = provider.connection_scaling == "kumomta"
        per_connection = provider.messages_per_connection
        self.attempts_per_connection = math.inf if per_connection == "unlimited" else per_connection
        self.waiting = Waiting(scenario, [each.limit for each in shared])
        self.wakes_s = math.inf  # when limits let someone go who is held back
        self.connecting = 0  # those to be made for a message
        self.in_use = 0  # those that are made and carry an attempt or wait in line
        rate = provider.connection_rate
        self.connection_throttle = Throttle() if rate is None else scheduled(rate, ips)
        accepted = provider.accepts_connections
        self.accepted = math.inf if accepted is None else accepted * ips
        # Open ones that nobody uses, the one first that has been free the longest.
        self.idle: deque[Connection] = deque()
        self.closed = self.limit
        self.window = Window(provider.connection_scaling, self.limit, ips)
        self.throttle = throttle_of(provider.throttles, ips)
        self.server = Server(env, provider, bad_times, ips)
        self.suspensions = [Suspension(rule, ips) for rule in scenario.acting_rules(self.name)]
        dead_site = scenario.dead_site_of(self.name)
        self.dead_site = None if dead_site is None else DeadSite(dead_site, self.window)
        self.holds: list[Suspension | DeadSite] = [*self.suspensions]
        if self.dead_site is not None:
            self.holds.append(self.dead_site)
        limits: list[Limit] = [self.throttle, *self.holds]
        limits += [each.throttle for each in self.over_queues]
        self.line = Line(env, limits, lambda: self.sends_back)

    # --- Connections ----------------------------------------------------------------------------

    def ask(self, message: Message) -> None:
        """Let a message wait for a connection."""
        self.waiting.add(message)
        self.serve()

    def give_up(self, message: Message) -> None:
        """Let a message wait no longer for a connection."""
        self.waiting.remove(message)
        self.settle()

    def settle(self) -> None:
        """Let limits see who waits now."""
        for each in (*self.over_queues, *self.passing):
            each.settle()

    def hand_back(self, connection: Connection) -> None:
        """Let others have a connection."""
        self.take_back(connection)
        self.serve()

    def take_back(self, connection: Connection) -> None:
        """Take a connection back, and count it no more."""
        self.put(connection)
        for each in connection.counted:
            each.used -= 1

    def put(self, connection: Connection) -> None:
        """Keep a connection that nobody uses; one that is used up is closed."""
        if connection.attempts_left == 0:
            self.closed += 1
        else:
            self.idle.append(connection)

    def serve(self) -> None:
        """Give connections to those who wait, as long as there are any."""
        while self.waiting and self.sends_back:
            message = self.waiting.longest()
            self.waiting.remove(message)
            message.answer(SENT_BACK)
        served = True
        while served:
            # Of queues with a common limit: by priority, then who has been ready the longest.
            able = [each for each in self.rivals if each.idle or each.closed]
            nexts = [(each, each.waiting.next(each.holds_back)) for each in able]
            turns = [(queue.turn(each), queue, each) for queue, each in nexts if each is not None]
            served = any(
                queue.serves(each) for _, queue, each in sorted(turns, key=lambda turn: turn[0])
            )
        self.settle()

    def turn(self, message: Message) -> Turn:
        """Return where a message stands among those of queues with a common limit."""
        return self.waiting.order.rank(message.delivery), message.since_s

    def limits_over(self, message: Message) -> list[Shared]:
        """Return the limits that count a message and let others pass."""
        return [each for each in self.passing if each.covers(message)]

    def holds_back(self, message: Message) -> bool:
        """Tell whether limits hold a message back now, while others may pass."""
        limits = self.limits_over(message)
        if not limits or any(each.is_full for each in limits):
            return bool(limits)
        start_s = max(each.throttle.start_s(self.env.now) for each in limits)
        if self.env.now < start_s < self.wakes_s:
            self.wakes_s = start_s
            self.env.process(self.wake(start_s))
        return start_s > self.env.now

    def wake(self, at_s: float) -> Generator[simpy.Event, Any, None]:
        """Give connections again when a limit lets it."""
        yield self.env.timeout(at_s - self.env.now)
        if self.wakes_s == at_s:
            self.wakes_s = math.inf
        self.serve()

    def serves(self, message: Message) -> bool:
        """Give a message a connection; return False if there is none."""
        if any(each.is_full for each in self.over_queues):
            return False
        connection = self.available()
        if connection is None:
            return False
        self.waiting.take(message)
        if self.has_to_be_made(connection):
            self.connecting += 1
        else:
            self.in_use += 1
        over = self.limits_over(message)
        for each in over:
            each.throttle.charge(self.env.now, self.env.now)
        connection.counted = [*self.over_queues, *over]
        for each in connection.counted:
            each.used += 1
        message.answer(connection)
        return True

    def has_to_be_made(self, connection: Connection) -> bool:
        """Tell whether a connection is used up, or has been idle for too long."""
        idle_s = self.env.now - connection.used_s
        return connection.attempts_left == 0 or idle_s > self.provider.idle_timeout

    def available(self) -> Connection | None:
        """Take the open connection that has been free the longest, or one that may be opened."""
        if self.closed_by_suspension:
            return None
        if not self.scaled and self.busy >= self.window.size:
            return None
        while self.idle and self.env.now - self.idle[0].used_s > self.provider.idle_timeout:
            self.idle.popleft()
            self.closed += 1
        if self.idle:
            return self.idle.popleft()
        wanted = self.limit
        if self.scaled:
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
        return any(each.closes and self.env.now < each.until_s for each in self.holds)

    @property
    def sends_back(self) -> bool:
        """Whether messages are sent back to their schedule now."""
        return any(each.sends_back and self.env.now < each.until_s for each in self.holds)

    @property
    def busy(self) -> int:
        """Connections that have a message."""
        return self.limit - len(self.idle) - self.closed

    def answered(self, answer: str) -> None:
        """Let the rules count an answer: a reason of every provider, or a kind of address."""
        self.feed_back(answer == UNREACHABLE)
        for suspension in self.suspensions:
            if suspension.rule.share is not None and suspension.attempts == 0:
                self.env.process(self.sweep(suspension))
            if suspension.answered(self.env.now, answer):
                self.suspend(suspension)

    def feed_back(self, is_failure: bool) -> None:
        """Let an answer change Postfix's window, which forgets all when nobody has to wait."""
        now_s, under_way = self.env.now, self.busy - 1
        if isinstance(self.window.scaling, str):
            return
        if self.dead_site is not None and now_s < self.dead_site.until_s:
            self.dead_site.answered(is_failure, under_way, now_s)
        else:
            self.window.answered(is_failure, self.busy)
        if self.dead_site is not None and self.dead_site.dies():
            self.dead_site.begin(now_s, under_way)
            self.hold(self.dead_site.until_s)
        elif under_way == 0 and not self.waiting:
            self.window.begin_anew()

    def sweep(self, suspension: Suspension) -> Generator[simpy.Event, Any, None]:
        """Look at a period's attempts at its end."""
        yield self.env.timeout(suspension.next_sweep_s(self.env.now) - self.env.now)
        if suspension.swept():
            self.suspend(suspension)

    def suspend(self, suspension: Suspension) -> None:
        """Hold the queue back from now on."""
        suspension.begin(self.env.now)
        self.hold(suspension.until_s)

    def hold(self, until_s: float) -> None:
        """Let what holds the queue back now have its effect, and end it later."""
        self.line.call_first()
        self.serve()
        self.env.process(self.resume(until_s - self.env.now))

    def resume(self, after_s: float) -> Generator[simpy.Event, Any, None]:
        """Give connections again when a suspension is over."""
        yield self.env.timeout(max(after_s, 0.0))
        self.serve()
