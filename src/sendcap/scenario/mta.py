"""The MTA: source addresses, ingress, the clock of the validity, retries."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sendcap.scenario.rates import ServerRateField
from sendcap.scenario.retry import ExponentialRetry, Retry
from sendcap.scenario.section import Count, Section


class Mta(Section):
    """The mail transfer agent that the relay hands messages to."""

    ips: Count = 1
    """Source addresses; the providers' limits are for each of them."""
    ingress_rate: ServerRateField = None
    """Rate of the server that takes messages in, or "none"."""
    clock_origin: Literal["relayed", "delivery-start"] = "relayed"
    """From when the validity counts."""
    expire: Literal["at-expiry", "on-failure"] = "at-expiry"
    """Whether a message expires on time, or at the failure after which no retry fits."""
    retry: Retry = Field(default_factory=ExponentialRetry)
    """When a message is tried again after a soft bounce."""
