"""The reference table of a forecast: simulations at points that fill the ranges evenly.

They depend on the scenario and the ranges, not on the readings: the same table serves every later
reading of the same delivery.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from sendcap.errors import SendcapError
from sendcap.readings.convergence import Floats
from sendcap.readings.modes import ALL_DELIVERIES, Mode
from sendcap.scenario import Rate, Scenario, UncertainScenario, updated
from sendcap.study.forecasts.readings import Readings, last_reading_s, thinned
from sendcap.study.replication import derived_seed
from sendcap.study.replication.recording import Plan, reading_moments_s, recorded
from sendcap.study.replication.workers import Simulations, Workers
from sendcap.study.sweeps.designs import MOST, sobol
from sendcap.text.quantities import elapsed

FEWEST: Final = 64
SIMULATIONS: Final = FEWEST
"""By default. A million messages hardly vary by chance: from 64 points the fit is as close as from
256, in a quarter of the time (``experiments/forecast_coverage.py``)."""
_FORECAST: Final = int.from_bytes(b"fcst", "little")
"""Separates these seeds from those of runs and replications, whose future is forecast."""

MOMENTS: Final = 6
"""Readings that are used of each curve, at most. With twelve, intervals from both modes were at
times too narrow: more of what was fitted was chance (``experiments/forecast_coverage.py``)."""
_MOST_DECIMALS: Final = 4
"""The simulations' curves are kept as single-precision numbers."""


@dataclass(frozen=True, eq=False)
class ReferenceTable:
    """Simulations at points that fill the ranges, each with other draws."""

    uncertain: UncertainScenario
    places: Floats  # of the values in the ranges, from 0 to 1: shape (n, d)
    moments_s: Floats  # of the curves, from t = 0; the last is the end: shape (m,)
    curves: Mapping[tuple[str, str, str], Floats]  # by mode, delivery, column: shape (n, m)

    @property
    def n(self) -> int:
        """Number of simulations."""
        return len(self.places)

    def read(self, mode: Mode, delivery: str, column: str, time_s: Floats) -> Floats:
        """Return readings at some times, on straight lines between the moments: (n, times)."""
        moments_s, curves = self.moments_s, self.curves[mode, delivery, column]
        after = np.clip(np.searchsorted(moments_s, time_s), 1, len(moments_s) - 1)
        gap = moments_s[after] - moments_s[after - 1]
        share = np.clip((time_s - moments_s[after - 1]) / gap, 0.0, 1.0)
        before = curves[:, after - 1]
        # Not a weighted sum: of a curve that begins with NaN the moment itself is known.
        rise = np.where(share > 0.0, curves[:, after] - before, 0.0)
        return np.where(share >= 1.0, curves[:, after], before + share * rise)


def simulations_of(asked: int | None) -> int:
    """Return the number of simulations, of the number asked for."""
    n = SIMULATIONS if asked is None else asked
    if isinstance(n, bool) or not isinstance(n, int) or not FEWEST <= n <= MOST or n & n - 1:
        raise SendcapError(
            f"simulations: must be a power of two from {FEWEST} to {MOST:,}, such as 256, not {n!r}"
        )
    return n


def simulate_table(
    uncertain: UncertainScenario,
    modes: tuple[Mode, ...],
    n: int | None = None,
    also_s: npt.ArrayLike = (),
    *,
    slices: bool = False,
    workers: int | Workers | None = None,
    progress: Callable[[int], None] | None = None,
) -> ReferenceTable:
    """Simulate a scenario at the points of a Sobol' sequence in the ranges.

    ``also_s`` are further moments of the curves: those of the dashboard's readings. With ``slices``
    a large delivery is simulated by a slice of it, which is quicker, and has more chance in it.
    """
    count = simulations_of(n)
    scenario = uncertain.scenario
    plan = Plan(
        modes=modes,
        denominator=scenario.reporting.denominator,
        moments_s=_moments_s(scenario, also_s),
        curves_per=("delivery",),
        numbers_per=("delivery",),
    )
    design = sobol(uncertain.ranges, count, seed=scenario.seed)
    # All of them before any is simulated: a mistake in the last one should not take minutes.
    scenarios = [
        uncertain.at(point).with_seed(derived_seed(scenario.seed, _FORECAST, number))
        for number, point in enumerate(design.points())
    ]
    if slices:
        scenarios = [sliced(each) for each in scenarios]
    with Workers.of(workers) as team:
        records = list(Simulations(team, progress).map(partial(recorded, plan), scenarios))
    curves = {}
    for about in records[0].curves:
        drawn = np.stack([record.curves[about] for record in records]).astype(np.float64)
        final = [record.numbers[about] for record in records]
        curves[about.mode, about.delivery, about.name] = np.column_stack([drawn, final])
    # A run lasts some bins longer, depending on the draws: there is the end.
    moments_s = np.append(plan.moments_s, plan.moments_s[-1] + scenario.time.bin)
    return ReferenceTable(uncertain, design.places(), moments_s, curves)


def _moments_s(scenario: Scenario, also_s: npt.ArrayLike) -> Floats:
    """Return the moments of the curves, with the bins' edges around the further moments."""
    bin_s = scenario.time.bin
    moments = reading_moments_s(scenario)
    edges = np.floor(np.asarray(also_s, float) / bin_s * (1 + 1e-12)) * bin_s
    together = np.concatenate([moments, edges, edges + bin_s])
    return np.unique(together[together <= moments[-1]])


