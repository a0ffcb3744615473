"""Suspensions: the MTA's reaction to throttled answers."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from sendcap.scenario.durations import DurationText, PositiveDuration, parse_duration
from sendcap.scenario.section import Count, Section, unit
from sendcap.scenario.throttle import ClosedOrRate
from sendcap.text.quoting import did_you_mean, shown

_LONGEST: Final = "366d"


def _not_for_ever(value: Any) -> Any:
    if value in ("none", "never", "forever", "unlimited", "inf"):
        raise ValueError(f"{shown(value)} would never end; give a duration up to {_LONGEST}")
    return value


class Suspend(Section):
    """After so many *throttled* answers in a period, a provider's whole queue is held back.

    It counts in a sliding period and goes on counting meanwhile: each further throttled answer
    that finds as many in the period lets the suspension last anew from then on.

    References
    ----------
    KumoMTA, ``assets/policy-extras/shaping.toml``, ``automation`` of the block ``default``.
    Momentum 4, ``modules.adaptive``: sweep rule for deferrals.
    """

    after: Annotated[Count, Field(le=100_000), unit("answers")] = 1
    """Throttled answers that start a suspension."""
    within: PositiveDuration = parse_duration("1h")
    """Sliding period in which they are counted."""
    lasts: Annotated[float, DurationText(most=_LONGEST), BeforeValidator(_not_for_ever)]
    """Length of the suspension, up to 366d."""
    rate: ClosedOrRate = "closed"
    """Rate of attempts from each source address during the suspension, or "closed"."""


_PRESETS: Final = {
    # 10 % of the least number of attempts that the rule looks at, 2000 in the sweep's hour.
    "momentum": {"after": 200, "within": "1h", "lasts": "4h"},
    # "temporarily deferred", "rate limited", "Server busy": at once, 1/minute for 90 minutes.
    "kumomta": {"after": 1, "within": "1m", "lasts": "90m", "rate": "1/m"},
    # "[TSS04]": at once, nothing for two hours.
    "kumomta-yahoo": {"after": 1, "within": "1m", "lasts": "2h"},
}
"""Rules of real MTAs by name; a scenario file may give the name alone."""


def _named(value: Any) -> Any:
    if value == "none":
        return None
    if isinstance(value, str) and value != "mta":
        if value not in _PRESETS:
            names = ", ".join(f'"{name}"' for name in _PRESETS)
            hint = did_you_mean(value, _PRESETS) or f'; give one of {names}, "none" or a table'
            raise ValueError(f"no rule is called {shown(value)}{hint}")
        return _PRESETS[value]
    return value


def _as_written(rule: Any) -> Any:
    if rule is None:
        return "none"
    return rule if isinstance(rule, str) else rule.model_dump()


_Name = Literal["none", "momentum", "kumomta", "kumomta-yahoo"]
SuspendField = Annotated[
    Suspend | None,
    BeforeValidator(_named, json_schema_input_type=Suspend | _Name),
    PlainSerializer(_as_written),
]
"""A rule, the name of one, or None, written "none", for none."""
ProviderSuspendField = Annotated[
    Suspend | Literal["mta"] | None,
    BeforeValidator(_named, json_schema_input_type=Suspend | _Name | Literal["mta"]),
    PlainSerializer(_as_written),
]
"""The same, or "mta" for the MTA's own rule."""
