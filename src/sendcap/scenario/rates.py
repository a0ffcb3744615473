"""Rates: text such as ``"100/s"`` in a scenario, a :class:`Rate` in Python."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from sendcap.scenario.section import READ_NONE, WRITE_NONE
from sendcap.text.quoting import did_you_mean, shown

_LONGEST_TEXT: Final = 100
_COUNT: Final = r"\d+(?:[_,]\d+)*"
_RATE: Final = re.compile(
    rf"(?:local:)?(?P<limit>{_COUNT})/(?P<times>\d*)(?P<period>[a-zA-Z]+)"
    rf"(?:,max_burst=(?P<burst>{_COUNT}))?",
    re.ASCII,
)
_MOST: Final = 10**12
_LONGEST_S: Final = 366 * 86_400
"""Longest simulated time."""
_PERIODS: Final[dict[str, int]] = {
    **dict.fromkeys(("s", "sec", "second"), 1),
    **dict.fromkeys(("m", "min", "minute"), 60),
    **dict.fromkeys(("h", "hr", "hour"), 3600),
    **dict.fromkeys(("d", "day"), 86_400),
}
_RATE_EXAMPLE: Final = 'for example "100/s", "1,000/15m" or "50/min,max_burst=1"'


@dataclass(frozen=True, slots=True)
class Rate:
    """A limit per period, as KumoMTA writes it: ``LIMIT/[N]PERIOD[,max_burst=BURST]``.

    The burst is the whole limit where the text gives none. So ``15,000/hr`` lets 15,000 go at
    once, and up to twice the limit in the first period: the burst, and what the hour allows.
    ``15,000/hr,max_burst=1`` spaces them evenly.

    Attributes
    ----------
    limit
        Messages per period, 1 to 10¹².
    period_s
        Length of the period in whole seconds, up to 366 days.
    burst
        How many may go at once (the GCRA's tolerance), or None where the text does not say.

    References
    ----------
    KumoMTA, ``crates/throttle/src/lib.rs`` (``ThrottleSpec``). The prefix ``local:`` is read
    and dropped: a scenario has one MTA.
    """

    limit: int
    period_s: float
    burst: int | None = None

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError(
                f"a rate must be more than zero, not {self.limit}; to stop sending, leave the "
                f"provider out"
            )
        if not (self.period_s >= 1 and float(self.period_s).is_integer()):
            raise ValueError(f"a rate's period is a whole number of seconds, not {self.period_s!r}")
        if self.burst is not None and self.burst < 1:
            raise ValueError(f"max_burst must be at least 1, the even spacing, not {self.burst}")
        for name, number in (("limit", self.limit), ("max_burst", self.burst or 1)):
            if number > _MOST:
                raise ValueError(f"a rate's {name} is at most {_MOST}, not {shown(number)}")
        if self.period_s > _LONGEST_S:
            raise ValueError(f"a rate's period is at most 366d, not {shown(self.period_s)}s")
        object.__setattr__(self, "period_s", float(self.period_s))

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Read a rate.

        Examples
        --------
        >>> Rate.parse("1,000/15m,max_burst=50")
        Rate(limit=1000, period_s=900.0, burst=50)
        """
        if not isinstance(text, str):
            raise ValueError(f"{shown(text)} has no period; give a rate, {_RATE_EXAMPLE}")  # noqa: TRY004
        if text.lstrip().startswith("-"):
            raise ValueError(f"{shown(text)} is negative; give a rate, {_RATE_EXAMPLE}")
        match = _RATE.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
        if match is None:
            spaces = " without spaces" if " " in text else ""
            raise ValueError(
                f"{shown(text)} is not a rate; write LIMIT/PERIOD{spaces}, {_RATE_EXAMPLE}"
            )
        period = match["period"]
        if period not in _PERIODS:
            hint = did_you_mean(period, _PERIODS) or "; periods: s m h d"
            raise ValueError(f"unknown period {shown(period)} in {shown(text)}{hint}")
        limit = _count(match["limit"])
        times = int(match["times"] or 1)
        burst = _count(match["burst"]) if match["burst"] else None
        if limit == 0:
            raise ValueError(
                f"{shown(text)} lets nothing through; give a limit of at least 1, or a longer "
                f'period such as "1/d", or "none" for no limit'
            )
        if times == 0:
            raise ValueError(f"{shown(text)}: the period must be more than zero, {_RATE_EXAMPLE}")
        if burst == 0:
            raise ValueError(f"{shown(text)}: max_burst must be at least 1, the even spacing")
        return cls(limit, float(times * _PERIODS[period]), burst)

    @property
    def per_s(self) -> float:
        """Messages per second in the long run."""
        return self.limit / self.period_s

    @property
    def burst_or_limit(self) -> int:
        """How many may go at once; KumoMTA's default is the whole limit."""
        return self.limit if self.burst is None else self.burst

    def times(self, number: int) -> Rate:
        """Return the rate of so many together, at most the largest rate."""
        burst = None if self.burst is None else min(self.burst * number, _MOST)
        return Rate(min(self.limit * number, _MOST), self.period_s, burst)

    def __str__(self) -> str:
        names = {1: "s", 60: "m", 3600: "h", 86_400: "d"}
        period = names.get(int(self.period_s), f"{int(self.period_s)}s")
        burst = "" if self.burst is None else f",max_burst={self.burst}"
        return f"{self.limit}/{period}{burst}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let a model have a rate as a field, from text or as it is."""

        def read(value: Any) -> Rate:
            return value if isinstance(value, Rate) else cls.parse(value)

        return core_schema.no_info_plain_validator_function(
            read, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Tell an editor that a rate is text."""
        return {**RATE_SCHEMA}  # pydantic writes a field's own default into it


def _count(digits: str) -> int:
    return int(digits.replace("_", "").replace(",", ""))


_GRAMMAR: Final = "LIMIT/[N]PERIOD{}, periods s, m, h, d, as KumoMTA writes it"

RATE_SCHEMA: Final[dict[str, Any]] = {
    "type": "string",
    "title": "Rate",
    "description": (
        _GRAMMAR.format("[,max_burst=BURST]") + "; without "
        'max_burst the whole limit may go at once, so "15,000/hr" lets 15,000 go at once and up '
        "to twice the limit in the first period; max_burst=1 spaces them evenly"
    ),
    "examples": ["100/s", "1,000/15m", "50/min,max_burst=1"],
}


def _without_burst(value: Any) -> Any:
    rate = Rate.parse(value) if isinstance(value, str) else value
    if isinstance(rate, Rate) and rate.burst is not None:
        raise ValueError(
            f"{shown(str(value))}: this is a server's rate, one message after the other, so it has "
            f'no max_burst; write "{Rate(rate.limit, rate.period_s)}"'
        )
    return rate


RateField = Annotated[
    Rate | None,
    READ_NONE,
    WRITE_NONE,
    WithJsonSchema({**RATE_SCHEMA, "examples": [*RATE_SCHEMA["examples"], "none"]}),
]
"""A rate, or None for no limit; ``"none"`` in a scenario file."""

ServerRateField = Annotated[
    Rate | None,
    BeforeValidator(_without_burst),
    READ_NONE,
    WRITE_NONE,
    WithJsonSchema(
        {**RATE_SCHEMA, "description": _GRAMMAR.format(""), "examples": ["2000/s", "none"]}
    ),
]
"""A server's rate (no burst), or None for no limit; ``"none"`` in a scenario file."""
