"""Axes and marks that several charts share: rows, percentages, counts, cells, stacks, notes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import StepPatch
from matplotlib.ticker import MaxNLocator

from sendcap.charts.narrow import is_narrow
from sendcap.charts.style import DARK, GREY, INK, PALE
from sendcap.ledger import Counts
from sendcap.text.quantities import compact

Floats = npt.NDArray[np.float64]


_ABOVE: Final[dict[str, Any]] = {
    "xycoords": ("axes fraction", "data"),
    "verticalalignment": "bottom",
}


def name_rows(
    axes: Axes, names: Sequence[str], middle: float = 0.0, *, above: float = 0.31
) -> None:
    """Name the rows of a chart; the middle of row 0 is at ``middle``.

    In a narrow figure row 0 is at the top, and the names stand ``above`` the middles.
    """
    shown = [""] * len(names) if is_narrow() else names
    axes.set_yticks(np.arange(len(names)) + middle, shown)
    for row, name in enumerate(names if is_narrow() else ()):
        write_at(axes, (0.0, row + middle - above), name, (0.0, 1.0), **_ABOVE)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")


def percent_axis(axes: Axes) -> None:
    """Make the y axis one of percentages from 0 to 100."""
    axes.set_ylim(0, 104)
    axes.set_yticks(range(0, 101, 20))


def magnify(axes: Axes, low: float, high: float, title: str, shown: Iterable[Floats] = ()) -> None:
    """Limit the y axis to a range; where that cuts off data, the title says so."""
    axes.set_ylim(low, high)
    cut_off = any(np.any((values < low) | (values > high)) for values in shown)
    axes.set_title(f"{title}, magnified" if cut_off else title)


def count_axis(axis: Axis, most: int = 6, *, whole: bool = True) -> None:
    """Make an axis one of numbers of messages."""
    axis.set_major_formatter(compact)
    axis.set_major_locator(MaxNLocator(most, integer=whole))


def without_frame(axes: Axes) -> None:
    """Remove grid, spines and tick marks."""
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def say(axes: Axes, text: str) -> None:
    """Write words into the middle, such as why the axes are empty."""
    axes.text(
        *(0.5, 0.5, text),
        transform=axes.transAxes,
        horizontalalignment="center",
        verticalalignment="center",
        color=GREY,
    )


def write_beside(axes: Axes, y: float, text: str, x: float = 1.015, **look: Any) -> None:
    """Write a label beside the axes, at a height of the data."""
    axes.annotate(
        text,
        xy=(x, y),
        xycoords=("axes fraction", "data"),
        verticalalignment="center",
        annotation_clip=False,
        **{"fontsize": 8.5, **look},
    )


def write_at(
    axes: Axes, xy: tuple[float, float], text: str, away_pt: tuple[float, float], **look: Any
) -> None:
    """Write a label at a point of the data, some points away from it."""
    axes.annotate(
        text,
        xy=xy,
        xytext=away_pt,
        textcoords="offset points",
        **{"verticalalignment": "center", "color": INK, **look},
    )


def filled_steps(
    axes: Axes, heights: Floats, edges: Floats, *, base: float = 0.0, **look: Any
) -> None:
    """Fill the steps between edges, down to a base; the limits of the axes are left as they are.

    To find limits, `Axes.stairs` would look at each of thousands of corners.
    """
    axes.add_artist(StepPatch(heights, edges, baseline=base, fill=True, **{"linewidth": 0} | look))


def step_line(axes: Axes, heights: Floats, edges: Floats, **look: Any) -> None:
    """Draw a line along steps between edges; see `filled_steps`."""
    # Without a base it is no closed path.
    axes.add_artist(StepPatch(heights, edges, fill=False, **look | {"baseline": None}))


def stack(
    axes: Axes, times_s: Floats, layers: Mapping[str, Counts], colours: Mapping[str, str]
) -> Floats:
    """Draw layers one on the other, from the bottom up, and return the height of all."""
    below: Floats = np.zeros(len(times_s))
    for name, layer in layers.items():
        above = below + layer
        axes.fill_between(times_s, below, above, color=colours[name], linewidth=0)
        below = above
    return below


def cells(
    axes: Axes, shade: Floats, texts: Sequence[Sequence[str]], bold_row: int = -1, size: float = 8.5
) -> None:
    """Draw a table of cells, shaded from 0 to 1 and empty where the shade is NaN."""
    axes.pcolormesh(
        shade,
        cmap=LinearSegmentedColormap.from_list("blues", [PALE, DARK]),
        vmin=0.0,
        vmax=1.0,
        edgecolors="white",
        linewidth=2.0,
    )
    for row, column in np.argwhere(~np.isnan(shade)):
        axes.text(
            column + 0.5,
            row + 0.5,
            texts[row][column],
            color="white" if shade[row, column] > 0.55 else INK,
            fontsize=size,
            fontweight="bold" if row == bold_row else "normal",
            horizontalalignment="center",
            verticalalignment="center",
        )
    without_frame(axes)
