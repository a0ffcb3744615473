"""Common parts of a scenario's models: strict frozen tables, plain numbers, names."""

import numbers
import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeGuard, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainValidator,
    SerializerFunctionWrapHandler,
    ValidationError,
    WithJsonSchema,
    WrapSerializer,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from sendcap.scenario.toml import Dotted
from sendcap.text.quoting import shown

Place = tuple[str | int, ...]
"""Keys and positions that lead to a value."""


class Section(BaseModel):
    """A table of a scenario file: frozen, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    read_away: ClassVar[tuple[str, ...]] = ()
    """Keys that a file may have and that reading replaces by fields."""


class Checked(Section):
    """A section whose keys have to fit together."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        refuse(self._problems())
        return self

    @abstractmethod
    def _problems(self) -> Iterator[tuple[Place, str]]:
        """Yield what does not fit together, and where."""


def refuse(problems: Iterable[tuple[Place, str]]) -> None:
    """Raise problems that concern more than one field, each at its own place below the model.

    Pydantic merges them with the errors of the enclosing models.
    """
    errors = [
        InitErrorDetails(
            type=PydanticCustomError("inconsistent", "{message}", {"message": message}),
            loc=place,
            input=None,
        )
        for place, message in problems
    ]
    if errors:
        raise ValidationError.from_exception_data("scenario", errors)


