"""Limits that several providers share: their sum is even, and each of them is not."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, Final, NamedTuple

import numpy as np

from sendcap.calibration.attempts import Bins, Floats
from sendcap.calibration.backlogs import Backlog, HeldBack, held_back, longest

_MOST: Final = 6
"""Providers with the most attempts that are looked at; of more, the sets are too many."""
_EVENER: Final = 0.36
"""What share a limit vary together less than this share of what they would each on its own."""
_EVENER_BY_SECONDS: Final = 1.0
"""The same with stamps of whole seconds: their errors move all alike, and the sum more."""
_COMES_AND_GOES: Final = 0.3
"""What each has in use varies by this part, or more, of what it would if chance gave each
connection of the limit to one of them. Where an MTA goes through its destinations in turn it is
less than by chance, and by errors of stamps alone it is less than that."""
_LEAST_SHARED: Final = 2.5
"""Of two connections, which one each in turn is not to be told from one each."""
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


def shared_limit(
    backlogs: Mapping[str, Backlog], seconds: Bins, moments: Bins, *, sharp: bool
) -> Shared | None:
    """Return the limit of connections that most providers share; None if none do.

    Connections of one limit that are all in use are another's where they are not one's own: at a
    moment at which one has more, the others have fewer. So their sum varies less than if each
    varied by itself, and each varies against the sum of the others. ``sharp`` are stamps finer
    than whole seconds.
    """
    most = _EVENER if sharp else _EVENER_BY_SECONDS
    waiting = {name: longest(each, seconds.width_s) for name, each in backlogs.items()}
    stretches = {name: stretch for name, stretch in waiting.items() if stretch is not None}
    names = sorted(stretches, key=lambda name: -int(backlogs[name].ended.sum()))[:_MOST]
    in_use = {name: np.cumsum(backlogs[name].changed) for name in names}
    for count in range(len(names), 1, -1):
        for chosen in combinations(names, count):
            begin = max(stretches[name].start for name in chosen)
            end = min(stretches[name].stop for name in chosen)
            if end - begin < _LEAST_SECONDS:
                continue
            # Bin 0 is what is before the log.
            first, last = (
                round((place - 1) * seconds.width_s / moments.width_s) + 1 for place in (begin, end)
            )
            if not _shared(np.array([in_use[name][first:last] for name in chosen]), most):
                continue
            held = held_back(_sum(backlogs[name] for name in chosen), seconds.width_s)
            if held is not None and held.limited_by == "connections":
                return Shared(chosen, held)
    return None


def _shared(in_use: Floats, most: float) -> bool:
    """Tell whether what these have in use while all wait varies less together."""
    total, means, each = in_use.sum(axis=0), in_use.mean(axis=1), in_use.var(axis=1)
    if total.mean() < _LEAST_SHARED or total.var() >= most * each.sum():
        return False
    by_chance = means * (1.0 - means / total.mean())
    if (each < _COMES_AND_GOES * by_chance).any():
        return False
    others = (total - in_use).var(axis=1)
    return bool((total.var() < each + others).all())


def _sum(backlogs: Iterator[Backlog]) -> Backlog:
    total = next(backlogs)
    for each in backlogs:
        total += each
    return total
