"""What the what-if page says in numbers, of the scenario as it is and as it has been changed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from sendcap.reporting.elapsed import elapsed

if TYPE_CHECKING:
    from sendcap.analysis.meanfield.expected import Expected
    from sendcap.reporting.modes import Mode

MODES: Final[tuple[Mode, ...]] = ("without-efs", "efs")
TOLERANCE_PT: Final = 0.1


class Fact(NamedTuple):
    """A number that matters, as text."""

    label: str
    value: str


def facts(its: Expected) -> list[Fact]:
    """Return when messages are accepted, what Delivered % ends on and from when it holds."""
    from sendcap.analysis.convergence import convergence
    from sendcap.reporting.summary import accepted_at_s

    found = [
        Fact(f"{pct} % accepted after", _time(accepted_at_s(its.ledger, pct))) for pct in (50, 99)
    ]
    read = {mode: convergence(its, mode, tolerances_pt=(TOLERANCE_PT,)) for mode in MODES}
    found.append(Fact("Delivered % in the end", _pct(read["efs"].final_pct)))
    for mode, name in (("without-efs", "without EFS"), ("efs", "with EFS")):
        within = _time(read[mode].settling_s[TOLERANCE_PT])
        found.append(Fact(f"within {TOLERANCE_PT:g} points of it {name} after", within))
    return found


def held_up(its: Expected) -> str:
    """Return the sentence about what holds the deliveries up."""
    from sendcap.analysis.ceilings import stages
    from sendcap.analysis.limits import ACCEPTED_PCT
    from sendcap.analysis.retries import attempts_per_message
    from sendcap.analysis.sentence import sentence

    times = attempts_per_message(its.ledger, its.scenario, ACCEPTED_PCT)
    return sentence(its.scenario, stages(its.scenario, times))


def _time(seconds: float | None) -> str:
    return "never" if seconds is None or math.isnan(seconds) else elapsed(seconds)


def _pct(value: float) -> str:
    return "none" if math.isnan(value) else f"{value:.2f} %"