class UninformativeError(SendcapError):
    """All values in the ranges give the same readings; ``fits`` says whether these are the same."""

    def __init__(self, last_s: float, *, fits: bool) -> None:
        self.fits = fits
        super().__init__(
            f"observed: up to {elapsed(last_s)} all values in the ranges give the same "
            "readings; wait for later ones"
        )


class Compared(NamedTuple):
    """The compared readings of a curve."""

    mode: Mode
    column: str
    time_s: Floats


@dataclass(frozen=True, eq=False)
class Summaries:
    """The readings of the simulations, at the times and with the decimals of the dashboard's."""

    compared: tuple[Compared, ...]
    simulated: Floats  # one curve after the other: shape (n, k)
    step_pt: Floats  # rounding step of each reading: shape (k,)

    @classmethod
    def of(
        cls,
        table: ReferenceTable,
        readings: Mapping[Mode, Readings],
        delivery: str = ALL_DELIVERIES,
    ) -> Self:
        """Choose the readings to compare; only their times, columns and decimals matter."""
        compared, simulated, steps = [], [], []
        curves = [(noted, column) for noted in readings.values() for column in noted.percent]
        for noted, column in curves:
            decimals = min(noted.decimals, _MOST_DECIMALS)
            step_pt = 10.0**-decimals
            time_s = noted.time_s[~np.isnan(noted.percent[column])]
            # As the dashboard rounds them, so that rounding is part of the errors.
            values = np.round(table.read(noted.mode, delivery, column, time_s), decimals)
            known = ~np.isnan(values).any(axis=0)
            time_s, values = time_s[known], values[:, known]
            if not len(time_s):
                continue
            varies = np.ptp(values, axis=0) > step_pt
            chosen = thinned(time_s, MOMENTS, int(np.argmax(varies)))
            compared.append(Compared(noted.mode, column, time_s[chosen]))
            simulated.append(values[:, chosen])
            steps.append(np.full(len(chosen), step_pt))
        if not compared:
            raise UninformativeError(last_reading_s(readings), fits=True)
        summaries = cls(tuple(compared), np.concatenate(simulated, axis=1), np.concatenate(steps))
        if np.ptp(summaries.simulated, axis=0).max() <= 0.0:
            apart_pt = np.abs(summaries.simulated[0] - summaries.observed(readings))
            raise UninformativeError(
                last_reading_s(readings), fits=bool((apart_pt <= summaries.step_pt).all())
            )
        return summaries

    def observed(self, readings: Mapping[Mode, Readings]) -> Floats:
        """Return the same readings of the dashboard: shape (k,)."""
        values = []
        for mode, column, time_s in self.compared:
            noted = readings[mode]
            values.append(noted.percent[column][np.searchsorted(noted.time_s, time_s)])
        return np.concatenate(values)


# A slice of a large delivery: fewer messages, over fewer source IPs. Limits are per source IP.
# Where all that the IPs share (the relay's batches and rate, the ingress) is cut in the same
# proportion, a slice of the IPs with its share of the messages goes through the same course in the
# same time, and percentages of it are those of all but for chance, which is larger. Where anything
# depends on absolute numbers, there is no slice. ``experiments/slices.py`` holds both against each
# other.

FEWEST_OF_A_SLICE: Final = 250_000
"""Messages of a slice: of a final Delivered % of 99, chance is then 0.02 points."""


def sliced(scenario: Scenario, fewest: int = FEWEST_OF_A_SLICE) -> Scenario:
    """Return the smallest slice with so many messages; the scenario where there is none."""
    if not _in_proportion(scenario):
        return scenario
    messages, ips = scenario.deliveries[0].messages, scenario.mta.ips
    shared = math.gcd(ips, scenario.relay.batch)
    parts = max(
        part
        for part in range(1, shared + 1)
        if shared % part == 0 and (part == 1 or messages >= part * fewest)
    )
    if parts == 1:
        return scenario
    relay = scenario.relay
    changes: dict[str, Any] = {
        "deliveries[0].messages": messages // parts,
        "mta.ips": ips // parts,
        "relay.batch": relay.batch // parts,
    }
    if isinstance(relay.rate, Rate):
        burst = max((relay.rate.burst or relay.rate.limit) // parts, 1)
        changes["relay.rate"] = str(Rate(relay.rate.limit, relay.rate.period_s * parts, burst))
    if (ingress := scenario.mta.ingress_rate) is not None:
        changes["mta.ingress_rate"] = str(Rate(ingress.limit, ingress.period_s * parts))
    return updated(scenario, changes)


def _in_proportion(scenario: Scenario) -> bool:
    """Return whether nothing in a scenario depends on the absolute number of messages."""
    mta, relay = scenario.mta, scenario.relay
    whole = (
        *(len(scenario.deliveries) != 1, scenario.is_programme, scenario.limits),
        *(scenario.population, scenario.feedback.rate, mta.pools, mta.queues != "pooled"),
        *(mta.active, mta.spool, mta.suspend, any(each.batch for each in scenario.deliveries)),
        not (relay.rate is None or isinstance(relay.rate, Rate)),
    )
    return not any(whole) and all(
        provider.connection_scaling == "none" and provider.suspend in ("mta", "none", None)
        for provider in scenario.providers.values()
    )
