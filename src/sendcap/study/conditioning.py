"""What readings say about the values in the ranges: the likelihood of a point.

Successive readings are cumulative, so they are anything but independent. They are therefore taken
as the first of them and the differences from each to the next, and how the errors of these go
together is estimated from the simulations; it is shrunk towards independent differences, not
towards independent readings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from sendcap.errors import SendcapError
from sendcap.reporting.elapsed import elapsed
from sendcap.study.noise import Scale, correlation_of, scale_of, tails_of
from sendcap.study.readings import READ, Readings

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sendcap.reporting.modes import Mode
    from sendcap.study.design import Design
    from sendcap.study.emulator import Smoother

    Floats = npt.NDArray[np.float64]

MOST_MOMENTS: Final = 12
"""Readings that are used of each curve: those between them say next to nothing more."""
_PER_COLUMN: Final = 4
"""Simulations that there are at least for each number that is compared."""
_SEEN_PT: Final = 1e-5
"""What differs by less between simulations is the same."""


class Block(NamedTuple):
    """One curve as the first of its readings and the differences: of each simulation, and seen."""

    smoother: Smoother
    simulated: Floats
    observed: Floats
    last_simulated: Floats
    last_observed: float
    floor: float
    impossible: bool


@dataclass(frozen=True, eq=False)
class Likelihood:
    """How likely what was seen is at a point of the cube: a multivariate t distribution.

    It is Student's t and not normal because the covariance is an estimate, and because an emulator
    errs more in some places than elsewhere: how much is fitted to its errors.

    Attributes
    ----------
    points : ndarray, shape (n, d)
        The simulations' own.
    blocks
        The curves that are compared.
    errors : ndarray, shape (n, k)
        Of the simulations, over their standard deviations.
    scale
        Standard deviations over the cube.
    precision : ndarray, shape (k, k)
        Inverse of the errors' correlation, in the t distribution's own scale.
    degrees
        Of freedom.
    """

    points: Floats = field(repr=False)
    blocks: Sequence[Block] = field(repr=False)
    errors: Floats = field(repr=False)
    scale: Scale = field(repr=False)
    precision: Floats = field(repr=False)
    degrees: float

    @property
    def size(self) -> int:
        """How many numbers are compared."""
        return len(self.precision)

    @property
    def impossible(self) -> bool:
        """Whether something was seen that is the same in all simulations, and not this."""
        return any(its.impossible for its in self.blocks)

    def deviations(self, points: Floats) -> tuple[Floats, Floats]:
        """Return what was seen minus what a point predicts, over its deviation; and the latter."""
        import numpy as np

        weights = {id(its.smoother): its.smoother for its in self.blocks}
        at = {key: smoother.weights(points) for key, smoother in weights.items()}
        apart = np.concatenate(
            [its.observed - at[id(its.smoother)] @ its.simulated for its in self.blocks], axis=1
        )
        deviation = self.scale.at(points)
        return apart / deviation, deviation

    def distance(self, deviations: Floats) -> Floats:
        """Return the squared Mahalanobis distance of deviations: shape (points,)."""
        import numpy as np

        found: Floats = np.einsum("si,ij,sj->s", deviations, self.precision, deviations)
        return found

    def __call__(self, points: Floats) -> Floats:
        """Return the log likelihood of points, up to a constant."""
        import numpy as np

        apart, deviation = self.deviations(points)
        distance = self.distance(apart)
        found: Floats = -np.log(deviation).sum(axis=1) - 0.5 * (
            self.degrees + self.size
        ) * np.log1p(distance / self.degrees)
        return found

    def tail(self, points: Floats) -> float:
        """Return how often a delivery at these points would be further from its prediction."""
        from scipy import stats

        distance = self.distance(self.deviations(points)[0])
        return float(stats.f.sf(distance / self.size, self.size, self.degrees).mean())


def likelihood_of(
    design: Design,
    smoothers: Mapping[tuple[Mode, str, str], Smoother],
    readings: Mapping[Mode, Readings],
    delivery: str,
) -> Likelihood:
    """Return the likelihood of the readings of a delivery.

    Raises
    ------
    SendcapError
        If nothing in them differs between the simulations yet.
    """
    import numpy as np

    wanted = [
        (mode, delivery, name)
        for mode, its in readings.items()
        for name in its.percent
        if not _redundant(design, mode, delivery, name, its)
    ]
    moments = max(2, min(MOST_MOMENTS, design.n // _PER_COLUMN // len(wanted)))
    found = [_block(design, key, readings[key[0]], smoothers[key], moments) for key in wanted]
    blocks = [its for its in found if its is not None]
    if not any(its.observed.size for its in blocks):
        last_s = max(float(its.time_s[-1]) for its in readings.values())
        raise SendcapError(
            f"observed: up to {elapsed(last_s)} all values in the ranges give the same readings; "
            "wait for later ones"
        )
    left_out = [its.smoother.left_out(its.simulated) for its in blocks]
    errors = np.concatenate(left_out, axis=1)
    scales = [
        scale_of(design.points, error, its.floor)
        for its, error in zip(blocks, left_out, strict=True)
    ]
    scale = Scale(
        np.concatenate([its.coefficients for its in scales], axis=1),
        np.concatenate([its.floor for its in scales]),
    )
    scaled = errors / scale.at(design.points)
    precision = np.linalg.inv(correlation_of(scaled)).astype(np.float64)
    tails = tails_of(scaled, precision)
    return Likelihood(design.points, blocks, scaled, scale, precision / tails.scale, tails.degrees)


def _redundant(design: Design, mode: Mode, delivery: str, name: str, its: Readings) -> bool:
    """Whether a curve is 100 minus another one, as the two of them are without EFS."""
    import numpy as np

    if name != READ[1] or READ[0] not in its.percent:
        return False
    together = design.curves[mode, delivery, READ[0]] + design.curves[mode, delivery, READ[1]]
    return bool(np.nanmax(np.abs(together - 100.0)) < 1e-3)


def _block(
    design: Design,
    key: tuple[Mode, str, str],
    its: Readings,
    smoother: Smoother,
    moments: int,
) -> Block | None:
    import numpy as np

    observed = its.percent[key[2]]
    there = ~np.isnan(observed)
    if not there.any():
        return None
    time_s, observed = its.time_s[there], observed[there]
    simulated = _at(design.moments_s, design.curves[key], time_s)
    known = ~np.isnan(simulated).any(axis=0)
    if not known.any():
        return None
    time_s, observed, simulated = time_s[known], observed[known], simulated[:, known]
    # As the dashboard rounds them, so that rounding is part of the errors.
    simulated = np.round(simulated, its.decimals)
    floor = max(10.0**-its.decimals / np.sqrt(12.0), _SEEN_PT)
    places = _thinned(time_s, simulated.std(axis=0) > floor, moments)
    last = simulated[:, -1], float(observed[-1])
    simulated = np.diff(simulated[:, places], axis=1, prepend=0.0)
    observed = np.diff(observed[places], prepend=0.0)
    varies = simulated.std(axis=0) > 0.5 * floor
    apart = np.abs(observed - simulated.mean(axis=0))[~varies]
    impossible = bool((apart > 20.0 * floor + 1e-3).any())
    return Block(smoother, simulated[:, varies], observed[varies], *last, floor, impossible)


def _at(moments_s: Floats, curves: Floats, time_s: Floats) -> Floats:
    """Return curves at some times, between the moments on a straight line."""
    import numpy as np

    after = np.clip(np.searchsorted(moments_s, time_s), 1, len(moments_s) - 1)
    gap = moments_s[after] - moments_s[after - 1]
    share = np.clip((time_s - moments_s[after - 1]) / gap, 0.0, 1.0)
    before = curves[:, after - 1]
    # Not a weighted sum: of a curve that begins with NaN the moment itself is known.
    rise = np.where(share > 0.0, curves[:, after] - before, 0.0)
    found: Floats = np.where(share >= 1.0, curves[:, after], before + share * rise)
    return found


def _thinned(time_s: Floats, varies: npt.NDArray[np.bool_], moments: int) -> npt.NDArray[np.intp]:
    """Return the places of a few readings, the last among them, denser where it is early."""
    import numpy as np

    first = int(np.argmax(varies)) if varies.any() else 0
    wanted = np.linspace(np.sqrt(time_s[first]), np.sqrt(time_s[-1]), moments) ** 2
    after = np.clip(np.searchsorted(time_s, wanted * (1 - 1e-12)), first, len(time_s) - 1)
    before = np.maximum(after - 1, first)
    nearer = np.where(wanted - time_s[before] < time_s[after] - wanted, before, after)
    return np.unique(np.append(nearer, len(time_s) - 1))
