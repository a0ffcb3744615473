"""Distributions of a time, such as ``{ dist = "lognormal", mean = "700ms", cv = 0.5 }``.

A bare duration such as ``"300ms"`` is a constant. Every distribution knows its first two moments
exactly, for comparison with queueing theory.
"""

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_serializer, model_validator

from sendcap.scenario.durations import Duration, PositiveDuration, checked_duration, format_duration
from sendcap.scenario.measured import Empirical
from sendcap.scenario.random_time import RandomTime, Seconds
from sendcap.scenario.section import Number, refuse
from sendcap.text.quoting import shown

_Z95: Final = NormalDist().inv_cdf(0.95)

# Of a smaller cv, the square of the inverse is beyond what draws can tell from a constant.
Cv = Annotated[Number, Field(ge=0.0001, le=100)]
"""Coefficient of variation: standard deviation over mean."""
_LARGEST_RATIO: Final = 10_000
"""Of the 95th percentile and the median; beyond it, nearly all the mean is in draws never seen."""


class Constant(RandomTime):
    """Always the same time; draws no random numbers. Written as a bare duration."""

    dist: Literal["constant"] = "constant"
    """Name of the distribution."""
    value: Duration
    """The time."""

    def sample(self, rng: np.random.Generator, size: int) -> Seconds:  # noqa: ARG002
        # No draw: the generator stays as it is.
        return np.full(size, self.value)

    def cdf(self, within_s: Seconds) -> Seconds:
        return np.where(within_s < self.value, 0.0, 1.0)

    @property
    def mean_s(self) -> float:
        return self.value

    @property
    def second_moment_s2(self) -> float:
        return self.value**2

    @property
    def lowest_s(self) -> float:
        return self.value

    @model_serializer(mode="wrap")
    def _bare(self, write: Callable[[Self], dict[str, Any]]) -> str:
        return str(write(self)["value"])


class Exponential(RandomTime):
    """The memoryless distribution."""

    dist: Literal["exponential"] = "exponential"
    """Name of the distribution."""
    mean: PositiveDuration
    """Mean."""

    def sample(self, rng: np.random.Generator, size: int) -> Seconds:
        return rng.exponential(self.mean, size)

    def cdf(self, within_s: Seconds) -> Seconds:
        return -np.expm1(-np.maximum(within_s, 0.0) / self.mean)

    @property
    def mean_s(self) -> float:
        return self.mean

    @property
    def second_moment_s2(self) -> float:
        return 2.0 * self.mean**2


