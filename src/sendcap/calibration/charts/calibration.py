"""The chart of a calibration: the log's data against the model that was fitted to them."""

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
from sendcap.charts.style import INK, house_style
from sendcap.charts.timeaxis import tick_label
from sendcap.text.quantities import precise

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from sendcap.calibration.calibrate import Calibration
    from sendcap.calibration.estimates import ProviderEstimates
    from sendcap.calibration.families import Fit
    from sendcap.calibration.times import Times

    Floats = npt.NDArray[np.float64]

MODEL: Final = "#e42536"
_MOST_PROVIDERS: Final = 6
_COLUMNS: Final = ("time to connect", "time of a transaction", "faults: when they clear")
_ROW_IN: Final = 2.1
_FAULT_COLOURS: Final = ("#5790fc", "#f89c20", "#964a8b", "#7a21dd")
_MOST_DOTS: Final = 4000
_MOST_FAILURES: Final = 12


def calibration_chart(found: Calibration, ax: Axes | None = None) -> list[Axes]:
    """Draw the distributions of each provider: shares of the data, and the fitted curves.

    A row for each of the six largest providers, and one for the gaps between attempts.

    Parameters
    ----------
    ax
        Divide these into panels; by default a new figure gets them, which is not attached to
        pyplot.

    Returns
    -------
    list of Axes
        The panels: three of each provider, from top to bottom, and that of the gaps.
    """
    providers = found.providers[:_MOST_PROVIDERS]
    with_gaps = bool(len(found.gaps))
    with house_style():
        if ax is None:
            panels = _new_grid(found, len(providers), with_gaps)
        else:
            rows = panels_for(ax, [1.0] * (len(providers) + with_gaps), list)
            panels = [its for row in rows[: len(providers)] for its in side_by_side(row, 3)]
            panels += rows[len(providers) :]
        for row, its in enumerate(providers):
            connect, transaction, faults = panels[3 * row : 3 * row + 3]
            _time(connect, its.connect, its.connect_times)
            _time(transaction, its.transaction, its.transaction_times)
            _faults(faults, its)
            connect.set_ylabel(its.name, fontweight="bold", rotation=0, ha="right", va="center")
        for panel, title in zip(panels[:3] if providers else [], _COLUMNS, strict=False):
            panel.set_title(title)
        if with_gaps:
            _gaps(panels[-1], found)
    return panels


def _new_grid(found: Calibration, providers: int, with_gaps: bool) -> list[Axes]:
    from matplotlib.figure import Figure

    rows = providers + with_gaps
    figure = Figure(figsize=(11.0, _ROW_IN * rows + 1.2), layout="constrained")
    frame(
        figure,
        f"Fitted to {found.evidence.messages:,} messages: the log and the model",
        "Grey: share of the log's values up to that time. Line: the fitted distribution. "
        "When a fault clears is known only to lie between two attempts: in the band.",
    )
    grid = figure.add_gridspec(rows, 3)
    panels = [
        figure.add_subplot(grid[row, column]) for row in range(providers) for column in range(3)
    ]
    if with_gaps:
        panels.append(figure.add_subplot(grid[rows - 1, :]))
    return panels


def _time(panel: Axes, fits: list[Fit], times: Times | None) -> None:
    if not fits or times is None:
        empty(panel, "the log does not tell")
        return
    import numpy as np

    from sendcap.calibration.times import observed

    at_s, upto = observed(times)
    low_s, high_s = (_quantile(at_s, upto, share) for share in (0.002, 0.998))
    low_s, high_s = max(0.7 * low_s, 1e-3), max(1.4 * high_s, 2e-3)
    small_axis(panel, low_s, high_s)
    steps(panel, at_s, upto, high_s, DATA, 4.0)
    grid = np.geomspace(*panel.get_xlim(), 300)
    panel.plot(grid, fits[0].cdf(grid), color=MODEL, linewidth=1.4)
    shares_axis(panel)
    panel.text(
        0.02,
        0.97,
        _words(fits[0]),
        transform=panel.transAxes,
        va="top",
        fontsize=7.5,
        color=INK,
    )


