"""The relay and the ingress: Campaign hands the messages over to the MTA, batch by batch."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from sendcap.model.batches import BatchRows, batch_rows, no_batches, with_batches
from sendcap.model.kernel import relay as kernel
from sendcap.model.kernel import relay_state, state
from sendcap.model.kernel.pointer import by_pointer
from sendcap.model.limit_rows import LimitRows
from sendcap.model.people.preparation import Rosters
from sendcap.model.records import longer, trials
from sendcap.model.relay_lines import Line, lines_of
from sendcap.model.rounds import round_of
from sendcap.model.shared import Shared
from sendcap.scenario import Delivery, Queue, Rate, Scenario

_ROOM: Final = 1 << 18
"""Runs of messages of one batch to one provider that are handed over at a time, or their places."""


_OF_BATCHES: Final = ("size", "batch_time_s", "started")
"""What the relay knows of each batch, besides what the queues know too."""


class Relay:
    """Workers that hand over the batches of all deliveries, and the server that takes them in."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        lines = list(lines_of(shared.scenario))
        self._line_of = np.zeros(len(shared.scenario.deliveries), np.int64)
        for number, line in enumerate(lines):
            self._line_of[line.deliveries] = number
        self.batches = no_batches(shared.scenario)
        self.state = by_pointer(_state(shared, lines, self.batches))
        self._count = 0  # batches
        self._batch_time = shared.streams.generator("batch time")
        self._watched = 0  # batches that the monitor has seen
        if shared.scenario.population is None:
            deliveries = shared.scenario.deliveries
            self.add(np.array([_counts(shared, each) for each in deliveries], np.int64))

    @property
    def next_event_s(self) -> float:
        """When the next batch can start or end, or has ended if that has not been taken yet."""
        if self.state.relay["handed"][0]:
            return float(self.batches.relayed_s[self.state.handed["batch"][0]])
        return min(kernel.next_start_s(self.state), kernel.next_hand_over_s(self.state))

    @property
    def failed(self) -> int:
        """Messages that failed before they were handed over."""
        return int(self.state.relay["failed"][0])

    def prepared(self, rosters: Rosters) -> None:
        """Add the batches of a sending, and the people whom they go to."""
        shared, relay = self._shared, self.state
        counts = np.zeros_like(relay.left)
        pieces: dict[tuple[int, int], state.Numbers] = {}
        for delivery, path in np.argwhere(relay.left > 0).tolist():
            first = relay.next_person[delivery, path]
            pieces[delivery, path] = relay.roster[first : first + relay.left[delivery, path]]
        for delivery, people in rosters.parts.items():
            pool = shared.scenario.pool_of(shared.scenario.deliveries[delivery])
            paths = [number for number, path in enumerate(shared.paths) if path.pool == pool]
            counts[delivery, paths] = rosters.counts[delivery]
            parts = np.split(people, np.cumsum(rosters.counts[delivery])[:-1])
            pieces |= {(delivery, path): part for path, part in zip(paths, parts, strict=True)}
        first = 0
        for place, people in pieces.items():
            relay.next_person[place] = first
            first += len(people)
        if counts.any():
            self.add(counts, roster=np.concatenate(list(pieces.values())))

    def add(self, counts: state.Ints, **known: Any) -> None:
        """Add the batches of so many messages, for each delivery and path; know more besides."""
        scenario, state = self._shared.scenario, self.state
        sums = counts.sum(axis=1)
        rows = batch_rows(scenario, sums.tolist())
        first, self._count = self._count, self._count + len(rows.size)
        self.batches = with_batches(self.batches, first, rows)
        grown = self._grown()
        times_s = scenario.relay.batch_time.sample(self._batch_time, len(rows.size))
        grown["size"][first : self._count] = rows.size
        grown["batch_time_s"][first : self._count] = times_s
        given = sums > 0
        state.left[given] = counts[given]
        state.tickets[given, 1:] = counts[given].cumsum(axis=1)
        state.audience["until_next"][given] = sums[given] // 4
        in_line, next_in_line, end_of_line = self._in_lines(first)
        self.state = state._replace(
            batches=self.batches,
            in_line=in_line,
            next_in_line=next_in_line,
            end_of_line=end_of_line,
            **grown,
            **known,
        )
        if self._shared.monitor is not None:
            self._shared.monitor.relay.arrived(rows.ready_s, rows.size)

    def hold(self, rows: BatchRows) -> int:
        """Add batches that the MTA has since before t = 0; return the number of the first."""
        scenario = self._shared.scenario
        first, self._count = self._count, self._count + len(rows.size)
        self.batches = with_batches(self.batches, first, rows)
        added = slice(first, self._count)
        self.batches.relayed_s[added] = rows.ready_s
        validity_s = scenario.honoured_validity(scenario.deliveries[rows.delivery[0]])
        self.batches.expiry_s[added] = rows.ready_s + validity_s
        self.state = self.state._replace(batches=self.batches, **self._grown())
        return first

    def _grown(self) -> dict[str, Any]:
        """Return what the relay alone knows of its batches, with room for all of them."""
        room = len(self.batches.delivery)
        known = {name: getattr(self.state, name) for name in _OF_BATCHES}
        return {
            name: array if len(array) == room else longer(array, room)
            for name, array in known.items()
        }

    def _in_lines(self, first: int) -> tuple[state.Ints, state.Ints, state.Ints]:
        """Return the batches that wait in each line, with new ones from a number on."""
        relay = self.state
        spans = zip(relay.next_in_line.tolist(), relay.end_of_line.tolist(), strict=True)
        waiting = [relay.in_line[begin:end] for begin, end in spans]
        numbers = np.concatenate((*waiting, np.arange(first, self._count)))
        line = self._line_of[self.batches.delivery[numbers]]
        order = np.lexsort((numbers, self.batches.ready_s[numbers], line))
        counts = np.bincount(line, minlength=len(waiting))
        ends = np.cumsum(counts)
        return numbers[order], ends - counts, ends

    def advance(self, until_s: float) -> bool:
        """Hand over the batches that end before a moment; return False if that is too much.

        What has been handed over has to be taken.
        """
        return kernel.hand_over_until(self.state, until_s)

    def taken(self) -> state.Records:
        """Return what has been handed over since the last time, counted."""
        handed = self.state.handed[: self.state.relay["handed"][0]].copy()
        shared = self._shared
        if len(handed):
            shared.tally.handed_over(self.state)
            if shared.log is not None:
                shared.log.handed_over(self.state)
        if shared.monitor is not None:
            self._watch(handed)
        self.state.relay["handed"] = self.state.relay["places"] = 0
        return handed

    def _watch(self, handed: state.Records) -> None:
        """Show the monitor the batches that have started, and who passes the ingress."""
        monitor, batches, relay = self._shared.monitor, self.state.batches, self.state
        assert monitor is not None
        until = int(relay.relay["started"][0])
        started = relay.started[self._watched : until]
        self._watched = until
        ends_s = batches.relayed_s[started]
        monitor.relay.worked(ends_s - relay.batch_time_s[started], ends_s)
        monitor.relay.waited(batches.ready_s[started], ends_s, relay.size[started])
        leaves_s, relayed_s = self.ready_s(handed)
        if batches.service_s[0] > 0.0:
            start_s = np.maximum(leaves_s - batches.service_s[0], relayed_s)
            monitor.ingress.arrived(relayed_s)
            monitor.ingress.waited(relayed_s, start_s)
            monitor.ingress.worked(start_s, leaves_s)
        expiry_s = np.repeat(batches.expiry_s[handed["batch"]], handed["count"])
        paths = np.repeat(handed["path"], handed["count"])
        for number in np.unique(paths).tolist():
            chosen = (paths == number) & (leaves_s <= expiry_s)
            monitor.queue(self._shared.paths[number].name).arrived(leaves_s[chosen])

    def ended(self) -> None:
        """Show the monitor which messages have waited until their delivery was stopped."""
        monitor, batches, relay = self._shared.monitor, self.state.batches, self.state
        if monitor is None:
            return
        stop_s = [each.stop for each in self._shared.scenario.deliveries]
        stops_s = np.array([np.inf if each is None else each for each in stop_s])
        known = slice(0, self._count)
        left_s = np.maximum(stops_s[batches.delivery[known]], batches.ready_s[known])
        left_s[relay.started[: relay.relay["started"][0]]] = np.inf
        stopped = left_s < np.inf
        monitor.relay.gave_up(left_s[stopped], relay.size[known][stopped])

    def ready_s(self, handed: state.Records) -> tuple[state.Floats, state.Floats]:
        """Return when each message leaves the ingress, and when it was relayed."""
        batches = self.state.batches
        batch = np.repeat(handed["batch"], handed["count"])
        relayed_s = batches.relayed_s[batch]
        if batches.service_s[0] == 0.0:
            return relayed_s, relayed_s
        places = self.state.places[: len(batch)]
        return batches.leaves_s[batch] + (places + 1) * batches.service_s[0], relayed_s


