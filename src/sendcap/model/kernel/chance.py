"""Chance in compiled code: trials of rare events, and the address that a ticket draws.

A success is drawn once, as the number of trials until it (geometric), so a rare one costs next to
nothing. Continuous times are drawn in blocks, as NumPy does (see `normal`).

Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014
(SplitMix64): a hash of a counter, so that a stream is a key and the number of its draws.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sendcap.model.kernel.compiled import compiled, inlined
from sendcap.model.kernel.fields import UNLIMITED
from sendcap.model.kernel.state import Chance

_STEP = np.uint64(0x9E3779B97F4A7C15)
_ONE = np.uint64(0xBF58476D1CE4E5B9)
_TWO = np.uint64(0x94D049BB133111EB)
_SHIFT_30, _SHIFT_27, _SHIFT_31 = np.uint64(30), np.uint64(27), np.uint64(31)
_SHIFT_11, _NEXT = np.uint64(11), np.uint64(1)
_RESOLUTION = 2.0**-53


@inlined
def uniform(trials: Any) -> float:
    """Draw from [0, 1)."""
    trials.drawn += _NEXT
    bits = trials.key + trials.drawn * _STEP
    bits = (bits ^ (bits >> _SHIFT_30)) * _ONE
    bits = (bits ^ (bits >> _SHIFT_27)) * _TWO
    return of_bits(bits ^ (bits >> _SHIFT_31))


@inlined
def of_bits(bits: Any) -> float:
    """Return the number in [0, 1) that the first 53 bits are, as NumPy does."""
    return (bits >> _SHIFT_11) * _RESOLUTION


@compiled
def draw_gap(trials: Any) -> None:
    """Draw how many trials it takes until the next success."""
    # Of a probability of 1 the logarithm is minus infinity, and the gap 1. The difference is exact,
    # and `log` takes a third of the time of `log1p`.
    gap = math.floor(math.log(1.0 - uniform(trials)) / trials.log)
    trials.until_next = UNLIMITED if gap >= UNLIMITED else 1 + int(gap)


@inlined
def succeeds(trials: Any) -> bool:
    """Make a trial."""
    trials.until_next -= 1
    if trials.until_next > 0:
        return False
    draw_gap(trials)
    return True


@inlined
def draw(chance: Chance, queue: Any, which: int) -> float:
    """Take the next draw of a queue's stream."""
    number = queue.first_stream + which
    stream = chance.streams[number]
    value = chance.draws[number, stream.at]
    stream.at += 1
    if stream.at == stream.end:
        queue.without_draws = 1
    return value
