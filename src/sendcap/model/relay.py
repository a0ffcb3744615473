"""The relay: Campaign hands the messages over to the MTA, batch by batch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import simpy

from sendcap.ledger import Event
from sendcap.model.audience import Audience
from sendcap.model.batches import Batches
from sendcap.model.kernel.servers import hand_over
from sendcap.model.messages import Floats, Handover, Ints
from sendcap.model.monitor import StageMonitor
from sendcap.model.sending_log import SendingLog
from sendcap.model.spool import Spool
from sendcap.model.station import Station, Window
from sendcap.model.streams import Draws, Streams, Trials
from sendcap.model.tally import Tally
from sendcap.scenario import Delivery, Scenario

_PIECE = 1 << 16
"""Messages that are handed on at a time: their arrays fit a processor's cache."""


class _Sending:
    """A delivery at the relay."""

    def __init__(
        self, delivery: Delivery, providers: list[str], error_rate: float, streams: Streams
    ) -> None:
        name = delivery.name
        counts = delivery.counts()
        self.audience = Audience(
            np.array([counts.get(provider, 0) for provider in providers], np.int64),
            streams.generator("audience", delivery=name),
        )
        self.failures = Trials(error_rate, streams.generator("relay failure", delivery=name))
        self.handed_over = 0


class Relay(Station):
    """Workers that hand over the batches of all deliveries, in order of their start."""

    def __init__(
        self,
        env: simpy.Environment,
        scenario: Scenario,
        streams: Streams,
        batches: Batches,
        tally: Tally,
        providers: list[str],
        spool: Spool,
        ingress: Station,
        log: SendingLog | None,
        monitor: StageMonitor | None,
    ) -> None:
        super().__init__(env)
        self._monitor = monitor
        if monitor is not None:
            monitor.arrived(batches.ready_s, batches.size)
        relay = scenario.relay
        self._spool = spool
        self._tally = tally
        self._log = log
        self._ingress = ingress
        self._providers = len(providers)
        self._sendings = [
            _Sending(delivery, providers, relay.error_rate, streams)
            for delivery in scenario.deliveries
        ]
        self._batches = batches
        generator = streams.generator("batch time")
        self._batch_time_s = Draws(lambda count: relay.batch_time.sample(generator, count))
        self._free_at_s = np.full(relay.workers, -np.inf)
        self._worker = np.arange(relay.workers)
        self._throttle = np.array([-np.inf])
        self._interval_s = 0.0 if relay.rate is None else 1.0 / relay.rate.per_s
        self._burst = 0.0 if relay.rate is None else float(relay.rate.burst_or_limit)
        validity_s = np.array([delivery.honoured_validity for delivery in scenario.deliveries])
        at_s = np.array([delivery.at for delivery in scenario.deliveries])
        self._validity_s = validity_s
        self._deadline_s = (at_s + validity_s) if scenario.mta.clock_origin != "relayed" else None
        self._started = 0
        self._room = np.inf
        self._under_way: Ints = np.zeros(0, np.int64)
        self.failed = 0

    @property
    def next_event_s(self) -> float:
        """When the next batch can start or end."""
        soonest = np.inf
        if len(self._under_way):
            soonest = float(self._batches.relayed_s[self._under_way].min())
        if not self.over:
            size = float(self._batches.size[self._started])
            slack_s = max(self._burst - size, 0.0) * self._interval_s
            starts_s = max(
                float(self._batches.ready_s[self._started]),
                float(self._free_at_s[0]),
                float(self._throttle[0]) - slack_s,
            )
            if self._room < size:
                starts_s = max(starts_s, self._spool.more_room_s)
            soonest = min(soonest, starts_s)
        return soonest

    @property
    def over(self) -> bool:
        """Whether every batch has started."""
        return self._started == len(self._batches)

    def receive(self, window: Window) -> None:
        """Hand over the batches that end in the window."""
        self._start_batches(window)
        ends_s = self._batches.relayed_s[self._under_way]
        order = np.lexsort((self._under_way, ends_s))
        under_way = self._under_way[order]
        ended = int(np.searchsorted(ends_s[order], window.end_s))
        self._under_way = under_way[ended:]
        for piece in self._pieces(under_way[:ended]):
            self._hand_over(piece)
        self._ingress.inbox.put(window)

    def _start_batches(self, window: Window) -> None:
        from_s = window.start_s if self._spool.limited else -np.inf
        while not self.over:
            self._room = self._spool.room(window)
            first = self._started
            last = min(first + 4096, len(self._batches))
            ends_s = np.empty(last - first)
            started = hand_over(
                from_s,
                window.end_s,
                self._room,
                self._batches.ready_s[first:last],
                self._batches.size[first:last],
                self._batch_time_s.ahead(last - first)[: last - first],
                self._free_at_s,
                self._worker,
                self._throttle,
                self._interval_s,
                self._burst,
                ends_s,
            )
            numbers = np.arange(first, first + started)
            self._batches.relayed_s[numbers] = ends_s[:started]
            batch_time_s = self._batch_time_s.take(started)
            if self._monitor is not None:
                self._monitor.worked(ends_s[:started] - batch_time_s, ends_s[:started])
                self._monitor.waited(
                    self._batches.ready_s[numbers], ends_s[:started], self._batches.size[numbers]
                )
            if self._deadline_s is None:
                validity_s = self._validity_s[self._batches.delivery[numbers]]
                self._batches.expiry_s[numbers] = ends_s[:started] + validity_s
            else:
                self._batches.expiry_s[numbers] = self._deadline_s[self._batches.delivery[numbers]]
            self._under_way = np.concatenate((self._under_way, numbers))
            self._started += started
            self._spool.take(int(self._batches.size[numbers].sum()))
            if first + started < last:
                break

    def _pieces(self, batches: Ints) -> list[Ints]:
        """Split batches into runs of one delivery, none of them much larger than `_PIECE`."""
        if not len(batches):
            return []
        delivery = self._batches.delivery[batches]
        piece = np.cumsum(self._batches.size[batches]) // _PIECE
        cuts = np.flatnonzero((np.diff(delivery) != 0) | (np.diff(piece) != 0)) + 1
        return np.split(batches, cuts)

    def _hand_over(self, batches: Ints) -> None:
        """Hand over batches of one delivery."""
        delivery = int(self._batches.delivery[batches[0]])
        sending = self._sendings[delivery]
        sizes = self._batches.size[batches]
        count = int(sizes.sum())
        providers = sending.audience.take(count)
        place = np.repeat(np.arange(len(batches)), sizes)
        failed = sending.failures.take(count)
        relayed_s = self._batches.relayed_s[batches]
        message = None
        if self._log is not None:
            message = np.arange(sending.handed_over, sending.handed_over + count)
            self._log.handed_over(delivery, providers, relayed_s[place], message, failed)
        sending.handed_over += count
        if len(failed):
            self._count("relay_failed", delivery, place[failed], providers[failed], relayed_s)
            self.failed += len(failed)
            self._spool.free(relayed_s[place[failed]])
            kept = np.ones(count, np.bool_)
            kept[failed] = False
            place, providers = place[kept], providers[kept]
            message = None if message is None else message[kept]
        self._count("relayed", delivery, place, providers, relayed_s)
        self._ingress.inbox.put(
            Handover(delivery, providers, batches[place].astype(np.int32), message)
        )

    def _count(
        self,
        event: Event,
        delivery: int,
        place: Ints,
        providers: npt.NDArray[np.int16],
        relayed_s: Floats,
    ) -> None:
        """Count messages by provider; each has a place among the relayed batches."""
        queues = self._providers
        counts = np.bincount(place * queues + providers, minlength=len(relayed_s) * queues)
        for provider, column in enumerate(counts.reshape(-1, queues).T):
            if column.any():
                self._tally.add("happened", event, delivery, provider, relayed_s, weights=column)
