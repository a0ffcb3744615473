"""Randomness: one stream per seed, delivery, provider and purpose.

Draws are made in blocks whose sizes do not depend on how many are asked for at a time. So the
n-th draw of a stream is the same whatever the length of the look-ahead window.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_FIRST_BLOCK = 1 << 10
_LARGEST_BLOCK = 1 << 16
_LEAST_PROBABILITY = 1e-15
"""Rarer things do not happen: not once in a million runs of a billion messages."""


def block_sizes() -> Iterator[int]:
    """Yield fixed numbers of draws at a time: few at first, so that small runs are quick."""
    size = _FIRST_BLOCK
    while True:
        yield size
        size = min(2 * size, _LARGEST_BLOCK)


class Streams:
    """Independent random generators, one for each purpose.

    Keys are hashed, not counted, so that adding a provider leaves the others' draws as they were.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def generator(
        self, purpose: str, *, delivery: str = "", provider: str = ""
    ) -> np.random.Generator:
        """Return the generator for a purpose, before its first draw."""
        key = "\0".join((delivery, provider, purpose)).encode()
        words = np.frombuffer(hashlib.blake2b(key, digest_size=16).digest(), "<u4")
        sequence = np.random.SeedSequence(self._seed, spawn_key=tuple(int(word) for word in words))
        return np.random.Generator(np.random.PCG64(sequence))


class Draws:
    """A stream of draws, to be looked at before they are used; ``sample`` returns the next n."""

    def __init__(self, sample: Callable[[int], Floats]) -> None:
        self._sample = sample
        self._sizes = block_sizes()
        self._ahead: Floats = np.zeros(0)

    def ahead(self, count: int) -> Floats:
        """Return at least the next ``count`` draws without using them up."""
        if len(self._ahead) < count:
            pieces = [self._ahead]
            missing = count - len(self._ahead)
            while missing > 0:
                size = next(self._sizes)
                pieces.append(self._sample(size))
                missing -= size
            self._ahead = np.concatenate(pieces)
        return self._ahead

    def use(self, count: int) -> None:
        """Use up the next ``count`` draws, which `ahead` has returned."""
        self._ahead = self._ahead[count:]

    def take(self, count: int) -> Floats:
        """Return the next ``count`` draws and use them up."""
        draws = self.ahead(count)[:count]
        self.use(count)
        return draws


class Trials:
    """A sequence of independent trials with one probability of success.

    The gaps between successes are drawn (they are geometric), not the trials: a rare success
    costs next to nothing.
    """

    def __init__(self, probability: float, generator: np.random.Generator) -> None:
        self._probability = probability
        # Gaps are held as floats: the longest that are drawn fill all 64 bits of an integer.
        self._gaps = Draws(
            lambda count: np.minimum(generator.geometric(probability, count), 2.0**50)
        )
        self._successes: Ints = np.zeros(0, np.int64)
        self._last = -1
        self._done = 0

    def take(self, count: int) -> Ints:
        """Return which of the next ``count`` trials succeed: their indices, ascending."""
        if self._probability < _LEAST_PROBABILITY:
            return np.zeros(0, np.int64)
        end = self._done + count
        while self._last < end:
            gaps = self._gaps.take(_FIRST_BLOCK).astype(np.int64)
            found = self._last + np.cumsum(gaps)
            self._last = int(found[-1])
            self._successes = np.concatenate((self._successes, found))
        stop = int(np.searchsorted(self._successes, end))
        successes = self._successes[:stop] - self._done
        self._successes = self._successes[stop:]
        self._done = end
        return successes
