"""The chart of a self-check: delays in the log, and as the fitted scenario gives them."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes

from sendcap.calibration.charts.distributions import (
    DATA,
    MOST_PROVIDERS,
    distribution_axes,
    empty,
    steps,
)
from sendcap.calibration.verification import Verification
from sendcap.charts.figures import Heading, panels_on
from sendcap.charts.style import MODE_LOOKS, house_style

_SHORTEST_S = 0.01


@house_style()
def verification_chart(verified: Verification, ax: Axes | None = None) -> list[Axes]:
    """Draw how long messages took to be accepted, in the log and as simulated.

    For the options see `sendcap.charts`.
    """
    shown = [(name, delays) for name, delays in verified.delays.items() if all(map(len, delays))][
        :MOST_PROVIDERS
    ]
    rows = max(math.ceil(len(shown) / 2), 1)
    what = "from arrival to acceptance: the log and the fitted scenario, simulated"
    words = (
        "Share of the accepted messages that were accepted up to that time. Grey: the log; "
        "blue: simulated."
    )
    panels = panels_on(
        ax,
        Heading("", what, words),
        [1.9] * rows,
        columns=[2] * rows,
        most=max(len(shown), 1),
        right_in=0.3,
        gap_in=0.65,
        across_in=0.8,
        below_in=0.4,
    )
    for panel, (name, delays) in zip(panels, shown, strict=False):
        both = np.maximum(np.concatenate(delays), _SHORTEST_S)
        distribution_axes(panel, *np.quantile(both, (0.001, 0.9995)).tolist())
        looks = ((DATA, 4.0), (MODE_LOOKS["efs"].colour, 1.6))
        for delay_s, (colour, width) in zip(delays, looks, strict=True):
            at_s = np.sort(np.maximum(delay_s, _SHORTEST_S))
            steps(panel, at_s, np.arange(1, len(at_s) + 1) / len(at_s), colour, width)
        panel.set_title(name)
    if not shown:
        empty(panels[0], "the log does not tell when messages came")
    return panels
