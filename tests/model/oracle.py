"""An independent model of deliveries, one message at a time, to check the engine against.

It is written from the model's rules alone and shares no code with the engine. At each moment the
first possible step of `Oracle.step` is taken until none is possible; then time goes on. Scenarios
must draw nothing: constant times, shares of 0 or 1, one provider per delivery.
"""

from __future__ import annotations

import heapq
import math
from bisect import insort
from collections.abc import Iterator
from typing import Any

from oracle_confirmation import starts_of
from oracle_limits import Connections, Passing, limit_of
from oracle_order import weighted_round_robin
from oracle_queue import Connection, Message, Queue
from oracle_relay import Relay
from oracle_reports import Counts, Reports
from oracle_retries import due_s, ends_on_failure

from sendcap.scenario import Scenario

FOLLOWED = 14 * 86_400.0
"""From the start of a delivery, opens and clicks are."""


class Agenda:
    """Future events in order of time; those of one moment in the order of their entry."""

    def __init__(self) -> None:
        self.entries: list[tuple[float, int, Any]] = []
        self.entered = 0

    def add(self, at: float, what: Any) -> None:
        heapq.heappush(self.entries, (at, self.entered, what))
        self.entered += 1

    def pop(self, now: float) -> Any:
        """Remove and return the first event that is due, or None."""
        return heapq.heappop(self.entries)[2] if self.next() <= now else None

    def next(self) -> float:
        return self.entries[0][0] if self.entries else math.inf


