"""What replications tell: a mean and its confidence interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sendcap.errors import SendcapError


@dataclass(frozen=True)
class Estimate:
    """A mean over independent replications and the confidence interval of its expectation.

    Attributes
    ----------
    mean
        Mean of the replications.
    low, high
        Ends of the interval; infinite where there is but one replication.
    n
        Number of replications.
    """

    mean: float
    low: float
    high: float
    n: int

    @property
    def half_width(self) -> float:
        """Half the length of the interval."""
        return (self.high - self.low) / 2.0

    def scaled(self, factor: float) -> Estimate:
        """Return the same in another unit; the factor must be more than zero."""
        return Estimate(self.mean * factor, self.low * factor, self.high * factor, self.n)


def estimate(values: Sequence[float], confidence: float = 0.95) -> Estimate:
    """Estimate an expectation from independent replications by Student's t distribution.

    Parameters
    ----------
    values
        One from each replication.
    confidence
        Probability that the interval covers the expectation, if the values are normal.

    Raises
    ------
    SendcapError
        If the confidence is not between 0 and 1.

    References
    ----------
    A. M. Law, "Simulation Modeling and Analysis", 5th edition (2015), section 4.5.

    Examples
    --------
    >>> its = estimate([9.0, 10.0, 11.0])
    >>> round(its.mean, 2), round(its.low, 2), round(its.high, 2)
    (10.0, 7.52, 12.48)
    """
    from scipy import stats

    require_confidence(confidence)
    n = len(values)
    mean = math.fsum(values) / n
    if n == 1:
        return Estimate(mean, -math.inf, math.inf, 1)
    error = float(stats.sem(values))
    if not error > 0.0:
        return Estimate(mean, mean, mean, n)
    low, high = stats.t.interval(confidence, n - 1, loc=mean, scale=error)
    return Estimate(mean, float(low), float(high), n)


def require_confidence(confidence: float) -> None:
    """Refuse a confidence that is not between 0 and 1."""
    if not 0.0 < confidence < 1.0:
        raise SendcapError(f"confidence: must be between 0 and 1, such as 0.95, not {confidence!r}")
