"""Whom a setting holds for: each source address, or all of a pool together."""

from dataclasses import dataclass
from datetime import datetime

from sendcap.text.clock import moment_text


@dataclass(frozen=True)
class Scope:
    """The source addresses of a queue, or of one queue for each of them, and the clock."""

    ips: int
    apart: bool = False  # each address has a queue of its own
    start: datetime | None = None

    def total(self, each: str, of_all: str) -> str:
        """Return a figure of each address, and of all.

        >>> Scope(4).total("10", "40"), Scope(1).total("10", "10")
        ('10 each IP = 40', '10')
        """
        return of_all if self.ips == 1 else f"{each} each IP = {of_all}"

    def moment(self, seconds: float) -> str:
        """Return a moment, by the clock where there is one."""
        return moment_text(seconds, self.start)