def _faults(panel: Axes, its: ProviderEstimates) -> None:
    import numpy as np

    shown = sorted(its.faults, key=lambda one: -one.share.value)[: len(_FAULT_COLOURS)]
    if not shown:
        empty(panel, "none")
        return
    ends = []
    for fault in shown:
        ends += [value for value in fault.times.high_s.tolist() if math.isfinite(value)]
        ends += [value for value in fault.times.low_s.tolist() if value > 0.0]
        ends += [fit.mean_s.value for fit in fault.fits[:1] if fit.family == "constant"]
    low_s, high_s = (min(ends), max(ends)) if ends else (60.0, 86_400.0)
    small_axis(panel, 0.5 * max(low_s, 1.0), 1.4 * max(high_s, 2.0))
    for place, (fault, colour) in enumerate(zip(shown, _FAULT_COLOURS, strict=False)):
        _band(panel, fault.times, colour)
        if fault.fits:
            grid = np.geomspace(*panel.get_xlim(), 300)
            panel.plot(grid, fault.fits[0].cdf(grid), color=colour, linewidth=1.4)
        text = f"{fault.reason}, {100 * fault.share.value:.2g} %"
        text += "" if fault.fits else ": none cleared"
        panel.text(
            0.02,
            0.93 - 0.12 * place,
            text,
            transform=panel.transAxes,
            ha="left",
            va="top",
            fontsize=7.5,
            color=colour,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.8},
        )
    shares_axis(panel)


def _gaps(panel: Axes, found: Calibration) -> None:
    """Draw the gap after each number of failures, and where the policy predicts it."""
    import numpy as np

    from sendcap.calibration.retries import predicted

    gaps, policy = found.gaps, found.policy
    panel.set_title("gaps between attempts of a message: the log and the retry policy")
    jitter = np.random.default_rng(0).uniform(-0.28, 0.28, len(gaps))
    chosen = np.flatnonzero(gaps.failures < _MOST_FAILURES)[:_MOST_DOTS]
    place = gaps.failures[chosen] + 1 + jitter[chosen]
    panel.plot(place, gaps.gap_s[chosen], ".", color=DATA, markersize=2.5, alpha=0.5)
    if policy is not None:
        low_s, high_s = predicted(policy.policy, gaps)
        middle = (low_s[chosen] + high_s[chosen]) / 2.0
        for number in range(1, _MOST_FAILURES + 1):
            its = middle[gaps.failures[chosen] == number - 1]
            its = its[np.isfinite(its)]
            if len(its):
                level = float(np.median(its))
                panel.plot([number - 0.35, number + 0.35], [level, level], color=MODEL)
        panel.text(
            0.99,
            0.06,
            f"{policy.description}: explains {policy.explained:,} of {policy.gaps:,}",
            transform=panel.transAxes,
            ha="right",
            fontsize=8.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )
    panel.set_yscale("log")
    shown_s = gaps.gap_s[chosen]
    least_s, most_s = 0.6 * max(float(shown_s.min()), 1.0), 1.6 * max(float(shown_s.max()), 2.0)
    panel.set_ylim(least_s, most_s)
    ticks = [it for it in (1, 10, 60, 600, 1200, 3600, 21_600, 86_400) if least_s <= it <= most_s]
    panel.set_yticks(ticks, [tick_label(it) for it in ticks])
    panel.set_yticks([], minor=True)
    last = int(gaps.failures[chosen].max()) + 1
    panel.set_xlim(0.4, last + 0.6)
    panel.set_xticks(range(1, last + 1))
    panel.set_xlabel("soft bounces so far", loc="left")


def _band(panel: Axes, times: Times, colour: str) -> None:
    """Fill between the earliest and the latest distribution function that the data allow."""
    import numpy as np

    from sendcap.calibration.times import observed

    grid = np.geomspace(*panel.get_xlim(), 600)
    ends = []
    for early in (True, False):
        at_s, upto = observed(times, early=early)
        place = np.searchsorted(at_s, grid, side="right")
        ends.append(np.append(0.0, upto)[place])
    panel.fill_between(grid, ends[1], ends[0], color=colour, alpha=0.22, linewidth=0)


def _quantile(at_s: Floats, upto: Floats, share: float) -> float:
    import numpy as np

    return float(at_s[min(int(np.searchsorted(upto, share)), len(at_s) - 1)])


def _words(fit: Fit) -> str:
    return f"{fit.family}\nmean {precise(fit.mean_s.value)}\noff by {100 * fit.distance:.1f} pt"
