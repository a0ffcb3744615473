"""Suspensions: the MTA's reaction to the answers of a provider."""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, TypeAdapter

from sendcap.scenario.durations import DurationText, PositiveDuration, parse_duration
from sendcap.scenario.section import (
    READ_NONE,
    WRITE_NONE,
    Checked,
    Count,
    OneOrMore,
    Place,
    Share,
    each_once,
    more_than_0,
    unit,
)
from sendcap.scenario.throttle import ClosedOrRate
from sendcap.text.quoting import did_you_mean, shown

_LONGEST: Final = "366d"
SUSPENDED: Final = "suspended"
"""Reason of a soft bounce without an attempt: a suspended queue sends its messages back."""
Answer = Literal["throttled", "unreachable", "transient", "fault", "hard"]


def _not_for_ever(value: Any) -> Any:
    if value in ("none", "never", "forever", "unlimited", "inf"):
        raise ValueError(f"{shown(value)} would never end; give a duration up to {_LONGEST}")
    return value


_PositiveShare = Annotated[
    Share | None,
    READ_NONE,
    WRITE_NONE,
    more_than_0("without failures nothing is to be suspended"),
]


class Suspend(Checked):
    """After so many failed attempts, a provider's whole queue is held back.

    A rule by count looks back over a sliding period, or counts failures in a row, and goes on
    counting meanwhile: each further failure that finds enough lets the suspension last anew from
    then on. A rule by ``share`` looks at each period's attempts at its end, the periods counted
    from t = 0.

    References
    ----------
    KumoMTA, ``assets/policy-extras/shaping.toml``, ``automation`` of the block ``default``;
    ``consecutive_connection_failures_before_delay``.
    Momentum 4, ``modules.adaptive``: ``adaptive_sweep_rule``, ``adaptive_attempt_threshold``.
    """

    after: Annotated[Count, Field(le=100_000), unit("answers")] = 1
    """Counted answers that start a suspension."""
    within: PositiveDuration = parse_duration("1h")
    """Sliding period in which they are counted, or length of the periods of a share."""
    counting: Literal["in-period", "in-a-row"] = "in-period"
    """Count answers in the period, or in a row, however long it takes: any other starts anew."""
    share: _PositiveShare = None
    """Share of a period's attempts that starts a suspension at its end, or "none"."""
    of: Annotated[Count, unit("attempts")] = 1
    """Least number of attempts in a period to look at its share."""
    counts: Annotated[OneOrMore[Answer], each_once("answer")] = ("throttled",)
    """Answers that count: "hard" and "fault" are those of the address."""
    lasts: Annotated[float, DurationText(most=_LONGEST), BeforeValidator(_not_for_ever)]
    """Length of the suspension, up to 366d."""
    rate: ClosedOrRate = "closed"
    """Rate of attempts from each source address during the suspension, or "closed"."""
    slow_to: _PositiveShare = None
    """Rate during the suspension, as a share of the period's attempts, or "none"."""
    meanwhile: Literal["wait", "retry"] = "wait"
    """Messages of a closed queue wait, or follow the retry schedule.

    With "retry", messages that are ready are sent back to their schedule at once: a soft bounce
    *suspended* without an attempt.
    """

    @property
    def in_a_row(self) -> bool:
        """Whether answers in a row are counted."""
        return self.counting == "in-a-row"

    def _problems(self) -> Iterator[tuple[Place, str]]:
        if self.share is not None:
            for key in ("after", "counting"):
                if getattr(self, key) != type(self).model_fields[key].default:
                    yield (key,), "a rule has either a count or a share; give one of them"
        else:
            if self.of != 1:
                yield ("of",), "holds for a share only; give share, too"
            if self.slow_to is not None:
                yield ("slow_to",), "holds for a share only; give rate instead"
        if self.slow_to is not None and self.rate != "closed":
            yield ("slow_to",), "a rule has either rate or slow_to; give one of them"
        if self.meanwhile == "retry" and (self.rate != "closed" or self.slow_to is not None):
            yield ("meanwhile",), '"retry" is of a closed queue; leave out rate and slow_to'


