"""What a user asks ``sendcap dashboard`` to show, and how titles and notes say it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import sendcap
from sendcap.readings.modes import ALL_DELIVERIES, Mode
from sendcap.text.clock import moment_text
from sendcap.text.quantities import elapsed


class Asked(NamedTuple):
    """What a user asks to see."""

    run: sendcap.Run
    time_s: float
    modes: tuple[Mode, ...]
    delivery: str
    compute_stats: bool

    @property
    def title(self) -> str:
        """The deliveries and the moment."""
        return f"{which(self.delivery)}, at {self.moment(self.time_s)}"

    def moment(self, seconds: float) -> str:
        """Return a moment in words."""
        return in_words(seconds, self.run.scenario.start)

    def clock(self, seconds: float) -> str:
        """Return a moment by the clock, where there is one."""
        return moment_text(seconds, self.run.scenario.start)

    def ended(self) -> list[str]:
        """Return a note where the simulation has ended before."""
        end_s = self.run.ledger.end_s
        if self.time_s <= end_s:
            return []
        return [f"The simulation ends at {elapsed(end_s)}; the figures are those of then."]

    def nights(self) -> list[str]:
        """Return a note where no clock tells when it is night."""
        if self.run.scenario.start is not None:
            return []
        return ["The scenario has no start: nights count from t = 0, the first one at 1d."]


def in_words(seconds: float, start: datetime | None) -> str:
    """Return a moment since t = 0, and by the clock where there is one."""
    text = elapsed(seconds)
    return text if start is None else f"{text} ({moment_text(seconds, start)})"


def which(delivery: str) -> str:
    """Return the deliveries that a title names."""
    return "all deliveries" if delivery == ALL_DELIVERIES else delivery
