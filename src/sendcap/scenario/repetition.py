"""How a delivery is sent in parts, or again and again."""

import math
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from sendcap.scenario.audience import not_one, sums_to_one
from sendcap.scenario.clock import written, zone_of
from sendcap.scenario.durations import Duration, PositiveDuration
from sendcap.scenario.section import Checked, Count, Place, PositiveShare, Section, Share, unit
from sendcap.text.quoting import shown
from sendcap.text.shares import rounded_share

LISTED: Final = "[waves]"
EQUAL: Final = "[equal waves]"
"""Stand for the kinds of waves in the places of problems."""
_TOLERANCE: Final = 1e-6
SMALLEST_WAVE: Final = 0.001
"""More than a thousand waves are a slip."""
MOST_TIMES: Final = 10_000
"""Sendings of a recurring delivery: more than one an hour for a year are a slip."""


class Wave(Section):
    """A part of a delivery that leaves after a time."""

    share: PositiveShare
    """Share of the delivery's messages."""
    after: Duration = 0.0
    """Start of the wave, after that of the delivery."""


class EqualWaves(Section):
    """Parts of a delivery of the same size, one after the other; the last may be smaller.

    A size of 30 % makes waves of 30, 30, 30 and 10 %.
    """

    size: Annotated[Share, Field(ge=SMALLEST_WAVE)]
    """Share of the messages of each wave, at least 0.1 %."""
    every: PositiveDuration
    """Time from the start of one wave to that of the next."""

    def waves(self) -> tuple[Wave, ...]:
        """Return the waves one by one."""
        count = math.ceil(1.0 / self.size - _TOLERANCE)
        shares = [self.size] * (count - 1)
        shares.append(1.0 - math.fsum(shares))
        return tuple(
            Wave.model_construct(share=share, after=self.every * number)
            for number, share in enumerate(shares)
        )


def _whole(waves: tuple[Wave, ...]) -> tuple[Wave, ...]:
    for message in not_one(wave.share for wave in waves):
        raise ValueError(message)
    for number, (one, two) in enumerate(pairwise(waves), 2):
        if one.after >= two.after:
            message = f"wave {number} does not start later than wave {number - 1}"
            raise ValueError(f"must be in the order of their starts (after): {message}")
    return waves


def waves_of(waves: tuple[Wave, ...] | EqualWaves | None) -> tuple[Wave, ...]:
    """Return the waves one by one, none of a delivery without."""
    return waves.waves() if isinstance(waves, EqualWaves) else waves or ()


def _listed_or_a_table(value: Any) -> Any:
    """Refuse what is neither; pydantic would ask for one of them."""
    is_list = isinstance(value, list | tuple)
    if not (is_list or isinstance(value, dict | EqualWaves)):
        example = '{ size = "30%", every = "2h" }'
        raise ValueError(f"must be a list of waves, or a table such as {example}")
    if is_list and not value:
        raise ValueError("needs at least one wave; or leave it out")
    for wave in value if is_list else ():
        if not isinstance(wave, dict | Wave):
            example = '{ share = 0.3, after = "2h" }'
            message = f"{shown(wave)} is no wave; write a table such as {example}"
            raise ValueError(message)  # noqa: TRY004 (pydantic)
    return value


Waves = Annotated[
    Annotated[tuple[Wave, ...], AfterValidator(_whole), Tag(LISTED)]
    | Annotated[EqualWaves, Tag(EQUAL)],
    Discriminator(lambda value: LISTED if isinstance(value, list | tuple) else EQUAL),
    BeforeValidator(_listed_or_a_table),
]
"""Waves in the order of their starts, whose shares sum to 1; or a size and the time between."""


class Cells(Checked):
    """An A/B test: cells of the same size at first, and the rest when one has won."""

    share: Annotated[PositiveShare, Field(lt=1)]
    """Share of the messages of each cell."""
    count: Annotated[Count, Field(ge=2, le=26), unit("cells")] = 2
    """Cells: A, B and so on."""
    after: PositiveDuration
    """Length of the test: then the rest is sent."""

    def _problems(self) -> Iterator[tuple[Place, str]]:
        if self.count * self.share >= 1.0:
            message = (
                f"{self.count} cells of {rounded_share(self.share)} leave no rest; "
                f"give less than {rounded_share(1.0 / self.count)}"
            )
            yield ("share",), message


_TIME: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def _local_time(value: Any) -> str:
    text = written(value) if hasattr(value, "hour") else value
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise ValueError(f"{shown(value)} is no time of day; write it like 09:00")
    return text


LocalTime = Annotated[str, BeforeValidator(_local_time)]
"""A time of day by the clock of each recipient."""


def _known(zones: dict[str, float]) -> dict[str, float]:
    for name in zones:
        zone_of(name)
    return sums_to_one(zones)


Zones = Annotated[dict[str, PositiveShare], AfterValidator(_known)]
"""Share of the recipients in each time zone; they sum to 1."""
