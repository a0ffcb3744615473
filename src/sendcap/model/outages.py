"""The outages of a provider."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sendcap.scenario import Provider


class Outages:
    """The times when a provider is unreachable."""

    def __init__(self, provider: Provider) -> None:
        # Without one, the first never begins.
        self._begins_s = np.array([outage.at for outage in provider.outages] or [np.inf])
        self._ends_s = np.array(
            [outage.at + outage.lasts for outage in provider.outages] or [np.inf]
        )

    def cover(self, times_s: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Tell for each time whether it lies in an outage."""
        last = np.searchsorted(self._begins_s, times_s, side="right") - 1
        covered: npt.NDArray[np.bool_] = (last >= 0) & (times_s < self._ends_s[last])
        return covered
