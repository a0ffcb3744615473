"""Limits that several providers share: their sum is even, and each of them is not."""

import math
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, Final, NamedTuple

import numpy as np

from sendcap.calibration.attempts import Floats
from sendcap.calibration.backlogs import Backlog, HeldBack, held_back, longest, off_a_line

_MOST: Final = 6
"""Providers with the most attempts that are looked at; of more, the sets are too many."""
_EVENER: Final = 0.6
"""What share a limit is evener together by this factor than if each went its own way."""
_LEAST_SECONDS: Final = 5


class Shared(NamedTuple):
    """A limit over several providers."""

    providers: tuple[str, ...]
    held: HeldBack

    @property
    def table(self) -> dict[str, Any]:
        """The limit, as a scenario has it."""
        connections = max(round(self.held.level.value), 1)
        return {"name": "shared", "connections": connections, "providers": list(self.providers)}


def shared_limit(backlogs: Mapping[str, Backlog], second_s: float) -> Shared | None:
    """Return the limit of connections that most providers share; None if none do.

    Connections of one limit that are all in use are another's where they are not one's own. So
    their sum varies less than if each varied by itself, by the squares of the distances from a
    line, and it would vary more without any one of them.
    """
    waiting = {name: longest(each, second_s) for name, each in backlogs.items()}
    stretches = {name: stretch for name, stretch in waiting.items() if stretch is not None}
    names = sorted(stretches, key=lambda name: -int(backlogs[name].ended.sum()))[:_MOST]
    for count in range(len(names), 1, -1):
        for chosen in combinations(names, count):
            begin = max(stretches[name].start for name in chosen)
            end = min(stretches[name].stop for name in chosen)
            used_s = np.array([backlogs[name].used_s[begin:end] for name in chosen])
            if end - begin < _LEAST_SECONDS or not _shared(used_s):
                continue
            held = held_back(_sum(backlogs[name] for name in chosen), second_s)
            if held is not None and held.limited_by == "connections":
                return Shared(chosen, held)
    return None


def _shared(used_s: Floats) -> bool:
    """Tell whether what these have in use while all wait is evener together."""
    total_s = used_s.sum(axis=0)
    together = off_a_line(total_s)
    if together > _EVENER * math.hypot(*map(off_a_line, used_s)):
        return False
    return all(off_a_line(total_s - one_s) > together for one_s in used_s)


def _sum(backlogs: Iterator[Backlog]) -> Backlog:
    total = next(backlogs)
    for each in backlogs:
        total += each
    return total
