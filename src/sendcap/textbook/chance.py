"""Randomness in the textbook model: one generator, asked in the order of events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sendcap.model.feedback import sample_asynchronous
from sendcap.scenario import Distribution, Scenario


class Chance:
    """Draws one number at a time."""

    def __init__(self, scenario: Scenario) -> None:
        self.generator = np.random.default_rng(scenario.seed)
        self.uniform = self.repeat(self.generator.random)
        self.draws: dict[int, Iterator[float]] = {}
        asynchronous = scenario.feedback.asynchronous
        self.asynchronous_s = self.repeat(
            lambda count: sample_asynchronous(asynchronous, self.generator, count)
        )

    @staticmethod
    def repeat(sample: Any) -> Iterator[float]:
        """Yield draws one by one; NumPy is quick only when asked for many at a time."""
        while True:
            yield from sample(4096).tolist()

    def draw(self, distribution: Distribution) -> float:
        """Return one draw, in seconds."""
        draws = self.draws.get(id(distribution))
        if draws is None:
            draws = self.repeat(lambda count: distribution.sample(self.generator, count))
            self.draws[id(distribution)] = draws
        return next(draws)

    def happens(self, probability: float) -> bool:
        """Return True with this probability."""
        return probability > 0.0 and next(self.uniform) < probability
