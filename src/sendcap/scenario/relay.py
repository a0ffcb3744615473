"""The relay: how Campaign hands messages over to the MTA."""

from __future__ import annotations

from sendcap.scenario.distributions import Distribution
from sendcap.scenario.rates import RateField
from sendcap.scenario.section import Count, Section, Share


class Relay(Section):
    """Senders that hand over batches, one batch after the other each."""

    workers: Count = 1
    """How many batches are handed over at a time."""
    batch: Count = 256
    """Messages per hand-over."""
    batch_time: Distribution
    """How long one hand-over takes."""
    rate: RateField = None
    """Limit for all workers together, or "none"."""
    error_rate: Share = 0.0
    """Share of the messages that fail before hand-over."""
