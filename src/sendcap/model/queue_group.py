"""A group of provider queues: the state of the compiled step, and the calls of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np

from sendcap.model.feedback import sample_asynchronous
from sendcap.model.kernel import fields, happened, spool, state, step
from sendcap.model.kernel.pointer import by_pointer
from sendcap.model.kernel.relay_state import Relay
from sendcap.model.kernel.tally import MOST_COUNTS
from sendcap.model.queue_rows import QueueRows
from sendcap.model.records import larger_ring, longer, power_of_two
from sendcap.model.retry_numbers import retry_numbers
from sendcap.model.shared import Shared
from sendcap.model.turns import first_turns
from sendcap.scenario import FOLLOWED_S, Constant, Queue

_FIRST_BLOCK: Final = 1 << 7
_LARGEST_BLOCK: Final = 1 << 13
_ALL_DRAWS: Final = 1 << 19
"""Draws that a group keeps, of all streams together."""
_ROWS: Final = 1 << 14
_NO_ROWS: Final = 4
_FIRST_ROOM: Final = 1 << 9
_DAY_S: Final = 64.0
_DAYS: Final = 1 << 13


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
        self._sizes = [_FIRST_BLOCK] * len(self._samples)
        self.tally = shared.tally.another()
        group = _group(shared, rows, batches, len(self._samples), self.tally.counters)
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
                counts["reports"] = counts["starts"] = counts["connects"] = 0
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
        """Draw anew what is used up."""
        _, streams, draws = self.group.chance
        for number in np.flatnonzero(streams["at"] == streams["end"]).tolist():
            size = min(self._sizes[number], draws.shape[1])
            draws[number, :size] = self._samples[number](size)
            streams[number] = (0, size)
            self._sizes[number] = 2 * size
        self.group.queues["without_draws"] = 0

    def _foresee(self) -> None:
        """Draw the disturbances until after what happens next."""
        next_s = self.next_event_s
        if (self.group.queues["foreseen_until_s"] <= next_s).any():
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
        if self.tally.counters.counts is not self.group.counters.counts:
            self.group = self.group._replace(counters=self.tally.counters)
        group, counts = self.group, self.group.counts
        if counts["free_messages"][0] == 0:
            old = len(group.messages)
            room = 2 * old
            free = np.zeros(room, np.int32)
            free[:old] = np.arange(old, room)[::-1]
            counts["free_messages"] = old
            backoff = group.backoff
            self.group = group._replace(
                messages=longer(group.messages, room),
                free_messages=free,
                backoff=backoff._replace(
                    at_s=longer(backoff.at_s, room),
                    order=longer(backoff.order, room),
                    message=longer(backoff.message, room),
                ),
            )
        if 2 * group.ends.numbers[0] >= len(group.ends.at_s):
            self._more_ends(len(group.ends.at_s))


def _group(
    shared: Shared,
    rows: QueueRows,
    batches: state.Batches,
    streams: int,
    counters: state.Counters,
) -> state.Group:
    """Return the state of a group in which nothing has happened."""
    scenario = shared.scenario
    connections = rows.connections()
    disturbances, windows_s = rows.disturbances.numbers()
    counts = np.zeros(1, fields.COUNTS)
    counts["free_messages"] = _FIRST_ROOM
    counts["most_active"] = scenario.mta.active or 0
    counts["incoming_lane"] = fields.NONE
    players = len(rows.queues) + len(rows.shared.rows) + (scenario.mta.active is not None)
    block = power_of_two(max(_FIRST_BLOCK, min(_LARGEST_BLOCK, _ALL_DRAWS // streams)))
    wanted = _wanted(shared)
    return state.Group(
        counts=counts,
        queues=rows.records(),
        lanes=rows.lanes.records(),
        lane_of=rows.lanes.lane_of(),
        rounds=np.array(rows.rounds, np.int32),
        turns=first_turns(players),
        connections=connections,
        messages=np.zeros(_FIRST_ROOM, fields.MESSAGE),
        free_messages=np.arange(_FIRST_ROOM, dtype=np.int32)[::-1].copy(),
        busy=_none_busy(shared, rows, len(connections)),
        backoff=_none_backing_off(),
        ends=state.Ends(
            at_s=np.zeros(_FIRST_ROOM),
            order=np.zeros(_FIRST_ROOM, np.int64),
            what=np.zeros(_FIRST_ROOM, np.int64),
            stamp=np.zeros(_FIRST_ROOM, np.int64),
            numbers=np.zeros(2, np.int64),
        ),
        runs=state.Runs(
            runs=np.zeros(_FIRST_ROOM, fields.RUN),
            places=np.zeros(_FIRST_ROOM if shared.needs_places else 0, np.int32),
            people=np.zeros(_FIRST_ROOM if scenario.population else 0, np.int32),
            numbers=np.zeros(3, np.int64),
        ),
        limits=rows.limits.numbers(rows.limit_of),
        shared=rows.shared.numbers(),
        chance=rows.chance(streams, block),
        addresses=rows.addresses(),
        people=shared.people,
        waiting_for=np.array(rows.waiting_for or [0], np.int64),
        disturbances=disturbances,
        windows_s=windows_s,
        retry=retry_numbers(rows.retries),
        batches=batches,
        followed_until_s=np.array([each.at + FOLLOWED_S for each in scenario.deliveries]),
        counters=counters,
        wanted=wanted,
        out=_none_out(wanted),
    )


def _none_backing_off() -> state.Backoff:
    return state.Backoff(
        at_s=np.zeros(_FIRST_ROOM),
        order=np.zeros(_FIRST_ROOM, np.int64),
        message=np.zeros(_FIRST_ROOM, np.int32),
        first=np.full(_DAYS, fields.NONE, np.int32),
        day_s=np.array([_DAY_S]),
        numbers=np.array([0, 0, -1, 0]),
    )


def _wanted(shared: Shared) -> state.Records:
    """Return what is wanted of what happens, besides the counts."""
    feedback, monitor = shared.scenario.feedback, shared.monitor
    wanted = np.zeros(1, happened.WANTED)
    kept = feedback.rate is not None or shared.log is not None
    if kept or monitor is not None or shared.follows:
        wanted["reports"] = happened.ALL_REPORTS
    elif shared.scenario.population is not None:
        wanted["reports"] = happened.NEWS
    wanted["starts"] = monitor is not None
    wanted["known"] = feedback.rate is None
    wanted["polling_s"] = feedback.polling or 0.0
    return wanted


def _none_out(wanted: state.Records) -> state.Out:
    reports = _ROWS if wanted["reports"][0] else _NO_ROWS
    starts = _ROWS if wanted["starts"][0] else _NO_ROWS
    return state.Out(
        reports=np.zeros(reports, happened.REPORT),
        starts=np.zeros(starts, happened.START),
        connects=np.zeros(starts, happened.CONNECT_ROW),
    )


def _none_busy(shared: Shared, rows: QueueRows, connections: int) -> state.Busy:
    scenario = shared.scenario
    names = [shared.providers[row["provider"]] for row in rows.queues]
    mean_s = float(np.mean([scenario.providers[name].transaction_time.mean_s for name in names]))
    buckets = power_of_two(max(4, connections))
    return state.Busy(
        first=np.full(buckets, fields.NONE, np.int32),
        last=np.full(buckets, fields.NONE, np.int32),
        per_s=np.array([connections / max(mean_s, 1e-3)]),
        numbers=np.array([0, fields.NONE, 0]),
    )
