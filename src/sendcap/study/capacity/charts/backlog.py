"""The chart of the backlog: how many messages wait at each stage over time, stacked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from sendcap.charts.figures import LEFT
from sendcap.charts.layers import Named, name_beside
from sendcap.charts.marks import draw_marks, outage_marks, start_marks
from sendcap.charts.style import GREY, house_style
from sendcap.charts.timeaxis import Start, room_below_in, start_of
from sendcap.study.capacity.charts.stages import name, new_figure, time_axis
from sendcap.text.quantities import compact, elapsed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from sendcap.study.capacity.limits import Limits
    from sendcap.study.capacity.observed import Observed

    Times = npt.NDArray[np.float64]

_LEAST: Final = 0.004
"""A stage whose peak is a smaller share of the highest backlog cannot be seen: it is not named."""
_MOST: Final = 6
"""As many stages have a layer of their own."""
# Colours of Petroff's, see `sendcap.charts.style`; greys for what is no provider.
_PROVIDERS: Final = ("#3f90da", "#ffa90e", "#bd1f01", "#832db6", "#a96b59", "#92dadd")
_BEFORE: Final = {"relay": "#94a4a2", "ingress": "#717581"}
_REST: Final = "#c9ccd1"
_FIRST_ATTEMPTS: Final = (
    "Messages count until their first attempt has ended; retries are not among them."
)
_HEADROOM: Final = 1.16


class _Layer(NamedTuple):
    stages: Sequence[Observed]
    label: str
    told: str
    colour: str


def backlog(limits: Limits, ax: Axes | None = None, *, start: Start = None) -> Axes:
    """Draw how many messages wait at each stage over time, one layer on the other.

    At the relay wait the messages of started deliveries that it has not handed over yet, at a
    provider those that are due and whose attempt has not started. Messages that back off after a
    soft bounce are in none of them.

    Parameters
    ----------
    ax
        Draw on these. By default a new figure gets them, which is not attached to pyplot.
    start
        Tell the time by the clock; see `sendcap.charts.delivered.delivered`.

    Returns
    -------
    Axes
        Those on which it is drawn.
    """
    import numpy as np
    from matplotlib.ticker import MaxNLocator

    began = start_of(start, limits.scenario)
    with house_style():
        if ax is None:
            told = limits.sentence
            if limits.first_attempts_only:
                told += f" {_FIRST_ATTEMPTS}"
            figure, top = new_figure(limits, "Messages waiting", told, 3.4 + room_below_in(began))
            height, below = figure.get_figheight(), room_below_in(began)
            ax = figure.add_axes((LEFT, below / height, 0.65, top - (below + 0.12) / height))
        axes = ax
        last_s = time_axis(limits, axes, began=began)
        time_s = _times_s(limits, last_s)
        layers = _layers(limits)
        heap = np.zeros(len(time_s))
        for layer in layers:
            above = heap + sum(_at(its, limits, time_s) for its in layer.stages)
            axes.fill_between(time_s, heap, above, color=layer.colour, linewidth=0)
            heap = above
        # Its outline keeps labels away.
        axes.plot(time_s, heap, color=GREY, linewidth=0.6)
        axes.set_ylim(0, _HEADROOM * max(float(heap.max()), 1.0))
        axes.yaxis.set_major_formatter(compact)
        axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_ylabel("messages waiting")
        _label(axes, layers)
        marks = [*start_marks(limits.scenario), *outage_marks(limits.scenario)]
        draw_marks([axes], sorted(marks, key=lambda mark: mark.first_s), at_top=True)
        return axes


def _times_s(limits: Limits, last_s: float) -> Times:
    """Return the edges of the bins, and the moments before and at which deliveries start."""
    import numpy as np

    edges_s = limits.observed[0].edges_s
    starts_s = np.array([its.at for its in limits.scenario.deliveries])
    times_s = np.unique(np.concatenate((edges_s, np.nextafter(starts_s, -1.0), starts_s)))
    shown: Times = times_s[(times_s >= 0.0) & (times_s <= min(last_s, edges_s[-1]))]
    return shown


def _at(its: Observed, limits: Limits, times_s: Times) -> Times:
    """Return the backlog of a stage between the edges: the relay's jumps when deliveries start."""
    import numpy as np

    jumps, jumps_at_edges = np.zeros(len(times_s)), np.zeros(len(its.backlog))
    if its.stage.kind == "relay":
        for delivery in limits.scenario.deliveries:
            if not delivery.spread:
                jumps += delivery.messages * (times_s >= delivery.at)
                jumps_at_edges += delivery.messages * (its.edges_s >= delivery.at)
    between = jumps + np.interp(times_s, its.edges_s, its.backlog - jumps_at_edges)
    return np.maximum(between, 0.0)


def _layers(limits: Limits) -> list[_Layer]:
    """Return the layers from the bottom up: the last stage of the way first, small ones as one."""
    highest = max(its.peak_backlog for its in limits.observed)
    by_peak = sorted(limits.observed, key=lambda its: -its.peak_backlog)
    named = [its for its in by_peak if its.peak_backlog > _LEAST * highest][:_MOST]
    rest = [its for its in limits.observed if its not in named]
    providers = [its for its in named if its.stage.kind == "provider"]
    layers = [
        _Layer([its], name(its), _peak(its), its_colour)
        for its, its_colour in zip(providers, _PROVIDERS, strict=False)
    ]
    if rest:
        most = int(sum(its.backlog for its in rest).max())  # type: ignore[union-attr]
        label = name(rest[0]) if len(rest) == 1 else f"{len(rest)} other stages"
        if not named:
            label = "all stages"
        # Where it cannot be seen, a colour would be looked for in vain.
        its_colour = _REST if most > _LEAST * highest else "none"
        layers.append(_Layer(rest, label, f"never more than {compact(most)}", its_colour))
    return layers + [
        _Layer([its], name(its), _peak(its), _BEFORE[its.stage.kind])
        for its in reversed(limits.observed)
        if its in named and its not in providers
    ]


def _peak(its: Observed) -> str:
    when = f"at {elapsed(its.peak_at_s)}" if its.peak_at_s else "at the start"
    peak = f"{compact(its.peak_backlog)} {when}"
    if its.drained_at_s < float("inf"):
        return f"{peak}, gone at {elapsed(its.drained_at_s)}"
    return peak


def _label(axes: Axes, layers: Sequence[_Layer]) -> None:
    """Name the layers beside the axes, from the top down, and tell when most wait."""
    named = [Named(layer.colour, layer.label, layer.told) for layer in reversed(layers)]
    name_beside(axes, named)
