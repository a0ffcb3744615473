"""Designs: points spread evenly over ranges, where a grid would have too many."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sendcap.errors import SendcapError
from sendcap.scenario import Rate, format_duration, parse_duration
from sendcap.scenario.wording import shown, visible

Kind = Literal["latin-hypercube", "sobol"]

_MOST: Final = 2**20
_DECIMALS: Final = 3
"""Milliseconds of a duration that is a second or longer."""


@dataclass(frozen=True)
class Range:
    """A range of a scenario's value, ends included.

    Attributes
    ----------
    low, high
        Both whole numbers, and so are the values between; both numbers; both durations such as
        ``"10m"``; or both rates of the same period, such as ``"10/s"``.
    log
        Whether each factor is as likely as the next, and not each difference.

    Examples
    --------
    >>> [Range(1, 8).at(u) for u in (0.0, 0.5, 0.999)]
    [1, 5, 8]
    >>> Range("1m", "100m", log=True).at(0.5), Range("10/s", "30/s").at(0.5)
    ('10m', '20/s')
    """

    low: Any
    high: Any
    log: bool = False

    def __post_init__(self) -> None:
        self._scale()

    def at(self, u: float) -> Any:
        """Return the value at a place between 0 and 1, as a scenario file has it."""
        low, high, whole, written = self._scale()
        # A whole number stands for all that would be rounded down to it.
        end = high + 1.0 if whole else high
        value = low * (end / low) ** u if self.log else low + u * (end - low)
        return written(min(math.floor(value), high) if whole else min(value, high))

    def _scale(self) -> tuple[float, float, bool, Callable[[float], Any]]:
        """Return both ends as numbers, whether they are whole, and how a value is written."""
        low, high, whole, written = self._numbers()
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise SendcapError(f"{self}: the first must be less than the second")
        if self.log and not low > 0.0:
            raise SendcapError(f"{self}: on a logarithmic scale both must be more than 0")
        return low, high, whole, written

    def _numbers(self) -> tuple[float, float, bool, Callable[[float], Any]]:
        ends = (self.low, self.high)
        if all(isinstance(end, str) for end in ends):
            try:
                if any("/" in end for end in ends):
                    return _rates(Rate.parse(self.low), Rate.parse(self.high))
                return (*map(parse_duration, ends), False, _duration)  # type: ignore[return-value]
            except ValueError as error:
                raise SendcapError(f"{self}: {error}") from None
        if any(isinstance(end, bool) or not isinstance(end, int | float) for end in ends):
            raise SendcapError(f"{self}: must be two numbers, two durations or two rates")
        whole = all(isinstance(end, int) for end in ends)
        return float(self.low), float(self.high), whole, int if whole else float

    def __str__(self) -> str:
        return f"[{shown(self.low)}, {shown(self.high)}]"


def _rates(low: Rate, high: Rate) -> tuple[float, float, bool, Callable[[float], Any]]:
    if (low.period_s, low.burst) != (high.period_s, high.burst):
        raise ValueError("must be rates of the same period and max_burst")

    def written(limit: float) -> str:
        return str(Rate(int(limit), low.period_s, low.burst))

    return float(low.limit), float(high.limit), True, written


def _duration(seconds: float) -> str:
    # Six digits of what is less than a second: an end of the range is not to become 0.
    decimals = _DECIMALS if seconds >= 1.0 else 6
    return format_duration(round(seconds, decimals))


@dataclass(frozen=True)
class Design:
    """Points spread over ranges.

    Attributes
    ----------
    kind
        ``"latin-hypercube"``: every value's range is cut into as many slices as there are points,
        and each slice has one. ``"sobol"``: a Sobol' sequence, scrambled, whose points are a power
        of two.
    ranges
        For each dotted scenario path its range, or its two ends.
    n
        How many points.
    seed
        Of the design; the same seed gives the same points.

    References
    ----------
    `scipy.stats.qmc.LatinHypercube` with random centred-discrepancy optimisation, and
    `scipy.stats.qmc.Sobol`.
    """

    kind: Kind
    ranges: Mapping[str, Range]
    n: int
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.ranges:
            raise SendcapError("design: needs one range at least")
        require_points(self.n)
        if self.kind == "sobol" and self.n & (self.n - 1):
            below = 1 << (self.n.bit_length() - 1)
            raise SendcapError(
                f"design: {self.n} points of a Sobol' sequence are not balanced; take a power of "
                f"two, {below} or {2 * below}, or a Latin hypercube"
            )
        object.__setattr__(self, "ranges", ranges_of(self.ranges))

    def points(self) -> list[dict[str, Any]]:
        """Return the points, values by path."""
        from scipy.stats import qmc

        dimensions = len(self.ranges)
        if self.kind == "sobol":
            unit = qmc.Sobol(dimensions, rng=self.seed).random_base2(self.n.bit_length() - 1)
        else:
            # There is nothing to optimise of one point, or in one dimension.
            optimization: Literal["random-cd"] | None = (
                "random-cd" if min(self.n, dimensions) > 1 else None
            )
            sampler = qmc.LatinHypercube(dimensions, rng=self.seed, optimization=optimization)
            unit = sampler.random(self.n)
        return points_at(self.ranges, unit.tolist())


def latin_hypercube(ranges: Mapping[str, Any], n: int, *, seed: int = 0) -> Design:
    """Return a Latin hypercube of ``n`` points; see `Design`.

    Examples
    --------
    >>> design = latin_hypercube({"mta.ips": (1, 4), "mta.retry.first": ("5m", "1h")}, 4)
    >>> sorted(point["mta.ips"] for point in design.points())
    [1, 2, 3, 4]
    """
    return Design("latin-hypercube", ranges, n, seed)


def sobol(ranges: Mapping[str, Any], n: int, *, seed: int = 0) -> Design:
    """Return ``n`` points of a Sobol' sequence, a power of two; see `Design`."""
    return Design("sobol", ranges, n, seed)


def ranges_of(ranges: Mapping[str, Any]) -> dict[str, Range]:
    """Return each path's range, of a range or of its two ends."""
    found = {}
    for path, ends in ranges.items():
        try:
            found[path] = ends if isinstance(ends, Range) else Range(*_pair(ends))
        except SendcapError as error:
            raise SendcapError(f"design: {visible(path)}: {error}") from None
    return found


def _pair(ends: Any) -> tuple[Any, Any]:
    if isinstance(ends, str) or not hasattr(ends, "__len__") or len(ends) != 2:
        raise SendcapError(f"must have two ends, such as [1, 8], not {shown(ends)}")
    low, high = ends
    return low, high


def points_at(ranges: Mapping[str, Range], unit: list[list[float]]) -> list[dict[str, Any]]:
    """Return the points at places in the unit cube, one row each."""
    return [
        {path: its.at(u) for (path, its), u in zip(ranges.items(), row, strict=True)}
        for row in unit
    ]


def require_points(n: int) -> None:
    """Refuse a number of points that is none."""
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= _MOST:
        raise SendcapError(f"design: points must be a whole number from 1 to {_MOST:,}, not {n!r}")
