"""The interface of a random time."""

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from sendcap.scenario.section import Section

Seconds = npt.NDArray[np.float64]


class RandomTime(Section, ABC):
    """A time that is drawn anew for each message."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, size: int) -> Seconds:
        """Draw ``size`` independent times in seconds."""

    @abstractmethod
    def cdf(self, within_s: Seconds) -> Seconds:
        """Probability that a draw is at most so many seconds, which may be below 0."""

    @property
    @abstractmethod
    def mean_s(self) -> float:
        """Mean in seconds."""

    @property
    @abstractmethod
    def second_moment_s2(self) -> float:
        """Mean of the square, in seconds squared."""

    @property
    def lowest_s(self) -> float:
        """Infimum of the support in seconds: no draw is below it."""
        return 0.0
