"""Charts of a calibration: the log against the fitted model, and against a simulation of it."""

import math
from typing import Final

import numpy as np
from matplotlib.axes import Axes

from sendcap.calibration.attempts import Floats
from sendcap.calibration.calibrate import Calibration
from sendcap.calibration.estimates import ProviderEstimates
from sendcap.calibration.families import Fit
from sendcap.calibration.retries import predicted
from sendcap.calibration.times import Times, observed
from sendcap.calibration.verification import Verification
from sendcap.charts.axes import say, without_frame
from sendcap.charts.figures import Heading, left_of_rows, panels_on
from sendcap.charts.labels import WHITE
from sendcap.charts.style import INK, MODE_LOOKS, Look, house_style
from sendcap.charts.ticks import tick_label
from sendcap.charts.timeaxis import elapsed_axis
from sendcap.text.quantities import precise

_DATA: Final = "#9aa0a6"
_MOST_PROVIDERS: Final = 6
_CLOSEST: Final = 0.17
"""Least distance between ticks, as a share of the axis: a small panel has room for few."""
_MODEL: Final = MODE_LOOKS["without-efs"].colour
_SIMULATED: Final = MODE_LOOKS["efs"].colour
_COLUMNS: Final = ("time to connect", "time of a transaction", "faults: when they clear")
_FAULT_COLOURS: Final = ("#5790fc", "#f89c20", "#964a8b", "#7a21dd")
_MOST_DOTS: Final = 4000
_MOST_FAILURES: Final = 12
_TICKS_S: Final = (1, 10, 60, 600, 1200, 3600, 21_600, 86_400)
_SHORTEST_S: Final = 0.01


@house_style()
def calibration_chart(found: Calibration, ax: Axes | None = None) -> list[Axes]:
    """Draw the distributions of each provider: shares of the data, and the fitted curves.

    A row for each of the six largest providers, and one for the gaps between attempts.

    For the options see `sendcap.charts`.
    """
    providers = found.providers[:_MOST_PROVIDERS]
    columns = [3] * len(providers) + [1] * bool(len(found.gaps))
    what = f"fitted to {found.evidence.messages:,} messages: the log and the model"
    words = (
        "Grey: share of the log's values up to that time. Line: the fitted distribution. "
        "When a fault clears is known only to lie between two attempts: in the band."
    )
    panels = panels_on(
        ax,
        Heading("", what, words),
        [1.6] * len(columns),
        columns=columns,
        left_in=left_of_rows([provider.name for provider in providers]) + 0.45,
        right_in=0.3,
        gap_in=0.6,
        across_in=0.75,
    )
    for row, provider in enumerate(providers):
        connect, transaction, faults = panels[3 * row : 3 * row + 3]
        _time(connect, provider.connect, provider.connect_times)
        _time(transaction, provider.transaction, provider.transaction_times)
        _faults(faults, provider)
        connect.set_ylabel(provider.name, fontweight="bold", rotation=0, ha="right", va="center")
    for panel, title in zip(panels[:3] if providers else [], _COLUMNS, strict=False):
        panel.set_title(title)
    if len(found.gaps):
        _gaps(panels[-1], found)
    return panels


def _time(panel: Axes, fits: list[Fit], times: Times | None) -> None:
    if not fits or times is None:
        _empty(panel, "the log does not tell")
        return
    at_s, upto = observed(times)
    low_s, high_s = (_quantile(at_s, upto, share) for share in (0.002, 0.998))
    _axes(panel, max(0.7 * low_s, 1e-3), max(1.4 * high_s, 2e-3))
    _steps(panel, at_s, upto, _DATA, 4.0)
    fit = fits[0]
    _curve(panel, fit, _MODEL)
    words = f"{fit.family}\nmean {precise(fit.mean_s.value)}\noff by {100 * fit.distance:.1f} pt"
    panel.text(0.02, 0.97, words, transform=panel.transAxes, va="top", fontsize=7.5, color=INK)


def _curve(panel: Axes, fit: Fit, colour: str) -> None:
    grid = np.geomspace(*panel.get_xlim(), 300)
    panel.plot(grid, fit.cdf(grid), color=colour, linewidth=1.4)


def _faults(panel: Axes, provider: ProviderEstimates) -> None:
    shown = sorted(provider.faults, key=lambda fault: -fault.share.value)[: len(_FAULT_COLOURS)]
    if not shown:
        _empty(panel, "none")
        return
    ends = []
    for fault in shown:
        ends += [value for value in fault.times.high_s.tolist() if math.isfinite(value)]
        ends += [value for value in fault.times.low_s.tolist() if value > 0.0]
        ends += [fit.mean_s.value for fit in fault.fits[:1] if fit.family == "constant"]
    low_s, high_s = (min(ends), max(ends)) if ends else (60.0, 86_400.0)
    _axes(panel, 0.5 * max(low_s, 1.0), 1.4 * max(high_s, 2.0))
    for row, (fault, colour) in enumerate(zip(shown, _FAULT_COLOURS, strict=False)):
        if not fault.untold:
            _band(panel, fault.times, colour)
        if fault.fits:
            _curve(panel, fault.fits[0], colour)
        text = f"{fault.reason}, {100 * fault.share.value:.2g} %"
        text += "" if fault.fits else ": none cleared"
        panel.text(
            *(0.02, 0.93 - 0.12 * row, text),
            transform=panel.transAxes,
            va="top",
            fontsize=7.5,
            color=colour,
            bbox=WHITE,
        )


