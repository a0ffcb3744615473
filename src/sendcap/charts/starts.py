"""The moment on the wall from which a chart counts."""

from datetime import datetime
from typing import Final

from sendcap.errors import SendcapError
from sendcap.scenario import Scenario
from sendcap.scenario.start import of_our_time

Start = datetime | str | None
"""The moment on the wall at t = 0; None is the scenario's for several deliveries, and else none."""

OF_THE_SCENARIO: Final = "scenario"
"""As a start: the scenario's own."""
ELAPSED: Final = "elapsed"
"""As a start: none, so that the time is elapsed."""


def start_of(start: Start, scenario: Scenario) -> datetime | None:
    """Return the moment on the wall at t = 0; None where elapsed time is asked for."""
    if start is None:
        return None
    if isinstance(start, datetime):
        return _of_our_time(start)
    if start == ELAPSED:
        return None
    if start == OF_THE_SCENARIO:
        if scenario.start is None:
            raise SendcapError("start: the scenario has none; give one, such as 2026-11-27T09:00")
        return scenario.start
    try:
        moment = datetime.fromisoformat(start)
    except ValueError:
        raise SendcapError(
            f"start: {start!r} is not a moment; write it like 2026-11-27T09:00"
        ) from None
    return _of_our_time(moment)


def _of_our_time(moment: datetime) -> datetime:
    try:
        return of_our_time(moment)
    except ValueError as problem:
        raise SendcapError(f"start: {problem}") from None
