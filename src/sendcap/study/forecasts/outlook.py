"""What a forecast tells: the end, the settling time, the values, and the fan of curves between."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sendcap.errors import SendcapError
from sendcap.readings.convergence import settling_s
from sendcap.text.shares import share_text

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from sendcap.readings.modes import Mode
    from sendcap.scenario import Scenario, UncertainScenario
    from sendcap.study.forecasts.readings import Readings

    Floats = npt.NDArray[np.float64]

STRANGE: Final = 0.01
"""Where readings are as strange as so few simulations' are, the model is in doubt."""
INFORMED: Final = 0.1
"""By how much an interval must be narrower than the range's own, for the readings to tell much."""
_NARROW_PT: Final = 0.02


@dataclass(frozen=True, eq=False)
class Forecast:
    """What is to come, given what was seen.

    Attributes
    ----------
    uncertain
        The scenario and its ranges.
    delivery
        Whose readings they are; ``"*"`` is all deliveries together.
    readings
        What was seen, by mode.
    at_s
        When the last of it was, in seconds from t = 0.
    confidence
        Share of what may come that is in an interval.
    tolerances_pt
        Points within which Delivered % is to stay, the largest first.
    simulations
        How many there were.
    places : ndarray, shape (s, d)
        Draws of where in its range each value is, from 0 to 1.
    moments_s : ndarray, shape (m,)
        When the curves are told, in seconds.
    curves
        By mode, draws of Delivered %: shape (s, m); NaN where some simulation has none.
    p_value
        In what share of cases such a delivery's readings are as strange by chance, 0 to 1.
    """

    uncertain: UncertainScenario
    delivery: str
    readings: Mapping[Mode, Readings] = field(repr=False)
    at_s: float
    confidence: float
    tolerances_pt: tuple[float, ...]
    simulations: int
    places: Floats = field(repr=False)
    moments_s: Floats = field(repr=False)
    curves: Mapping[Mode, Floats] = field(repr=False)
    p_value: float

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The modes of reporting that were read."""
        return tuple(self.readings)

    @property
    def reachable(self) -> bool:
        """Whether the readings can come of this scenario and these ranges."""
        return self.p_value > max(STRANGE, 1.0 / (self.simulations + 1))

    @property
    def later(self) -> npt.NDArray[np.bool_]:
        """Which of the moments are to come: the end, at least."""
        return self.moments_s >= min(self.at_s, float(self.moments_s[-1]))

    def final(self) -> pd.DataFrame:
        """Return the final Delivered %: columns mode, median, low, high."""
        import pandas as pd

        return pd.DataFrame(
            [{"mode": mode, **self._middle(curves[:, -1])} for mode, curves in self.curves.items()]
        )

    def settling(self) -> pd.DataFrame:
        """Return from when on Delivered % stays within each tolerance of its final value.

        Columns mode, tolerance_pt, median, low, high, in seconds from t = 0.
        """
        import numpy as np
        import pandas as pd

        rows = []
        for mode, curves in self.curves.items():
            for tolerance in self.tolerances_pt:
                times = [settling_s(self.moments_s, curve, tolerance) for curve in curves]
                rows.append(
                    {"mode": mode, "tolerance_pt": tolerance, **self._middle(np.array(times))}
                )
        return pd.DataFrame(rows)

    def parameters(self) -> pd.DataFrame:
        """Return what the readings say about each value.

        Returns
        -------
        DataFrame
            Columns path, range_low, range_high, median, low, high (durations in seconds, of a rate
            how many in its period), and narrowed: by how much of the interval that the range alone
            gives this one is narrower; 0 where the readings say nothing.
        """
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for (path, its), places in zip(self.uncertain.ranges.items(), self.places.T, strict=True):
            middle = self._middle(places)
            narrowed = 1.0 - (middle["high"] - middle["low"]) / self.confidence
            rows.append(
                {
                    "path": path,
                    "range_low": its.number_at(0.0),
                    "range_high": its.number_at(1.0),
                    **{name: its.number_at(place) for name, place in middle.items()},
                    "narrowed": max(narrowed, 0.0),
                }
            )
        return pd.DataFrame(rows)

    def likeliest(self) -> Scenario:
        """Return the scenario with the median of each value."""
        import numpy as np

        ranges = self.uncertain.ranges
        medians = np.median(self.places, axis=0).tolist()
        return self.uncertain.at(
            {
                path: its.at(place)
                for (path, its), place in zip(ranges.items(), medians, strict=True)
            }
        )

    def bands(self) -> pd.DataFrame:
        """Return what is to come of Delivered %: columns mode, time_s, median, low, high."""
        import pandas as pd

        later = self.later
        tables = []
        for mode, curves in self.curves.items():
            low, median, high = self.quantiles(curves[:, later], self._levels)
            columns = {"median": median, "low": low, "high": high}
            tables.append(pd.DataFrame({"mode": mode, "time_s": self.moments_s[later], **columns}))
        return pd.concat(tables, ignore_index=True)

    def observed(self) -> pd.DataFrame:
        """Return the readings: columns mode, time_s, and the percentages that were read."""
        import pandas as pd

        tables = [
            pd.DataFrame({"mode": mode, "time_s": its.time_s, **its.percent})
            for mode, its in self.readings.items()
        ]
        return pd.concat(tables, ignore_index=True)

    @staticmethod
    def quantiles(draws: Floats, levels: Sequence[float]) -> Floats:
        """Return quantiles of the first axis, between which one more draw is as often as they say.

        Of n draws the smallest is therefore the quantile of 1 / (n + 1) (Weibull).
        """
        import numpy as np

        found: Floats = np.quantile(draws, levels, axis=0, method="weibull")
        return found

    @property
    def _levels(self) -> list[float]:
        return [(1.0 - self.confidence) / 2.0, 0.5, (1.0 + self.confidence) / 2.0]

    def _middle(self, draws: Floats) -> dict[str, float]:
        low, median, high = self.quantiles(draws, self._levels).tolist()
        return {"median": median, "low": low, "high": high}


def require_draws(confidence: float, simulations: int) -> None:
    """Refuse a confidence that so few simulations cannot tell.

    The widest interval, from the smallest of n draws to the largest, holds one more draw in
    n - 1 of n + 1 cases; see `Forecast.quantiles`.

    Raises
    ------
    SendcapError
        If it is higher than that.
    """
    most = (simulations - 1) / (simulations + 1)
    if confidence > most:
        raise SendcapError(
            f"confidence: {simulations} simulations tell intervals of up to "
            f"{math.floor(1000.0 * most) / 10.0:g}%, not {share_text(confidence)}; "
            "take more simulations, or less confidence"
        )


def decimals(width_pt: float) -> int:
    """Return how many decimals of a percentage tell an interval of this width."""
    return 2 if width_pt >= _NARROW_PT else 3
