"""A provider's queue and its connections."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
import simpy

from sendcap.model import kernel
from sendcap.model.batches import Batches
from sendcap.model.messages import (
    TRIED,
    Attempts,
    Floats,
    Ints,
    NewMessages,
    Records,
)
from sendcap.model.station import Station, Window
from sendcap.model.streams import Draws, Streams
from sendcap.model.throttle import Throttle
from sendcap.scenario import Provider, Scenario

_PIECE = 1 << 16
"""Messages that the kernel is given at a time: their arrays fit a processor's cache."""
_UNLIMITED = 1 << 60
_GONE = -1
"""Kind of a message that has expired and is still held by its connection."""


class Connections:
    """The state of a queue's connections between two calls of the kernel.

    Parameters
    ----------
    provider
        The provider's settings, per source IP.
    ips
        Number of source IPs.
    """

    def __init__(self, provider: Provider, ips: int) -> None:
        count = provider.connections_per_ip * ips
        self.free_at_s = np.full(count, -np.inf)
        self.free = np.arange(count)
        self.attempts_left = np.zeros(count, np.int64)
        self.connected_at_s = np.zeros(count)
        self.connected = np.zeros(count, np.int64)
        self.message_of = np.zeros(count, np.int64)
        self.sizes = np.array([count, 0])
        self.idle_timeout_s = float(provider.idle_timeout)
        limit = provider.messages_per_connection
        self.attempts_per_connection = _UNLIMITED if limit == "unlimited" else int(limit)
        self.throttle = Throttle(provider, ips)

    def held(self) -> Ints:
        """Return the messages that wait for their connection to be established."""
        return self.message_of[self.connected[: self.sizes[1]]]

    def number_held_from(self, first: int) -> None:
        """Give the messages that `held` returns new numbers."""
        holding = self.sizes[1]
        self.message_of[self.connected[:holding]] = np.arange(first, first + holding)


