"""The simulations behind a forecast: one at each of many points that fill the ranges evenly.

They depend on the scenario and its ranges alone, and not on what was observed: the same design
serves every later reading of the same delivery.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from sendcap.errors import SendcapError
from sendcap.reporting.modes import ALL_DELIVERIES, ALL_PROVIDERS
from sendcap.study.folding import Plan, Quantity, simulated
from sendcap.study.moments import reading_moments_s
from sendcap.study.readings import READ
from sendcap.study.replicate import without_engagement
from sendcap.study.replications import Simulations
from sendcap.study.workers import Workers

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sendcap.reporting.modes import Mode
    from sendcap.scenario import Scenario, UncertainScenario
    from sendcap.study.folding import Folded

    Floats = npt.NDArray[np.float64]

FEWEST: Final = 64
_KEY: Final = int.from_bytes(b"dsgn", "little")
"""Keeps these seeds apart from those of runs and replications, whose future is to be told."""


@dataclass(frozen=True, eq=False)
class Design:
    """Simulations at points that fill the ranges, each with draws of its own.

    Attributes
    ----------
    uncertain
        What was simulated.
    points : ndarray, shape (n, d)
        Where, in the cube from -1 (the low end) to 1 (the high end).
    moments_s : ndarray, shape (m,)
        When the curves are read, in seconds from t = 0.
    curves
        By mode, delivery and column, the readings: arrays of shape (n, m).
    """

    uncertain: UncertainScenario
    points: Floats = field(repr=False)
    moments_s: Floats = field(repr=False)
    curves: Mapping[tuple[Mode, str, str], Floats] = field(repr=False)

    @property
    def n(self) -> int:
        """How many simulations there are."""
        return len(self.points)

    def values(self, points: Floats) -> Floats:
        """Return the values at points of the cube, as an array of the same shape."""
        import numpy as np

        low = np.array([its.low for its in self.uncertain.ranges])
        high = np.array([its.high for its in self.uncertain.ranges])
        values: Floats = low + 0.5 * (points + 1.0) * (high - low)
        return values


def default_simulations(ranges: int) -> int:
    """Return how many simulations fill this many ranges well enough."""
    return 256 if ranges <= 4 else 512


def simulate_design(
    uncertain: UncertainScenario,
    modes: tuple[Mode, ...],
    n: int | None = None,
    *,
    workers: int | Workers | None = None,
    progress: Callable[[int], None] | None = None,
    fold: Callable[[Plan, Scenario], Folded] = simulated,
) -> Design:
    """Simulate a scenario at the points of a scrambled Sobol sequence in its ranges.

    Parameters
    ----------
    modes
        Of reporting.
    n
        How many simulations, at least 64; 256 by default, 512 for more than four ranges.
    workers
        Processes, which change the speed alone.
    progress
        Called with the number of simulations so far.
    fold
        Returns the curves of a scenario, of a module so that other processes can import it.

    Raises
    ------
    SendcapError
        If there are too few simulations, or a value in the ranges makes no valid scenario.
    """
    import numpy as np

    ranges = uncertain.ranges
    count = default_simulations(len(ranges)) if n is None else n
    if isinstance(count, bool) or not isinstance(count, int) or count < FEWEST:
        raise SendcapError(f"simulations: must be a whole number from {FEWEST}, not {n!r}")
    bare = without_engagement(uncertain.scenario, ())
    plan = Plan(
        modes=modes,
        denominator=bare.reporting.denominator,
        moments_s=reading_moments_s(bare),
        curves_per=("delivery",),
    )
    values = _filling(uncertain, count)
    seeds = _seeds(bare.seed, count)
    # All of them before any is simulated: a mistake in the last one should not take minutes.
    scenarios = [
        without_engagement(uncertain.at(row.tolist()), ()).with_seed(seed)
        for row, seed in zip(values, seeds, strict=True)
    ]
    with Workers.of(workers) as team:
        folded = list(Simulations(team, progress).map(partial(fold, plan), scenarios))
    curves = {
        (mode, delivery, name): np.stack(
            [its.curves[Quantity(mode, delivery, ALL_PROVIDERS, name)] for its in folded]
        ).astype(np.float64)
        for mode in modes
        for delivery in _deliveries(folded[0])
        for name in READ
    }
    low = np.array([its.low for its in ranges])
    high = np.array([its.high for its in ranges])
    points = 2.0 * (values - low) / (high - low) - 1.0
    return Design(uncertain, points, plan.moments_s, curves)


def _filling(uncertain: UncertainScenario, count: int) -> Floats:
    """Return values that fill the ranges evenly, a row for each simulation."""
    import numpy as np
    from scipy.stats import qmc

    ranges = uncertain.ranges
    sequence = np.random.SeedSequence(uncertain.scenario.seed, spawn_key=(_KEY,))
    # A Sobol sequence is balanced in powers of two; what is left over is cut off.
    sobol = qmc.Sobol(len(ranges), seed=np.random.default_rng(sequence))
    shares = sobol.random_base2((count - 1).bit_length())[:count]
    rows = [
        [its.possible(its.low + share * (its.high - its.low)) for its, share in zip(ranges, row)]  # noqa: B905 (Sobol)
        for row in shares.tolist()
    ]
    return np.array(rows)


def _seeds(seed: int, count: int) -> list[int]:
    import numpy as np

    words = [
        np.random.SeedSequence(seed, spawn_key=(_KEY, number)).generate_state(4)
        for number in range(count)
    ]
    return [int.from_bytes(its.astype("<u4").tobytes(), "little") for its in words]


def _deliveries(folded: Folded) -> list[str]:
    names = dict.fromkeys(key.delivery for key in folded.curves if key.provider == ALL_PROVIDERS)
    return [ALL_DELIVERIES, *(name for name in names if name != ALL_DELIVERIES)]
