"""Who the messages of a delivery go to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

_FIRST_BLOCK = 1 << 10
_LARGEST_BLOCK = 1 << 16


class Audience:
    """The providers of a delivery's messages, in random order.

    Without replacement: when all messages have been drawn, each provider has had its count.
    """

    def __init__(self, counts: Ints, generator: np.random.Generator) -> None:
        # Providers that it does not write to must not change its draws.
        self._providers = np.flatnonzero(counts).astype(np.int16)
        self._left = counts[self._providers]
        self._generator = generator
        self._block = _FIRST_BLOCK
        self._ahead: npt.NDArray[np.int16] = np.zeros(0, np.int16)

    def take(self, count: int) -> npt.NDArray[np.int16]:
        """Return the provider of each of the next ``count`` messages."""
        pieces = [self._ahead]
        missing = count - len(self._ahead)
        while missing > 0:
            size = min(self._block, int(self._left.sum()))
            drawn = self._generator.multivariate_hypergeometric(
                self._left, size, method="marginals"
            )
            self._left -= drawn
            codes = np.repeat(self._providers, drawn)
            pieces.append(codes[self._generator.permutation(size)])
            missing -= size
            # Fixed sizes, whatever is asked for: the window must not change the draws.
            self._block = min(2 * self._block, _LARGEST_BLOCK)
        ahead = np.concatenate(pieces)
        self._ahead = ahead[count:]
        return ahead[:count]
