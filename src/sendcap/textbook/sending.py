"""Sendings in the textbook model: what is prepared together, and when."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from sendcap.scenario import Delivery, Scenario


@dataclass(frozen=True, slots=True)
class Sending:
    """A delivery, or all parts of one repetition."""

    name: str
    parts: tuple[Delivery, ...]  # as they are written
    starts_s: float
    prepared_s: float

    @property
    def segment(self) -> str | None:
        """Whom it goes to."""
        return self.parts[0].segment

    @property
    def sample(self) -> float:
        """How many people it targets at most, if the scenario file says so."""
        origin = self.parts[0].origin
        written = self.parts[0] if origin is None else origin.written
        return math.inf if "messages" in written.filled_in else written.messages


def sendings_of(scenario: Scenario, confirmed_s: Mapping[str, float]) -> Iterator[Sending]:
    """Yield the sendings of a scenario, for the moments at which they are confirmed.

    One that is given up begins when nobody waits for it any more.
    """
    for (name, at), deliveries in groupby(scenario.deliveries, key=lambda each: each.sending):
        parts = tuple(deliveries)
        one = parts[0]
        moment_s = confirmed_s.get(name, -math.inf)
        starts_s = at + one.gives_up_s if moment_s == math.inf else max(at, moment_s)
        prepared_s = starts_s
        if one.prepare is not None:
            prepared_s = max(at - one.prepare, 0.0)
        elif one.confirm is not None:
            prepared_s = max(min(moment_s, starts_s), 0.0)
        yield Sending(name, parts, starts_s, prepared_s)
