"""A replication's record: a few curves and numbers in place of the ledger.

The curves of all replications of a scenario are read at the same moments, whatever their draws.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from sendcap.errors import SendcapError
from sendcap.ledger import Ledger
from sendcap.model.feasibility import relaying_s, simulated_s
from sendcap.readings.convergence import MOMENTS_S, Floats, cliff, overshoot, settling_s
from sendcap.readings.delays import DELAY_FIGURES, delay_figures
from sendcap.readings.kpis import Figures, Readings, figures_of
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS, Denominator, Mode, names_of
from sendcap.readings.people import require_messages
from sendcap.readings.reached import reached_s
from sendcap.readings.remaining import BothClocks, Remaining, remaining
from sendcap.readings.summary import ACCEPTED_PCT
from sendcap.run import Run
from sendcap.scenario import Scenario
from sendcap.study.capacity.limits import Limits
from sendcap.study.replication.measures import Measure, measures_of, simulated_for

_Item = TypeVar("_Item")
Curve = npt.NDArray[np.float32]

DASHBOARD: Final = ("delivered_pct", "bounces_errors_pct")
"""The measures recorded by default."""
ACCEPTED_TIMES: Final = tuple(f"accepted_{pct}_pct_s" for pct in ACCEPTED_PCT)
"""Seconds from t = 0 until this share of the finally accepted messages was accepted.

Always recorded, as in a run's summary and for each delivery and provider: ends of bins. The
measures of the same names are of the *deliverable* messages, and estimated within a bin; the two
differ where messages expire in a queue.
"""
MTA_TIMES: Final = (*ACCEPTED_TIMES, *DELAY_FIGURES)
"""Times at the MTA that are always recorded, the delays from ready to accepted among them."""
PARTS: Final = Remaining._fields
"""The parts of the error of Delivered %, as curves; see `sendcap.readings.remaining`."""

Per = Literal["delivery", "provider"]

_EARLY: Final = 30
"""Bins after a delivery's start that are all read: the curve is steep there."""
_LATE: Final = 400
"""Moments from there to the end, in equal ratios, shared among the deliveries."""
_MOST_STARTS: Final = 16
_AT_EXPIRY: Final = 24
"""Moments while the validity of a delivery ends: the curve is steep there, too."""
_LONGER: Final = 0.2
"""Share by which the relay may take longer than it does on average."""


class Quantity(NamedTuple):
    """The key of a number or a curve in a record."""

    mode: str  # empty where the quantity does not depend on it
    delivery: str  # "*" stands for all together
    provider: str  # "*" stands for all together
    name: str  # with the unit
    at: float = 0.0  # tolerance in points; 0 for quantities without one

    def __str__(self) -> str:
        """Return the name for error messages."""
        return f"{self.name} ({self.mode})" if self.mode else self.name

    @property
    def of_all(self) -> bool:
        """Whether the quantity is about all messages together."""
        return (self.delivery, self.provider) == (ALL_DELIVERIES, ALL_PROVIDERS)


class Record(NamedTuple):
    """The curves and numbers of one replication."""

    curves: dict[Quantity, Curve]
    numbers: dict[Quantity, float]


@dataclass(frozen=True)
class Plan:
    """The contents of a record.

    A percentage of the dashboard is recorded per mode, as a curve over time and as the value at the
    end; any other measure as a number, of the run as a whole.
    """

    modes: tuple[Mode, ...]
    denominator: Denominator
    moments_s: Floats = field(repr=False)  # of the curves, from t = 0
    measures: tuple[Measure, ...] = measures_of(DASHBOARD)
    curves_per: tuple[Per, ...] = ()  # whether to record each delivery and provider as well
    numbers_per: tuple[Per, ...] = ()
    tolerances_pt: tuple[float, ...] = ()  # without any, no convergence is recorded

    def record(self, run: Run, limits: Limits | None = None) -> Record:
        """Return the record of a run; ``limits`` are for measures that need them."""
        ledger = run.ledger
        require_messages(ledger, f"seed {run.scenario.seed}")
        edges = ledger.last_edges(self.moments_s)
        drawn = set(groups(ledger, self.curves_per))
        record = Record({}, {})
        for delivery, provider in groups(ledger, self.numbers_per):
            counts = BothClocks.of(Readings(ledger), delivery, provider)
            for name, time_s in _mta_times_s(ledger, delivery, provider):
                record.numbers[Quantity("", delivery, provider, name)] = time_s
            rows = counts.rows(edges)
            for mode in self.modes:
                about = Quantity(mode, delivery, provider, "")
                columns = figures_of(counts.time_s, counts.known, mode, self.denominator)
                curves: dict[str, Floats] = {
                    measure.name: getattr(columns, measure.name)
                    for measure in self.measures
                    if measure.curve
                }
                for name, curve in curves.items():
                    record.numbers[about._replace(name=name)] = float(curve[-1])
                if self.tolerances_pt:
                    curves |= remaining(counts, mode, self.denominator)._asdict()
                    curves["error_pt"] = columns.delivered_pct - counts.truth_pct
                    record.numbers[about._replace(name="truth_pct")] = counts.truth_pct
                    for name, at, value in self._convergence(counts, mode, columns):
                        record.numbers[about._replace(name=name, at=at)] = value
                if (delivery, provider) in drawn:
                    for name, curve in curves.items():
                        record.curves[about._replace(name=name)] = curve[rows].astype("float32")
        for measure in self.measures:
            if not measure.curve and measure.name not in ACCEPTED_TIMES:
                record.numbers.update(_numbers(measure, run, limits))
        return record

    def _convergence(
        self, counts: BothClocks, mode: Mode, columns: Figures
    ) -> Iterator[tuple[str, float, float]]:
        """Yield name, tolerance and value of the numbers of a mode's convergence."""
        for tolerance in self.tolerances_pt:
            time_s = settling_s(counts.time_s, columns.delivered_pct, tolerance)
            yield "settling_s", tolerance, time_s
        if mode == "without-efs":
            fall = cliff(counts, mode, self.denominator)
            yield "cliff_height_pt", 0.0, fall.height_pt if fall else 0.0
            yield "cliff_begins_s", 0.0, fall.begins_s if fall else math.nan
            yield "cliff_width_s", 0.0, fall.width_s if fall else math.nan
        above = overshoot(counts.time_s, columns.bounces_errors_pct, mode, self.tolerances_pt)
        if above is not None:
            yield "peak_pct", 0.0, above.peak_pct
            yield "peak_s", 0.0, above.peak_s
            yield "overshoot_pt", 0.0, above.above_final_pt
            for tolerance, time_s in above.gone_s.items():
                yield "overshoot_gone_s", tolerance, time_s


