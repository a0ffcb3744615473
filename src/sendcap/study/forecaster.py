"""Forecasts from a design; `sendcap.study.forecast` tells the method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sendcap.analysis.convergence import TOLERANCES_PT
from sendcap.reporting.modes import ALL_DELIVERIES, Mode
from sendcap.study.chance import Chance
from sendcap.study.conditioning import likelihood_of
from sendcap.study.design import Design
from sendcap.study.emulator import Smoother, chosen, smoothers
from sendcap.study.noise import scale_of
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
        # One draw of chance for all modes: they read the same delivery.
        chance = Chance.of(likelihood, points, rng)
        curves = {
            mode: self._curves((mode, delivery, READ[0]), points, chance) for mode in readings
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

    def _curves(self, key: tuple[Mode, str, str], points: Floats, chance: Chance) -> Floats:
        """Return a draw of a curve for each point; NaN where some simulation has no value."""
        import numpy as np

        smoother, simulated = self.smoothers[key], self.design.curves[key]
        known = np.logical_not(np.isnan(simulated).any(axis=0))
        simulated = simulated[:, known]
        errors = smoother.left_out(simulated)
        scale = scale_of(self.design.points, errors, _SEEN_PT)
        drawn = chance.drawn(errors / scale.at(self.design.points))
        found = np.full((len(points), len(known)), np.nan)
        found[:, known] = smoother.weights(points) @ simulated + scale.at(points) * drawn
        within: Floats = np.clip(found, 0.0, 100.0)
        return within
