"""Randomness: one stream per seed, delivery, provider and purpose."""

import hashlib
from typing import Any, Final

import numpy as np
from numpy.random.bit_generator import ISeedSequence

from sendcap.model.kernel.normal import draw_normal

_LONG: Final = 1_024
"""Of fewer draws, handing the state over takes longer than they do."""


class Streams:
    """Independent streams of draws, one for each purpose.

    Names are hashed, not counted, so that adding a provider leaves the others' draws as they were.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def key(self, purpose: str, *, delivery: str = "", provider: str = "") -> int:
        """Return the key of the trials for a purpose."""
        state = _Hashed(self._text(purpose, delivery, provider)).generate_state(1, np.uint64)
        return int(state[0])

    def generator(
        self, purpose: str, *, delivery: str = "", provider: str = ""
    ) -> np.random.Generator:
        """Return the generator for a purpose, before its first draw."""
        hashed: Any = _Hashed(self._text(purpose, delivery, provider))
        return _Draws(np.random.PCG64(hashed))

    def _text(self, *names: str) -> bytes:
        return "\0".join((str(self._seed), *names)).encode()


class _Draws(np.random.Generator):
    """NumPy's generator; a long block of normal draws is made in a third of the time."""

    def standard_normal(self, size: Any = None, *arguments: Any, **named: Any) -> Any:
        """Return the draws that NumPy would return."""
        if not isinstance(size, int) or size < _LONG or arguments or named:
            return super().standard_normal(size, *arguments, **named)
        bits: Any = self.bit_generator
        known = bits.state
        numbers = known["state"]
        words = np.frombuffer(bytearray(b"".join(map(_low_first, numbers.values()))), np.uint64)
        drawn = np.empty(size)
        draw_normal(words, drawn)
        numbers["state"] = int.from_bytes(words[:2].tobytes(), "little")
        bits.state = known
        return drawn


def _low_first(number: int) -> bytes:
    """Return the two words of a number of PCG64."""
    return number.to_bytes(16, "little")


class _Hashed(ISeedSequence):
    """The first state of a bit generator: a hash, which is five times as fast as NumPy's own."""

    def __init__(self, text: bytes) -> None:
        self._text = text

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> np.ndarray[Any, Any]:
        """Return so many words."""
        size = n_words * np.dtype(dtype).itemsize
        return np.frombuffer(hashlib.blake2b(self._text, digest_size=size).digest(), dtype)
