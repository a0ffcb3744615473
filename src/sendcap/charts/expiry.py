"""When the validity of a run's messages ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sendcap.readings.modes import ALL_DELIVERIES

if TYPE_CHECKING:
    from sendcap.run import Run


class ExpirySpan(NamedTuple):
    """The end of validity of a delivery's first message and of its last, in seconds."""

    delivery: str
    first_s: float
    last_s: float


def expiry_spans(run: Run, delivery: str = ALL_DELIVERIES) -> list[ExpirySpan]:
    """Return when messages expire, a span for each delivery that relayed any, first one first.

    The ledger tells when messages were relayed no finer than its bins, so with the clock's origin
    there, the span is as much wider.
    """
    import numpy as np

    spans = []
    for its in run.scenario.deliveries:
        if delivery not in (ALL_DELIVERIES, its.name):
            continue
        relayed = np.flatnonzero(run.ledger.counts("relayed", clock="happened", delivery=its.name))
        if not len(relayed):
            continue
        starts_s = (its.at, its.at)
        if run.scenario.mta.clock_origin == "relayed":
            edges_s = run.ledger.edges_s
            starts_s = (float(edges_s[relayed[0]]), float(edges_s[relayed[-1] + 1]))
        spans.append(ExpirySpan(its.name, *(at + its.honoured_validity for at in starts_s)))
    return sorted(spans, key=lambda span: (span.first_s, span.last_s))
