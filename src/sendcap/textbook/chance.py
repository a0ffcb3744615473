"""Randomness in the textbook model: one generator, asked in the order of events."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

import numpy as np

from sendcap.model.feedback import sample_asynchronous
from sendcap.scenario import Distribution, Scenario


class HasShare(Protocol):
    """Something that a share of all has."""

    @property
    def share(self) -> float:
        """The share."""


Kind = TypeVar("Kind", bound=HasShare)


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

    def one_of(self, kinds: Iterable[Kind], total: float = 1.0) -> Kind | None:
        """Return a kind, each with its share of the total; None with the rest of that."""
        where = next(self.uniform) * total
        for kind in kinds:
            where -= kind.share
            if where < 0.0:
                return kind
        return None

    def name_of(self, shares: Mapping[str, float]) -> str:
        """Return a name, each with its share of all."""
        total = math.fsum(shares.values())
        probabilities = [share / total for share in shares.values()]
        return str(self.generator.choice(list(shares), p=probabilities))
