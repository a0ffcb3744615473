"""A provider's queue: messages that wait, connections, and the line for the limits."""

from __future__ import annotations

import math
from bisect import insort
from dataclasses import dataclass, field
from typing import Any

from oracle_concurrency import Window
from oracle_disturbances import BadTimes
from oracle_limits import Connections, Passing, Tolerance, Unlimited, limit_of
from oracle_order import Order
from oracle_suspension import Rule

from sendcap.scenario import Queue as Path
from sendcap.scenario import Scenario


@dataclass(eq=False)
class Message:
    delivery: str
    provider: str
    queue: Queue | None = None
    triggered: float = 0.0
    """When its batch may be handed over."""
    ready: float = 0.0
    relayed: float = 0.0
    expiry: float = math.inf
    place: str = "relay"
    order: int = 0
    """Among the new ones, or the retries, that became ready at the same moment."""
    is_active: bool = False
    is_retry: bool = False
    failures: int = 0
    last_reason: str = "not attempted"
    first_failed: float = 0.0
    previous_delay_s: float = 0.0
    clears_at: float | None = None
    connection: Connection | None = None
    attempted: float = 0.0
    address: int = 0
    shared_addresses: list[int] = field(default_factory=list)

    def fifo(self) -> tuple[float, bool, int]:
        return self.ready, self.failures > 0, self.order


@dataclass(eq=False)
class Connection:
    is_made: bool = False
    uses: int = 0
    idle_since: float = -math.inf
    """When it was made, or its last attempt finished; standing in line is no use."""
    message: Message | None = None
    counted: list[Connections] = field(default_factory=list)
    """The limits that count it as long as it is in use."""

    def is_open(self, now: float, provider: Any) -> bool:
        """Whether a free connection can be used without connecting."""
        used_up = self.uses == provider.messages_per_connection
        return self.is_made and not used_up and now - self.idle_since <= provider.idle_timeout


