"""What the what-if page says in numbers, of the scenario as it is and as it has been changed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from sendcap.text.quantities import elapsed

if TYPE_CHECKING:
    from sendcap.readings.modes import Mode
    from sendcap.run import Run

NAMES: Final[dict[Mode, str]] = {"without-efs": "without EFS", "efs": "with EFS"}
TOLERANCE_PT: Final = 0.1


class Fact(NamedTuple):
    """A number that matters, as text."""

    label: str
    value: str


def facts(run: Run) -> list[Fact]:
    """Return when messages are accepted, what Delivered % ends on and from when it holds."""
    from sendcap.readings.convergence import convergence
    from sendcap.readings.summary import accepted_at_s

    found = [
        Fact(f"{pct} % accepted after", _time(accepted_at_s(run.ledger, pct))) for pct in (50, 99)
    ]
    read = {mode: convergence(run, mode, tolerances_pt=(TOLERANCE_PT,)) for mode in NAMES}
    found.append(Fact("Delivered % in the end", _pct(read["efs"].final_pct)))
    for mode, name in NAMES.items():
        within = _time(read[mode].settling_s[TOLERANCE_PT])
        found.append(Fact(f"within {TOLERANCE_PT:g} points of it {name} after", within))
    return found


def held_up(run: Run) -> str:
    """Return the sentence about what holds the deliveries up."""
    from sendcap.readings.bottleneck import held_up
    from sendcap.readings.load import loaded_stages

    return held_up(run.scenario, loaded_stages(run.ledger, run.scenario), run.ledger)


def _time(seconds: float | None) -> str:
    return "never" if seconds is None or math.isnan(seconds) else elapsed(seconds)


def _pct(value: float) -> str:
    return "none" if math.isnan(value) else f"{value:.2f} %"
