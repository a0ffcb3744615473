"""The chart of a self-check: delays in the log, and as the fitted scenario gives them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from sendcap.calibration.charts.distributions import (
    DATA,
    empty,
    frame,
    shares_axis,
    small_axis,
    steps,
)
from sendcap.charts.figures import panels_for, side_by_side
from sendcap.charts.style import house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sendcap.calibration.verification import Verification

SIMULATED: Final = "#5790fc"
_MOST_PROVIDERS: Final = 6


def verification_chart(verified: Verification, ax: Axes | None = None) -> list[Axes]:
    """Draw how long messages took to be accepted, in the log and as simulated.

    Parameters
    ----------
    ax
        Divide these into panels; by default a new figure gets them, which is not attached to
        pyplot.

    Returns
    -------
    list of Axes
        A panel for each of the six largest providers; one that is empty if there is none.
    """
    import numpy as np
    from matplotlib.figure import Figure

    shown = [
        (name, one, two) for name, (one, two) in verified.delays.items() if len(one) and len(two)
    ][:_MOST_PROVIDERS]
    rows = max(math.ceil(len(shown) / 2), 1)
    with house_style():
        if ax is None:
            figure = Figure(figsize=(10.0, 2.5 * rows + 1.1), layout="constrained")
            frame(
                figure,
                "From arrival to acceptance: the log and the fitted scenario, simulated",
                "Share of the accepted messages that were accepted up to that time. Grey: the log; "
                "blue: simulated.",
            )
            panels = figure.subplots(rows, 2, squeeze=False).ravel().tolist()
        else:
            panels = [
                its for row in panels_for(ax, [1.0] * rows, list) for its in side_by_side(row, 2)
            ]
        for panel, (name, one, two) in zip(panels, shown, strict=False):
            both = np.maximum(np.concatenate((one, two)), 0.01)
            small_axis(panel, *(float(np.quantile(both, share)) for share in (0.001, 0.9995)))
            for delay_s, colour, width in ((one, DATA, 4.0), (two, SIMULATED, 1.6)):
                at_s = np.sort(np.maximum(delay_s, 0.01))
                upto = np.arange(1, len(at_s) + 1) / len(at_s)
                steps(panel, at_s, upto, panel.get_xlim()[1], colour, width)
            shares_axis(panel)
            panel.set_title(name)
        for panel in panels[len(shown) :]:
            empty(panel, "" if shown else "the log does not tell when messages came")
    return panels[: max(len(shown), 1)]
