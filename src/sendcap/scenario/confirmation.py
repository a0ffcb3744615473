"""Confirmation: a delivery that is not sent before somebody has confirmed it."""

from datetime import datetime
from typing import Annotated, Final

import numpy as np
from pydantic import AfterValidator, Field

from sendcap.scenario.distributions import Distribution
from sendcap.scenario.durations import Duration, PositiveDuration, parse_duration
from sendcap.scenario.section import Count, Section, unit
from sendcap.scenario.working_hours import WorkingHours

GIVES_UP: Final = parse_duration("7d")
"""A delivery that is sent once is given up as long after its start."""
_MOST_PEOPLE: Final = 1_000
_LONGEST_S: Final = parse_duration("36525d")
"""No duration is longer, and so nobody waits longer for a confirmation."""


def _readable(text: str) -> str:
    WorkingHours.parse(text)
    return text


class Confirmation(Section):
    """Somebody has to confirm a delivery before it is sent.

    In Campaign the role *Start deliveries* may confirm; *Prepare deliveries* may not.
    """

    within: Distribution
    """Time that each person takes to confirm, in working hours; the first one counts."""
    hours: Annotated[str, AfterValidator(_readable)] | None = None
    """Working hours, such as "Mon-Fri 09:00-18:00, Sat 09:00-12:00" (default: always)."""
    people: Annotated[Count, Field(le=_MOST_PEOPLE), unit("people")] = 1
    """People with the role *Start deliveries* who are asked."""
    ahead: Duration = 0.0
    """Time before the delivery's start at which they are asked."""
    give_up: PositiveDuration | None = None
    """Time after the start at which an unconfirmed delivery is not sent any more.

    By default 7d, or the next sending of a recurring delivery.
    """

    def earliest_s(self, at: float, start: datetime | None) -> float:
        """Return the first moment at which somebody can confirm a delivery that starts then."""
        return self._after_work_s(at, 0.0, start)

    def can_be_in_time(self, at: float, until_s: float, start: datetime | None) -> bool:
        """Tell whether the quickest can confirm a delivery that starts then before it is over."""
        work_s, longest_s = self.within.lowest_s, until_s - at
        return self._after_work_s(at, work_s, start, longest_s) <= until_s

    def confirmed_s(self, at: float, start: datetime | None, rng: np.random.Generator) -> float:
        """Draw the moment at which a delivery is confirmed."""
        work_s = float(self.within.sample(rng, self.people).min())
        return self._after_work_s(at, work_s, start)

    def _after_work_s(
        self, at: float, work_s: float, start: datetime | None, longest_s: float = _LONGEST_S
    ) -> float:
        asked_s = at - self.ahead
        if self.hours is None:
            return asked_s + work_s
        assert start is not None
        return WorkingHours.parse(self.hours).worked(start, asked_s, work_s, at + longest_s)
