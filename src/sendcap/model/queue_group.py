"""A group of provider queues: the state of the compiled step, and the calls of it."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from sendcap.model.feedback import sample_asynchronous
from sendcap.model.first_group import FIRST_BLOCK, first_group
from sendcap.model.kernel import fields, spool, state, step
from sendcap.model.kernel.held import hold
from sendcap.model.kernel.pointer import by_pointer
from sendcap.model.kernel.relay_state import Relay
from sendcap.model.kernel.tally import MOST_COUNTS
from sendcap.model.queue_rows import QueueRows
from sendcap.model.records import larger_ring, longer, power_of_two
from sendcap.model.shared import Shared
from sendcap.scenario import Constant, Queue


class Happened(NamedTuple):
    """What has happened in a group of queues."""

    reports: state.Records
    starts: state.Records
    connects: state.Records


class QueueGroup:
    """Queues that share something, or one that shares nothing."""

    def __init__(self, shared: Shared, numbers: Sequence[int], batches: state.Batches) -> None:
        self._samples: list[Callable[[int], Any]] = []
        queues = [shared.queues[number] for number in numbers]
        rows = QueueRows(shared, queues)
        for queue in queues:
            rows.add(queue, len(self._samples))
            self._add_streams(shared, queue)
        self._disturbances = rows.disturbances
        self._sizes = [FIRST_BLOCK] * len(self._samples)
        self.tally = shared.tally.another()
        group = first_group(shared, rows, batches, len(self._samples), self.tally.counters)
        self.group = by_pointer(group)

    def _add_streams(self, shared: Shared, queue: Queue) -> None:
        """Add the streams of a queue, in the order of their numbers in the step."""
        provider, feedback = shared.scenario.providers[queue.provider], shared.scenario.feedback

        def add(sample: Any, purpose: str) -> None:
            generator = shared.streams.generator(purpose, provider=queue.key)
            self._samples.append(partial(sample, generator))

        add(provider.connect_time.sample, "connect time")
        add(provider.transaction_time.sample, "transaction time")
        add(feedback.synchronous.sample, "synchronous feedback")
        add(feedback.synchronous.sample, "expiry feedback")
        add(partial(sample_asynchronous, feedback.asynchronous), "asynchronous feedback")
        engagement = shared.scenario.engagement
        add(engagement.open_delay.sample, "open delay")
        add(engagement.click_delay.sample, "click delay")
        population = shared.scenario.population
        delay = Constant(value="0s") if population is None else population.complaint_delay
        add(delay.sample, "complaint delay")
        for fault in provider.faults:
            add(fault.clears_after.sample, f"clears after {fault.reason}")

    @property
    def next_event_s(self) -> float:
        """When something happens next, as things stand."""
        return float(step.next_event_s(self.group))

    @property
    def told(self) -> int:
        """Reports ever."""
        return int(self.group.counts["told"][0])

    @property
    def final(self) -> int:
        """Messages that are final."""
        return int(self.group.counts["final"][0])

    def receive(self, handed: state.Records, relay: Relay) -> None:
        """Take in messages from the relay, in order of time."""
        self._make_runs(len(handed), int(handed["count"].sum()))
        step.receive(self.group, handed, relay.places, relay.people)

    def hold(self, held: state.Records) -> None:
        """Take in messages that the MTA holds at t = 0."""
        if int(self.group.counts["free_messages"][0]) < len(held):
            self._more_messages(len(held))
        if (needed := int(self.group.ends.numbers[0]) + len(held)) > len(self.group.ends.at_s):
            self._more_ends(needed)
        hold(self.group, held)

    def advance(self, until_s: float) -> Iterator[Happened]:
        """Let happen what happens before a moment; yield it piece by piece."""
        yield from self._called(lambda: step.advance(self.group, until_s, fields.UNLIMITED))

    def advance_with(self, relay: Relay, until_s: float) -> Iterator[Happened]:
        """Do so together with the relay, until what that has handed over has to be taken."""
        runs, messages = len(relay.per_queue), len(relay.codes)
        yield from self._called(
            lambda: spool.advance_together(self.group, relay, until_s), runs, messages
        )

    def _called(
        self, call: Callable[[], int], runs: int = 0, messages: int = 0
    ) -> Iterator[Happened]:
        """Call a step until it is done; a batch may have so many runs and messages."""
        if self.group.queues["without_draws"].any():
            self._draw()
        while True:
            status = call()
            if status in (step.DONE, step.FULL, spool.HANDED):
                yield self._happened()
                counts = self.group.counts
                counts["reports"] = counts["starts"] = counts["connects"] = counts["full"] = 0
                if status != step.FULL:
                    return
            elif status == step.NO_DRAWS:
                self._draw()
                self._foresee()
            elif status == spool.NO_RUNS:
                self._make_runs(runs, messages)
            else:
                self._make_room()

    def _happened(self) -> Happened:
        counts, out = self.group.counts[0], self.group.out
        return Happened(
            out.reports[: counts["reports"]],
            out.starts[: counts["starts"]],
            out.connects[: counts["connects"]],
        )

    def _draw(self) -> None:
        """Draw anew what is used up, or most of it: each call of the step costs more."""
        _, streams, draws = self.group.chance
        for number in np.flatnonzero(2 * streams["at"] >= streams["end"]).tolist():
            at, end = streams[number].item()
            size = min(self._sizes[number], draws.shape[1])
            draws[number, : end - at] = draws[number, at:end]
            draws[number, end - at : size] = self._samples[number](size - end + at)
            streams[number] = (0, size)
            self._sizes[number] = 2 * size
        self.group.queues["without_draws"] = 0

    def _foresee(self) -> None:
        """Draw the disturbances until after what happens next."""
        foreseen_s = self.group.queues["foreseen_until_s"].min()
        if foreseen_s < np.inf and foreseen_s <= (next_s := self.next_event_s):
            self.group = self._disturbances.extended(self.group, next_s)

    def _make_runs(self, more: int, messages: int) -> None:
        """Make room for more runs of new messages, and for the places of these."""
        ever, oldest, places_ever = self.group.runs.numbers.tolist()
        runs, places, people, numbers = self.group.runs
        first_place = places_ever
        if oldest < ever:
            first_place = int(runs["place"][oldest & (len(runs) - 1)])
        if ever - oldest + more > len(runs):
            runs = larger_ring(runs, oldest, ever, more)
            self.group = self.group._replace(runs=state.Runs(runs, places, people, numbers))
        if len(places) and places_ever - first_place + messages > len(places):
            places = larger_ring(places, first_place, places_ever, messages)
            if len(people):
                people = larger_ring(people, first_place, places_ever, messages)
            self.group = self.group._replace(runs=state.Runs(runs, places, people, numbers))
        needed = int(self.group.ends.numbers[0]) + more + 8
        if needed > len(self.group.ends.at_s):
            self._more_ends(needed)

    def _more_ends(self, needed: int) -> None:
        room = power_of_two(2 * needed)
        ends = self.group.ends
        self.group = self.group._replace(
            ends=ends._replace(
                at_s=longer(ends.at_s, room),
                order=longer(ends.order, room),
                what=longer(ends.what, room),
                stamp=longer(ends.stamp, room),
            )
        )

    def _make_room(self) -> None:
        """Make room for what has none."""
        self.tally.make_room(MOST_COUNTS)
        if self.tally.counters.table is not self.group.counters.table:
            self.group = self.group._replace(counters=self.tally.counters)
        if self.group.counts["free_messages"][0] == 0:
            self._more_messages(1)
        size, *_, needed = self.group.ends.numbers.tolist()
        if max(2 * size, needed) >= len(self.group.ends.at_s):
            self._more_ends(max(needed, len(self.group.ends.at_s)))

    def _more_messages(self, needed: int) -> None:
        """Make room for messages: twice as much, or more."""
        group, counts = self.group, self.group.counts
        old, free = len(group.messages), int(counts["free_messages"][0])
        room = power_of_two(old + max(needed - free, 1))
        numbers = longer(group.free_messages, room)
        numbers[free : free + room - old] = np.arange(old, room)[::-1]
        counts["free_messages"] = free + room - old
        backoff = group.backoff
        self.group = group._replace(
            messages=longer(group.messages, room),
            free_messages=numbers,
            backoff=backoff._replace(
                at_s=longer(backoff.at_s, room),
                order=longer(backoff.order, room),
                message=longer(backoff.message, room),
            ),
        )
