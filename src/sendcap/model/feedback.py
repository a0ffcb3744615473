"""Feedback: reports of the MTA on their way to Campaign."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import simpy

from sendcap.ledger import CLOCKS, EVENTS
from sendcap.model.addresses import AddressKinds
from sendcap.model.kernel.servers import pass_through
from sendcap.model.messages import SUBSET, WITH_REASON, Floats, Ints, Reports, groups
from sendcap.model.sending_log import SendingLog
from sendcap.model.station import Station, Window
from sendcap.model.tally import Tally
from sendcap.scenario import ASYNCHRONOUS_LIMIT_S, Distribution, Scenario


def sample_asynchronous(
    latency: Distribution, generator: np.random.Generator, count: int
) -> Floats:
    """Return draws of the asynchronous latency, conditional on its limit."""
    draws = latency.sample(generator, count)
    while len(beyond := np.flatnonzero(draws > ASYNCHRONOUS_LIMIT_S)):
        draws[beyond] = latency.sample(generator, len(beyond))
    return draws


class Feedback(Station):
    """Takes reports in when they arrive at Campaign and counts them, at both clocks.

    Reports are taken in at once, or at the next poll, and no faster than the rate. With a rate
    they queue in one line, and so wait for the window in which they arrive.
    """

    def __init__(
        self,
        env: simpy.Environment,
        scenario: Scenario,
        kinds: Sequence[AddressKinds],
        tally: Tally,
        log: SendingLog | None,
    ) -> None:
        super().__init__(env)
        self._tally = tally
        self._log = log
        self._reasons = [provider.reasons for provider in kinds]
        self._polling_s = scenario.feedback.polling
        rate = scenario.feedback.rate
        self._service_s = 0.0 if rate is None else 1.0 / rate.per_s
        self._free_at_s = np.array([-np.inf])
        self._kept: list[Reports] = []

    @property
    def next_event_s(self) -> float:
        """Arrival of the next waiting report; infinite without one."""
        return min((float(reports.arrives_s.min()) for reports in self._kept), default=np.inf)

    def receive(self, item: Reports | Window) -> None:
        """Take reports; at the end of a window, those that waited for it."""
        if isinstance(item, Window):
            self._take_kept(item.end_s)
            if self._log is not None:
                self._log.write_before(item.end_s)
        elif not self._service_s:
            self._count(item, self._polled(item.arrives_s))
        elif len(item):
            self._kept.append(item)

    def _polled(self, arrives_s: Floats) -> Floats:
        if not self._polling_s:
            return arrives_s
        return np.ceil(arrives_s / self._polling_s) * self._polling_s

    def _take_kept(self, until_s: float) -> None:
        """Take in the waiting reports that arrive before ``until_s``, in the order of arrival."""
        arrived: list[Reports] = []
        later: list[Reports] = []
        for reports in self._kept:
            now = reports.arrives_s < until_s
            for mask, parts in ((now, arrived), (~now, later)):
                if mask.any():
                    parts.append(reports.part(np.flatnonzero(mask)))
        self._kept = later
        if not arrived:
            return
        arrives_s = np.concatenate([reports.arrives_s for reports in arrived])
        order = np.lexsort((*_tie_break(arrived), arrives_s))
        known_s = np.empty(len(order))
        pass_through(self._polled(arrives_s[order]), self._service_s, self._free_at_s, known_s)
        by_report = np.empty(len(order))
        by_report[order] = known_s
        ends = np.cumsum([len(reports) for reports in arrived])
        for reports, report_known_s in zip(arrived, np.split(by_report, ends[:-1]), strict=True):
            self._count(reports, report_known_s)

    def _count(self, reports: Reports, known_s: Floats) -> None:
        names = self._reasons[reports.provider] if reports.event in WITH_REASON else ("",)
        for delivery, reason, chosen in groups(reports.delivery, reports.reason, len(reports)):
            subset = None if reports.subset is None else reports.subset[chosen]
            for clock, times_s in zip(CLOCKS, (reports.happened_s, known_s), strict=True):
                chosen_s = times_s[chosen]
                add = partial(
                    self._tally.add,
                    clock,
                    delivery=delivery,
                    provider=reports.provider,
                    reason=names[reason],
                )
                add(reports.event, times_s=chosen_s)
                if subset is not None:
                    add(SUBSET[reports.event], times_s=chosen_s[subset])
        if self._log is not None:
            self._log.reported(reports, known_s)


def _tie_break(arrived: Sequence[Reports]) -> tuple[Ints, ...]:
    """Return sort keys, the last the most important, for reports that arrive together.

    The order must not depend on the window. Of one message's reports the earlier event goes
    first; reports that agree in all of these are interchangeable.
    """

    def each(values: Callable[[Reports], Any]) -> npt.NDArray[Any]:
        return np.concatenate(
            [np.broadcast_to(np.asarray(values(reports)), len(reports)) for reports in arrived]
        )

    return (
        each(lambda reports: 0 if reports.message is None else reports.message),
        each(lambda reports: False if reports.subset is None else reports.subset),
        each(lambda reports: reports.reason),
        each(lambda reports: reports.delivery),
        each(lambda reports: reports.provider),
        each(lambda reports: EVENTS.index(reports.event)),
        each(lambda reports: reports.happened_s),
    )
