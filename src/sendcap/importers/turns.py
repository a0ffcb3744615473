"""Weights of addresses that take turns."""

import math
from collections.abc import Sequence

from sendcap.scenario.pools import MOST_WEIGHT


def in_lowest_terms(weights: Sequence[int]) -> list[int]:
    """Return weights above zero as whole parts, in lowest terms and at most those of the model.

    >>> in_lowest_terms([4, 2]), in_lowest_terms([])
    ([2, 1], [])
    """
    turns = [weight // math.gcd(*weights) for weight in weights]
    most = max(turns, default=1)
    if most <= MOST_WEIGHT:
        return turns
    return [max(1, round(turn * MOST_WEIGHT / most)) for turn in turns]