def _state(shared: Shared, lines: Sequence[Line], batches: state.Batches) -> relay_state.Relay:
    """Return the state of a relay without batches."""
    scenario, streams = shared.scenario, shared.streams
    relay, mta, deliveries = scenario.relay, scenario.mta, scenario.deliveries
    limits = LimitRows()
    paths, rounds = _paths(shared)
    held = [list(line.held_s) for line in lines]
    left = np.zeros((len(deliveries), len(paths)), np.int64)
    validity_s = np.array([scenario.honoured_validity(delivery) for delivery in deliveries])
    deadline_s = np.array([delivery.at for delivery in deliveries]) + validity_s
    audience = trials(
        [streams.key("audience", delivery=each.name) for each in deliveries],
        [0.0] * len(deliveries),
    )
    largest, queues = max(map(scenario.batch_of, deliveries)), len(shared.queues)
    record, room = _record(scenario, limits), max(_ROOM, 2 * largest)
    # A run has one message at least. Of a small scenario, room for many takes longest to get.
    most = _ROOM if scenario.population else sum(each.messages for each in deliveries)
    return relay_state.Relay(
        relay=record,
        batches=batches,
        limits=limits.numbers([]),
        in_line=np.zeros(0, np.int64),
        next_in_line=np.zeros(len(lines), np.int64),
        end_of_line=np.zeros(len(lines), np.int64),
        rank=np.array([line.rank for line in lines]),
        held_s=np.array([time for times in held for time in times]).reshape(-1, 2),
        first_held=np.cumsum([0, *map(len, held)]),
        started=np.zeros(0, np.int64),
        size=np.zeros(0, np.int64),
        batch_time_s=np.zeros(0),
        validity_s=validity_s,
        deadline_s=np.where(mta.clock_origin == "relayed", np.inf, deadline_s),
        ends_s=np.zeros(relay.workers),
        under_way=np.zeros(relay.workers, np.int64),
        tickets=np.zeros((len(deliveries), len(paths) + 1), np.int64),
        left=left,
        numbers=np.zeros(len(deliveries), np.int64),
        audience=audience,
        failures=trials(
            [streams.key("relay failure", delivery=each.name) for each in deliveries],
            [relay.error_rate] * len(deliveries),
        ),
        roster=np.zeros(0, np.int32),
        next_person=np.zeros(left.shape, np.int64),
        paths=paths,
        rounds=rounds,
        path_of=np.repeat(
            np.arange(len(paths), dtype=np.int32),
            [_queues(scenario, path) for path in shared.paths],
        ),
        per_queue=np.zeros(queues, np.int64),
        failed_per_queue=np.zeros(queues, np.int64),
        per_path=np.zeros(len(paths), np.int64),
        codes=np.zeros(largest, np.int32),
        handed=np.zeros(max(min(_ROOM, most), 2 * min(queues, largest)), relay_state.HANDED),
        places=np.zeros(room if shared.needs_places else 0, np.int32),
        people=np.zeros(room if scenario.population else 0, np.int32),
    )