class Uniform(RandomTime):
    """Any time between ``low`` and ``high``, all equally likely."""

    dist: Literal["uniform"] = "uniform"
    """Name of the distribution."""
    low: Duration
    """Shortest time."""
    high: Duration
    """Longest time."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            low, high = (shown(format_duration(end)) for end in (self.low, self.high))
            refuse([(("high",), f"must be no less than low, {low}, not {high}")])
        return self

    def sample(self, rng: np.random.Generator, size: int) -> Seconds:
        return rng.uniform(self.low, self.high, size)

    def cdf(self, within_s: Seconds) -> Seconds:
        if self.low == self.high:
            return np.where(within_s < self.low, 0.0, 1.0)
        return np.clip((within_s - self.low) / (self.high - self.low), 0.0, 1.0)

    @property
    def mean_s(self) -> float:
        return (self.low + self.high) / 2.0

    @property
    def second_moment_s2(self) -> float:
        return (self.low**2 + self.low * self.high + self.high**2) / 3.0

    @property
    def lowest_s(self) -> float:
        return self.low


class Lognormal(RandomTime):
    """A time whose logarithm is normal; given as mean and cv, or as median and 95th percentile."""

    dist: Literal["lognormal"] = "lognormal"
    """Name of the distribution."""
    mean: PositiveDuration | None = None
    """Mean, with ``cv``."""
    cv: Cv | None = None
    """Coefficient of variation: standard deviation over mean."""
    median: PositiveDuration | None = None
    """Median, with ``p95``."""
    p95: PositiveDuration | None = None
    """95th percentile, up to 10,000 times the median."""

    @model_validator(mode="after")
    def _one_pair(self) -> Self:
        by_mean = (self.mean is not None, self.cv is not None)
        by_median = (self.median is not None, self.p95 is not None)
        if {by_mean, by_median} != {(True, True), (False, False)}:
            raise ValueError("needs either mean and cv, or median and p95, and not both pairs")
        if self.median is not None and self.p95 is not None:
            median, p95 = (shown(format_duration(at)) for at in (self.median, self.p95))
            if self.p95 <= self.median:
                message = f"must be more than the median, {median}, not {p95}"
                refuse([(("p95",), message)])
            if self.p95 > _LARGEST_RATIO * self.median:
                message = f"must be at most {_LARGEST_RATIO:,} times the median, {median}"
                refuse([(("p95",), f"{message}, not {p95}")])
        return self

    @property
    def mu(self) -> float:
        """Mean of the logarithm of the time in seconds."""
        if self.median is not None:
            return math.log(self.median)
        assert self.mean is not None
        return math.log(self.mean) - self.sigma**2 / 2.0

    @property
    def sigma(self) -> float:
        """Standard deviation of the logarithm of the time."""
        if self.median is not None:
            assert self.p95 is not None
            return (math.log(self.p95) - math.log(self.median)) / _Z95
        assert self.cv is not None
        return math.sqrt(math.log1p(self.cv**2))

    def sample(self, rng: np.random.Generator, size: int) -> Seconds:
        # In blocks this takes two thirds of the time that `rng.lognormal` does.
        times_s = rng.standard_normal(size)
        times_s *= self.sigma
        times_s += self.mu
        return np.exp(times_s, out=times_s)

    def cdf(self, within_s: Seconds) -> Seconds:
        from scipy.special import ndtr

        with np.errstate(divide="ignore"):
            return ndtr((np.log(np.maximum(within_s, 0.0)) - self.mu) / self.sigma)

    @property
    def mean_s(self) -> float:
        return self.mean if self.mean is not None else math.exp(self.mu + self.sigma**2 / 2.0)

    @property
    def second_moment_s2(self) -> float:
        return math.exp(2.0 * self.mu + 2.0 * self.sigma**2)


class Gamma(RandomTime):
    """The gamma distribution; with a cv of 1 / sqrt(k) the sum of k exponential steps."""

    dist: Literal["gamma"] = "gamma"
    """Name of the distribution."""
    mean: PositiveDuration
    """Mean."""
    cv: Cv
    """Coefficient of variation: standard deviation over mean."""

    def sample(self, rng: np.random.Generator, size: int) -> Seconds:
        return rng.gamma(1.0 / self.cv**2, self.mean * self.cv**2, size)

    def cdf(self, within_s: Seconds) -> Seconds:
        from scipy.special import gammainc

        shape, scale_s = 1.0 / self.cv**2, self.mean * self.cv**2
        return np.asarray(gammainc(shape, np.maximum(within_s, 0.0) / scale_s), np.float64)

    @property
    def mean_s(self) -> float:
        return self.mean

    @property
    def second_moment_s2(self) -> float:
        return self.mean**2 * (1.0 + self.cv**2)


class Weibull(RandomTime):
    """The Weibull distribution; given by its shape and either its mean or its scale."""

    dist: Literal["weibull"] = "weibull"
    """Name of the distribution."""
    mean: PositiveDuration | None = None
    """Mean; alternatively give ``scale``."""
    scale: PositiveDuration | None = None
    """Scale parameter: the 63rd percentile."""
    # Below 0.1 nearly all the mean is in draws that no simulation sees.
    shape: Annotated[Number, Field(ge=0.1, le=100)]
    """Shape parameter; 1 is the exponential distribution."""

    @model_validator(mode="after")
    def _one_size(self) -> Self:
        if (self.mean is None) == (self.scale is None):
            raise ValueError("needs either mean or scale, and not both")
        return self

    @property
    def scale_s(self) -> float:
        """The scale (63rd percentile) in seconds."""
        if self.scale is not None:
            return self.scale
        assert self.mean is not None
        return self.mean / math.gamma(1.0 + 1.0 / self.shape)

    def sample(self, rng: np.random.Generator, size: int) -> Seconds:
        return self.scale_s * rng.weibull(self.shape, size)

    def cdf(self, within_s: Seconds) -> Seconds:
        return -np.expm1(-((np.maximum(within_s, 0.0) / self.scale_s) ** self.shape))

    @property
    def mean_s(self) -> float:
        if self.mean is not None:
            return self.mean
        return self.scale_s * math.gamma(1.0 + 1.0 / self.shape)

    @property
    def second_moment_s2(self) -> float:
        return self.scale_s**2 * math.gamma(1.0 + 2.0 / self.shape)


_Written = Constant | Exponential | Uniform | Lognormal | Gamma | Weibull | Empirical


def _bare_duration(value: Any) -> Any:
    """Read a bare duration as a constant; leave tables and distributions as they are."""
    if isinstance(value, dict | RandomTime):
        return value
    if not isinstance(value, str):
        raise ValueError(  # noqa: TRY004 (pydantic)
            f'{shown(value)} has no unit; give a duration such as "300ms", or a table such as '
            f'{{ dist = "lognormal", mean = "300ms", cv = 0.5 }}'
        )
    checked_duration(value)
    return {"dist": "constant", "value": value}


Distribution = Annotated[
    Annotated[_Written, Field(discriminator="dist")],
    BeforeValidator(_bare_duration, json_schema_input_type=Duration | _Written),
]
"""Any distribution of a time; a bare duration is a constant."""
