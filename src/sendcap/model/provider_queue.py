"""A provider's queue and its connections."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from typing import Any, NamedTuple

import numpy as np
import simpy

from sendcap.model.batches import Batches
from sendcap.model.connections import connections_of, held, next_s, reactions_of
from sendcap.model.given import Given
from sendcap.model.kernel.arrays import Done, Drawn, Reacted, Reactions, Waiting
from sendcap.model.kernel.queue import MORE_MESSAGES, WINDOW_DONE, serve
from sendcap.model.kernel.reacting import serve_reacting
from sendcap.model.messages import TRIED, Deliveries, Floats, Ints, NewMessages, Records, groups
from sendcap.model.monitor import StageMonitor
from sendcap.model.station import Station, Window
from sendcap.model.streams import Draws, Streams
from sendcap.model.tally import Tally
from sendcap.model.throttle import throttle_of
from sendcap.scenario import Scenario

_PIECE = 1 << 16
"""Messages per call of the kernel: their arrays fit a processor's cache."""
_GONE = -1
"""Kind of a message that has expired, and is still held by its connection or in line."""


class ProviderQueue(Station):
    """First in, first out, by ready time: new messages and retries alike.

    Its inbox takes the new messages of each window, the store ``retries`` those that fall due.
    """

    def __init__(
        self,
        env: simpy.Environment,
        number: int,
        name: str,
        scenario: Scenario,
        streams: Streams,
        batches: Batches,
        tally: Tally,
        recipients: Station,
        expiry: Station,
        retries: simpy.Store,
        monitor: StageMonitor | None,
    ) -> None:
        super().__init__(env)
        self._monitor = monitor
        self._number = number
        self._retries = retries
        self._batches = batches
        self._tally = tally
        self._recipients = recipients
        self._expiry = expiry
        provider = scenario.providers[name]
        self._connections = connections_of(provider, scenario.mta.ips)
        self._throttle = throttle_of(provider, scenario.mta.ips)
        self._reactions = reactions_of(scenario, name)
        # Messages that have expired but are still in line count where connections are scaled.
        self._counted_in_line = provider.connection_scaling != "none"
        connect = streams.generator("connect time", provider=name)
        transaction = streams.generator("transaction time", provider=name)
        self._connect_s = Draws(lambda count: provider.connect_time.sample(connect, count))
        self._transaction_s = Draws(
            lambda count: provider.transaction_time.sample(transaction, count)
        )
        self._new: deque[NewMessages] = deque()
        self._new_expiry_s: deque[float] = deque()  # a lower bound for each of self._new
        self._set_tried(np.zeros(0, TRIED))
        self._held: Records = np.zeros(0, TRIED)

    @property
    def next_event_s(self) -> float:
        """Earliest time when a message can be taken or started, is done, or expires."""
        ready_s = self._new[0].ready_s[0] if self._new else np.inf
        if len(self._tried):
            ready_s = min(ready_s, self._tried_ready_s[0])
        soonest_s = next_s(ready_s, self._connections, self._reactions)
        waiting = (self._tried["batch"][self._tried["kind"] != _GONE], self._being_connected())
        expiries_s = [self._batches.expiry_s[batch].min(initial=np.inf) for batch in waiting]
        return float(min(soonest_s, *expiries_s, *self._new_expiry_s))

    def _work(self) -> Generator[simpy.Event, Any, None]:
        while True:
            window, new = yield self.inbox.get()
            due = yield self._retries.get()
            self._take_in(new, due)
            while self._serve(window) != WINDOW_DONE:
                pass
            self._drop_expired(window)
            self._recipients.inbox.put(window)

    def _take_in(self, new: list[NewMessages], due: Records) -> None:
        for piece in _pieces(new):
            self._new.append(piece)
            self._new_expiry_s.append(float(self._batches.expiry_s[piece.batch].min()))
            if self._monitor is not None:
                self._monitor.arrived(piece.ready_s)
        if len(due):
            if self._monitor is not None:
                self._monitor.arrived(due["ready_s"])
            # What has waited since an earlier window was ready before all of this one's.
            self._set_tried(np.concatenate((self._tried, due)) if len(self._tried) else due)

    def _set_tried(self, tried: Records) -> None:
        self._tried = tried
        self._tried_ready_s = np.ascontiguousarray(tried["ready_s"])

    def _serve(self, window: Window) -> int:
        """Call the kernel once; return its status."""
        new = self._new[0] if self._new else _NO_NEW
        given = Given(self._held, new, self._tried)
        if not len(given):
            return WINDOW_DONE
        next_new_s = float(self._new[1].ready_s[0]) if len(self._new) > 1 else np.inf
        waiting = given.waiting(next_new_s, self._tried_ready_s, self._batches.expiry_s)
        room = min(len(given), _PIECE)
        drawn = Drawn(self._connect_s.ahead(room)[:room], self._transaction_s.ahead(room)[:room])
        if self._reactions is None:
            used = self._serve_plainly(window, given, waiting, drawn)
        else:
            used = self._serve_reacting(window, self._reactions, given, waiting, drawn)
        self._connect_s.use(used.connects)
        self._transaction_s.use(used.transactions)
        holding = held(self._connections, self._reactions)
        self._held = given.records(self._connections.message_of[holding])
        self._connections.message_of[holding] = np.arange(len(holding))
        self._take_off(new, used)
        return used.status

    def _serve_plainly(self, window: Window, given: Given, waiting: Waiting, drawn: Drawn) -> _Used:
        room = len(drawn.transaction_s)
        done = Done(
            message=np.empty(room, np.int64),
            start_s=np.empty(room),
            finish_s=np.empty(room),
            expired=np.empty(len(given), np.int64),
            connect_at_s=np.empty(room),
        )
        status, new, tried, attempts, expired, connects = serve(
            window.end_s, waiting, self._connections, self._throttle, drawn, done
        )
        self._watch_connecting(done.connect_at_s[:connects], drawn)
        if attempts:
            numbers = done.message[:attempts]
            if self._monitor is not None:
                start_s = done.start_s[:attempts]
                self._monitor.waited(given.ready_s(numbers), start_s)
                self._monitor.worked(start_s, done.finish_s[:attempts])
            delivery = given.delivery(numbers, self._batches)
            self._count_attempts(delivery, done.start_s[:attempts])
            self._recipients.inbox.put(given.attempts(numbers, delivery, done.finish_s[:attempts]))
        self._expire(given.records(done.expired[:expired]))
        return _Used(int(status), new, tried, connects, attempts)

    def _serve_reacting(
        self, window: Window, reactions: Reactions, given: Given, waiting: Waiting, drawn: Drawn
    ) -> _Used:
        room = len(drawn.transaction_s)
        done = Reacted(
            started=np.empty(room, np.int64),
            start_s=np.empty(room),
            finished=np.empty(room, np.int64),
            finish_s=np.empty(room),
            throttled=np.empty(room, np.bool_),
            expired=np.empty(len(given), np.int64),
            connect_at_s=np.empty(room),
        )
        status, new, tried, started, finished, expired, connects, transactions = serve_reacting(
            window.end_s, waiting, self._connections, self._throttle, reactions, drawn, done
        )
        self._watch_connecting(done.connect_at_s[:connects], drawn)
        if started:
            numbers, start_s = done.started[:started], done.start_s[:started]
            self._count_attempts(given.delivery(numbers, self._batches), start_s)
            if self._monitor is not None:
                self._monitor.waited(given.ready_s(numbers), start_s)
                self._monitor.busy.enter(start_s)
        if finished:
            if self._monitor is not None:
                self._monitor.busy.leave(done.finish_s[:finished])
            numbers = done.finished[:finished]
            delivery = given.delivery(numbers, self._batches)
            self._recipients.inbox.put(
                given.attempts(
                    numbers, delivery, done.finish_s[:finished], done.throttled[:finished]
                )
            )
        self._expire(given.records(done.expired[:expired]))
        return _Used(int(status), new, tried, connects, transactions)

    def _watch_connecting(self, connect_at_s: Floats, drawn: Drawn) -> None:
        if self._monitor is not None:
            connect_s = drawn.connect_s[: len(connect_at_s)]
            self._monitor.worked(connect_at_s, connect_at_s + connect_s)

    def _count_attempts(self, delivery: Deliveries, start_s: Floats) -> None:
        for one_delivery, _, chosen in groups(delivery, 0, len(start_s)):
            self._tally.add("happened", "attempted", one_delivery, self._number, start_s[chosen])

    def _take_off(self, new: NewMessages, used: _Used) -> None:
        """Take the messages off the queue that the kernel has used up."""
        if used.tried:
            self._tried = self._tried[used.tried :]
            self._tried_ready_s = self._tried_ready_s[used.tried :]
        if not self._new:
            return
        if used.new == len(new):
            self._new.popleft()
            self._new_expiry_s.popleft()
            return
        self._new[0] = new.part(slice(used.new, None))
        if used.status == MORE_MESSAGES and len(self._new) > 1:
            # It has to see further than to the end of the piece.
            self._new[0] = NewMessages.joined([self._new.popleft(), self._new[0]])
            self._new_expiry_s[0] = min(self._new_expiry_s.popleft(), self._new_expiry_s[0])

    def _being_connected(self) -> Ints:
        """Return the relay batches of the messages whose connection is being made."""
        connections = self._connections
        numbers = connections.message_of[connections.connected[: connections.sizes[1]]]
        records = self._held[numbers]
        batches: Ints = records["batch"][records["kind"] != _GONE]
        return batches

    def _drop_expired(self, window: Window) -> None:
        """Drop what expires in the window and has not been taken in it."""
        expiry_s = self._batches.expiry_s
        connections = self._connections
        if connections.sizes[1]:
            # They keep their connection until it is established, and expire all the same.
            numbers = connections.message_of[connections.connected[: connections.sizes[1]]]
            expired = numbers[expiry_s[self._held["batch"][numbers]] < window.end_s]
            self._expire(self._held[expired])
            self._held["kind"][expired] = _GONE
        if len(self._tried):
            gone = expiry_s[self._tried["batch"]] < window.end_s
            if gone.any():
                self._expire(self._tried[gone])
                if self._counted_in_line:
                    self._tried["kind"][gone] = _GONE
                else:
                    self._set_tried(self._tried[~gone])
        if not self._new or min(self._new_expiry_s) >= window.end_s:
            return
        pieces = list(self._new)
        self._new.clear()
        self._new_expiry_s.clear()
        for piece in pieces:
            piece_expiry_s = expiry_s[piece.batch]
            gone = (piece_expiry_s < window.end_s) & (piece.kind != _GONE)
            if gone.any():
                self._expire(piece.part(np.flatnonzero(gone)).tried())
                if self._counted_in_line:
                    piece.kind[gone] = _GONE
                else:
                    piece = piece.part(np.flatnonzero(~gone))
            if len(piece):
                self._new.append(piece)
                still = expiry_s[piece.batch][piece.kind != _GONE]
                self._new_expiry_s.append(float(still.min(initial=np.inf)))

    def _expire(self, records: Records) -> None:
        """Pass on messages that expire while they wait, dated at their expiry."""
        expired = records[records["kind"] != _GONE]
        if len(expired):
            expiry_s = self._batches.expiry_s[expired["batch"]]
            if self._monitor is not None:
                self._monitor.gave_up(np.maximum(expired["ready_s"], expiry_s))
            expired["ready_s"] = expiry_s
            self._expiry.inbox.put(expired)


class _Used(NamedTuple):
    """Messages and draws that a call of the kernel has used."""

    status: int
    new: int
    tried: int
    connects: int
    transactions: int


def _pieces(parts: list[NewMessages]) -> Iterator[NewMessages]:
    """Join short parts, so that the kernel is called with many messages at a time."""
    joined: list[NewMessages] = []
    for part in parts:
        if joined and sum(map(len, joined)) + len(part) > _PIECE:
            yield NewMessages.joined(joined)
            joined = []
        joined.append(part)
    if joined:
        yield NewMessages.joined(joined)


_NO_NEW = NewMessages(np.zeros(0), np.zeros(0, np.int32), np.zeros(0, np.int16), None)
