"""The error of a dashboard's Delivered %, and the messages that it consists of.

The truth is the share that is delivered in the end: (A∞ − B∞) / N, the messages accepted and not
returned by the end of the run, of all N to deliver. With A, V, H, D, S, X, U, F, R, B as on the
model page, subscripts k for known to Campaign, h for happened at the MTA, ∞ for the end of the
run, and all counts up to one moment, the reading's error is a sum over messages:

- In ``efs``, ``efs-v8`` and ``legacy`` a message is Sent when Campaign knows that it is accepted,
  so those lack that will be accepted. N times the error is A_k − B_k − (A∞ − B∞), which is

  ====================  =====================================================================
  in queue              −[(A − V)∞ − (A − V)_h], first attempts that will succeed
  backing off           −[V∞ − V_h], messages that a retry will deliver
  not fed back          −[A_h − A_k], accepted, and Campaign does not know
  async to come         +[B∞ − B_k], counted as Sent, and will come back
  ====================  =====================================================================

- In ``without-efs`` a message is Sent from its relaying, so those are too many that will fail.
  N times the error is what will be Failed, F∞ + H∞ + X∞ + B∞, less what is known as Failed:

  ====================  =====================================================================
  in queue              [F∞ − F_h] + [(H − D)∞ − (H − D)_h] + [U∞ − U_h], failures that no soft
                        bounce will come before
  backing off           [D∞ − D_h] + [(X − U)∞ − (X − U)_h], soft bounces that never recover
  not fed back          [H_h − H_k] + [X_h − X_k], failed, and Campaign does not know
  async to come         +[B∞ − B_k], as above
  ====================  =====================================================================

  A horizon may cut a run off. What is then under way is Sent and never delivered: it counts as
  in queue if it was never tried, and as backing off otherwise.

In every mode, *not all relayed* is added: the difference between a share of d messages and one of
N. It is 0 where the mode divides by all to deliver.

The ledger does not follow single messages. So the parts count what is yet to happen, and one
message can be in two of them, with opposite signs: in queue, and accepted and returned later.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sendcap.ledger import Counts, Edges
from sendcap.readings.kpis import Readings, percentage
from sendcap.readings.modes import (
    ALL_DELIVERIES,
    ALL_PROVIDERS,
    KNOWN_EVENTS,
    Denominator,
    Known,
    Mode,
    denominator_counts,
    known,
    names_of,
    statuses,
)

Floats = npt.NDArray[np.float64]


class BothClocks(NamedTuple):
    """Counts of some messages, what Campaign knew and what had happened, wherever they change.

    They count up to some edges of a ledger's bins; from each to the next one nothing changes.
    """

    edges: Edges
    bin_s: float
    known: Known
    happened: Known

    @staticmethod
    def of(
        readings: Readings,
        delivery: str = ALL_DELIVERIES,
        provider: str = ALL_PROVIDERS,
    ) -> BothClocks:
        """Return the counts of a delivery and provider, ``"*"`` being all of them."""
        ledger = readings.ledger

        def counted() -> BothClocks:
            edges = ledger.with_ends(ledger.changes(KNOWN_EVENTS, **names_of(delivery, provider)))
            return BothClocks(
                edges,
                ledger.bin_s,
                known(ledger, delivery, provider, edges=edges),
                known(ledger, delivery, provider, "happened", edges),
            )

        return readings.once(("both clocks", delivery, provider), counted)

    @property
    def time_s(self) -> Floats:
        """The edges in seconds."""
        return self.edges.astype(np.float64) * self.bin_s

    def rows(self, edges: Edges) -> Edges:
        """Return which of the counts are those up to edges of the ledger."""
        return np.searchsorted(self.edges, edges, side="right") - 1

    @property
    def delivered(self) -> int:
        """Messages that are delivered in the end: accepted, and not returned."""
        return int(self.happened.accepted[-1] - self.happened.async_bounced[-1])

    @property
    def truth_pct(self) -> float:
        """Share of the messages to deliver that is delivered in the end; NaN of none."""
        to_deliver = self.known.to_deliver
        return 100.0 * self.delivered / to_deliver if to_deliver else float("nan")


class Lacking(NamedTuple):
    """Messages by which a reading differs from the truth, at each edge; see the module."""

    in_queue: Counts
    backing_off: Counts
    not_fed_back: Counts
    async_to_come: Counts


class Remaining(NamedTuple):
    """The parts of a reading's error in points, at each edge; together they are the error."""

    in_queue_pt: Floats
    backing_off_pt: Floats
    not_fed_back_pt: Floats
    async_to_come_pt: Floats
    not_all_relayed_pt: Floats


def lacking(clocks: BothClocks, mode: Mode) -> Lacking:
    """Return the messages by which a mode's Sent differs from what is delivered in the end."""
    now, reported = clocks.happened, clocks.known
    async_to_come = now.async_bounced[-1] - reported.async_bounced
    if mode != "without-efs":
        return Lacking(
            in_queue=-_to_come(now.accepted - now.recovered),
            backing_off=-_to_come(now.recovered),
            not_fed_back=-(now.accepted - reported.accepted),
            async_to_come=async_to_come,
        )
    untried, backing_off = _under_way_at_the_end(now)
    return Lacking(
        in_queue=_to_come(now.relay_failed)
        + _to_come(now.hard - now.hard_after_soft)
        + _to_come(now.expired_untried)
        + untried,
        backing_off=_to_come(now.hard_after_soft)
        + _to_come(now.expired - now.expired_untried)
        + backing_off,
        not_fed_back=(now.hard - reported.hard)
        + (now.expired - reported.expired)
        + (now.relay_failed - reported.relay_failed),
        async_to_come=async_to_come,
    )


def remaining(clocks: BothClocks, mode: Mode, denominator: Denominator = "default") -> Remaining:
    """Return the parts of the error of Delivered %, in points; above zero for one that is too high.

    Where Delivered % is a share of nothing, there is no error, and ``not_all_relayed_pt`` is NaN.
    """
    reported, to_deliver = clocks.known, clocks.known.to_deliver
    status = statuses(reported, mode)
    total = denominator_counts(reported, status, mode, denominator)
    in_queue, backing_off, not_fed_back, async_to_come = (
        _points(count, to_deliver) for count in lacking(clocks, mode)
    )
    sent = status.sent
    if mode == "without-efs":
        # What would be Sent if all were relayed, and failed as known so far.
        sent = to_deliver - status.failed
    reading_pct = percentage(status.sent, total)
    return Remaining(
        in_queue_pt=in_queue,
        backing_off_pt=backing_off,
        not_fed_back_pt=not_fed_back,
        async_to_come_pt=async_to_come,
        not_all_relayed_pt=reading_pct - _points(sent, to_deliver),
    )


def _to_come(count: Counts) -> Counts:
    return int(count[-1]) - count


def _under_way_at_the_end(now: Known) -> tuple[int, int]:
    """Return the messages that are untried at the end of the run, and those backing off."""
    soft_first, expired_after = now.soft_first[-1], now.expired[-1] - now.expired_untried[-1]
    backing_off = soft_first - now.recovered[-1] - now.hard_after_soft[-1] - expired_after
    tried = (now.accepted - now.recovered + now.hard - now.hard_after_soft)[-1] + soft_first
    untried = now.to_deliver - now.relay_failed[-1] - now.expired_untried[-1] - tried
    return int(untried), int(backing_off)


def _points(count: Counts, to_deliver: int) -> Floats:
    return percentage(count, 0 * count + to_deliver)