def _gaps(panel: Axes, found: Calibration) -> None:
    """Draw the gap after each number of failures, and the policy's prediction."""
    gaps, policy = found.gaps, found.policy
    panel.set_title("gaps between attempts of a message: the log and the retry policy")
    # Sorted, since the order of the messages is not that of the log: the same log, the same dots.
    order = np.lexsort((gaps.gap_s, gaps.failures))
    order = order[gaps.failures[order] < _MOST_FAILURES]
    chosen = order[np.unique(np.linspace(0, len(order) - 1, _MOST_DOTS).astype(int))]
    failures, gap_s = gaps.failures[chosen], gaps.gap_s[chosen]
    jitter = np.random.default_rng(0).uniform(-0.28, 0.28, len(chosen))
    panel.plot(failures + 1 + jitter, gap_s, ".", color=_DATA, markersize=2.5, alpha=0.5)
    if policy is not None:
        low_s, high_s = predicted(policy.policy, gaps)
        middle_s = (low_s[chosen] + high_s[chosen]) / 2.0
        for number in range(1, _MOST_FAILURES + 1):
            known_s = middle_s[(failures == number - 1) & np.isfinite(middle_s)]
            if len(known_s):
                level = float(np.median(known_s))
                panel.plot([number - 0.35, number + 0.35], [level, level], color=_MODEL)
        panel.text(
            *(0.99, 0.06),
            f"{policy.description}: explains {policy.explained:,} of {policy.gaps:,}",
            transform=panel.transAxes,
            ha="right",
            fontsize=8.5,
            bbox=WHITE,
        )
    panel.set_yscale("log")
    least_s, most_s = 0.6 * max(float(gap_s.min()), 1.0), 1.6 * max(float(gap_s.max()), 2.0)
    panel.set_ylim(least_s, most_s)
    ticks = [tick for tick in _TICKS_S if least_s <= tick <= most_s]
    panel.set_yticks(ticks, [tick_label(tick) for tick in ticks])
    panel.set_yticks([], minor=True)
    last = int(failures.max()) + 1
    panel.set_xlim(0.4, last + 0.6)
    panel.set_xticks(range(1, last + 1))
    panel.set_xlabel("soft bounces so far", loc="left")


def _band(panel: Axes, times: Times, colour: str) -> None:
    """Fill between the earliest and the latest distribution function that the data allow."""
    grid = np.geomspace(*panel.get_xlim(), 600)
    ends = []
    for early in (True, False):
        at_s, upto = observed(times, early=early)
        ends.append(np.append(0.0, upto)[np.searchsorted(at_s, grid, side="right")])
    panel.fill_between(grid, ends[1], ends[0], color=colour, alpha=0.22, linewidth=0)


def _quantile(at_s: Floats, upto: Floats, share: float) -> float:
    return float(at_s[min(int(np.searchsorted(upto, share)), len(at_s) - 1)])


@house_style()
def verification_chart(verified: Verification, ax: Axes | None = None) -> list[Axes]:
    """Draw how long messages took to be accepted, in the log and as simulated.

    For the options see `sendcap.charts`.
    """
    shown = [(name, delays) for name, delays in verified.delays.items() if all(map(len, delays))][
        :_MOST_PROVIDERS
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
        _axes(panel, *np.quantile(both, (0.001, 0.9995)).tolist())
        looks = ((_DATA, 4.0), (_SIMULATED, 1.6))
        for delay_s, (colour, width) in zip(delays, looks, strict=True):
            at_s = np.sort(np.maximum(delay_s, _SHORTEST_S))
            _steps(panel, at_s, np.arange(1, len(at_s) + 1) / len(at_s), colour, width)
        panel.set_title(name)
    if not shown:
        _empty(panels[0], "the log does not tell when messages came")
    return panels


def _empty(panel: Axes, text: str) -> None:
    """Write words in place of a panel."""
    panel.set_xticks([])
    panel.set_yticks([])
    without_frame(panel)
    say(panel, text)


def _axes(panel: Axes, low_s: float, high_s: float) -> None:
    """Make the axes those of a distribution: shares up to a time, which is logarithmic."""
    elapsed_axis(panel, low_s, max(high_s, 1.5 * low_s), closest=_CLOSEST)
    panel.set_ylim(0.0, 1.02)
    panel.set_yticks([0.0, 0.5, 1.0], ["0", "50 %", "100 %"])


def _steps(panel: Axes, at_s: Floats, upto: Floats, colour: str, width: float) -> None:
    """Draw the share of values up to each time, to the end of the axis."""
    first_s, end_s = panel.get_xlim()
    times_s = np.concatenate(([first_s], np.maximum(at_s, first_s), [max(end_s, at_s[-1])]))
    shares = np.concatenate(([0.0], upto, [upto[-1]]))
    look: Look = {"linewidth": width, "solid_capstyle": "butt"}
    panel.step(times_s, shares, where="post", color=colour, **look)
