"""What has become of the messages, whatever Campaign knows of it."""

import math
from dataclasses import dataclass

from sendcap.errors import SendcapError
from sendcap.ledger import Counts, Ledger
from sendcap.readings.displayed_figures import DisplayedFigures
from sendcap.readings.modes import ALL_DELIVERIES, Known, known
from sendcap.text.quantities import elapsed
from sendcap.text.shares import percentage


@dataclass(frozen=True)
class Truth(DisplayedFigures):
    """What has become of the messages of a delivery, or of all, at a moment.

    Attributes
    ----------
    delivery
        Name of the delivery; ``"*"`` is all deliveries together.
    time_s, as_of_s
        The moment in question, and the last count at or before it, in seconds.
    to_deliver, relayed
        Messages; expected ones are rounded.
    delivered, failed, backing_off, untried, not_relayed
        Where these messages are, which adds up to ``to_deliver``: accepted and not returned so
        far; failed for good; bounced softly, to be tried again; relayed, and the first attempt has
        not ended; not relayed, and not failed at the relay.
    delivered_pct, failed_pct
        Delivered and failed messages in percent of those to deliver; NaN if there are none.
    """

    delivery: str
    time_s: float
    as_of_s: float
    to_deliver: int
    relayed: int
    delivered: int
    failed: int
    backing_off: int
    untried: int
    not_relayed: int
    delivered_pct: float
    failed_pct: float

    def _about(self) -> str:
        return f"the truth at {elapsed(self.time_s)}: delivered {percentage(self.delivered_pct)} %"


def truth(ledger: Ledger, t_s: float, delivery: str = ALL_DELIVERIES) -> Truth:
    """Return what has become of the messages at a moment; see `sendcap.Run.truth`."""
    if not t_s >= 0:
        raise SendcapError(f"no figures at {t_s:g} s: the simulation starts at 0")
    edge = ledger.last_edges([t_s])
    happened = known(ledger, delivery, clock="happened", edges=edge)
    now = {name: float(column[0]) for name, column in fates(happened).items()}
    of = happened.to_deliver or math.nan
    return Truth(
        delivery=delivery,
        time_s=float(t_s),
        as_of_s=float(ledger.edges_s[edge[0]]),
        to_deliver=round(float(happened.to_deliver)),
        relayed=round(float(happened.relayed[0])),
        **{name: round(count) for name, count in now.items()},
        delivered_pct=100.0 * now["delivered"] / of,
        failed_pct=100.0 * now["failed"] / of,
    )


def fates(happened: Known) -> dict[str, Counts]:
    """Return what has become of the messages at each edge.

    The arrays add up to all messages: ``delivered`` (accepted, and not returned so far),
    ``backing_off`` (bounced softly, and to be tried again), ``untried`` (relayed, and the first
    attempt has not ended), ``not_relayed`` and ``failed`` (for good).
    """
    backing_off = happened.soft_first - happened.recovered - happened.hard_after_soft
    backing_off = backing_off - (happened.expired - happened.expired_untried)
    final = happened.hard + happened.expired
    return {
        "delivered": happened.accepted - happened.async_bounced,
        "backing_off": backing_off,
        "untried": happened.relayed - happened.accepted - final - backing_off,
        "not_relayed": happened.to_deliver - happened.relayed - happened.relay_failed,
        "failed": happened.relay_failed + final + happened.async_bounced,
    }
