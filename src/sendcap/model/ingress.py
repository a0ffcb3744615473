"""The MTA's ingress: takes the messages in, one after the other, and sorts them by provider."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import simpy

from sendcap.model.addresses import Addresses
from sendcap.model.batches import Batches
from sendcap.model.kernel.servers import pass_through
from sendcap.model.messages import Handover, NewMessages
from sendcap.model.monitor import StageMonitor
from sendcap.model.station import Station, Window
from sendcap.scenario import Rate


class Ingress(Station):
    """One first-in-first-out server in front of the providers' queues.

    Without a rate, messages pass at once. Addresses are by delivery and provider.
    """

    def __init__(
        self,
        env: simpy.Environment,
        rate: Rate | None,
        batches: Batches,
        addresses: Callable[[int, int], Addresses],
        queues: Sequence[Station],
        expiries: Sequence[Station],
        monitor: StageMonitor | None,
    ) -> None:
        super().__init__(env)
        self._monitor = monitor
        self._service_s = 0.0 if rate is None else 1.0 / rate.per_s
        self._batches = batches
        self._addresses = addresses
        self._queues = queues
        self._expiries = expiries
        self._free_at_s = np.array([-np.inf])
        self._leaving: list[list[NewMessages]] = [[] for _ in queues]

    @property
    def next_event_s(self) -> float:
        """When the next message leaves."""
        return min((float(parts[0].ready_s[0]) for parts in self._leaving if parts), default=np.inf)

    def receive(self, item: Handover | Window) -> None:
        """Take messages in; at the end of a window's messages, pass on what leaves in it."""
        if isinstance(item, Handover):
            self._take_in(item)
        else:
            for parts, queue in zip(self._leaving, self._queues, strict=True):
                queue.inbox.put((item, _take_ready(parts, item.end_s)))

    def _take_in(self, handover: Handover) -> None:
        leaves_s = self._batches.relayed_s[handover.batch]
        if self._service_s > 0.0:
            relayed_s, leaves_s = leaves_s, np.empty_like(leaves_s)
            pass_through(relayed_s, self._service_s, self._free_at_s, leaves_s)
            if self._monitor is not None:
                start_s = np.maximum(leaves_s - self._service_s, relayed_s)
                self._monitor.arrived(relayed_s)
                self._monitor.waited(relayed_s, start_s)
                self._monitor.worked(start_s, leaves_s)
        for provider, chosen in enumerate(_by_code(handover.provider, len(self._queues))):
            if len(chosen):
                new = NewMessages(
                    leaves_s[chosen],
                    handover.batch[chosen],
                    self._addresses(handover.delivery, provider).kinds(len(chosen)),
                    None if handover.message is None else handover.message[chosen],
                )
                self._pass_on(provider, new)

    def _pass_on(self, provider: int, new: NewMessages) -> None:
        """Pass on messages, but for those that expire before they leave."""
        late = new.ready_s > self._batches.expiry_s[new.batch]
        if late.any():
            # They take their turn all the same: the server does not look at the validity.
            expired = new.part(np.flatnonzero(late)).tried()
            batch = expired["batch"]
            expired["ready_s"] = np.maximum(
                self._batches.expiry_s[batch], self._batches.relayed_s[batch]
            )
            self._expiries[provider].inbox.put(expired)
            new = new.part(np.flatnonzero(~late))
        if len(new):
            self._leaving[provider].append(new)


def _by_code(codes: npt.NDArray[np.int16], count: int) -> list[npt.NDArray[np.int64]]:
    """Return the places of each code, ascending."""
    # A stable sort of small integers is a radix sort: its time is linear.
    order = np.argsort(codes.astype(np.uint8) if count <= 256 else codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes, minlength=count))[:-1])


def _take_ready(parts: list[NewMessages], until_s: float) -> list[NewMessages]:
    """Take the messages that are ready before ``until_s`` off the front."""
    taken: list[NewMessages] = []
    while parts and parts[0].ready_s[0] < until_s:
        part = parts[0]
        ready = int(np.searchsorted(part.ready_s, until_s))
        taken.append(part.part(slice(0, ready)))
        if ready < len(part):
            parts[0] = part.part(slice(ready, None))
            break
        del parts[0]
    return taken
