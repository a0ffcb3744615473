"""What is kept of a replication: a few curves and numbers, and not its ledger."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

from sendcap.readings.convergence import cliff, overshoot, settling_s
from sendcap.readings.kpis import Figures, figures_of
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS
from sendcap.readings.remaining import BothClocks, Remaining, remaining
from sendcap.readings.summary import ACCEPTED_PCT

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sendcap.ledger import Counts, Ledger
    from sendcap.readings.modes import Denominator, Mode
    from sendcap.scenario import Scenario

    Floats = npt.NDArray[np.float64]
    Curve = npt.NDArray[np.float32]

Kpi = Literal["delivered_pct", "bounces_errors_pct", "open_rate_pct", "click_through_pct"]
KPIS: Final[tuple[Kpi, ...]] = get_args(Kpi)
"""The percentages of the dashboard, as `sendcap.readings.kpis.kpis` calls them."""
ENGAGEMENT_KPIS: Final = ("open_rate_pct", "click_through_pct")
ACCEPTED_TIMES: Final = tuple(f"accepted_{pct}_pct_s" for pct in ACCEPTED_PCT)
"""When this much of the finally accepted messages was accepted, in seconds from t = 0."""
PARTS: Final = Remaining._fields
"""What the error of Delivered % consists of, as curves; see `sendcap.readings.remaining`."""

Per = Literal["delivery", "provider"]


class Quantity(NamedTuple):
    """What a number or a curve of a replication is about.

    Attributes
    ----------
    mode
        Of reporting; empty where it does not depend on it.
    delivery, provider
        ``"*"`` is all of them together.
    name
        What it is, with its unit.
    at
        The tolerance in points that it is for; 0 if for none.
    """

    mode: str
    delivery: str
    provider: str
    name: str
    at: float = 0.0

    def __str__(self) -> str:
        """Return what an error message calls it."""
        return f"{self.name} ({self.mode})" if self.mode else self.name


class Folded(NamedTuple):
    """What is kept of one replication."""

    curves: dict[Quantity, Curve]
    numbers: dict[Quantity, float]


@dataclass(frozen=True)
class Plan:
    """What to keep of every replication.

    Attributes
    ----------
    modes, denominator
        How to read the ledger.
    moments_s : ndarray, shape (m,)
        When the curves are read.
    kpis
        The percentages to keep: a curve over time, and the value at the end.
    curves_per, numbers_per
        Whether to keep them for each delivery and each provider, too.
    tolerances_pt
        Keep how Delivered % converges, to within these; nothing of it without any.
    """

    modes: tuple[Mode, ...]
    denominator: Denominator
    moments_s: Floats = field(repr=False)
    kpis: tuple[Kpi, ...] = ("delivered_pct", "bounces_errors_pct")
    curves_per: tuple[Per, ...] = ()
    numbers_per: tuple[Per, ...] = ()
    tolerances_pt: tuple[float, ...] = ()

    def fold(self, ledger: Ledger) -> Folded:
        """Return what is kept of a run."""
        edges = ledger.last_edges(self.moments_s)
        folded = Folded({}, {})
        for delivery, provider in groups(ledger, self.numbers_per):
            its = BothClocks.of(ledger, delivery, provider)
            self._times(ledger, delivery, provider, folded)
            with_curves = (delivery, provider) in groups(ledger, self.curves_per)
            for mode in self.modes:
                about = Quantity(mode, delivery, provider, "")
                columns = figures_of(its.time_s, its.known, mode, self.denominator)
                curves: dict[str, Floats] = {name: getattr(columns, name) for name in self.kpis}
                for name, curve in curves.items():
                    folded.numbers[about._replace(name=name)] = float(curve[-1])
                if self.tolerances_pt:
                    curves |= remaining(its, mode, self.denominator)._asdict()
                    curves["error_pt"] = columns.delivered_pct - its.truth_pct
                    folded.numbers[about._replace(name="truth_pct")] = its.truth_pct
                    for name, at, value in self._convergence(its, mode, columns):
                        folded.numbers[about._replace(name=name, at=at)] = value
                if with_curves:
                    for name, curve in curves.items():
                        folded.curves[about._replace(name=name)] = curve[edges].astype("float32")
        return folded

    def _times(self, ledger: Ledger, delivery: str, provider: str, folded: Folded) -> None:
        accepted = ledger.cumulative(
            "accepted",
            clock="happened",
            delivery=None if delivery == ALL_DELIVERIES else delivery,
            provider=None if provider == ALL_PROVIDERS else provider,
        )
        for pct, name in zip(ACCEPTED_PCT, ACCEPTED_TIMES, strict=True):
            its = Quantity("", delivery, provider, name)
            folded.numbers[its] = _reached_s(ledger.edges_s, accepted, pct / 100.0)

    def _convergence(
        self, its: BothClocks, mode: Mode, columns: Figures
    ) -> Iterator[tuple[str, float, float]]:
        """Yield name, tolerance and value of what is told of a mode's convergence."""
        for tolerance in self.tolerances_pt:
            time_s = settling_s(its.time_s, columns.delivered_pct, tolerance)
            yield "settling_s", tolerance, time_s
        if mode == "without-efs":
            fall = cliff(its, mode, self.denominator)
            yield "cliff_height_pt", 0.0, fall.height_pt if fall else 0.0
            yield "cliff_begins_s", 0.0, fall.begins_s if fall else math.nan
            yield "cliff_width_s", 0.0, fall.width_s if fall else math.nan
        above = overshoot(its.time_s, columns.bounces_errors_pct, mode, self.tolerances_pt)
        if above is not None:
            yield "peak_pct", 0.0, above.peak_pct
            yield "peak_s", 0.0, above.peak_s
            yield "overshoot_pt", 0.0, above.above_final_pt
            for tolerance, time_s in above.gone_s.items():
                yield "overshoot_gone_s", tolerance, time_s


def _reached_s(edges_s: Floats, counts: Counts, share: float) -> float:
    """Return when counts reach a share of their last; within a bin they rise evenly."""
    import numpy as np

    wanted = share * float(counts[-1])
    if not wanted > 0.0:
        return math.nan
    edge = int(np.searchsorted(counts, wanted))
    return float(np.interp(wanted, counts[edge - 1 : edge + 1], edges_s[edge - 1 : edge + 1]))


def groups(ledger: Ledger, per: tuple[Per, ...]) -> list[tuple[str, str]]:
    """Return the deliveries and providers to tell of: all together first, then each."""
    found = [(ALL_DELIVERIES, ALL_PROVIDERS)]
    if "delivery" in per and len(ledger.deliveries) > 1:
        found += [(name, ALL_PROVIDERS) for name in ledger.deliveries]
    if "provider" in per:
        found += [
            (ALL_DELIVERIES, name) for name in ledger.providers if ledger.messages(provider=name)
        ]
    return found


def simulated(plan: Plan, scenario: Scenario) -> Folded:
    """Simulate a scenario and return what is kept of it; the rest is gone."""
    from sendcap.model.engine import simulate_ledger

    return plan.fold(simulate_ledger(scenario))
