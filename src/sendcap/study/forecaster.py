"""Forecasts from a design; `sendcap.study.forecast` tells the method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sendcap.analysis.convergence import TOLERANCES_PT
from sendcap.reporting.modes import ALL_DELIVERIES, Mode
from sendcap.study.conditioning import Likelihood, last_reading, likelihood_of
from sendcap.study.design import Design
from sendcap.study.emulator import Smoother, chosen, smoothers
from sendcap.study.noise import Scale, scale_of
from sendcap.study.outlook import Forecast
from sendcap.study.readings import READ, Readings
from sendcap.study.tempering import posterior

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

CONFIDENCE: Final = 0.9
DRAWS: Final = 2000
_KEY: Final = int.from_bytes(b"fcst", "little")
_SEEN_PT: Final = 1e-6


@dataclass(frozen=True, eq=False)
class Forecaster:
    """A design with its emulators: forecasts from it for any readings.

    Attributes
    ----------
    design
        The simulations.
    smoothers
        By mode, delivery and column.
    """

    design: Design
    smoothers: Mapping[tuple[Mode, str, str], Smoother] = field(repr=False)

    @classmethod
    def of(cls, design: Design) -> Forecaster:
        """Fit emulators to the simulations of a design."""
        return cls(design, chosen(smoothers(design.points), design.curves))

    def forecast(
        self,
        readings: Mapping[Mode, Readings],
        delivery: str = ALL_DELIVERIES,
        tolerances_pt: tuple[float, ...] = TOLERANCES_PT,
        confidence: float = CONFIDENCE,
        draws: int = DRAWS,
    ) -> Forecast:
        """Forecast what comes after some readings; see `forecast`."""
        import numpy as np

        design = self.design
        seed = np.random.SeedSequence(design.uncertain.scenario.seed, spawn_key=(_KEY,))
        rng = np.random.default_rng(seed)
        likelihood = likelihood_of(design, self.smoothers, readings, delivery)
        points = posterior(likelihood, design.points.shape[1], draws, rng)
        apart, _ = likelihood.deviations(points)
        # One draw of chance for all modes: they read the same delivery.
        chance = _Chance.of(likelihood, apart, rng)
        curves = {
            mode: self._curves((mode, delivery, READ[0]), readings, points, chance)
            for mode in readings
        }
        return Forecast(
            uncertain=design.uncertain,
            delivery=delivery,
            readings=readings,
            at_s=max(float(its.time_s[-1]) for its in readings.values()),
            confidence=confidence,
            tolerances_pt=tolerances_pt,
            simulations=design.n,
            values=design.values(points),
            moments_s=design.moments_s,
            curves=curves,
            explained=0.0 if likelihood.impossible else likelihood.tail(points),
        )

    def _curves(
        self,
        key: tuple[Mode, str, str],
        readings: Mapping[Mode, Readings],
        points: Floats,
        chance: _Chance,
    ) -> Floats:
        """Return a draw of a curve for each point; NaN where some simulation has no value.

        What is emulated is the curve, or how far it is from the last reading in this or another
        mode: whichever leaves least of its end to chance.
        """
        import numpy as np

        smoother, curves = self.smoothers[key], self.design.curves[key]
        known = np.logical_not(np.isnan(curves).any(axis=0))
        ways = [_Way.of(smoother, curves[:, known], 0.0, self.design.points, chance)]
        for mode, its in readings.items():
            last = last_reading(self.design, (mode, *key[1:]), its)
            if last is not None:
                apart = curves[:, known] - last.simulated[:, None]
                ways.append(_Way.of(smoother, apart, last.observed, self.design.points, chance))
        best = min(ways, key=lambda way: way.left_at_the_end)
        found = np.full((len(points), len(known)), np.nan)
        found[:, known] = np.clip(best.drawn(points, chance), 0.0, 100.0)
        return found


@dataclass(frozen=True, eq=False)
class _Way:
    """An emulated curve with its errors, as what it adds to a number that is known."""

    smoother: Smoother
    simulated: Floats
    known: float
    scale: Scale
    follow: Floats
    left: Floats
    left_at_the_end: float

    @classmethod
    def of(
        cls, smoother: Smoother, simulated: Floats, known: float, points: Floats, chance: _Chance
    ) -> _Way:
        errors = smoother.left_out(simulated)
        scale = scale_of(points, errors, _SEEN_PT)
        deviation = scale.at(points)
        follow, left = chance.following(errors / deviation)
        at_the_end = float(((left * deviation)[:, -1] ** 2).mean())
        return cls(smoother, simulated, known, scale, follow, left, at_the_end)

    def drawn(self, points: Floats, chance: _Chance) -> Floats:
        """Return a draw of the curve for each point."""
        errors = chance.apart @ self.follow + chance.size[:, None] * self.left[chance.which]
        found: Floats = (
            self.known
            + self.smoother.weights(points) @ self.simulated
            + self.scale.at(points) * errors
        )
        return found


@dataclass(frozen=True, eq=False)
class _Chance:
    """How the errors to come follow from those seen, and what is left to chance.

    Attributes
    ----------
    seen : ndarray, shape (n, k)
        Errors of the simulations in what was read.
    precision : ndarray, shape (k, k)
        Inverse of their correlation.
    apart : ndarray, shape (s, k)
        Errors of the real readings, if a point is the truth.
    which : ndarray, shape (s,)
        The simulation whose own chance each draw takes.
    size : ndarray, shape (s,)
        By how much it is larger or smaller, as a multivariate t has it.
    """

    seen: Floats
    precision: Floats
    apart: Floats
    which: npt.NDArray[np.intp]
    size: Floats

    @classmethod
    def of(cls, likelihood: Likelihood, apart: Floats, rng: np.random.Generator) -> _Chance:
        """Draw for each point which simulation's chance it takes, and how large it is."""
        import numpy as np

        degrees = likelihood.degrees + likelihood.size
        wider = (likelihood.degrees + likelihood.distance(apart)) / rng.chisquare(
            degrees, len(apart)
        )
        which = rng.integers(len(likelihood.errors), size=len(apart))
        return cls(likelihood.errors, likelihood.precision, apart, which, np.sqrt(wider))

    def following(self, errors: Floats) -> tuple[Floats, Floats]:
        """Return how errors of the simulations follow from those seen, and what does not."""
        import numpy as np

        n = len(errors)
        follow = self.precision @ self.seen.T @ errors / n
        own = np.einsum("ij,jk,ik->i", self.seen, self.precision, self.seen) / n
        # As it would be had the simulation itself not been used to find what follows from what.
        left = (errors - self.seen @ follow) / (1.0 - np.minimum(own, 0.9))[:, None]
        return follow, left
