"""What a forecast tells: the end, the settling time, the values, and the fan of curves between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sendcap.analysis.convergence import settling_s

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from sendcap.reporting.modes import Mode
    from sendcap.scenario import UncertainScenario
    from sendcap.study.readings import Readings

    Floats = npt.NDArray[np.float64]

UNREACHED: Final = 0.01
"""Where such a delivery would be this far from its prediction so rarely, the model is in doubt."""
INFORMED: Final = 0.1
"""By how much an interval must be narrower than the range's own, for the readings to tell much."""


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
    values : ndarray, shape (s, d)
        Draws of the values in the ranges.
    moments_s : ndarray, shape (m,)
        When the curves are told, in seconds.
    curves
        By mode, draws of Delivered %, each with the values of the same place: shape (s, m).
    stretch
        By how much draws were stretched so that intervals hold what they say.
    explained
        How often such a delivery is as far from its prediction by chance, 0 to 1.
    """

    uncertain: UncertainScenario
    delivery: str
    readings: Mapping[Mode, Readings] = field(repr=False)
    at_s: float
    confidence: float
    tolerances_pt: tuple[float, ...]
    simulations: int
    values: Floats = field(repr=False)
    moments_s: Floats = field(repr=False)
    curves: Mapping[Mode, Floats] = field(repr=False)
    stretch: float
    explained: float

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The modes of reporting that were read."""
        return tuple(self.readings)

    @property
    def reachable(self) -> bool:
        """Whether the readings can come of this scenario and these ranges."""
        return self.explained >= UNREACHED

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
            Columns path, kind, range_low, range_high, median, low, high (durations in seconds),
            and narrowed: by how much of the interval that the range alone gives this one is
            narrower; 0 where the readings say nothing.
        """
        import numpy as np
        import pandas as pd

        rows: list[dict[str, Any]] = []
        for its, values in zip(self.uncertain.ranges, self.values.T, strict=True):
            middle = self._middle(values)
            width = (middle["high"] - middle["low"]) / (self.confidence * (its.high - its.low))
            told = {name: its.possible(value) for name, value in middle.items()}
            ends = {"range_low": its.low, "range_high": its.high}
            narrowed = float(np.clip(1.0 - width, 0.0, 1.0))
            rows.append({"path": its.path, "kind": its.kind, **ends, **told, "narrowed": narrowed})
        return pd.DataFrame(rows)

    def bands(self) -> pd.DataFrame:
        """Return what is to come of Delivered %: columns mode, time_s, median, low, high."""
        import numpy as np
        import pandas as pd

        later = self.moments_s >= self.at_s
        tables = []
        for mode, curves in self.curves.items():
            low, median, high = np.quantile(curves[:, later], self._levels, axis=0)
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

    @property
    def _levels(self) -> list[float]:
        return [(1.0 - self.confidence) / 2.0, 0.5, (1.0 + self.confidence) / 2.0]

    def _middle(self, draws: Floats) -> dict[str, float]:
        import numpy as np

        low, median, high = np.quantile(draws, self._levels).tolist()
        return {"median": median, "low": low, "high": high}
