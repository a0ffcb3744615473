"""When Delivered % can be believed, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sendcap.readings.convergence import Convergence, convergence
from sendcap.readings.modes import MODE_LABELS, Mode
from sendcap.text.clock import brief_moment
from sendcap.text.quantities import capital, elapsed

if TYPE_CHECKING:
    from sendcap.run import Run

_TOLERANCES_PT: Final = (0.5, 0.1)
_EARLY_S: Final = 3600.0
_SEEN_PT: Final = 0.005
"""A smaller difference is not seen in figures with two decimals."""


def trust_sentence(run: Run, mode: Mode) -> str:
    """Return how far Delivered % can be trusted over time in a reporting mode.

    Of one delivery times count from t = 0; several go by the clock, where there is one.
    """
    several = len(run.ledger.written) > 1
    early_s = () if several else (_EARLY_S,)
    found = convergence(run, mode, tolerances_pt=_TOLERANCES_PT, moments_s=early_s)
    label = capital(MODE_LABELS[mode])
    if math.isnan(found.final_pct):
        return f"{label}, there is no Delivered % at all."
    text = f"{label}, Delivered % ends at {found.final_pct:.2f} %."
    return " ".join([text, *_on_the_way(found, run, by_the_clock=several)])


def _on_the_way(found: Convergence, run: Run, *, by_the_clock: bool) -> Iterator[str]:
    start = run.scenario.start if by_the_clock else None

    def at(seconds: float) -> str:
        if start is None:
            return f"after {elapsed(seconds)}"
        return f"at {brief_moment(seconds, start, _latest_s(found))}"

    def since(seconds: float) -> str:
        return at(seconds) if start is None else f"from {at(seconds).removeprefix('at ')} on"

    for moment_s, error in found.errors.items():
        if abs(error.from_final_pt) >= _SEEN_PT:
            side = "above" if error.from_final_pt > 0 else "below"
            off = f"{abs(error.from_final_pt):.2f} points {side} that"
            yield f"{capital(at(moment_s))} it is {off}."
    (close_pt, close_s), (closer_pt, closer_s) = found.settling_s.items()
    yield (
        f"It stays within {close_pt:g} points of its end {since(close_s)}, and within "
        f"{closer_pt:g} {since(closer_s)}."
    )
    fall = found.cliff
    if fall is not None and fall.height_pt >= _SEEN_PT:
        begins = at(fall.begins_s).removeprefix("after ").removeprefix("at ")
        yield (
            f"When the validity ends, from {begins} on, it falls by {fall.height_pt:.2f} points."
        )
    above = found.overshoot
    if above is not None and above.above_final_pt >= _SEEN_PT:
        yield (
            f"Bounces + errors % is highest {at(above.peak_s)}, with {above.peak_pct:.2f} %: "
            f"{above.above_final_pt:.2f} points above its end, since soft bounces count as failed "
            "until a retry succeeds."
        )


def _latest_s(found: Convergence) -> float:
    return max(found.settling_s.values())
