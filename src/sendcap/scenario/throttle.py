"""Throttles: what holds a provider queue's attempts back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, PlainSerializer, Tag

from sendcap.scenario.durations import PositiveDuration
from sendcap.scenario.rates import Rate
from sendcap.scenario.schedule import Schedule, WarmUp
from sendcap.scenario.section import Count, Section


class FixedWindow(Section):
    """So many attempts in each window of time, as fast as they go.

    Adobe Campaign's native MTA enforces its messages per hour as twelve windows of five minutes:
    10,000 an hour are 833 in each (Campaign Classic, "Email deliverability").
    """

    kind: Literal["fixed-window"] = "fixed-window"
    limit: Count
    """Attempts in each window, from each source address."""
    window: PositiveDuration
    """Length of a window; the first begins at t = 0."""


class Gap(Section):
    """A pause after each attempt has finished; one attempt at a time.

    Postfix's ``destination_rate_delay`` (``qmgr_entry.c``): a cycle takes service plus delay.
    """

    kind: Literal["gap"] = "gap"
    pause: PositiveDuration
    """From the finish of an attempt to the start of the next."""


def _text_as_rate(value: Any) -> Any:
    if value is None or value == "none":
        return None
    return value if isinstance(value, dict | Section | Rate) else Rate.parse(value)


def _kind(value: Any) -> str | None:
    if isinstance(value, Rate):
        return "gcra"
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return kind if isinstance(kind, str) else None


def _as_written(throttle: Any) -> Any:
    if throttle is None:
        return "none"
    return str(throttle) if isinstance(throttle, Rate) else throttle.model_dump()


_Throttle = Annotated[
    Annotated[Rate, Tag("gcra")]
    | Annotated[FixedWindow, Tag("fixed-window")]
    | Annotated[Gap, Tag("gap")]
    | Annotated[Schedule, Tag("schedule")]
    | Annotated[WarmUp, Tag("warm-up")],
    Discriminator(
        _kind,
        custom_error_type="throttle_kind",
        custom_error_message='kind must be "fixed-window", "gap", "schedule" or "warm-up"; '
        'a plain rate is text, such as "100/s"',
    ),
]
Throttle = Annotated[_Throttle | None, BeforeValidator(_text_as_rate), PlainSerializer(_as_written)]
"""A rate (its throttle is the GCRA) or a table with a ``kind``; None, written "none", for none."""