class Oracle:
    def __init__(self, scenario: Scenario) -> None:
        self.scenario, self.now = scenario, -math.inf
        self.reports = Reports(scenario)
        self.batches_under_way, self.ingress, self.backoff = Agenda(), Agenda(), Agenda()
        self.under_way, self.expiries = Agenda(), Agenda()
        self.queues = list(self.all_queues())
        self.turns: dict[Any, Iterator[int]] = {}
        self.incoming: list[Message] = []  # those that are ready and not active
        self.active = 0
        self.deliveries = {delivery.name: delivery for delivery in scenario.deliveries}
        self.starts = starts_of(scenario)
        self.relay = Relay(scenario, self.starts)
        self.last_left = -math.inf  # the ingress
        self.ordered = 0

    def all_queues(self) -> Iterator[Queue]:
        limits = [
            each for each in self.scenario.limits if not each.deliveries and each.attempts == "all"
        ]
        parents = self.scenario.parents()
        others = [
            (each, Passing(each, parents)) for each in self.scenario.limits if each not in limits
        ]
        rates = {each.name: limit_of(each.rate, 1) for each in limits if each.rate is not None}
        connections = {
            each.name: Connections(each.connections, each.one_more_every)
            for each in limits
            if each.connections
        }
        for number, path in enumerate(self.scenario.queues()):
            names = [each.name for each in limits if each.covers(path)]
            yield Queue(
                self.scenario,
                path,
                number,
                [rates[name] for name in names if name in rates],
                [connections[name] for name in names if name in connections],
                [limit for each, limit in others if each.covers(path)],
            )

    def queue_in_turn(self, message: Message, what: str) -> Queue:
        """Return the queue of a message: where each address has one, they take turns."""
        pool = self.scenario.pool_of(self.deliveries[message.delivery])
        found = [
            queue
            for queue in self.queues
            if (queue.path.provider, queue.path.pool) == (message.provider, pool)
        ]
        key = (message.provider, pool, what)
        if key not in self.turns:
            weights = self.scenario.mta.pools[pool].weights if pool is not None else ()
            self.turns[key] = weighted_round_robin(weights or [1] * len(found))
        return found[next(self.turns[key]) if len(found) > 1 else 0]

    def run(self) -> Counts:
        while True:
            while self.step():
                pass
            later = self.next_moment()
            if later == math.inf:
                return self.reports.finish()
            assert later > self.now
            self.now = later

    def step(self) -> bool:
        """Take the first step that is possible now; return whether there was one."""
        return (
            self.start_batch()
            or self.end_batch()
            or self.leave_ingress()
            or self.fall_due()
            or self.end_connecting_or_attempt()
            or any(rule.look(self.now) for queue in self.queues for rule in queue.rules)
            or any(self.send_back(queue) for queue in self.queues)
            or any(self.start_first_in_line(queue) for queue in self.in_line())
            or self.become_active()
            or any(limit.grow(self.now) for limit in self.waited_for())
            or self.take_first()
            or self.expire_first()
        )

    def waited_for(self) -> list[Connections]:
        """The limits of connections that cover a message that waits; the others shrink."""
        found, others = [], []
        for queue in self.queues:
            if not (queue.shared_connections or queue.passing):
                continue
            incoming = [each for each in self.incoming if each.queue is queue]
            waiting = [*queue.waiting, *incoming]
            for each in queue.shared_connections:
                (found if waiting else others).append(each)
            for limit in queue.passing:
                waits = any(limit.covers(each.delivery, each.is_retry) for each in waiting)
                (found if waits else others).append(limit.connections)
        for each in others:
            if each not in found:
                each.shrink()
        return found

    def in_line(self) -> list[Queue]:
        """The queues with a line, that first whose first message goes before the others."""
        lines = (each for each in self.queues if each.line)
        return sorted(lines, key=lambda queue: queue.contention(queue.line[0]))

    def that_would_take(self) -> list[tuple[Queue, Message]]:
        """The messages that could take a connection of their queues, one of each queue."""
        able = (queue for queue in self.queues if queue.next_connection(self.now) is not None)
        found = ((queue, queue.next_message(self.now)) for queue in able)
        return [(queue, message) for queue, message in found if message is not None]

    def next_moment(self) -> float:
        moments = [self.relay.next_start(self.now)]
        moments += [
            agenda.next()
            for agenda in (
                self.batches_under_way,
                self.ingress,
                self.backoff,
                self.under_way,
                self.expiries,
            )
        ]
        for queue in self.queues:
            if queue.line:
                moments.append(queue.earliest_start(self.now))
            moments += [rule.sweep for rule in queue.rules]
            if queue.waiting:
                moments += [rule.until for rule in queue.rules if rule.closes(self.now)]
                moments += [queue.window.dead_until] if queue.window.is_dead(self.now) else []
                opens = (limit.rate.earliest(self.now) for limit in queue.passing)
                moments += [moment for moment in opens if moment > self.now]
        moments += [limit.grows(self.now) for limit in self.waited_for()]
        return min(moments)

    # The relay and the ingress.

    def start_batch(self) -> bool:
        messages = self.relay.start(self.now)
        if messages is None:
            return False
        self.batches_under_way.add(self.now + self.scenario.relay.batch_time.mean_s, messages)
        return True

    def end_batch(self) -> bool:
        messages = self.batches_under_way.pop(self.now)
        if messages is None:
            return False
        self.relay.free_workers += 1
        for message in messages:
            self.hand_over(message)
        # Of one moment they expire as they were relayed, and of a batch one queue after the other.
        for queue in self.queues:
            for message in messages:
                if message.queue is queue:
                    self.ordered += 1
                    message.order = self.ordered
                    self.expiries.add(max(message.expiry, self.now), message)
        return True

    def hand_over(self, message: Message) -> None:
        if self.scenario.relay.error_rate:
            self.reports.at_once(message, "relay_failed", self.now)
            self.end(message)
            return
        self.reports.at_once(message, "relayed", self.now)
        delivery, mta = self.deliveries[message.delivery], self.scenario.mta
        origin = self.now if mta.clock_origin == "relayed" else self.starts[message.delivery]
        message.relayed, message.expiry = (
            self.now,
            origin + min(delivery.validity, mta.longest_validity),
        )
        message.place = "ingress"
        message.queue = self.queue_in_turn(message, "new")
        if mta.ingress_rate is None:
            self.ingress.add(self.now, message)
        else:
            # A message takes its turn even if it expires before.
            self.last_left = max(self.last_left, self.now)
            self.last_left += mta.ingress_rate.period_s / mta.ingress_rate.limit
            self.ingress.add(self.last_left, message)
        if message.expiry < self.now:
            message.place = "too late"

    def leave_ingress(self) -> bool:
        message = self.ingress.pop(self.now)
        if message is None:
            return False
        if message.place == "ingress":
            self.put(message)
        return True

    # The provider's queue.

    def put(self, message: Message) -> None:
        message.ready = self.now
        assert message.queue is not None
        if self.scenario.mta.active is None:
            message.queue.put(message)
        else:
            message.place = "incoming"
            insort(self.incoming, message, key=Message.fifo)

    def become_active(self) -> bool:
        if not self.incoming or self.active == self.scenario.mta.active:
            return False
        message = self.incoming.pop(0)
        message.is_active = True
        self.active += 1
        assert message.queue is not None
        message.queue.put(message)
        return True

    def leave_active(self, message: Message) -> None:
        self.active -= message.is_active
        message.is_active = False

    def fall_due(self) -> bool:
        message = self.backoff.pop(self.now)
        if message is None:
            return False
        message.queue = self.queue_in_turn(message, "retry")
        message.is_retry = True
        self.ordered += 1
        message.order = self.ordered
        self.put(message)
        return True

    def take_first(self) -> bool:
        """Let the message take a connection that goes before those of the other queues."""
        those = self.that_would_take()
        if not those:
            return False
        queue, message = min(those, key=lambda each: each[0].contention(each[1]))
        connection = queue.next_connection(self.now)
        assert connection is not None
        queue.take(message, connection, self.now)
        if connection.is_open(self.now, queue.provider):
            self.ask_limits(queue, message)
        else:
            message.place = "connecting"
            queue.connecting += 1
            connection.is_made, connection.uses = False, 0
            opens = queue.connection_limit.earliest(self.now)
            queue.connection_limit.started(opens)
            ends = opens + queue.provider.connect_time.mean_s
            self.under_way.add(ends, (queue, connection))
        return True

    def end_connecting_or_attempt(self) -> bool:
        ended = self.under_way.pop(self.now)
        if ended is None:
            return False
        queue, what = ended
        if isinstance(what, Message):
            self.finish_attempt(queue, what)
        else:
            self.establish(queue, what)
        return True

    def establish(self, queue: Queue, connection: Connection) -> None:
        connection.is_made = queue.count_open(self.now) < queue.accepted
        connection.idle_since = self.now
        message = connection.message
        if message is None:  # it has expired meanwhile
            queue.hand_back(connection)
            return
        queue.connecting -= 1
        if connection.is_made:
            self.ask_limits(queue, message)
        else:
            self.refuse(queue, message)

    def refuse(self, queue: Queue, message: Message) -> None:
        """End an attempt at once, since the provider takes no more connections."""
        queue.release(message)
        queue.count("unreachable", self.now)
        reason = "too many connections"
        events = [(event, reason) for event in ("soft", "soft_first")[: 1 + (not message.failures)]]
        self.reports.report(message, self.now, events, attempted=self.now)
        self.back_off(message, reason)

    def ask_limits(self, queue: Queue, message: Message) -> None:
        if queue.line or queue.shared_rates or queue.earliest_start(self.now) > self.now:
            message.place = "line"
            queue.line.append(message)
        else:
            self.start_attempt(queue, message)

    def send_back(self, queue: Queue) -> bool:
        """Send the first message back to its schedule, if the queue is being emptied."""
        if not queue.empties(self.now):
            return False
        messages = [*queue.line, *queue.waiting]
        if not messages:
            return False
        message = messages[0]
        queue.leave(message)
        events = [("soft", "suspended")]
        if message.failures == 0:
            events.append(("soft_first", "suspended"))
        self.reports.report(message, self.now, events)
        self.back_off(message, "suspended")
        return True

    def start_first_in_line(self, queue: Queue) -> bool:
        if not queue.line or queue.earliest_start(self.now) > self.now:
            return False
        self.start_attempt(queue, queue.line.pop(0))
        return True

    def start_attempt(self, queue: Queue, message: Message) -> None:
        assert message.connection is not None
        assert self.now <= message.expiry
        message.place, message.attempted = "attempt", self.now
        message.connection.uses += 1
        message.address = queue.limit.started(self.now)
        message.shared_addresses = [rate.started(self.now) for rate in queue.shared_rates]
        for rule in queue.rules:
            rule.started(self.now)
        self.under_way.add(queue.finish(self.now), (queue, message))

    def finish_attempt(self, queue: Queue, message: Message) -> None:
        queue.limit.finished(self.now, message.address)
        for rate, address in zip(queue.shared_rates, message.shared_addresses, strict=True):
            rate.finished(self.now, address)
        message.connection.idle_since = self.now
        queue.release(message)
        event, reason = queue.outcome(message, self.now)
        events = [(event, reason)]
        if event == "soft" and message.failures == 0:
            events.append(("soft_first", reason))
        elif event != "soft" and message.failures > 0:
            names = {"accepted": "recovered", "hard": "hard_after_soft"}
            events.append((names[event], reason))
        self.reports.report(message, self.now, events, attempted=message.attempted)
        if event == "soft":
            self.back_off(message, reason)
        else:
            self.end(message)
        if event == "accepted":
            self.reports.delay(message, self.now)
            self.follow(message, queue.provider)

    # What comes after an attempt.

    def back_off(self, message: Message, reason: str) -> None:
        self.leave_active(message)
        if message.failures == 0:
            message.first_failed = self.now
        own = self.scenario.providers[message.provider].retry
        retry = self.scenario.mta.retry if own == "mta" else own
        due = due_s(
            retry,
            message.failures,
            self.now,
            message.relayed,
            message.first_failed,
            message.previous_delay_s,
        )
        message.failures += 1
        message.last_reason, message.previous_delay_s = reason, due - self.now
        message.place = "backoff"
        if due <= message.expiry:
            self.backoff.add(due, message)
        elif (
            due == math.inf
            or ends_on_failure(retry, self.scenario.mta.expire)
            or self.now >= message.expiry
        ):
            self.expire(message)

    def expire_first(self) -> bool:
        while (message := self.expiries.pop(self.now)) is not None:
            if message.place not in ("final", "attempt"):
                self.expire(message)
                return True
        return False

    def expire(self, message: Message) -> None:
        events = [("expired", message.last_reason)]
        if message.failures == 0:
            events.append(("expired_untried", message.last_reason))
        self.reports.report(message, self.now, events)
        assert message.queue is not None
        if message.place == "incoming":
            self.incoming.remove(message)
        message.queue.leave(message)
        self.end(message)

    def end(self, message: Message) -> None:
        self.leave_active(message)
        message.place = "final"
        self.relay.held -= 1

    def follow(self, message: Message, provider: Any) -> None:
        """Count the events after an acceptance."""
        feedback, engagement = self.scenario.feedback, self.scenario.engagement
        if provider.async_bounce:
            returned = self.now + feedback.asynchronous.mean_s
            self.reports.report(message, returned, [("async_bounced", "")], latency_s=0.0)
        if engagement.open_rate:
            opened = self.now + engagement.open_delay.mean_s
            events = [("opened", opened)]
            if engagement.click_rate:
                events.append(("clicked", opened + engagement.click_delay.mean_s))
            for event, at in events:
                if at < self.starts[message.delivery] + FOLLOWED:
                    self.reports.at_once(message, event, at)
