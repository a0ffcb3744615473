from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from sendcap.ledger import CLOCKS, Clock, Event, Ledger
from sendcap.model.tally import Tally

Row = tuple[Event, float, int]
Made = Callable[..., Ledger]


@pytest.fixture(scope="session")
def made() -> Made:
    """Make a ledger by hand: rows of event, time in seconds and number of messages."""

    def make(
        rows: Iterable[Row] = (),
        *,
        to_deliver: int = 10,
        bins: int = 10,
        bin_s: float = 60.0,
        clocks: Iterable[Clock] = CLOCKS,
        more: Iterable[tuple[str, str, int, Iterable[Row]]] = (),
    ) -> Ledger:
        parts = [("news", "gmail", to_deliver, rows), *more]
        deliveries = list(dict.fromkeys(part[0] for part in parts))
        providers = list(dict.fromkeys(part[1] for part in parts))
        tally = Tally(bin_s, math.inf, providers, [""])
        for delivery, provider, _, other_rows in parts:
            for event, time_s, count in other_rows:
                for clock in clocks:
                    tally.add(
                        clock,
                        event,
                        deliveries.index(delivery),
                        providers.index(provider),
                        np.array([time_s]),
                        weights=np.array([count]),
                    )
        messages = {(part[0], part[1]): part[2] for part in parts}
        return tally.ledger(deliveries, messages, bins)

    return make
