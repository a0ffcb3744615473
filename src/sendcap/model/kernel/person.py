"""A person of the population, as far as the queues need to know."""

from __future__ import annotations

from typing import Final

import numpy as np

PERSON = np.dtype(
    [
        ("dies_s", "f4"),  # when the address does
        # Until when reports of soft bounces are on their way, or later; 0 where none ever was.
        ("soft_until_s", "f4"),
        ("kind", "i1"),  # of the address, as it was first
        ("engagement", "u1"),  # class
        ("accepted", "u1"),  # messages of this week
    ],
    align=True,
)
GOOD: Final = 0
"""Kind of an address with which nothing is wrong."""
DEAD: Final = 1
"""Kind of an address that has died: the provider's first hard reason."""
