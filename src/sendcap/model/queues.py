"""All provider queues: those that share something in one group, the others each in their own."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from sendcap.model.kernel import state
from sendcap.model.queue_group import Happened, QueueGroup
from sendcap.model.relay import Relay
from sendcap.model.shared import Shared
from sendcap.model.tally import Tally
from sendcap.scenario import Queue

_MOST_GROUPS: Final = 16
"""More groups cost more than they save: each is advanced by a call of its own."""


class Queues:
    """The queues of the MTA, behind the ingress."""

    def __init__(self, shared: Shared, relay: Relay) -> None:
        self._relay = relay
        self._threads: ThreadPoolExecutor | None = None
        # The spool couples all of them, by way of the relay.
        self._together = shared.scenario.mta.spool is not None
        group_of = np.zeros(len(shared.queues), np.int64)
        if not self._together and shared.scenario.mta.active is None:
            group_of = np.array(_coupled(shared)) % _MOST_GROUPS
        count = int(group_of.max()) + 1
        members = [np.flatnonzero(group_of == number).tolist() for number in range(count)]
        self._group_of, self._place = group_of, np.zeros(len(group_of), np.int64)
        for numbers in members:
            self._place[numbers] = np.arange(len(numbers))
        self._groups = [QueueGroup(shared, numbers, relay.batches) for numbers in members]
        self._told = [0] * count  # reports of each group in the window before
        # What is sent depends on what is known of people then: the relay cannot go ahead.
        self._goes_ahead = shared.scenario.population is None

    @contextmanager
    def in_threads(self, threads: int) -> Iterator[None]:
        """Let groups be advanced by so many threads, while the relay goes ahead.

        The compiled steps hold no lock of Python.
        """
        if threads == 1 or self._together:
            yield
            return
        with ThreadPoolExecutor(threads, "sendcap") as self._threads:
            yield
        self._threads = None

    @property
    def next_event_s(self) -> float:
        """When something happens next, as things stand."""
        return min(group.next_event_s for group in self._groups)

    @property
    def told(self) -> int:
        """Reports ever."""
        return sum(group.told for group in self._groups)

    @property
    def tallies(self) -> list[Tally]:
        """What has been counted in each group."""
        return [group.tally for group in self._groups]

    @property
    def final(self) -> int:
        """Messages that are final."""
        return sum(group.final for group in self._groups)

    def hand_over(self, until_s: float) -> float:
        """Take in what the relay hands over before a moment, or later; return up to when it has.

        That is earlier if there is much of it, so that it takes little memory.
        """
        if self._together:
            return until_s
        done = self._relay.advance(until_s)
        self._receive(self._relay.taken())
        return until_s if done else self._relay.next_event_s

    def _receive(self, handed: state.Records) -> None:
        group_of = self._group_of[handed["queue"]]
        handed["queue"] = self._place[handed["queue"]]
        for number, group in enumerate(self._groups):
            part = handed[group_of == number] if len(self._groups) > 1 else handed
            if len(part):
                group.receive(part, self._relay.state)

    def hold(self, held: state.Records) -> None:
        """Take in messages that the MTA holds at t = 0."""
        self.know_batches()
        queue = held["queue"].copy()
        held["queue"] = self._place[queue]
        for number, group in enumerate(self._groups):
            part = held[self._group_of[queue] == number]
            if len(part):
                group.hold(part)

    def know_batches(self) -> None:
        """Take in what the relay knows of its batches."""
        for group in self._groups:
            if group.group.batches is not self._relay.batches:
                group.group = group.group._replace(batches=self._relay.batches)

    def advance(self, now_s: float, until_s: float) -> Iterator[Happened]:
        """Let happen what happens before a moment; yield it piece by piece."""
        if self._together:
            yield from self._advance_together(until_s)
        elif self._threads is not None:
            yield from self._advance_in(self._threads, now_s, until_s)
        else:
            for group in self._groups:
                yield from group.advance(until_s)

    def _advance_in(
        self, threads: ThreadPoolExecutor, now_s: float, until_s: float
    ) -> Iterator[Happened]:
        """Do so in threads; meanwhile the relay does what it does in a window more."""
        before = [group.told for group in self._groups]
        # What takes longest comes first, as it did in the window before.
        order = sorted(range(len(before)), key=self._told.__getitem__, reverse=True)
        ahead_s = 2.0 * until_s - now_s if self._goes_ahead else until_s
        calls = {}
        for number in order:
            calls[number] = threads.submit(_advanced, self._groups[number], until_s)
            if number == order[0]:
                ahead = threads.submit(self._relay.advance, ahead_s)
        for number in range(len(before)):
            yield from calls[number].result()
        ahead.result()
        self._told = [group.told - told for group, told in zip(self._groups, before, strict=True)]

    def _advance_together(self, until_s: float) -> Iterator[Happened]:
        group, relay = self._groups[0], self._relay
        while min(group.next_event_s, relay.next_event_s) < until_s:
            yield from group.advance_with(relay.state, until_s)
            relay.taken()


def _advanced(group: QueueGroup, until_s: float) -> list[Happened]:
    """Let happen in a group what happens before a moment, in a thread of its own."""
    # The group's room for reports is used again for each piece.
    return [Happened(*(rows.copy() for rows in piece)) for piece in group.advance(until_s)]


def _coupled(shared: Shared) -> list[int]:
    """Return a number for each queue, the same for those that share something."""
    queues, limits = shared.queues, shared.scenario.limits

    def whose(queue: Queue) -> Any:
        # The addresses of a pool take messages in turn, and retries too. The people of a provider
        # get messages from all pools, and what becomes of one tells what is news of another.
        return queue.provider if shared.scenario.population else (queue.provider, queue.pool)

    if not limits and len(queues) == len({whose(queue) for queue in queues}):
        return list(range(len(queues)))
    groups: list[tuple[set[Any], list[int]]] = []
    for number, queue in enumerate(queues):
        things: set[Any] = {whose(queue)}
        things |= {limit.name for limit in limits if limit.covers(queue)}
        members = [number]
        for group in [group for group in groups if group[0] & things]:
            things |= group[0]
            members += group[1]
            groups.remove(group)
        groups.append((things, members))
    in_order = sorted(min(members) for _, members in groups)
    number_of = {each: in_order.index(min(members)) for _, members in groups for each in members}
    return [number_of[number] for number in range(len(queues))]