class ProviderQueue(Station):
    """First in, first out, by ready time: new messages and retries alike.

    Its inbox takes the new messages of each window, the store ``retries`` those that fall due.
    """

    def __init__(
        self,
        env: simpy.Environment,
        name: str,
        scenario: Scenario,
        streams: Streams,
        batches: Batches,
        recipients: Station,
        expiry: Station,
        retries: simpy.Store,
    ) -> None:
        super().__init__(env)
        self._retries = retries
        self._batches = batches
        self._recipients = recipients
        self._expiry = expiry
        provider = scenario.providers[name]
        self._connections = Connections(provider, scenario.mta.ips)
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
        """When the next message can be taken or be started, or expires."""
        its = self._connections
        ready_s = self._new[0].ready_s[0] if self._new else np.inf
        if len(self._tried):
            ready_s = min(ready_s, self._tried_ready_s[0])
        soonest = max(ready_s, its.free_at_s[0]) if its.sizes[0] else np.inf
        if its.sizes[1]:
            soonest = min(soonest, its.connected_at_s[0])
        waiting = (self._tried_batch, self._held["batch"][self._held["kind"] != _GONE])
        expiries_s = [self._batches.expiry_s[batch].min(initial=np.inf) for batch in waiting]
        return float(min(soonest, *expiries_s, *self._new_expiry_s))

    def _work(self) -> Generator[simpy.Event, Any, None]:
        while True:
            window, new = yield self.inbox.get()
            due = yield self._retries.get()
            self._take_in(new, due)
            while self._serve(window) != kernel.WINDOW_DONE:
                pass
            self._drop_expired(window)
            self._recipients.inbox.put(window)

    def _take_in(self, new: list[NewMessages], due: Records) -> None:
        for piece in _pieces(new):
            self._new.append(piece)
            self._new_expiry_s.append(float(self._batches.expiry_s[piece.batch].min()))
        if len(due):
            # What has waited since an earlier window was ready before all of this one's.
            self._set_tried(np.concatenate((self._tried, due)) if len(self._tried) else due)

    def _set_tried(self, tried: Records) -> None:
        self._tried = tried
        self._tried_ready_s = np.ascontiguousarray(tried["ready_s"])
        self._tried_batch = np.ascontiguousarray(tried["batch"])

    def _serve(self, window: Window) -> int:
        """Call the kernel once; return its status."""
        its = self._connections
        new = self._new[0] if self._new else _NO_NEW
        tried, held = self._tried, self._held
        messages = len(new) + len(tried) + len(held)
        if not messages:
            return kernel.WINDOW_DONE
        at_most = min(messages, _PIECE)
        message = np.empty(at_most, np.int64)
        start_s = np.empty(at_most)
        finish_s = np.empty(at_most)
        expired = np.empty(messages, np.int64)
        its.number_held_from(len(new) + len(tried))
        status, new_used, tried_used, attempts, expired_count, connects = kernel.serve(
            window.end_s,
            new.ready_s,
            new.batch,
            float(self._new[1].ready_s[0]) if len(self._new) > 1 else np.inf,
            self._tried_ready_s,
            self._tried_batch,
            np.ascontiguousarray(held["batch"]),
            self._batches.expiry_s,
            its.free_at_s,
            its.free,
            its.attempts_left,
            its.connected_at_s,
            its.connected,
            its.message_of,
            its.sizes,
            its.throttle.kind,
            its.throttle.limits,
            its.throttle.steps,
            its.throttle.passed,
            self._connect_s.ahead(at_most)[:at_most],
            self._transaction_s.ahead(at_most)[:at_most],
            its.idle_timeout_s,
            its.attempts_per_connection,
            message,
            start_s,
            finish_s,
            expired,
        )
        self._connect_s.use(connects)
        self._transaction_s.use(attempts)
        given = _Given(new, tried, held)
        if attempts:
            self._recipients.inbox.put(
                given.attempts(message[:attempts], start_s[:attempts], finish_s[:attempts])
            )
        if expired_count:
            self._expire(given.records(expired[:expired_count]))
        self._held = given.records(its.held())
        if tried_used:
            self._tried = tried[tried_used:]
            self._tried_ready_s = self._tried_ready_s[tried_used:]
            self._tried_batch = self._tried_batch[tried_used:]
        if new_used == len(new) and self._new:
            self._new.popleft()
            self._new_expiry_s.popleft()
        elif new_used:
            self._new[0] = new.part(slice(new_used, None))
        return int(status)

    def _drop_expired(self, window: Window) -> None:
        """Drop what expires in the window and has not been taken in it."""
        expiry_s = self._batches.expiry_s
        if len(self._held):
            # They keep their connection until it is established, and expire all the same.
            expired = expiry_s[self._held["batch"]] < window.end_s
            self._expire(self._held[expired])
            self._held["kind"][expired] = _GONE
        if len(self._tried):
            expired = expiry_s[self._tried_batch] < window.end_s
            if expired.any():
                self._expire(self._tried[expired])
                self._set_tried(self._tried[~expired])
        if not self._new or min(self._new_expiry_s) >= window.end_s:
            return
        pieces = list(self._new)
        self._new.clear()
        self._new_expiry_s.clear()
        for piece in pieces:
            its_expiry_s = expiry_s[piece.batch]
            kept = np.flatnonzero(its_expiry_s >= window.end_s)
            if len(kept) < len(piece):
                self._expire(piece.part(np.flatnonzero(its_expiry_s < window.end_s)).tried())
                piece = piece.part(kept)
            if len(piece):
                self._new.append(piece)
                self._new_expiry_s.append(float(its_expiry_s[kept].min()))

    def _expire(self, records: Records) -> None:
        """Pass on messages that expire while they wait, dated at their expiry."""
        expired = records[records["kind"] != _GONE]
        if len(expired):
            expired["ready_s"] = self._batches.expiry_s[expired["batch"]]
            self._expiry.inbox.put(expired)


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


class _Given:
    """The messages given to the kernel in one call, under its numbers: new, tried, held."""

    def __init__(self, new: NewMessages, tried: Records, held: Records) -> None:
        self._new = new
        self._tried = tried
        self._held = held

    def _tried_or_held(self, numbers: Ints) -> Records:
        records = np.empty(len(numbers), TRIED)
        places = numbers - len(self._new)
        held = places >= len(self._tried)
        records[~held] = self._tried[places[~held]]
        records[held] = self._held[places[held] - len(self._tried)]
        return records

    def records(self, numbers: Ints) -> Records:
        """Return the messages of these numbers, in their order."""
        if not len(numbers):
            return np.zeros(0, TRIED)
        new = numbers < len(self._new)
        records = np.empty(len(numbers), TRIED)
        records[new] = self._new.part(numbers[new]).tried()
        records[~new] = self._tried_or_held(numbers[~new])
        return records

    def attempts(self, numbers: Ints, start_s: Floats, finish_s: Floats) -> Attempts:
        """Return the attempts of the messages of these numbers."""
        new = numbers < len(self._new)
        new_at, tried_at = np.flatnonzero(new), np.flatnonzero(~new)
        return Attempts(
            new_at,
            self._new.part(numbers[new_at]),
            tried_at,
            self._tried_or_held(numbers[tried_at]),
            start_s,
            finish_s,
        )
