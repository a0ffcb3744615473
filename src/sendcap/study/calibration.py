"""By how much a forecast's intervals must be wider to hold what they say: tried on the design.

An emulator errs most where a curve has a bend, such as when a queue runs empty, and there its
errors are larger than anywhere else in the ranges. So its own intervals are somewhat too narrow.
How much so can be seen: the end of every simulation of the design is known. The design is dealt
into four parts, and each simulation is forecast from the other three, from readings at the same
moments and with the same decimals as the real ones. All intervals are then stretched about their
medians until as many of these ends as asked are within. This is conformal prediction: over
deliveries from anywhere in the ranges the intervals hold the end as often as they say, whatever is
wrong with emulator and errors.

References
----------
V. Vovk, "Cross-conformal predictors", Annals of Mathematics and Artificial Intelligence 74 (2015);
Y. Romano, E. Patterson, E. Candès, "Conformalized quantile regression", NeurIPS 32 (2019).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from sendcap.errors import SendcapError
from sendcap.reporting.modes import ALL_DELIVERIES, Mode
from sendcap.study.conditioning import curves_at
from sendcap.study.forecaster import CONFIDENCE, Forecaster
from sendcap.study.readings import READ, Readings

if TYPE_CHECKING:
    from sendcap.study.design import Design
    from sendcap.study.workers import Workers

PARTS: Final = 4
DRAWS: Final = 300
_SEEN_PT: Final = 1e-3
"""An interval that is narrower, to either side, holds what is as near."""
_LEAST: Final = 1.0
_MOST: Final = 10.0


def stretch(
    design: Design,
    readings: Mapping[Mode, Readings],
    team: Workers,
    delivery: str = ALL_DELIVERIES,
    confidence: float = CONFIDENCE,
    draws: int = DRAWS,
) -> float:
    """Return by what factor intervals must be stretched about their medians; at least 1.

    Parameters
    ----------
    design
        Simulations whose ends are known.
    readings
        The real ones; only their times, columns and decimals matter.
    team
        Who does it; the result does not depend on how many they are.
    delivery
        Whose readings they are.
    confidence
        Share of the ends that is to be within.
    draws
        For each forecast.
    """
    bare = {mode: _as_few(its) for mode, its in readings.items()}
    part = partial(_part, design, bare, delivery, confidence, draws)
    found = sorted(score for scores in team.map(part, range(PARTS)) for score in scores)
    if not found:
        return _LEAST
    # The smallest score within which, counting the new delivery itself, there are enough.
    place = min(math.ceil((len(found) + 1) * confidence), len(found)) - 1
    return min(max(found[place], _LEAST), _MOST)


def _as_few(its: Readings, most: int = 200) -> Readings:
    """Return readings without those that would not be used anyway, to be handed around."""
    import numpy as np

    if len(its.time_s) <= most:
        return its
    kept = np.unique(np.linspace(0, len(its.time_s) - 1, most).round().astype(int))
    percent = {name: values[kept] for name, values in its.percent.items()}
    return Readings(its.mode, its.time_s[kept], percent, its.decimals)


def _part(
    design: Design,
    readings: Mapping[Mode, Readings],
    delivery: str,
    confidence: float,
    draws: int,
    part: int,
) -> list[float]:
    """Forecast one part of a design from the others; return how far out each end is.

    That is in units of the distance from the median to the end of the interval.
    """
    import numpy as np

    its_own = np.arange(design.n) % PARTS == part
    others = replace(
        design,
        points=design.points[~its_own],
        curves={key: curves[~its_own] for key, curves in design.curves.items()},
    )
    forecaster = Forecaster.of(others)
    mode = tuple(readings)[0]
    scores = []
    for number in np.flatnonzero(its_own).tolist():
        end = float(design.curves[mode, delivery, READ[0]][number, -1])
        seen = {mode: _seen(design, number, delivery, its) for mode, its in readings.items()}
        try:
            found = forecaster.forecast(seen, delivery, (1.0,), confidence, draws)
        except SendcapError:
            # Nothing can be told yet from the readings of this one.
            continue
        row = found.final().iloc[0]
        far = row["high"] - row["median"] if end > row["median"] else row["median"] - row["low"]
        scores.append(abs(end - row["median"]) / max(far, _SEEN_PT))
    return scores


def _seen(design: Design, number: int, delivery: str, its: Readings) -> Readings:
    """Return a simulation's readings, at the times and with the decimals of others."""
    import numpy as np

    percent = {
        name: np.round(
            curves_at(
                design.moments_s,
                design.curves[its.mode, delivery, name][number : number + 1],
                its.time_s,
            )[0],
            its.decimals,
        )
        for name in its.percent
    }
    return replace(its, percent=percent)
