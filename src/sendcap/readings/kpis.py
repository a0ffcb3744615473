"""KPIs: the figures of the Deployment dashboard at every edge of the ledger's bins."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sendcap.readings.modes import (
    ALL_DELIVERIES,
    ALL_PROVIDERS,
    MODES,
    Denominator,
    Known,
    Mode,
    denominator_counts,
    known,
    statuses,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from sendcap.ledger import Counts, Ledger

    Percentages = npt.NDArray[np.float64]


class Figures(NamedTuple):
    """The columns of a table of KPIs: arrays of shape (bins + 1,).

    ``time_s`` is the edge of a bin, and the other columns count what Campaign knew before it.
    Percentages are of 100, and NaN where they are a share of nothing.
    """

    time_s: npt.NDArray[np.float64]
    to_deliver: Counts
    relayed: Counts
    sent: Counts
    failed: Counts
    pending: Counts
    delivered_pct: Percentages
    bounces_errors_pct: Percentages
    open_rate_pct: Percentages
    click_through_pct: Percentages


def percentage(part: Counts, whole: Counts) -> Percentages:
    """Return 100 · part / whole, and NaN where the whole is 0."""
    import numpy as np

    share = np.full(len(part), np.nan)
    np.divide(100.0 * part, whole, out=share, where=whole != 0)
    return share


def figures(
    ledger: Ledger,
    mode: Mode,
    delivery: str = ALL_DELIVERIES,
    denominator: Denominator = "default",
    provider: str = ALL_PROVIDERS,
) -> Figures:
    """Return the KPIs as arrays; see `kpis`."""
    return figures_of(ledger.edges_s, known(ledger, delivery, provider), mode, denominator)


def figures_of(
    time_s: npt.NDArray[np.float64],
    counts: Known,
    mode: Mode,
    denominator: Denominator = "default",
) -> Figures:
    """Return the KPIs that a mode makes of what Campaign knew at some times."""
    status = statuses(counts, mode)
    whole = denominator_counts(counts, status, mode, denominator)
    return Figures(
        time_s=time_s,
        to_deliver=0 * counts.relayed + counts.to_deliver,
        relayed=counts.relayed,
        sent=status.sent,
        failed=status.failed,
        pending=status.pending,
        delivered_pct=percentage(status.sent, whole),
        bounces_errors_pct=percentage(status.failed, whole),
        # Adobe divides opens and clicks by the messages delivered, which each mode counts as
        # Sent.
        open_rate_pct=percentage(counts.opened, status.sent),
        click_through_pct=percentage(counts.clicked, status.sent),
    )


def kpis(
    ledger: Ledger,
    mode: Mode,
    delivery: str = ALL_DELIVERIES,
    denominator: Denominator = "default",
    provider: str = ALL_PROVIDERS,
) -> pd.DataFrame:
    """Return the KPIs over time, one row per edge of the ledger's bins.

    Parameters
    ----------
    mode
        One of `sendcap.readings.modes.MODES`.
    delivery
        A delivery's name, or ``"*"`` for all of them together.
    denominator
        What Delivered % and Bounces + errors % are a share of; by default what the mode takes.
    provider
        Count the messages to this provider alone, as if they were a delivery.

    Returns
    -------
    DataFrame
        Columns mode, delivery (and provider, where one is named), time_s, to_deliver, relayed,
        sent, failed, pending, delivered_pct, bounces_errors_pct, open_rate_pct,
        click_through_pct: the counts up to time_s, as Campaign knew them. A percentage of nothing
        is NaN. In ``efs-v8`` delivered_pct is what that version calls Success %, and
        bounces_errors_pct its error rate.

    Raises
    ------
    SendcapError
        If there is no such mode, delivery, provider or denominator.
    """
    import pandas as pd

    names = {"mode": mode, "delivery": delivery}
    if provider != ALL_PROVIDERS:
        names["provider"] = provider
    columns = figures(ledger, mode, delivery, denominator, provider)._asdict()
    return pd.DataFrame({**names, **columns})


def deliveries_and_all(ledger: Ledger) -> tuple[str, ...]:
    """Return ``"*"`` and then every delivery: the order of tables."""
    return (ALL_DELIVERIES, *ledger.deliveries)


def kpis_table(
    ledger: Ledger, modes: Iterable[Mode] = MODES, denominator: Denominator = "default"
) -> pd.DataFrame:
    """Return `kpis` of each mode, and in it of all deliveries together and of each delivery."""
    import pandas as pd

    tables = [
        kpis(ledger, mode, delivery, denominator)
        for mode in modes
        for delivery in deliveries_and_all(ledger)
    ]
    return pd.concat(tables, ignore_index=True)
