"""The audience of a delivery: a provider for each message."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sendcap.model.streams import block_sizes

Ints = npt.NDArray[np.int64]


class Audience:
    """The providers of a delivery's messages, in random order.

    Without replacement: when all messages have been drawn, each provider has had its count.
    """

    def __init__(self, counts: Ints, generator: np.random.Generator) -> None:
        # A provider without messages must not change the draws.
        self._providers = np.flatnonzero(counts).astype(np.int16)
        self._left = counts[self._providers]
        self._generator = generator
        self._sizes = block_sizes()
        self._ahead: npt.NDArray[np.int16] = np.zeros(0, np.int16)

    def take(self, count: int) -> npt.NDArray[np.int16]:
        """Return the provider of each of the next ``count`` messages."""
        pieces = [self._ahead]
        missing = count - len(self._ahead)
        while missing > 0:
            size = min(next(self._sizes), int(self._left.sum()))
            drawn = self._generator.multivariate_hypergeometric(
                self._left, size, method="marginals"
            )
            self._left -= drawn
            codes = np.repeat(self._providers, drawn)
            pieces.append(codes[self._generator.permutation(size)])
            missing -= size

        ahead = np.concatenate(pieces)
        self._ahead = ahead[count:]
        return ahead[:count]
