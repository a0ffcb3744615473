"""How long the messages of one delivery wait at a stage, and not those that came after them."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sendcap.ledger import Event, SparseCounts
from sendcap.ledger.sparse import summed
from sendcap.model.batches import BatchRows, batch_rows
from sendcap.readings.convergence import Floats
from sendcap.readings.delays import delay_quantile_s
from sendcap.readings.load import ACCEPTED_PCT
from sendcap.readings.summary import accepted_at_s
from sendcap.run import Run
from sendcap.scenario import Delivery
from sendcap.scenario.stages import Stage
from sendcap.study.capacity.observed import HANDED_OVER, Observed, ready_of

_OF_AN_ATTEMPT_S: Final = 10.0
"""A shorter delay may be that of connecting and of the attempt itself."""
_NOT_RETRIED: Final = 0.9
"""Share of the accepted messages that hardly any retry delays."""
_SOME: Final = 1e-6
"""Expected numbers below it are of nobody."""

Numbers = npt.NDArray[np.int64]


class OwnWaits(NamedTuple):
    """How long messages of a delivery wait that came before some edges, and when they leave."""

    came_s: Floats  # the edges
    waits_s: Floats
    leave_s: Floats


@dataclass(frozen=True, eq=False)
class Waits:
    """A stage of a run, and how long a message that comes at each edge waits, whosever it is."""

    run: Run
    of: Observed
    waits_s: Floats

    @cached_property
    def _held_up(self) -> Numbers:
        """Numbers of the edges at which messages wait."""
        return np.flatnonzero(self.waits_s > 0.0)

    @cached_property
    def _left_in(self) -> tuple[Numbers, Numbers]:
        """First and last bin in which those left who came just before each edge: in their order."""
        came = np.concatenate((self.of.backlog[:1], np.cumsum(self.of.arrivals)))
        gone = (came - self.of.backlog)[1:]
        before = np.concatenate(([0], came[:-1]))
        # By half a message: sums of expected numbers are not exact.
        return np.searchsorted(gone, before + 0.5), np.searchsorted(gone, came - 0.5)

    @cached_property
    def _batches(self) -> BatchRows:
        return batch_rows(self.run.as_sent)

    def of_delivery(self, delivery: Delivery) -> OwnWaits:
        """Return how long messages of a delivery wait, until 99 % of them are accepted.

        First in, first out: who comes later, and waits behind them, does not hold them up.
        """
        accepted_s = accepted_at_s(self.run.ledger, ACCEPTED_PCT, delivery=delivery.name)
        until_s = math.inf if accepted_s is None else accepted_s
        all_s = self.of.edges_s[self._held_up]
        first, end = np.searchsorted(all_s, delivery.at), np.searchsorted(all_s, until_s, "right")
        edges = self._held_up[first:end]
        came_s, waits_s = self.of.edges_s[edges], self.waits_s[edges]
        if self.of.stage.kind == "relay":
            own_s, leave_s = self._at_the_relay(delivery, came_s)
        elif self.run.scenario.mta.order == "fifo":
            # They came in the bin before an edge, and not before the delivery started.
            since_s = np.maximum((edges - 1) * self.of.bin_s, delivery.at)
            own_s, leave_s = self._in_order(delivery, edges, since_s, until_s)
        else:
            own_s = np.full(len(edges), _longest_s(self.run, self.of.stage, delivery.name))
            leave_s = came_s
        waits_s = np.minimum(waits_s, own_s)
        if self.of.stage.kind != "relay":
            # Relayed messages that still wait then expire.
            waits_s = np.minimum(waits_s, self.run.as_sent.honoured_validity(delivery))
        some = waits_s > 0.0
        return OwnWaits(came_s[some], waits_s[some], np.minimum(leave_s, until_s)[some])

    def _at_the_relay(self, delivery: Delivery, came_s: Floats) -> tuple[Floats, Floats]:
        """Return how long it takes until all that is ready by these times is handed over, and when.

        That is estimated within a bin, and stated as the end of it.
        """
        gone = summed([self._own(event, delivery) for event in HANDED_OVER])
        if not len(gone.bins):
            return np.zeros(len(came_s)), came_s
        ready = ready_of(self.run, delivery, self._batches, came_s)
        so_far = np.concatenate(([0], np.cumsum(gone.counts)))
        # By half a message: sums of expected numbers are not exact.
        number = np.searchsorted(so_far[1:], ready - 0.5).clip(max=len(gone.bins) - 1)
        part = np.clip((ready - so_far[number]) / gone.counts[number], 0.0, 1.0)
        own_s = (gone.bins[number] + part) * self.of.bin_s - came_s
        leave_s = (gone.bins[number] + 1) * self.of.bin_s
        if delivery.stop is not None:
            # Nothing of it waits any longer.
            own_s = np.minimum(own_s, np.maximum(delivery.stop - came_s, 0.0))
        return np.where(ready > 0, own_s, 0.0), leave_s

    def _in_order(
        self, delivery: Delivery, edges: Numbers, since_s: Floats, until_s: float
    ) -> tuple[Floats, Floats]:
        """Return how long messages wait that come before each edge, 0 for none, and until when.

        They come at ``since_s`` at the earliest.
        """
        paths, bin_s = self.of.stage.paths, self.of.bin_s
        if not paths:
            # All come to the ingress as they are relayed.
            comes = np.isin(edges - 1, self._own("relayed", delivery).bins)
            return np.where(comes, until_s - since_s, 0.0), np.full(len(edges), until_s)
        providers = {path.provider for path in paths}
        tried = summed([self._own("attempted", delivery, provider) for provider in providers])
        own = tried.bins[tried.counts > _SOME]
        first, last = (bins[edges] for bins in self._left_in)
        in_time = own[: np.searchsorted(own, round(min(until_s, self.run.ledger.end_s) / bin_s))]
        comes = np.searchsorted(in_time, last, "right") > np.searchsorted(in_time, first)
        # The last bin in which any of its own left; one that comes has one.
        latest = np.append(own, 0)[np.searchsorted(own, last, "right") - 1]
        leave_s = (latest + 1) * bin_s
        return np.where(comes, leave_s - since_s, 0.0), leave_s

    def _own(self, event: Event, delivery: Delivery, provider: str | None = None) -> SparseCounts:
        return self.run.ledger.sparse(
            event, clock="happened", delivery=delivery.name, provider=provider
        )


def _longest_s(run: Run, stage: Stage, delivery: str) -> float:
    """Return how long the messages of a delivery waited at most, where some go before others.

    The backlog does not tell: who has a high priority passes those that wait. Delays do, but for
    the few messages that are tried again.
    """
    if run.ledger.delays is None:
        return math.inf
    providers: set[str | None] = {path.provider for path in stage.paths} or {None}
    delays = [run.ledger.delays_of(delivery, provider) for provider in providers]
    delayed_s = [delay_quantile_s(each, _NOT_RETRIED) for each in delays if len(each.bins)]
    longest_s = max(delayed_s, default=0.0)
    return longest_s if longest_s >= _OF_AN_ATTEMPT_S else 0.0
