"""The relay: how Campaign hands messages over to the MTA."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sendcap.scenario.distributions import Distribution
from sendcap.scenario.rates import RateField
from sendcap.scenario.section import MOST_AT_A_TIME, Count, Section, Share


class Relay(Section):
    """Senders that hand over batches, one batch after the other each."""

    workers: Annotated[Count, Field(le=MOST_AT_A_TIME)] = 1
    """How many batches are handed over at a time."""
    batch: Count = 256
    """Messages per hand-over."""
    batch_time: Distribution
    """How long one hand-over takes."""
    rate: RateField = None
    """Limit for all workers together, or "none"; a max_burst that is not given is the whole limit.

    So "15,000/hr" lets 15,000 go at once, and ",max_burst=1" spaces them evenly.
    """
    error_rate: Share = 0.0
    """Share of the messages that fail before hand-over."""
