"""The chart of the time to accept: which share was accepted how soon, a line for each provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sendcap.charts.figures import LEFT, headed_figure
from sendcap.charts.layers import Named, name_beside
from sendcap.charts.marks import draw_marks, validity_marks
from sendcap.charts.providers import Group, delivery_of, provider_groups
from sendcap.charts.style import GREY, INK, house_style
from sendcap.charts.timeaxis import Scale, elapsed_axis, enough, scale_words
from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.text.quantities import elapsed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from matplotlib.axes import Axes

    from sendcap.run import Run

    Floats = npt.NDArray[np.float64]

_ALL: Final = "all together"
_SHARES_PCT: Final = (50, 99)
_ROOM_AFTER: Final = 1.15


class _Curve(NamedTuple):
    """Which share of what was ever accepted had been accepted at each time."""

    label: str
    colour: str
    time_s: Floats
    pct: Floats

    def at_s(self, pct: float) -> float:
        """Return when a share had been accepted: the first edge of the bins by which it was."""
        import numpy as np

        return float(self.time_s[np.searchsorted(self.pct, pct - 1e-9)])


def time_to_accept(
    run: Run,
    delivery: str = ALL_DELIVERIES,
    ax: Axes | None = None,
    *,
    scale: Scale = "symlog",
) -> Axes:
    """Draw how soon messages are accepted, as the distribution of the time since the start.

    The time counts from when the message's own delivery started, to a bin of the ledger. It is of
    the messages that were accepted in the end, retries included.

    Parameters
    ----------
    delivery
        A delivery's name, or ``"*"`` for all of them together.
    ax
        Draw on these. By default a new figure gets them, which is not attached to pyplot.
    scale
        Of the time axis.

    Returns
    -------
    Axes
        Those on which it is drawn.

    Raises
    ------
    SendcapError
        If there is no such delivery.
    """
    curves = _curves(run, delivery)
    with house_style():
        axes = _new_axes(run, delivery) if ax is None else ax
        bin_s = run.ledger.bin_s
        last_s = max([_ROOM_AFTER * its.at_s(100.0) for its in curves] + [2.0 * bin_s])
        elapsed_axis(axes, bin_s if scale == "log" else 0.0, last_s, scale)
        axes.set_ylim(0.0, 102.0)
        axes.set_yticks([0, 25, 50, 75, 90, 100])
        axes.axhline(99.0, color=GREY, linewidth=0.8, linestyle="--", zorder=0.9)
        for its in curves:
            shown = enough(its.time_s, 0.0, last_s, scale)
            axes.plot(
                its.time_s[shown],
                its.pct[shown],
                color=its.colour,
                linewidth=2.6 if its.label == _ALL else 1.6,
                zorder=2.5 if its.label == _ALL else 2.0,
            )
        slowest_last = sorted(curves, key=lambda its: (its.at_s(99.0), its.at_s(50.0)))
        name_beside(axes, [Named(its.colour, its.label, _told(its)) for its in slowest_last])
        axes.set_ylabel("% of what is accepted in the end")
        axes.set_xlabel(f"time since the delivery's start{scale_words(scale, last_s)}", loc="left")
        chosen = [it for it in run.scenario.deliveries if delivery in (ALL_DELIVERIES, it.name)]
        if all(it.at == 0.0 for it in chosen):
            draw_marks([axes], validity_marks(run.scenario, delivery))
        return axes


def _curves(run: Run, delivery: str) -> list[_Curve]:
    groups = provider_groups(run.ledger, delivery)
    found = [_curve(run, delivery, group) for group in groups]
    if len(groups) > 1:
        every = tuple(name for group in groups for name in group.providers)
        found.insert(0, _curve(run, delivery, Group(_ALL, every, 0, INK)))
    return [its for its in found if its is not None]


def _curve(run: Run, delivery: str, group: Group) -> _Curve | None:
    import numpy as np

    ledger = run.ledger
    delivery_of(ledger, delivery)
    accepted = np.zeros(ledger.bins + 1)
    for its in run.scenario.deliveries:
        if delivery not in (ALL_DELIVERIES, its.name):
            continue
        counts = sum(
            ledger.cumulative("accepted", clock="happened", delivery=its.name, provider=name)
            for name in group.providers
        )
        # Each delivery from its own start on.
        accepted += np.interp(ledger.edges_s + its.at, ledger.edges_s, counts)
    if not accepted[-1]:
        return None
    return _Curve(group.label, group.colour, ledger.edges_s, 100.0 * accepted / accepted[-1])


def _told(its: _Curve) -> str:
    half, most = (elapsed(its.at_s(pct)) for pct in _SHARES_PCT)
    return f"50 % after {half}, 99 % after {most}"


def _new_axes(run: Run, delivery: str) -> Axes:
    told = (
        "Which share of the messages that are accepted in the end had been accepted how long after "
        "the start. Dashed: 99 %."
    )
    if delivery != ALL_DELIVERIES:
        told = f"{delivery}: {told[0].lower()}{told[1:]}"
    figure, top = headed_figure(run.scenario.title, "Time to accept", told, 4.1)
    height = figure.get_figheight()
    return figure.add_axes((LEFT, 0.5 / height, 0.63, top - 0.62 / height))
