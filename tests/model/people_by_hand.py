"""What examples of people have in common.

Unless an example says otherwise, an attempt takes a second, all connections are free, and a message
that bounces softly once expires at once. Campaign knows of everything as it happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

MINUTE, HOUR, DAY = 60, 3600, 86_400
GONE = """
providers.p.hard = [{ reason = "gone", share = 1.0 }]
"""
FULL = """
providers.p.faults = [{ reason = "Mailbox Full", share = 1.0, never = 1.0 }]
"""
REFUSED = """
providers.p.faults = [{ reason = "refused", share = 1.0, never = 1.0 }]
"""
GREYLISTED = """
providers.p.faults = [{ reason = "greylisted", share = 1.0, clears_after = "1h" }]
"""
DYING = "population.decay = 0.9999999999999999\n"
"""Whoever lives at t = 0 is dead after a year."""
COMPLAINING = """
engagement.open_rate = 1.0
population.complaints = 1.0
"""
CLASSES = """
population.classes.usual = { share = 0.9999999999, open_rate = 0.1 }
population.classes.strange = { share = 0.0000000001, open_rate = 0.1 }
population.segments.many = { share = 1.0, classes = ["usual"] }
population.segments.now = { share = 1.0, classes = ["usual"], drawn = "each-time" }
population.segments.rare = { share = 1.0, classes = ["strange"] }
"""
"""Everybody is in one of two classes."""
FATIGUE = """
population.fatigue = { max = 1, period = "2d" }
"""
THRESHOLD_1, THRESHOLD_2 = (f"population.quarantine.threshold = {errors}\n" for errors in (1, 2))
P_AND_Q = """
population.providers = { p = 0.6, q = 0.4 }
providers.q.connect_time = "0s"
providers.q.transaction_time = "1s"
"""


def at(*moments: str) -> str:
    """Return deliveries a, b, c ... at these moments, each of which may have other keys after."""
    rows = (
        f'{{ name = "{chr(97 + number)}", at = {moment} }}' for number, moment in enumerate(moments)
    )
    return f"deliveries = [{', '.join(rows)}]\n"


Row = tuple[str, float, int, int, dict[str, int]]
"""Sending, moment of its preparation, people targeted, to deliver, and excluded by reason."""


@dataclass
class Example:
    toml: str
    prepared: list[Row]
    health: dict[int, dict[str, int]] | None = None
    """By the number of a preparation, -1 at the end."""
    counts: dict[str, int] | None = None
    """Of all deliveries, or of one: "accepted", or "a accepted"."""
    relayed: dict[str, list[int]] | None = None
    """Minutes, by delivery."""
    weeks: dict[int, dict[int, int]] | None = None
    weekly: list[dict[str, int]] | None = None
    to_deliver: dict[tuple[str, str], int] | None = None
    mistaken: dict[str, int] | None = None


QUARANTINED: dict[str, Any] = {"quarantined": 4}
MISTAKEN: dict[str, int] = {"quarantined": 4, "mistaken": 4}
