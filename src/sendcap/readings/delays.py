"""Delays from ready to accepted in figures: the mean, quantiles and the longest.

They are as exact as the scale on which a ledger counts them, to 0.8 %; see `sendcap.ledger.delays`.
"""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from sendcap.ledger import Ledger, SparseCounts
from sendcap.ledger.delays import lowest_s
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS, names_of

DELAY_PCT: Final = (50, 95, 99)
"""Shares of the accepted messages, whose longest delays are told."""
DELAY_FIGURES: Final = {
    "delay_mean_s": "Mean",
    **{f"delay_p{pct}_s": f"p{pct}" for pct in DELAY_PCT},
    "delay_longest_s": "Longest",
}
"""The figures by name, with the headings of their columns."""


def delay_figures(
    ledger: Ledger, *, delivery: str | None = None, provider: str | None = None
) -> dict[str, float | None]:
    """Return the figures of a delivery, a provider or all, in seconds from ready to accepted.

    None where nothing was accepted, or nobody has counted delays.
    """
    if ledger.delays is None:
        return dict.fromkeys(DELAY_FIGURES)
    counts = ledger.delays_of(delivery, provider)
    if not len(counts.bins):
        return dict.fromkeys(DELAY_FIGURES)
    middle_s = (lowest_s(counts.bins) + lowest_s(counts.bins + 1)) / 2.0
    values = (
        float(np.average(middle_s, weights=counts.counts)),
        *(delay_quantile_s(counts, pct / 100.0) for pct in DELAY_PCT),
        delay_quantile_s(counts, 1.0),
    )
    return {name: round(value, 6) for name, value in zip(DELAY_FIGURES, values, strict=True)}


def delay_quantile_s(counts: SparseCounts, share: float) -> float:
    """Return the delay that a share of some messages does not exceed; within a step it is even."""
    wanted = share * float(counts.counts.sum())
    code, before, after = counts.reached(wanted)
    low_s, high_s = lowest_s(np.array([code, code + 1], np.int32)).tolist()
    return float(low_s + (high_s - low_s) * (wanted - before) / (after - before))


def accepted_within(
    counts: SparseCounts,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return delays, and the percentages of the accepted messages with no longer ones."""
    pct = 100.0 * np.cumsum(counts.counts) / counts.counts.sum()
    # Between two steps with messages the share stays as it is.
    delays_s = np.stack([lowest_s(counts.bins), lowest_s(counts.bins + 1)], axis=1)
    return delays_s.ravel(), np.stack([np.append(0.0, pct[:-1]), pct], axis=1).ravel()


def delays_table(ledger: Ledger) -> pd.DataFrame:
    """Return the figures of all, of each delivery and provider, and of both together."""
    rows = []
    for delivery, provider in _groups(ledger):
        names = names_of(delivery, provider)
        accepted = ledger.total("accepted", clock="happened", **names)
        figures = delay_figures(ledger, **names)
        values = {name: math.nan if value is None else value for name, value in figures.items()}
        rows.append({"delivery": delivery, "provider": provider, "accepted": accepted, **values})
    return pd.DataFrame(rows)


def _groups(ledger: Ledger) -> Iterator[tuple[str, str]]:
    yield ALL_DELIVERIES, ALL_PROVIDERS
    for delivery in ledger.names:
        yield delivery, ALL_PROVIDERS
    for provider in ledger.providers:
        yield ALL_DELIVERIES, provider
    yield from ledger.to_deliver
