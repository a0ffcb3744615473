"""Times by the clock that are not those of the day on which a scenario starts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sendcap.scenario.clock import names_no_other_day
from sendcap.scenario.moments import Moment
from sendcap.text.clock import after, dated
from sendcap.text.quoting import shown

if TYPE_CHECKING:
    from sendcap.scenario.scenario import Scenario

_KEYS: Final = ("at", "until", "pause", "resume", "stop")


def later_days(scenario: Scenario) -> Iterator[str]:
    """Yield what is on a later day than its text may seem to say: it has passed on the first."""
    start = scenario.start
    if start is None:
        return
    for delivery in scenario.written():
        for key in _KEYS:
            given = getattr(delivery, key)
            for moment in given if isinstance(given, tuple) else (given,):
                if not isinstance(moment, Moment) or not names_no_other_day(moment.text, start):
                    continue
                then = after(start, moment)
                if then.date() != start.date():
                    yield (
                        f"{delivery.name}: {key} = {shown(moment.text)} is {dated(then)}, the "
                        f"first after the start, {dated(start)}."
                    )
