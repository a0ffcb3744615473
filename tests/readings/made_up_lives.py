"""Ledgers of messages whose lives are made up, each event known some bins after it happened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from sendcap.ledger import Event, Ledger
from sendcap.model.tally import KNOWN_AT_ONCE, Tally

BIN_S = 60.0
LIVES: dict[str, tuple[str, ...]] = {
    "relay failed": ("relay_failed",),
    "accepted": ("relayed", "accepted"),
    "returned": ("relayed", "accepted", "async_bounced"),
    "hard": ("relayed", "hard"),
    "recovered": ("relayed", "soft soft_first", "soft", "accepted recovered"),
    "recovered, returned": (
        "relayed",
        "soft soft_first",
        "accepted recovered",
        "async_bounced",
    ),
    "soft, then hard": ("relayed", "soft soft_first", "hard hard_after_soft"),
    "expired untried": ("relayed", "expired expired_untried"),
    "expired": ("relayed", "soft soft_first", "soft", "expired"),
}


class Life(NamedTuple):
    """A message: the bin in which it is relayed, its fate, bins per step and until known."""

    start: int
    fate: str
    step: int
    delay: int
    provider: str = "p"


LIVES_MADE_UP = st.lists(
    st.builds(
        Life,
        st.integers(0, 6),
        st.sampled_from(sorted(LIVES)),
        st.integers(0, 4),
        st.integers(0, 3),
        st.sampled_from(["p", "q"]),
    ),
    min_size=1,
    max_size=15,
)


def ledger_of(lives: Iterable[Life], bins: int = 40) -> Ledger:
    """Return a ledger; what lies behind its last bin is cut off, as by a horizon."""
    tally = Tally(BIN_S, bins * BIN_S, ["p", "q"], [""])
    to_deliver = {("d", "p"): 0, ("d", "q"): 0}
    for start, fate, step, delay, provider in lives:
        to_deliver["d", provider] += 1
        for number, events in enumerate(LIVES[fate]):
            happened = BIN_S * (start + step * number)
            for event in events.split():
                add(tally, "happened", event, provider, happened)
                if event not in KNOWN_AT_ONCE:
                    add(tally, "known", event, provider, happened + delay * BIN_S)
    return tally.ledger(["d"], to_deliver, bins)


def add(tally: Tally, clock, event: Event, provider: str, time_s: float) -> None:
    tally.add(clock, event, 0, ["p", "q"].index(provider), np.array([time_s]))
