"""The recipients' servers: the outcome of each attempt."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
import simpy

from sendcap.ledger import Event
from sendcap.model.addresses import AddressKinds
from sendcap.model.batches import Batches
from sendcap.model.feedback import sample_asynchronous
from sendcap.model.messages import (
    TRIED,
    Accepted,
    Attempts,
    Floats,
    Ints,
    Reasons,
    Records,
    Reports,
)
from sendcap.model.outages import Outages
from sendcap.model.spool import Spool
from sendcap.model.station import Station, Window
from sendcap.model.streams import Draws, Streams, Trials
from sendcap.scenario import Scenario

_TRANSIENT, _UNREACHABLE, _THROTTLED = 1, 2, 3
"""Numbers of these reasons, see `AddressKinds.reasons`."""


class Recipients(Station):
    """Decides the attempts at one provider, in the order in which they come.

    An attempt's transient failure and the latency of its report are drawn for every attempt,
    needed or not. So the draws that one attempt gets do not depend on the fate of the others.
    """

    def __init__(
        self,
        env: simpy.Environment,
        number: int,
        name: str,
        scenario: Scenario,
        kinds: AddressKinds,
        streams: Streams,
        batches: Batches,
        spool: Spool,
        feedback: Station,
        engagement: Station | None,
        expiry: Station,
        backoff: Station,
        logged: bool,
    ) -> None:
        super().__init__(env)
        provider = scenario.providers[name]
        self._number = number
        self._kinds = kinds
        self._batches = batches
        self._spool = spool
        self._feedback = feedback
        self._engagement = engagement
        self._expiry = expiry
        self._backoff = backoff
        self._logged = logged
        self._retry = scenario.mta.retry
        self._on_failure = scenario.mta.expire == "on-failure"
        self._transient = Trials(provider.transient, streams.generator("transient", provider=name))
        self._async = Trials(
            provider.async_bounce, streams.generator("asynchronous bounce", provider=name)
        )
        self._outages = Outages(provider)
        self._clears_after_s = [
            Draws(
                partial(
                    fault.clears_after.sample,
                    streams.generator(f"clears after {fault.reason}", provider=name),
                )
            )
            for fault in provider.faults
        ]
        self._jitter = Draws(streams.generator("retry jitter", provider=name).random)
        synchronous = streams.generator("synchronous feedback", provider=name)
        self._latency_s = Draws(
            lambda count: scenario.feedback.synchronous.sample(synchronous, count)
        )
        asynchronous = streams.generator("asynchronous feedback", provider=name)
        self._async_latency_s = Draws(
            lambda count: sample_asynchronous(scenario.feedback.asynchronous, asynchronous, count)
        )
        self.final = 0

    def receive(self, item: Attempts | Window) -> None:
        """Decide attempts; after a window's last attempt, expire what is due."""
        if isinstance(item, Window):
            self._expiry.inbox.put(item)
        else:
            self._decide(item)

    def _decide(self, attempts: Attempts) -> None:
        finish_s = attempts.finish_s
        arrives_s = finish_s + self._latency_s.take(len(finish_s))
        transient = np.zeros(len(finish_s), np.bool_)
        transient[self._transient.take(len(finish_s))] = True
        unreachable = self._outages.cover(finish_s)
        throttled = attempts.throttled
        if throttled is None:
            throttled = np.zeros(len(finish_s), np.bool_)
        at, records = _needing_a_look(attempts, transient | unreachable | throttled)
        arrives_s[at] = np.maximum(arrives_s[at], records["reported_s"])
        hard, soft = self._judge(
            records, finish_s[at], transient[at], unreachable[at], throttled[at]
        )

        failed = hard | soft
        accepted = np.ones(len(finish_s), np.bool_)
        accepted[at[failed]] = False
        accepted_at = np.flatnonzero(accepted)
        recovered = at[~failed & (records["failures"] > 0)]
        report = _Reporter(self._number, attempts, arrives_s)
        if self._logged:
            report.keep_messages(at, records)
        self._accept(report, accepted_at, recovered)
        self._spool.free(finish_s[accepted_at])
        self._spool.free(finish_s[at[hard]])
        if hard.any():
            self.final += int(hard.sum())
            again = records["failures"][hard] > 0
            reasons = self._kinds.reason[records["kind"][hard]]
            self._feedback.inbox.put(report.of("hard", at[hard], reasons, again))
        if soft.any():
            bounced = records[soft]
            first = bounced["failures"] == 0
            self._feedback.inbox.put(report.of("soft", at[soft], bounced["reason"], first))
            self._retry_later(bounced, finish_s[at[soft]], arrives_s[at[soft]])

    def _judge(
        self,
        records: Records,
        finish_s: Floats,
        transient: npt.NDArray[np.bool_],
        unreachable: npt.NDArray[np.bool_],
        throttled: npt.NDArray[np.bool_],
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Return which attempts are bounced hard and which soft; set why, and faults' ends."""
        kind = records["kind"]
        refused = unreachable | throttled
        hard = self._kinds.hard[kind] & ~refused
        fault = self._kinds.fault[kind]
        first = (records["failures"] == 0) & (fault >= 0)
        for number, clears_after_s in enumerate(self._clears_after_s):
            begins = np.flatnonzero(first & (fault == number) & ~self._kinds.never[kind])
            records["clears_at_s"][begins] = finish_s[begins] + clears_after_s.take(len(begins))
        records["clears_at_s"][first & self._kinds.never[kind]] = np.inf
        faulty = (fault >= 0) & (finish_s < records["clears_at_s"])
        soft = ~hard & (faulty | transient | refused)
        reason = np.where(faulty, self._kinds.reason[kind], _TRANSIENT)
        reason = np.where(throttled, _THROTTLED, reason)
        records["reason"][soft] = np.where(unreachable, _UNREACHABLE, reason)[soft]
        return hard, soft

    def _accept(self, report: _Reporter, at: Ints, recovered: Ints) -> None:
        self.final += len(at)
        subset = None
        if len(recovered):
            subset = np.zeros(len(at), np.bool_)
            subset[np.searchsorted(at, recovered)] = True
        accepted = report.of("accepted", at, 0, subset)
        self._feedback.inbox.put(accepted)
        if self._engagement is not None:
            self._engagement.inbox.put(
                Accepted(self._number, accepted.delivery, accepted.happened_s)
            )
        returned = self._async.take(len(at))
        if len(returned):
            happened_s = accepted.happened_s[returned] + self._async_latency_s.take(len(returned))
            bounced = report.of("async_bounced", at[returned], 0, None)
            arrives_s = np.maximum(happened_s, bounced.arrives_s)
            self._feedback.inbox.put(replace(bounced, happened_s=happened_s, arrives_s=arrives_s))

    def _retry_later(self, records: Records, finish_s: Floats, reported_s: Floats) -> None:
        """Send soft-bounced messages into backoff, or to their end."""
        first = records["failures"] == 0
        records["first_failed_s"][first] = finish_s[first]
        due_s = self._retry.due_s(
            records["failures"],
            finish_s,
            self._batches.relayed_s[records["batch"]],
            records["first_failed_s"],
            records["previous_delay_s"],
            self._jitter.take(len(records)) if self._retry.needs_uniform else None,
        )
        expiry_s = self._batches.expiry_s[records["batch"]]
        gives_up = np.isinf(due_s)
        ends = gives_up | (due_s > expiry_s)
        at_once = ends if self._on_failure else gives_up
        records["failures"] += 1
        records["reported_s"] = reported_s
        records["previous_delay_s"] = due_s - finish_s
        records["ready_s"] = np.where(ends, np.where(at_once, finish_s, expiry_s), due_s)
        # An attempt that started in time may fail after the expiry: it ends then.
        np.maximum(records["ready_s"], finish_s, out=records["ready_s"])
        if ends.any():
            self._expiry.inbox.put(records[ends])
        if not ends.all():
            self._backoff.inbox.put(records[~ends])


def _needing_a_look(attempts: Attempts, transient: npt.NDArray[np.bool_]) -> tuple[Ints, Records]:
    """Return the attempts that may not simply be accepted, ascending, and their messages."""
    looked_at = transient.copy()
    looked_at[attempts.tried_at] = True
    looked_at[attempts.new_at[np.flatnonzero(attempts.new.kind)]] = True
    at = np.flatnonzero(looked_at)
    tried = np.zeros(len(looked_at), np.bool_)
    tried[attempts.tried_at] = True
    new = ~tried[at]
    records = np.empty(len(at), TRIED)
    records[~new] = attempts.tried
    records[new] = attempts.new.part(np.searchsorted(attempts.new_at, at[new])).tried()
    return at, records


class _Reporter:
    """Writes reports about some of the attempts."""

    def __init__(
        self,
        provider: int,
        attempts: Attempts,
        arrives_s: Floats,
    ) -> None:
        self._attempts = attempts
        self._provider = provider
        self._delivery = attempts.delivery
        self._finish_s = attempts.finish_s
        self._arrives_s = arrives_s
        self._attempt: Ints | None = None
        self._message: Ints | None = None

    def keep_messages(self, at: Ints, records: Records) -> None:
        """Note which message each attempt is of, for the sending log."""
        attempts = self._attempts
        self._attempt = np.ones(len(self._arrives_s), np.int64)
        self._attempt[at] = records["failures"] + 1
        self._message = np.empty(len(self._arrives_s), np.int64)
        self._message[attempts.tried_at] = attempts.tried["message"]
        if attempts.new.message is not None:
            self._message[attempts.new_at] = attempts.new.message

    def of(
        self, event: Event, at: Ints, reason: Reasons, subset: npt.NDArray[np.bool_] | None
    ) -> Reports:
        """Return the reports of one event about the attempts at these places."""
        return Reports(
            event,
            self._provider,
            self._delivery if isinstance(self._delivery, int) else self._delivery[at],
            reason,
            self._finish_s[at],
            self._arrives_s[at],
            subset,
            None if self._attempt is None else self._attempt[at],
            None if self._message is None else self._message[at],
        )
