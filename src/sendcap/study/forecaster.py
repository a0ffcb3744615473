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
from sendcap.study.emulator import Emulated, Smoother, best, smoothers
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
    candidates
        Smoothers to choose from.
    common
        The one for all curves and their last readings. Errors of numbers that are sums of each
        other are then such sums, too, and a curve that stays as it is stays so when emulated.
    curves
        Delivered % by mode, delivery and column, and at which moments it is emulated.
    """

    design: Design
    candidates: list[Smoother] = field(repr=False)
    common: Smoother = field(repr=False)
    curves: Mapping[tuple[Mode, str, str], tuple[Emulated, npt.NDArray[np.bool_]]] = field(
        repr=False
    )

    @classmethod
    def of(cls, design: Design) -> Forecaster:
        """Fit emulators to the simulations of a design."""
        import numpy as np

        candidates = smoothers(design.points)
        kept = {
            key: (curve, np.logical_not(np.isnan(curve).any(axis=0)))
            for key, curve in design.curves.items()
            if key[2] == READ[0]
        }
        told = np.concatenate([curve[:, known] for curve, known in kept.values()], axis=1)
        common = best(candidates, told)
        curves = {
            key: (Emulated.of(common, design.points, curve[:, known], _SEEN_PT), known)
            for key, (curve, known) in kept.items()
        }
        return cls(design, candidates, common, curves)

    def forecast(
        self,
        readings: Mapping[Mode, Readings],
        delivery: str = ALL_DELIVERIES,
        tolerances_pt: tuple[float, ...] = TOLERANCES_PT,
        confidence: float = CONFIDENCE,
        draws: int = DRAWS,
        stretch: float = 1.0,
    ) -> Forecast:
        """Forecast what comes after some readings; see `sendcap.forecast`.

        Parameters
        ----------
        draws
            Of what may come.
        stretch
            By how much to stretch them about their medians; see `sendcap.study.calibration`.
        """
        import numpy as np

        design = self.design
        seed = np.random.SeedSequence(design.uncertain.scenario.seed, spawn_key=(_KEY,))
        rng = np.random.default_rng(seed)
        likelihood = likelihood_of(design, self.candidates, self.common, readings, delivery)
        points = posterior(likelihood, design.points.shape[1], draws, rng)
        # One draw of chance for all modes: they read the same delivery.
        chance = Chance.of(likelihood, points, rng)
        curves = {
            mode: np.clip(
                _stretched(self._curves((mode, delivery, READ[0]), points, chance), stretch), 0, 100
            )
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
            values=design.values(np.clip(_stretched(points, stretch), -1.0, 1.0)),
            moments_s=design.moments_s,
            curves=curves,
            stretch=stretch,
            explained=0.0 if likelihood.impossible else likelihood.tail(points),
        )

    def _curves(self, key: tuple[Mode, str, str], points: Floats, chance: Chance) -> Floats:
        """Return a draw of a curve for each point; NaN where some simulation has no value."""
        import numpy as np

        emulated, known = self.curves[key]
        mean, deviation = emulated.at(points)
        found = np.full((len(points), len(known)), np.nan)
        found[:, known] = mean + deviation * chance.drawn(emulated.errors)
        return found


def _stretched(draws: Floats, factor: float) -> Floats:
    """Return draws that are by a factor further from their medians."""
    import numpy as np

    # Only columns of NaN have none.
    median = np.quantile(draws, 0.5, axis=0)
    stretched: Floats = median + factor * (draws - median)
    return stretched
