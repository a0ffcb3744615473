"""All provider queues: those that share something in one group, the others each in their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sendcap.model.kernel import state
from sendcap.model.queue_group import Happened, QueueGroup
from sendcap.model.relay import Relay
from sendcap.model.shared import Shared
from sendcap.model.tally import Tally

_MOST_GROUPS: Final = 16
"""More groups cost more than they save: each is advanced by a call of its own."""


class Queues:
    """The queues of the MTA, behind the ingress."""

    def __init__(self, shared: Shared, relay: Relay) -> None:
        self._relay = relay
        names = shared.providers
        # The spool couples all of them, by way of the relay.
        self._together = shared.scenario.mta.spool is not None
        groups = 1 if self._together else min(len(names), _MOST_GROUPS)
        self._groups = [QueueGroup(shared, names[number::groups]) for number in range(groups)]

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
        """Take in what the relay hands over before a moment; return up to when it has.

        That is earlier if there is much of it, so that it takes little memory.
        """
        if self._together:
            return until_s
        done = self._relay.advance(until_s)
        self._receive(self._relay.taken())
        return until_s if done else self._relay.next_event_s

    def _receive(self, handed: state.Records) -> None:
        groups = len(self._groups)
        places = self._relay.state.places
        for number, group in enumerate(self._groups):
            part = handed[handed["queue"] % groups == number] if groups > 1 else handed
            if len(part):
                part["queue"] //= groups
                group.receive(part, places)

    def advance(self, until_s: float) -> Iterator[Happened]:
        """Let happen what happens before a moment; yield it piece by piece."""
        if self._together:
            yield from self._advance_together(until_s)
            return
        for group in self._groups:
            yield from group.advance(until_s)

    def _advance_together(self, until_s: float) -> Iterator[Happened]:
        group, relay = self._groups[0], self._relay
        while min(group.next_event_s, relay.next_event_s) < until_s:
            yield from group.advance_with(relay.state, until_s)
            relay.taken()