def _mta_times_s(ledger: Ledger, delivery: str, provider: str) -> Iterator[tuple[str, float]]:
    """Yield the times of `MTA_TIMES`, with their names."""
    accepted = ledger.sparse("accepted", clock="happened", **names_of(delivery, provider))
    for pct, name in zip(ACCEPTED_PCT, ACCEPTED_TIMES, strict=True):
        time_s = reached_s(accepted, ledger.bin_s, pct / 100.0)
        yield name, time_s if time_s < math.inf else math.nan
    for name, delay_s in delay_figures(ledger, **names_of(delivery, provider)).items():
        yield name, math.nan if delay_s is None else delay_s


def _numbers(measure: Measure, run: Run, limits: Limits | None) -> Iterator[tuple[Quantity, float]]:
    for name, value in measure.columns(run, limits).items():
        if isinstance(value, str):
            raise SendcapError(
                f"measure: {name}: is text, and replications take numbers; a sweep takes both"
            )
        about = Quantity("", ALL_DELIVERIES, ALL_PROVIDERS, name)
        yield about, math.nan if value is None else float(value)


def groups(ledger: Ledger, per: tuple[Per, ...]) -> list[tuple[str, str]]:
    """Return the pairs of delivery and provider in a record: all together first, then each."""
    pairs = [(ALL_DELIVERIES, ALL_PROVIDERS)]
    if "delivery" in per and len(ledger.deliveries) > 1:
        pairs += [(name, ALL_PROVIDERS) for name in ledger.deliveries]
    if "provider" in per:
        pairs += [
            (ALL_DELIVERIES, name) for name in ledger.providers if ledger.messages(provider=name)
        ]
    return pairs


def recorded(plan: Plan, scenario: Scenario) -> Record:
    """Simulate a scenario and return the record."""
    return plan.record(*simulated_for(scenario, plan.measures))


def reading_moments_s(scenario: Scenario) -> Floats:
    """Return the moments at which the curves of a scenario are read, in seconds from t = 0.

    A few hundred edges of the ledger's bins, close together when a delivery starts and when the
    validity ends, and farther and farther apart in between; and `MOMENTS_S`.
    """
    bin_s = scenario.time.bin
    relaying = relaying_s(scenario)
    # To the end of the bin: what happens in the last one is known at its end.
    end_s = bin_s * math.ceil((simulated_s(scenario) + _LONGER * relaying) / bin_s)
    end_s = min(scenario.time.horizon or math.inf, end_s)
    starts_s = _evenly(sorted({delivery.at for delivery in scenario.deliveries}))
    moments = [np.array([0.0, *MOMENTS_S, end_s])]
    for start_s in starts_s:
        steep_s = _EARLY * bin_s
        moments.append(start_s + np.arange(_EARLY) * bin_s)
        if start_s + steep_s < end_s:
            late = np.geomspace(steep_s, end_s - start_s, max(_LATE // len(starts_s), _EARLY))
            moments.append(start_s + late)
    for delivery in _evenly(scenario.deliveries):
        expires_s = delivery.at + scenario.honoured_validity(delivery)
        lasts_s = delivery.spread + (1.0 + _LONGER) * relaying
        moments.append(np.linspace(expires_s, expires_s + lasts_s, _AT_EXPIRY))
    together = np.concatenate(moments)
    edges = np.floor(together[together <= end_s] / bin_s * (1 + 1e-12))
    return np.unique(edges) * bin_s


def _evenly(items: Sequence[_Item]) -> list[_Item]:
    """Return all items, or where there are too many, some from the first to the last."""
    indices = np.linspace(0, len(items) - 1, min(len(items), _MOST_STARTS))
    return [items[index] for index in indices.round().astype(int)]