def _record(scenario: Scenario, limits: LimitRows) -> state.Records:
    """Return the record of a relay that has done nothing; a schedule is the first of the limits."""
    relay, mta = scenario.relay, scenario.mta
    record = np.zeros(1, relay_state.RELAY)
    record["idle"], record["room"] = relay.workers, mta.spool or np.inf
    record["arrival_s"] = record["free_s"] = -np.inf
    record["fair"] = mta.order == "fair"
    if isinstance(relay.rate, Rate):
        record["interval_s"], record["burst"] = 1.0 / relay.rate.per_s, relay.rate.burst_or_limit
    elif relay.rate is not None:
        record["scheduled"] = 1
        limits.add(relay.rate, 1)
    return record


def _paths(shared: Shared) -> tuple[state.Records, state.Numbers]:
    """Return the ways from a pool to a provider, and the rounds of the addresses of each."""
    scenario = shared.scenario
    turns = [round_of(scenario, path) for path in shared.paths]
    paths = np.zeros(len(shared.paths), relay_state.PATH)
    paths["provider"] = [shared.providers.index(path.provider) for path in shared.paths]
    queues = [_queues(scenario, path) for path in shared.paths]
    paths["first_queue"] = np.cumsum(queues) - queues
    paths["round"] = [len(each) for each in turns]
    paths["first_in_round"] = np.cumsum(paths["round"]) - paths["round"]
    return paths, np.array([address for each in turns for address in each], np.int32)


def _queues(scenario: Scenario, path: Queue) -> int:
    """Return the number of queues of a way: one for each address, or one."""
    return path.ips if scenario.mta.queues == "per-ip" else 1


def _counts(shared: Shared, delivery: Delivery) -> list[int]:
    """Return the messages of a delivery on each path."""
    if delivery.is_held:
        return [0] * len(shared.paths)
    counts, pool = delivery.counts(), shared.scenario.pool_of(delivery)
    return [counts.get(path.provider, 0) if pool == path.pool else 0 for path in shared.paths]