@dataclass(eq=False)
class Queue:
    scenario: Scenario
    path: Path
    number: int
    shared_rates: list[Unlimited]
    shared_connections: list[Connections]
    passing: list[Passing]
    waiting: list[Message] = field(default_factory=list)
    """For a connection, in the order of fifo."""
    line: list[Message] = field(default_factory=list)
    connecting: int = 0
    """Messages whose connection is being made."""

    def __post_init__(self) -> None:
        ips = self.path.ips
        self.provider = provider = self.scenario.providers[self.path.provider]
        self.most = provider.connections_per_ip * ips
        self.connections = [Connection() for _ in range(self.most)]
        self.free = list(self.connections)  # the first free for the longest
        self.connection_limit = limit_of(provider.connection_rate, ips)
        accepted = provider.accepts_connections
        self.accepted = math.inf if accepted is None else accepted * ips
        self.window = Window(provider.connection_scaling, self.most, ips)
        self.limit = limit_of(provider.rate, ips)
        self.rules = [Rule(rule, ips) for rule in self.scenario.acting_rules(self.path.provider)]
        self.tolerance = Tolerance(provider.tolerance, ips)
        self.bad_times = [BadTimes(each, ips) for each in provider.disturbances]
        # All that a start asks.
        self.limits = [self.limit, self.window, *self.rules, *self.shared_rates]
        lines = []
        for delivery in self.scenario.deliveries:
            lines.append(delivery.name)
            if self.line_for(delivery.name, True) != delivery.name:
                lines.append(self.line_for(delivery.name, True))
        self.order = Order(self.scenario, lines)

    def line_for(self, delivery: str, is_retry: bool) -> str:
        """Return in which line messages wait: retries apart where a limit is on them alone."""
        if is_retry and any(
            limit.retries_alone and limit.covers(delivery, True) for limit in self.passing
        ):
            return f"{delivery}, again"
        return delivery

    def put(self, message: Message) -> None:
        message.place = "waiting"
        insort(self.waiting, message, key=Message.fifo)

    def leave(self, message: Message) -> None:
        """Take out a message that expires."""
        if message.place == "waiting":
            self.waiting.remove(message)
        elif message.place == "line":
            self.line.remove(message)
            self.release(message)
        elif message.place == "connecting":
            assert message.connection is not None
            message.connection.message = None
            self.connecting -= 1
            # It is in use until it is made.

    def release(self, message: Message) -> None:
        assert message.connection is not None
        message.connection.message = None
        self.hand_back(message.connection)
        message.connection = None

    def count_open(self, now: float) -> int:
        """Return how many connections the provider sees: those in use, and idle ones."""
        in_use = [each for each in self.connections if each.is_made and each not in self.free]
        return len(in_use) + sum(each.is_open(now, self.provider) for each in self.free)

    def hand_back(self, connection: Connection) -> None:
        self.free.append(connection)
        for limit in connection.counted:
            limit.used -= 1
        connection.counted = []

    def contention(self, message: Message) -> tuple[int, float, int]:
        """Return what is lower for a message that goes before those of other queues."""
        return self.order.rank(message.delivery), message.ready, self.number

    def earliest_start(self, now: float) -> float:
        """When the next attempt could start, as things are now."""
        moment = now
        while True:
            later = max(limit.earliest(moment) for limit in self.limits)
            if later == moment or later == math.inf:
                return later
            moment = later

    def is_closed(self, now: float) -> bool:
        return any(rule.closes(now) for rule in (self.window, *self.rules))

    def empties(self, now: float) -> bool:
        """Whether its messages are sent back to their schedule now."""
        return any(rule.empties(now) for rule in (self.window, *self.rules))

    def limits_over(self, message: Message) -> list[Passing]:
        return [limit for limit in self.passing if limit.covers(message.delivery, message.is_retry)]

    def next_message(self, now: float) -> Message | None:
        """Return the message that would take a connection next."""
        full = [limit for limit in self.passing if limit.holds_back(now)]
        able = (
            message
            for message in self.waiting
            if not (full and any(limit in full for limit in self.limits_over(message)))
        )
        return self.order.first(
            able,
            lambda message: message.delivery,
            lambda message: self.line_for(message.delivery, message.is_retry),
        )

    def take(self, message: Message, connection: Connection, now: float) -> None:
        self.waiting.remove(message)
        self.free.remove(connection)
        self.order.went(self.line_for(message.delivery, message.is_retry))
        over = self.limits_over(message)
        for each in over:
            each.rate.started(now)
        connection.counted = [*self.shared_connections, *(each.connections for each in over)]
        for limit in connection.counted:
            limit.used += 1
        connection.message, message.connection = message, connection

    def next_connection(self, now: float) -> Connection | None:
        """Return the connection that takes a waiting message now."""
        if not self.waiting or self.is_closed(now):
            return None
        if any(limit.is_full() for limit in self.shared_connections):
            return None
        in_use = self.most - len(self.free)
        by_length = self.provider.connection_scaling == "kumomta"
        if not by_length and in_use >= self.window.size:
            return None
        opened = (each for each in self.free if each.is_open(now, self.provider))
        if (connection := next(opened, None)) is not None:
            return connection
        wanted = min(self.wanted(), self.most) if by_length else self.most
        return self.free[0] if in_use < wanted else None

    def wanted(self) -> int:
        """Return how many connections KumoMTA wants for the messages that wait for one."""
        length = len(self.waiting) + self.connecting
        return min(length, math.ceil(self.most * (1.0 - math.exp(-0.023 * length))))

    def finish(self, now: float) -> float:
        """Return when an attempt that starts now has its answer, or is given up."""
        usual = self.provider.transaction_time.mean_s
        for outage in self.provider.outages:
            end = outage.at + outage.lasts
            meets = max(now, outage.at)
            is_met = now < end and (outage.at <= now or outage.at < now + usual)
            if is_met and outage.fails_after is not None:
                given_up = meets + outage.fails_after
                return given_up if given_up < end else end + (now + usual - meets)
        return now + usual

    def outcome(self, message: Message, now: float) -> tuple[str, str]:
        """Return the event at an attempt's finish, and the reason; the rules count it."""
        event, reason = self.answer(message, now)
        counted = reason if reason in ("unreachable", "throttled", "transient") else "fault"
        self.count({"soft": counted}.get(event, event), now)
        return event, reason

    def count(self, answer: str, now: float) -> None:
        """Let the window and the rules count an answer."""
        busy = self.most - len(self.free) + 1  # its connection has been released
        others_wait = any(each.ready <= now for each in self.waiting)
        self.window.learn(answer != "unreachable", busy, now, others_wait)
        for rule in self.rules:
            rule.answered(now, answer)

    def answer(self, message: Message, now: float) -> tuple[str, str]:
        provider = self.provider
        bad = [each for each in self.bad_times if each.are(now)]
        away = any(outage.at <= now < outage.at + outage.lasts for outage in provider.outages)
        if away or any(each.disturbance.unreachable for each in bad):
            return "soft", "unreachable"
        fault = next((each for each in provider.faults if each.share), None)
        if message.clears_at is None and fault is not None:
            clears_s = math.inf if fault.never else fault.clears_after.mean_s
            message.clears_at = now + clears_s
        tolerances = [self.tolerance, *(each.tolerance for each in bad)]
        if not all(each.lets_through(now) for each in tolerances):
            return "soft", "throttled"
        for each in tolerances:
            each.let_through(now)
        for mistake in provider.refusals:
            if mistake.at <= now < mistake.at + mistake.lasts:
                return "hard", mistake.reason
        for hard in provider.hard:
            if hard.share:
                return "hard", hard.reason
        if fault is not None and message.clears_at is not None and now < message.clears_at:
            return "soft", fault.reason
        is_transient = provider.transient or any(each.disturbance.transient for each in bad)
        return ("soft", "transient") if is_transient else ("accepted", "")
