"""Delivery throughput: messages relayed in each hour, and what recipients' servers accepted."""

from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from sendcap.errors import SendcapError
from sendcap.ledger import Clock, Counts, Event, Ledger
from sendcap.readings.dynamic_report import require_moment
from sendcap.readings.modes import ALL_DELIVERIES, names_of, require_delivery
from sendcap.scenario.durations import format_duration
from sendcap.scenario.start import since_midnight_s
from sendcap.text.quantities import HOUR_S


def throughput(
    ledger: Ledger,
    t_s: float,
    delivery: str = ALL_DELIVERIES,
    *,
    start: datetime | None = None,
) -> pd.DataFrame:
    """Return the messages of each hour up to a moment; see `sendcap.Run.throughput`."""
    require_moment(t_s)
    require_delivery(ledger, delivery)
    if ledger.bin_s > HOUR_S:
        raise SendcapError(
            f"no messages per hour: the run has counts every {format_duration(ledger.bin_s)}; "
            "lower time.bin to 1h and simulate again"
        )
    bounds_s = _hours_s(min(t_s, ledger.end_s), start)
    edges = ledger.last_edges(bounds_s)

    def in_each(event: Event, clock: Clock) -> Counts:
        return np.diff(ledger.cumulative(event, clock=clock, edges=edges, **names_of(delivery)))

    # Campaign counts what it hands over; what becomes of it, it learns later.
    table = pd.DataFrame(
        {
            "hour_s": bounds_s[:-1],
            "until_s": bounds_s[1:],
            "relayed": in_each("relayed", "known"),
            "accepted": in_each("accepted", "happened"),
        }
    )
    return table[(table.relayed > 0) | (table.accepted > 0)].reset_index(drop=True)


def _hours_s(until_s: float, start: datetime | None) -> npt.NDArray[np.float64]:
    """Return the full hours by the clock up to a moment, with 0 and the moment itself."""
    past_s = 0.0 if start is None else since_midnight_s(start) % HOUR_S
    full_s = np.arange(HOUR_S - past_s, until_s, HOUR_S)
    return np.unique(np.concatenate(([0.0], full_s, [until_s])))


def busiest(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return at most so many hours, those with the most messages relayed or accepted, in order."""
    busy = table[["relayed", "accepted"]].max(axis=1).nlargest(most)
    return table.loc[busy.index.sort_values()]
