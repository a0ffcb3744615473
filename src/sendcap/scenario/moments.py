"""Moments of a scenario: an offset from t = 0 (``"20m"``), or a time by the clock (``"14:00"``)."""

from dataclasses import dataclass
from datetime import date, time
from typing import Annotated, Any, Final, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import PydanticCustomError, core_schema

from sendcap.scenario.clock import Clock, or_by_the_clock, written
from sendcap.scenario.durations import (
    DURATION_SCHEMA,
    DurationText,
    format_duration,
    parse_duration,
)
from sendcap.text.clock import says_the_clock
from sendcap.text.quoting import shown

MOMENT_SCHEMA: Final[dict[str, Any]] = {
    "type": "string",
    "title": "Moment",
    "description": f"{DURATION_SCHEMA['description']}; or with start by the clock",
    "examples": ["20m", "4d12h", "14:00", "Sat 08:00"],
}
CLOCK: Final = "clock"
"""Key of the clock in the context of validation; see `sendcap.scenario.scenario`."""

NEEDS_START: Final = "needs_start"
"""Type of the error of a moment by the clock where there is no clock."""


class Moment(float):
    """Seconds from t = 0 that a scenario file says by the clock, with the text there."""

    text: str

    def __new__(cls, seconds: float, text: str = "") -> Self:
        """Return the moment; `float` takes only the seconds."""
        moment = super().__new__(cls, seconds)
        moment.text = text
        return moment


def at_text(moment_s: float) -> str:
    """Return a moment as the file says it, or as a duration."""
    return getattr(moment_s, "text", "") or format_duration(moment_s)


@dataclass(frozen=True)
class MomentText:
    """An annotation of seconds from t = 0 that a file writes as a duration or by the clock."""

    most: str | None = None

    def read(self, value: Any, info: ValidationInfo) -> float:
        """Read a moment; one by the clock needs the clock of the scenario."""
        if isinstance(value, list | tuple):
            raise ValueError(  # noqa: TRY004 (pydantic)
                f'must be one moment such as "1h", not the list {shown(value)}'
            )
        text = written(value) if isinstance(value, date | time) else value
        if not isinstance(text, str) or not says_the_clock(text):
            try:
                return DurationText(most=self.most, zero=True).read(text)
            except ValueError as error:
                if not isinstance(value, str):
                    raise
                raise ValueError(or_by_the_clock(error)) from None
        clock = (info.context or {}).get(CLOCK)
        if not isinstance(clock, Clock):
            message = (
                f"{shown(text)} is a time by the clock, which needs start, the date and time of "
                't = 0; give start, or a time from t = 0 such as "20m"'
            )
            raise PydanticCustomError(NEEDS_START, "{message}", {"message": message})
        seconds = clock.moment_s(text)
        if self.most and seconds > parse_duration(self.most):
            raise ValueError(f"must be at most {self.most} after start, not {shown(text)}")
        return Moment(seconds, text)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Read and write text, whatever the annotated type."""
        write = core_schema.plain_serializer_function_ser_schema(at_text)
        return core_schema.with_info_plain_validator_function(self.read, serialization=write)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the schema for editors."""
        return {**MOMENT_SCHEMA}  # pydantic writes a field's own default into it


MomentField = Annotated[float, MomentText()]
"""Seconds from t = 0; text in a scenario file."""
