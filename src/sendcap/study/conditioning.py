"""What readings say about the values in the ranges: the likelihood of a point.

Successive readings are cumulative, so they are anything but independent. They are therefore taken
as the first of them and the differences from each to the next; and of the errors of these, each is
taken as far as it does not follow from those before it, as the simulations show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from sendcap.errors import SendcapError
from sendcap.reporting.elapsed import elapsed
from sendcap.study.emulator import Emulated, Means, Smoother, best
from sendcap.study.noise import Scale, innovations_of, joint_of, scale_of
from sendcap.study.readings import READ, Readings

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sendcap.reporting.modes import Mode
    from sendcap.study.design import Design

    Floats = npt.NDArray[np.float64]

MOST_MOMENTS: Final = 12
"""Readings that are used of each curve: those between them say next to nothing more."""
_PER_COLUMN: Final = 4
"""Simulations that there are at least for each number that is compared."""
_SEEN_PT: Final = 1e-5
"""What differs by less between simulations is the same."""


class Block(NamedTuple):
    """One curve as the first of its readings and the differences; and the last reading itself.

    ``observed`` and ``last_observed`` are what was seen of what ``steps`` and ``last`` tell.
    """

    steps: Means
    observed: Floats
    last: Emulated
    last_observed: float
    floor: float
    impossible: bool


@dataclass(frozen=True, eq=False)
class Likelihood:
    """How likely what was seen is at a point of the cube: a multivariate t distribution.

    It is Student's t and not normal because the covariance is an estimate from n simulations.

    Attributes
    ----------
    blocks
        The curves that are compared.
    innovations : ndarray, shape (k, k)
        Takes from each error what follows from those before it.
    scale
        Standard deviations of what is left, over the cube.
    errors : ndarray, shape (n, k)
        What is left of the simulations' errors, over its deviation.
    precision : ndarray, shape (k, k)
        Inverse of the scale matrix of such errors.
    degrees
        Of freedom.
    """

    blocks: Sequence[Block] = field(repr=False)
    innovations: Floats = field(repr=False)
    scale: Scale = field(repr=False)
    errors: Floats = field(repr=False)
    precision: Floats = field(repr=False)
    degrees: int

    @property
    def size(self) -> int:
        """How many numbers are compared."""
        return len(self.precision)

    @property
    def impossible(self) -> bool:
        """Whether something was seen that is the same in all simulations, and not this."""
        return any(its.impossible for its in self.blocks)

    def deviations(self, points: Floats) -> tuple[Floats, Floats]:
        """Return what was seen minus what a point predicts, over its deviation; and the latter.

        Of each number as far as it does not follow from those before it.
        """
        import numpy as np

        apart, wider = [], []
        for its in self.blocks:
            mean, widening = its.steps.at(points)
            apart.append(its.observed - mean)
            wider.append(np.broadcast_to(widening, mean.shape))
        deviation = self.scale.at(points) * np.concatenate(wider, axis=1)
        return np.concatenate(apart, axis=1) @ self.innovations.T / deviation, deviation

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
    candidates: Sequence[Smoother],
    common: Smoother,
    readings: Mapping[Mode, Readings],
    delivery: str,
) -> Likelihood:
    """Return the likelihood of the readings of a delivery.

    Parameters
    ----------
    candidates
        Smoothers to choose from for each curve.
    common
        The one for the last readings, and for what is to come.

    Raises
    ------
    SendcapError
        If nothing in them differs between the simulations yet.
    """
    import numpy as np

    wanted = [
        (its, names)
        for mode, its in readings.items()
        for names in _compared(design, mode, delivery, its)
    ]
    moments = max(2, min(MOST_MOMENTS, design.n // _PER_COLUMN // len(wanted)))
    found = [
        _block(design, candidates, common, delivery, its, names, moments) for its, names in wanted
    ]
    blocks = [its for its in found if its is not None]
    if not any(its.observed.size for its in blocks):
        last_s = max(float(its.time_s[-1]) for its in readings.values())
        raise SendcapError(
            f"observed: up to {elapsed(last_s)} all values in the ranges give the same readings; "
            "wait for later ones"
        )
    single = np.concatenate([its.steps.single for its in blocks], axis=1)
    floor = max(its.floor for its in blocks)
    innovations = innovations_of(single, floor)
    left = single @ innovations.T
    scale = scale_of(design.points, left, floor)
    errors = left / scale.at(design.points)
    return Likelihood(blocks, innovations, scale, errors, *joint_of(errors))


def _compared(design: Design, mode: Mode, delivery: str, its: Readings) -> list[tuple[str, ...]]:
    """Return the curves that are compared, each as the columns that it is the sum of.

    Delivered and bounced together tell how far the delivery is, and what has bounced how good the
    addresses are. Chance in the one has little to do with chance in the other, whereas between
    Delivered % and Bounces + errors % it depends on how much has bounced.
    """
    import numpy as np

    if set(its.percent) != set(READ):
        return [(name,) for name in its.percent]
    together = sum(design.curves[mode, delivery, name] for name in READ)
    if np.nanmax(np.abs(together - 100.0)) < 1e-3:
        # Without EFS the one is what the other leaves.
        return [READ[:1]]
    return [READ, READ[1:]]


def _block(
    design: Design,
    candidates: Sequence[Smoother],
    common: Smoother,
    delivery: str,
    its: Readings,
    names: tuple[str, ...],
    moments: int,
) -> Block | None:
    import numpy as np

    observed = np.sum([its.percent[name] for name in names], axis=0)
    there = ~np.isnan(observed)
    if not there.any():
        return None
    time_s, observed = its.time_s[there], observed[there]
    curves = [
        curves_at(design.moments_s, design.curves[its.mode, delivery, name], time_s)
        for name in names
    ]
    # As the dashboard rounds them, so that rounding is part of the errors.
    simulated = np.sum([np.round(curve, its.decimals) for curve in curves], axis=0)
    known = ~np.isnan(simulated).any(axis=0)
    if not known.any():
        return None
    time_s, observed, simulated = time_s[known], observed[known], simulated[:, known]
    floor = max(10.0**-its.decimals * np.sqrt(len(names) / 12.0), _SEEN_PT)
    places = _thinned(time_s, simulated.std(axis=0) > floor, moments)
    steps = np.diff(simulated[:, places], axis=1, prepend=0.0)
    seen = np.diff(observed[places], prepend=0.0)
    varies = steps.std(axis=0) > 0.5 * floor
    apart = np.abs(seen - steps.mean(axis=0))[~varies]
    steps = steps[:, varies]
    return Block(
        Means.of(best(candidates, steps), steps),
        seen[varies],
        Emulated.of(common, design.points, simulated[:, -1:], floor),
        float(observed[-1]),
        floor,
        impossible=bool((apart > 20.0 * floor + 1e-3).any()),
    )


def curves_at(moments_s: Floats, curves: Floats, time_s: Floats) -> Floats:
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
