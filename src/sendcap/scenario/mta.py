"""The MTA: source addresses, ingress, the clock of the validity, retries."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from sendcap.scenario.rates import ServerRateField
from sendcap.scenario.retry import ExponentialRetry, Retry
from sendcap.scenario.section import Count, Section
from sendcap.scenario.suspend import SuspendField


def _none(value: Any) -> Any:
    return None if value == "none" else value


def _or_none(spool: int | None) -> int | str:
    return "none" if spool is None else spool


class Mta(Section):
    """The mail transfer agent that the relay hands messages to."""

    ips: Count = 1
    """Source addresses; the providers' limits are for each of them."""
    ingress_rate: ServerRateField = None
    """Rate of the server that takes messages in, or "none"."""
    spool: Annotated[Count | None, BeforeValidator(_none), PlainSerializer(_or_none)] = None
    """Messages that the MTA holds and that are not final, at most; the relay waits beyond it."""
    suspend: SuspendField = None
    """What it does after throttled answers: a rule, the name of one, or "none"."""
    clock_origin: Literal["relayed", "delivery-start"] = "relayed"
    """From when the validity counts."""
    expire: Literal["at-expiry", "on-failure"] = "at-expiry"
    """Whether a message expires on time, or at the failure after which no retry fits."""
    retry: Retry = Field(default_factory=ExponentialRetry)
    """When a message is tried again after a soft bounce."""
