"""Campaign in the textbook model: what it learns, when, and the ledger of it all."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable
from typing import Any

import numpy as np
import simpy

from sendcap.ledger import CLOCKS, SUBSET, Clock, Event, Ledger
from sendcap.model.addresses import reasons_of
from sendcap.model.tally import Tally, ledger_of
from sendcap.scenario import BEFORE, FOLLOWED_S, Scenario
from sendcap.textbook.addresses import DEAD
from sendcap.textbook.chance import Chance
from sendcap.textbook.learning import Learning
from sendcap.textbook.message import Message


class Campaign:
    """Takes reports in, and counts events at both clocks."""

    def __init__(
        self,
        env: simpy.Environment,
        scenario: Scenario,
        chance: Chance,
        learning: Learning | None = None,
    ) -> None:
        self.env = env
        self.scenario = scenario
        self.chance = chance
        self.learning = learning  # about people, if there are any
        self.counts: Counter[tuple[str, str, Event, str, Clock, int]] = Counter()
        self.delays_s: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self.report_server = simpy.Resource(env, 1)

    def report(
        self,
        message: Message,
        event: Event,
        happened_s: float,
        reason: str = "",
        latency_s: float | None = None,
    ) -> None:
        """Report an event to Campaign; reports about one message never overtake each other."""
        if latency_s is None:
            latency_s = self.chance.draw(self.scenario.feedback.synchronous)
        message.reported_s = max(message.reported_s, happened_s + latency_s)
        first = message.failures == 0
        events = [event]
        if event in SUBSET and first == (event in ("soft", "expired")):
            events.append(SUBSET[event])
        for counted in events:
            self.count("happened", counted, message, happened_s, reason)
        if self.scenario.feedback.rate is None:
            known_s = self.polled(message.reported_s)
            self.know(events, message, message.reported_s, known_s, reason)
        else:
            self.env.process(self.queue_up(events, message, message.reported_s, reason))

    def before(self, message: Message) -> None:
        """Count, as of now, that the MTA has a message, and a soft bounce if it has been tried."""
        self.count("happened", "relayed", message)
        for clock in CLOCKS if message.failures else ():
            self.count(clock, "soft", message, reason=BEFORE)
            self.count(clock, "soft_first", message, reason=BEFORE)

    def polled(self, arrives_s: float) -> float:
        """Return when Campaign polls for what arrives then."""
        polling_s = self.scenario.feedback.polling
        return math.ceil(arrives_s / polling_s) * polling_s if polling_s else arrives_s

    def queue_up(
        self, events: list[Event], message: Message, arrives_s: float, reason: str
    ) -> Generator[simpy.Event, Any, None]:
        """Wait until Campaign takes the report in: it takes them one by one."""
        rate = self.scenario.feedback.rate
        assert rate is not None
        yield self.env.timeout(max(arrives_s - self.env.now, 0.0))
        with self.report_server.request() as turn:
            yield turn
            yield self.env.timeout(max(self.polled(arrives_s) - self.env.now, 0.0))
            yield self.env.timeout(1.0 / rate.per_s)
        self.know(events, message, arrives_s, self.env.now, reason)

    def know(
        self, events: list[Event], message: Message, arrives_s: float, known_s: float, reason: str
    ) -> None:
        """Let Campaign know an event, and what it is besides, at a moment that may be to come."""
        for event in events:
            self.count("known", event, message, known_s, reason)
        if self.learning is not None:
            self.learning.hears(message.person, events[0], arrives_s, known_s, reason)

    def count(
        self,
        clock: Clock,
        event: Event,
        message: Message,
        when_s: float | None = None,
        reason: str = "",
    ) -> None:
        """Count an event; it takes place now unless said otherwise."""
        when_s = self.env.now if when_s is None else when_s
        if event in ("opened", "clicked") and when_s >= message.delivery.at + FOLLOWED_S:
            return
        if when_s >= (self.scenario.time.horizon or math.inf):
            return
        number = int(when_s / self.scenario.time.bin)
        self.counts[message.delivery.name, message.queue.name, event, reason, clock, number] += 1

    def delayed(self, message: Message, delay_s: float) -> None:
        """Note how long a message that is accepted now has taken since it was ready."""
        if self.env.now < (self.scenario.time.horizon or math.inf):
            self.delays_s[message.delivery.name, message.queue.name].append(delay_s)

    def ledger(self, providers: Iterable[str]) -> Ledger:
        """Return the counts as a ledger."""
        scenario = self.scenario
        names = [delivery.name for delivery in scenario.deliveries]
        queues = list(providers)
        reasons = tuple(dict.fromkeys((*reasons_of(scenario, queues), DEAD)))
        tally = Tally(scenario.time.bin, math.inf, queues, reasons)
        rows: defaultdict[tuple[str, str, Event, str, Clock], list[tuple[int, int]]]
        rows = defaultdict(list)
        for (*series, number), count in self.counts.items():
            rows[tuple(series)].append((number, count))  # type: ignore[index]
        for (delivery, provider, event, reason, clock), counted in rows.items():
            numbers, weights = np.array(counted).T
            times_s = (numbers + 0.5) * scenario.time.bin
            pair = names.index(delivery), queues.index(provider)
            tally.add(clock, event, *pair, times_s, reason, weights)
        for (delivery, provider), delays_s in self.delays_s.items():
            pair = names.index(delivery), queues.index(provider)
            tally.delayed(*pair, np.maximum(delays_s, 0.0))
        return ledger_of(tally, scenario)