_KUMOMTA_DEAD: Final = {
    # The counter before this failure is over 100. "1s" stands for a moment.
    "counts": ["unreachable"],
    "counting": "in-a-row",
    "after": 102,
    "lasts": "1s",
    "meanwhile": "retry",
}
_PRESETS: Final[dict[str, Any]] = {
    # The default rule for bounces: a sweep of each hour with at least 2,000 attempts, 3 % slow
    # down and 10 % suspend for 4 hours. (Those are its own figures: of a rule without any, the
    # defaults are 5 % and 10 %.) It sums classes 24, timeouts, and 10, invalid recipients; the
    # latter say nothing about the sender's rate, and throttled answers stand here in their place
    # (assumption): the response rules for these are not published. Nor is the step of
    # "throttle down"; half the rate for an hour is an assumption.
    "momentum": [
        {
            "share": 0.03,
            "of": 2000,
            "within": "1h",
            "counts": ["throttled", "unreachable"],
            "lasts": "1h",
            "slow_to": 0.5,
        },
        {
            "share": 0.1,
            "of": 2000,
            "within": "1h",
            "counts": ["throttled", "unreachable"],
            "lasts": "4h",
        },
    ],
    # "temporarily deferred", "rate limited", "Server busy": at once, 1/minute for 90 minutes.
    # That is a slower rate and no suspension, so its messages wait.
    "kumomta": [{"after": 1, "within": "1m", "lasts": "90m", "rate": "1/m"}, _KUMOMTA_DEAD],
    # "[TSS04]": at once, nothing for two hours; messages follow their schedule since 2024.11.
    "kumomta-yahoo": [
        {"after": 1, "within": "1m", "lasts": "2h", "meanwhile": "retry"},
        _KUMOMTA_DEAD,
    ],
    # The first two hours of F,2h,15m; the later ones grow.
    "exim": {"counts": ["unreachable"], "lasts": "15m", "meanwhile": "retry"},
}
"""Rules of real MTAs by name; a scenario file may give the name alone."""


_ONE: Final = TypeAdapter[Suspend](Suspend)
_SEVERAL: Final = TypeAdapter[tuple[Suspend, ...]](OneOrMore[Suspend])


def _read(value: Any) -> Any:
    """Read a rule, a list of them or a name, so that errors are those of this form."""
    if value == "none":
        return None
    if isinstance(value, str):
        if value not in _PRESETS:
            names = ", ".join(f'"{name}"' for name in _PRESETS)
            hint = did_you_mean(value, _PRESETS) or f'; give one of {names}, "none" or a table'
            if value == "postfix":
                hint = '; dead sites are a part of connection_scaling = "postfix"'
            raise ValueError(f"no rule is called {shown(value)}{hint}")
        value = _PRESETS[value]
    if isinstance(value, list | tuple):
        return _SEVERAL.validate_python(value)
    return value if value is None else _ONE.validate_python(value)


def _as_written(rules: Any) -> Any:
    if rules is None:
        return "none"
    if isinstance(rules, str):
        return rules
    return [rule.model_dump() for rule in rules] if isinstance(rules, tuple) else rules.model_dump()


_Name = Literal["none", "momentum", "kumomta", "kumomta-yahoo", "exim"]
SuspendField = Annotated[
    Suspend | tuple[Suspend, ...] | None,
    BeforeValidator(_read, json_schema_input_type=Suspend | OneOrMore[Suspend] | _Name),
    PlainSerializer(_as_written),
]
"""A rule, a list of rules, the name of such, or None, written "none", for none."""
ProviderSuspendField = Annotated[
    Suspend | tuple[Suspend, ...] | Literal["mta"] | None,
    BeforeValidator(
        lambda value: value if value == "mta" else _read(value),
        json_schema_input_type=Suspend | OneOrMore[Suspend] | _Name | Literal["mta"],
    ),
    PlainSerializer(_as_written),
]
"""The same, or "mta" for the MTA's own rules."""