def repeated(names: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield the positions at which a name appears for the second time, with the name."""
    seen: Counter[str] = Counter()
    for position, name in enumerate(names):
        seen[name] += 1
        if seen[name] == 2:
            yield position, name


def each_once(noun: str) -> AfterValidator:
    """Return the check of a list of names: none of them appears twice."""

    def check(names: tuple[str, ...]) -> tuple[str, ...]:
        for _, name in repeated(names):
            raise ValueError(f"{shown(name)} appears twice; name each {noun} once")
        return names

    return AfterValidator(check)


def more_than_0(otherwise: str) -> AfterValidator:
    """Return the check of a share: 0 is refused, and what to do otherwise is said."""

    def check(share: float | None) -> float | None:
        if share == 0.0:
            raise ValueError(f"must be more than 0; {otherwise}")
        return share

    return AfterValidator(check)


def unit(name: str, source: str = "") -> Any:
    """Describe a field for the reference of the keys: the unit, and the source of the default."""
    extra: dict[str, JsonValue] = {"unit": name}
    if source:
        extra["source"] = source
    return Field(json_schema_extra=extra)


# pydantic by itself takes true as 1 and "5" as 5; both are slips in a scenario.


def whole(value: Any) -> int:
    """Return a whole number; one that may be meant as thousands is refused."""
    if isinstance(value, Dotted):
        text = f"{value:.3f}"
        grouped = text.replace(".", "_")
        if value.is_integer():
            raise ValueError(f"{text} is {value:.0f}; write {grouped} or {value:.0f}")
        problem = f"must be a whole number, not {text}; write thousands as {grouped}"
        raise ValueError(problem)  # noqa: TRY004 (pydantic)
    if not isinstance(value, bool):
        if isinstance(value, numbers.Integral):
            return int(value)
        if isinstance(value, numbers.Real) and float(value).is_integer():
            return int(float(value))
    raise ValueError(f"must be a whole number, not {shown(value)}")


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ValueError(f"must be a number, not {shown(value)}")  # noqa: TRY004 (pydantic)
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{shown(value)} is too large") from None


_PERCENT: Final = re.compile(r"\d{1,3}(?:\.\d{0,20})?\s*%", re.ASCII)


def _share(value: Any) -> float:
    if not isinstance(value, str):
        number = _number(value)
        if 1.0 < number <= 100.0:
            percent = f'{shown(value)} % is {number / 100.0:.6g} or "{number:.6g}%"'
            raise ValueError(f"must be at most 1, not {shown(value)}; {percent}")
        return number
    if not _PERCENT.fullmatch(value.strip()):
        raise ValueError(f'must be a share, such as 0.004 or "0.4%", not {shown(value)}')
    # Divided, so that 99% is the same number as 0.99.
    return float(value.strip().removesuffix("%")) / 100.0


_LONGEST_NAME: Final = 200
"""Characters of a name or a title: more fits into no table."""


def _name(value: str) -> str:
    _require_short(value)
    if not value.strip() or value != value.strip() or not value.isprintable():
        raise ValueError(
            f"{shown(value)} cannot be a name; write visible characters without spaces at the ends"
        )
    if value == "*":
        raise ValueError('"*" is reserved for totals; choose another name')
    return value


def _title(value: str) -> str:
    _require_short(value)
    if not value.isprintable():
        raise ValueError(f"{shown(value)} cannot be a title; write visible characters on one line")
    return value


def _require_short(text: str) -> None:
    if len(text) > _LONGEST_NAME:
        raise ValueError(
            f"{shown(text)} has {len(text):,} characters; write at most {_LONGEST_NAME}"
        )


def _at_least_one(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    if not entries:
        raise ValueError("needs at least one entry")
    return entries


_Entry = TypeVar("_Entry")

# pydantic's own minimum does not count the entries that are wrong.
OneOrMore = Annotated[
    tuple[_Entry, ...], AfterValidator(_at_least_one), Field(json_schema_extra={"minItems": 1})
]
"""A list with at least one entry."""
Whole = Annotated[int, BeforeValidator(whole)]
"""A whole number; true and text are refused."""
MOST: Final = 10**9
"""More messages than anybody has; no count needs to be larger."""
Count = Annotated[int, BeforeValidator(whole), Field(ge=1, le=MOST)]
"""A whole number from 1 to a billion."""
LARGEST_SEED: Final = 2**128 - 1
"""The seeds of replications have 128 bits."""
Seed = Annotated[int, BeforeValidator(whole), Field(ge=0, le=LARGEST_SEED)]
"""A seed of random draws."""
MOST_AT_A_TIME: Final = 1_000_000
"""More relay workers, source addresses or connections are a slip, and would take for ever."""
Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
"""A finite number; true and text are refused."""
_SHARE_SCHEMA: Final[dict[str, Any]] = {
    "title": "Share",
    "type": ["number", "string"],
    "minimum": 0,
    "maximum": 1,
    "pattern": f"^{_PERCENT.pattern}$",
    "examples": [0.004, "0.4%"],
}
MOST_ANYWHERE: Final = 1e15
"""A number beyond it is a slip, wherever no scenario's field has bounds of its own."""


def is_number(value: Any) -> TypeGuard[float]:
    """Tell whether a value is a number that can be calculated with; NaN and infinity cannot."""
    is_plain = isinstance(value, int | float) and not isinstance(value, bool)
    return is_plain and -MOST_ANYWHERE <= value <= MOST_ANYWHERE


Share = Annotated[
    float,
    BeforeValidator(_share),
    Field(ge=0, le=1, allow_inf_nan=False),
    WithJsonSchema(_SHARE_SCHEMA),
]
"""A share or a probability, 0 to 1, or text with a percent sign."""
PositiveShare = Annotated[Share, Field(gt=0)]
"""A share of something that is there."""
Name = Annotated[str, AfterValidator(_name)]
"""The name of a delivery, a provider or a reason."""
Title = Annotated[str, AfterValidator(_title)]
"""A line of text; may be empty."""


def _count_or_unlimited(value: Any) -> int | str:
    if value == "unlimited":
        return "unlimited"
    try:
        count = whole(value)
    except ValueError:
        if isinstance(value, Dotted):
            raise
        raise ValueError(f'must be a whole number or "unlimited", not {shown(value)}') from None
    if count < 1:
        raise ValueError(f'must be at least 1, or "unlimited", not {count}')
    if count > MOST:
        raise ValueError(f'must be at most {MOST}, or "unlimited", not {shown(value)}')
    return count


CountOrUnlimited = Annotated[
    int | Literal["unlimited"],
    PlainValidator(_count_or_unlimited),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 1, "maximum": MOST}, {"const": "unlimited"}]}
    ),
]
"""A whole number from 1 to a billion, or ``"unlimited"``."""


def _or_none(value: Any, write: SerializerFunctionWrapHandler) -> Any:
    return "none" if value is None else write(value)


READ_NONE: Final = BeforeValidator(lambda value: None if value == "none" else value)
"""For a field that may be None, which a scenario file writes as "none"."""
WRITE_NONE: Final = WrapSerializer(_or_none)
"""As above."""
