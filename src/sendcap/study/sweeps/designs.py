"""Designs: points spread evenly over ranges, where a grid would have too many."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import qmc

from sendcap.errors import SendcapError
from sendcap.scenario import Range
from sendcap.study.replication.estimates import require_count
from sendcap.text.quoting import shown, visible

Kind = Literal["latin-hypercube", "sobol"]

MOST: Final = 2**20
"""Points of a design."""


@dataclass(frozen=True)
class Design:
    """Points spread over ranges.

    Of a Latin hypercube, every range is cut into as many slices as points, and each slice has one
    (`scipy.stats.qmc.LatinHypercube`, with random centred-discrepancy optimisation). A Sobol'
    sequence is scrambled, of a power of two points (`scipy.stats.qmc.Sobol`).
    """

    kind: Kind
    ranges: Mapping[str, Range]  # by dotted scenario path; or two ends
    n: int  # number of points
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.ranges:
            raise SendcapError("design: needs one range at least")
        require_count(self.n, 1, MOST, "design: points")
        if self.kind == "sobol" and self.n & (self.n - 1):
            below = 1 << (self.n.bit_length() - 1)
            raise SendcapError(
                f"design: {self.n} points of a Sobol' sequence are not balanced; take a power of "
                f"two, {below} or {2 * below}, or a Latin hypercube"
            )
        object.__setattr__(self, "ranges", ranges_of(self.ranges))

    def points(self) -> list[dict[str, Any]]:
        """Return the points, values by path."""
        return points_at(self.ranges, self.places().tolist())

    def places(self) -> npt.NDArray[np.float64]:
        """Return the places of the points in the ranges, from 0 to 1: shape (n, ranges)."""
        dimensions = len(self.ranges)
        if self.kind == "sobol":
            return qmc.Sobol(dimensions, rng=self.seed).random_base2(self.n.bit_length() - 1)
        # One point, or one dimension, leaves nothing to optimise.
        optimization: Literal["random-cd"] | None = (
            "random-cd" if min(self.n, dimensions) > 1 else None
        )
        sampler = qmc.LatinHypercube(dimensions, rng=self.seed, optimization=optimization)
        return sampler.random(self.n)


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
    """Return ranges, of ranges or pairs of ends."""
    converted = {}
    for path, ends in ranges.items():
        try:
            converted[path] = ends if isinstance(ends, Range) else Range(*_pair(ends))
        except SendcapError as error:
            raise SendcapError(f"design: {visible(path)}: {error}") from None
    return converted


def _pair(ends: Any) -> tuple[Any, Any]:
    if isinstance(ends, str) or not hasattr(ends, "__len__") or len(ends) != 2:
        raise SendcapError(f"must have two ends, such as [1, 8], not {shown(ends)}")
    low, high = ends
    return low, high


def points_at(ranges: Mapping[str, Range], unit: list[list[float]]) -> list[dict[str, Any]]:
    """Return the points at places in the unit cube, one row each."""
    return [
        {path: values.at(u) for (path, values), u in zip(ranges.items(), row, strict=True)}
        for row in unit
    ]
