"""The charts of a calibration: the log's data against the model that was fitted to them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sendcap.charts.style import GREY, INK, house_style
from sendcap.charts.timeaxis import elapsed_axis, tick_label

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sendcap.calibration.calibrate import Calibration
    from sendcap.calibration.estimates import ProviderFound
    from sendcap.calibration.fitting import Fit
    from sendcap.calibration.times import Times
    from sendcap.calibration.verification import Verification

    Floats = npt.NDArray[np.float64]

DATA: Final = "#9aa0a6"
MODEL: Final = "#e42536"
SIMULATED: Final = "#5790fc"
_MOST_PROVIDERS: Final = 6
_COLUMNS: Final = ("time to connect", "time of a transaction", "faults: when they clear")
_ROW_IN: Final = 2.1
_FAULT_COLOURS: Final = ("#5790fc", "#f89c20", "#964a8b", "#7a21dd")
_MOST_DOTS: Final = 4000
_MOST_FAILURES: Final = 12
_ROOM: Final = 0.17
"""The least distance between ticks, as a share of the axis."""
_TICKS_S: Final = (
    *(1.0, 60.0, 3600.0, 86_400.0, 0.1, 600.0, 10.0, 21_600.0, 0.01, 604_800.0),
    *(0.5, 0.2, 300.0, 1800.0, 10_800.0, 43_200.0, 172_800.0, 30.0, 5.0, 2.0),
    *(0.05, 0.02, 120.0, 1200.0, 7200.0, 0.3, 0.4, 0.6, 0.8, 3.0, 900.0, 1500.0, 0.001),
)
"""Where ticks may be, the most telling first."""


def calibration_chart(found: Calibration) -> Figure:
    """Draw the distributions of each provider: shares of the data, and the fitted curves.

    A row for each of the six largest providers, and one for the gaps between attempts.

    Returns
    -------
    Figure
        The figure on which it is drawn, not attached to pyplot.
    """
    from matplotlib.figure import Figure

    providers = found.providers[:_MOST_PROVIDERS]
    rows = len(providers) + bool(len(found.gaps))
    with house_style():
        figure = Figure(figsize=(11.0, _ROW_IN * rows + 1.2), layout="constrained")
        figure.suptitle(
            f"Fitted to {found.evidence.messages:,} messages: the log and the model",
            x=0.01,
            ha="left",
            fontweight="bold",
            fontsize=13,
        )
        grid = figure.add_gridspec(rows, 3)
        for row, its in enumerate(providers):
            panels = [figure.add_subplot(grid[row, column]) for column in range(3)]
            _time(panels[0], its.connect, its.connect_times)
            _time(panels[1], its.transaction, its.transaction_times)
            _faults(panels[2], its)
            panels[0].set_ylabel(its.name, fontweight="bold", rotation=0, ha="right", va="center")
            if row == 0:
                for panel, title in zip(panels, _COLUMNS, strict=True):
                    panel.set_title(title)
        if len(found.gaps):
            _gaps(figure.add_subplot(grid[rows - 1, :]), found)
        figure.supxlabel(
            "Grey: share of the log's values up to that time. Line: the fitted distribution. "
            "When a fault clears is known only to lie between two attempts: in the band.",
            x=0.01,
            ha="left",
            fontsize=8.5,
            color=GREY,
        )
    return figure


def _empty(panel: Axes, text: str) -> None:
    panel.set_xticks([])
    panel.set_yticks([])
    panel.grid(visible=False)
    for spine in panel.spines.values():
        spine.set_visible(False)
    panel.text(0.5, 0.5, text, transform=panel.transAxes, ha="center", va="center", color=GREY)


def _time(panel: Axes, fits: list[Fit], times: Times | None) -> None:
    if not fits or times is None:
        _empty(panel, "the log does not tell")
        return
    import numpy as np

    from sendcap.calibration.times import observed

    at_s, upto = observed(times)
    low_s, high_s = (_quantile(at_s, upto, share) for share in (0.002, 0.998))
    low_s, high_s = max(0.7 * low_s, 1e-3), max(1.4 * high_s, 2e-3)
    _axis(panel, low_s, high_s)
    _steps(panel, at_s, upto, high_s, DATA, 4.0)
    grid = np.geomspace(*panel.get_xlim(), 300)
    panel.plot(grid, fits[0].cdf(grid), color=MODEL, linewidth=1.4)
    _shares(panel)
    panel.text(
        0.02,
        0.97,
        _words(fits[0]),
        transform=panel.transAxes,
        va="top",
        fontsize=7.5,
        color=INK,
    )


def _faults(panel: Axes, its: ProviderFound) -> None:
    import numpy as np

    shown = sorted(its.faults, key=lambda one: -one.share.value)[: len(_FAULT_COLOURS)]
    if not shown:
        _empty(panel, "none")
        return
    ends = []
    for fault in shown:
        ends += [value for value in fault.times.high_s.tolist() if math.isfinite(value)]
        ends += [value for value in fault.times.low_s.tolist() if value > 0.0]
        ends += [fit.mean_s.value for fit in fault.fits[:1] if fit.family == "constant"]
    low_s, high_s = (min(ends), max(ends)) if ends else (60.0, 86_400.0)
    _axis(panel, 0.5 * max(low_s, 1.0), 1.4 * max(high_s, 2.0))
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
    _shares(panel)


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
            f"{policy.told}: explains {policy.explained:,} of {policy.gaps:,}",
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


def verification_chart(verified: Verification) -> Figure:
    """Draw how long messages took to be accepted, in the log and as simulated."""
    import numpy as np
    from matplotlib.figure import Figure

    shown = [
        (name, one, two) for name, (one, two) in verified.delays.items() if len(one) and len(two)
    ][:_MOST_PROVIDERS]
    rows = max(math.ceil(len(shown) / 2), 1)
    with house_style():
        figure = Figure(figsize=(10.0, 2.5 * rows + 1.1), layout="constrained")
        figure.suptitle(
            "From arrival to acceptance: the log and the fitted scenario, simulated",
            x=0.01,
            ha="left",
            fontweight="bold",
            fontsize=13,
        )
        panels = figure.subplots(rows, 2, squeeze=False).ravel().tolist()
        for panel, (name, one, two) in zip(panels, shown, strict=False):
            both = np.maximum(np.concatenate((one, two)), 0.01)
            _axis(panel, *(float(np.quantile(both, share)) for share in (0.001, 0.9995)))
            for delay_s, colour, width in ((one, DATA, 4.0), (two, SIMULATED, 1.6)):
                at_s = np.sort(np.maximum(delay_s, 0.01))
                upto = np.arange(1, len(at_s) + 1) / len(at_s)
                _steps(panel, at_s, upto, panel.get_xlim()[1], colour, width)
            _shares(panel)
            panel.set_title(name)
        for panel in panels[len(shown) :]:
            _empty(panel, "" if shown else "the log does not tell when messages came")
        figure.supxlabel(
            "Share of the accepted messages that were accepted up to that time. Grey: the log; "
            "blue: simulated.",
            x=0.01,
            ha="left",
            fontsize=8.5,
            color=GREY,
        )
    return figure


def _axis(panel: Axes, low_s: float, high_s: float) -> None:
    """Make the x axis a logarithmic one of elapsed time; a small panel has room for few labels."""
    high_s = max(high_s, 1.5 * low_s)
    elapsed_axis(panel, low_s, high_s)
    room = _ROOM * math.log(high_s / low_s)
    kept: list[float] = []
    for tick in _TICKS_S:
        if low_s <= tick <= high_s and all(abs(math.log(tick / its)) >= room for its in kept):
            kept.append(tick)
    panel.set_xticks(kept, [tick_label(tick) for tick in kept])


def _steps(
    panel: Axes,
    at_s: Floats,
    upto: Floats,
    end_s: float,
    colour: str,
    width: float,
    alpha: float = 1.0,
) -> None:
    import numpy as np

    first_s = panel.get_xlim()[0]
    times_s = np.concatenate(([first_s], np.maximum(at_s, first_s), [max(end_s, at_s[-1])]))
    shares = np.concatenate(([0.0], upto, [upto[-1]]))
    panel.step(
        times_s, shares, where="post", color=colour, linewidth=width, alpha=alpha,
        solid_capstyle="butt",
    )  # fmt: skip


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


def _shares(panel: Axes) -> None:
    panel.set_ylim(0.0, 1.02)
    panel.set_yticks([0.0, 0.5, 1.0], ["0", "50 %", "100 %"])


def _quantile(at_s: Floats, upto: Floats, share: float) -> float:
    import numpy as np

    return float(at_s[min(int(np.searchsorted(upto, share)), len(at_s) - 1)])


def _words(fit: Fit) -> str:
    from sendcap.calibration.words import seconds

    mean: Callable[[float], str] = seconds
    return f"{fit.family}\nmean {mean(fit.mean_s.value)}\noff by {100 * fit.distance:.1f} pt"
