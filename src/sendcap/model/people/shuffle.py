"""A random order of many people.

Source: C. R. Rao, "Generation of random permutations of given number of elements using random
sampling numbers", Sankhya A 23 (1961); M. Sandelius, "A simple randomization procedure", Journal of
the Royal Statistical Society B 24 (1962). Everybody is put into one of many boxes by chance, and
each box is shuffled by itself. Boxes fit into the cache, so that it is several times as fast as
shuffling all at once.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sendcap.model.kernel.chance import uniform
from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.fields import TRIALS
from sendcap.model.kernel.state import Ints, Numbers, Records

_BOX: Final = 1 << 14
"""People in a box, on average."""


def shuffled(who: Numbers, key: int) -> Numbers:
    """Return people in a random order, which the key decides."""
    chance = np.zeros(1, TRIALS)
    chance["key"] = key
    ends = np.zeros(len(who) // _BOX + 1, np.int64)
    out = np.empty_like(who)
    _shuffle(who, chance, ends, out)
    return out


@compiled
def _shuffle(who: Numbers, chance: Records, ends: Ints, out: Numbers) -> None:
    boxes = len(ends)
    for _ in who:
        ends[int(uniform(chance[0]) * boxes)] += 1
    for box in range(1, boxes):
        ends[box] += ends[box - 1]
    # The same numbers again.
    chance[0].drawn = np.uint64(0)
    for person in who:
        box = int(uniform(chance[0]) * boxes)
        ends[box] -= 1
        out[ends[box]] = person
    for box in range(boxes):
        first = ends[box]
        end = ends[box + 1] if box + 1 < boxes else len(who)
        for place in range(end - 1, first, -1):
            other = first + int(uniform(chance[0]) * (place + 1 - first))
            out[place], out[other] = out[other], out[place]
