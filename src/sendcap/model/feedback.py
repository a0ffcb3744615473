"""Feedback: reports of the MTA on their way to Campaign."""

from typing import Final

import numpy as np

from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.state import Floats, Records
from sendcap.model.people.campaign import Campaign
from sendcap.model.shared import Shared
from sendcap.scenario import ASYNCHRONOUS_LIMIT_S, Distribution

_NONE: Final = -np.inf


def sample_asynchronous(
    latency: Distribution, generator: np.random.Generator, count: int
) -> Floats:
    """Return draws of the asynchronous latency, conditional on its limit.

    They are those of the generator within the limit, however many are asked for at a time.
    """
    draws, drawn = np.empty(count), 0
    while drawn < count:
        more = latency.sample(generator, count - drawn)
        more = more[more <= ASYNCHRONOUS_LIMIT_S]
        draws[drawn : drawn + len(more)] = more
        drawn += len(more)
    return draws


class Feedback:
    """Takes reports in when they arrive at Campaign and counts them, at both clocks.

    Reports are taken in at once, or at the next poll, and no faster than the rate. With a rate
    they queue in one line, and so wait for the window in which they arrive.
    """

    def __init__(self, shared: Shared, campaign: Campaign | None) -> None:
        self._campaign = campaign
        self._tally, self._log = shared.tally, shared.log
        feedback = shared.scenario.feedback
        self._polling_s = feedback.polling
        self._service_s = 0.0 if feedback.rate is None else 1.0 / feedback.rate.per_s
        self._free_s = np.array([_NONE])
        self._kept: list[Records] = []

    @property
    def next_event_s(self) -> float:
        """Arrival of the next waiting report; infinite without one."""
        return min((float(reports["arrives_s"].min()) for reports in self._kept), default=np.inf)

    def receive(self, reports: Records) -> None:
        """Take reports; they are counted already, unless there is a rate."""
        if self._service_s > 0.0 and len(reports):
            self._kept.append(reports.copy())
        else:
            self._pass_on(reports, self._polled(reports["arrives_s"]))

    def _pass_on(self, reports: Records, known_s: Floats) -> None:
        if self._campaign is not None:
            self._campaign.receive(reports, known_s)
        if self._log is not None:
            self._log.reported(reports, known_s)

    def advance(self, until_s: float) -> None:
        """Take in the waiting reports that arrive before a moment, in the order of arrival."""
        if self._kept:
            reports = np.concatenate(self._kept)
            arrives = reports["arrives_s"] < until_s
            later = reports[~arrives]
            self._kept = [later] if len(later) else []
            arrived = reports[arrives]
            # Of one queue they are in order already.
            keys = (arrived["provider"], arrived["happened_s"], arrived["arrives_s"])
            arrived = arrived[np.lexsort(keys)]
            known_s = np.empty(len(arrived))
            polled_s = self._polled(arrived["arrives_s"])
            _take_in(polled_s, self._service_s, self._free_s, known_s)
            self._tally.known(arrived, known_s)
            self._pass_on(arrived, known_s)
        if self._log is not None:
            self._log.write_before(until_s)

    def _polled(self, arrives_s: Floats) -> Floats:
        if not self._polling_s:
            return arrives_s
        return np.ceil(arrives_s / self._polling_s) * self._polling_s


@compiled
def _take_in(arrives_s: Floats, service_s: float, free_s: Floats, known_s: Floats) -> None:
    """Serve one after the other; they arrive in order."""
    for number in range(len(arrives_s)):
        free_s[0] = max(arrives_s[number], free_s[0]) + service_s
        known_s[number] = free_s[0]
