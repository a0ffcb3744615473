"""The house style: one look for every figure, and the same bytes for the same figure.

Nothing global is changed: figures are made and drawn inside `house_style`, without pyplot.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, get_args

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from sendcap.readings.modes import MODE_LABELS, Mode

Look = dict[str, Any]
"""Keywords of matplotlib's."""
Drawn = Figure | Axes | Sequence[Axes]

INK: Final = "#22262b"
GREY: Final = "#6b7280"
GRID: Final = "#e3e6ea"
SHADE: Final = "#f1f3f5"
PALE, DARK = "#eef4fb", "#0b3d78"
"""The ends of a scale of blues."""
DASHES: Final = (0, (4, 3))
"""The line style of marks and limits."""


@dataclass(frozen=True)
class LineLook:
    """The name and the look of a mode's line.

    Lines of different modes may lie exactly on each other. The wider one is drawn first and the
    narrower, broken one over it, so that both are seen.
    """

    label: str
    colour: str
    width: float
    dashes: tuple[float, ...] | None

    def keywords(self) -> Look:
        """Return the look as keywords of `Axes.plot`."""
        line = {"color": self.colour, "linewidth": self.width, "solid_capstyle": "butt"}
        if self.dashes is not None:
            line |= {"dashes": self.dashes, "dash_capstyle": "butt"}
        return line


# The colours are Petroff's, chosen by survey and tested for the common colour-vision
# deficiencies: M. A. Petroff, "Accessible Color Sequences for Data Visualization" (2021),
# arXiv:2107.02270. The dashes keep the lines apart in grey too.
MODE_LOOKS: Final[dict[Mode, LineLook]] = {
    "without-efs": LineLook(MODE_LABELS["without-efs"], "#e42536", 2.0, None),
    "efs": LineLook(MODE_LABELS["efs"], "#5790fc", 3.2, None),
    "efs-v8": LineLook(MODE_LABELS["efs-v8"], "#7a21dd", 1.6, (5.0, 3.0)),
    "legacy": LineLook(MODE_LABELS["legacy"], "#717581", 1.6, (1.5, 3.0)),
}

BLUE, ORANGE, RED, STONE, PURPLE = "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6"
BROWN, FLAME, SAND, SLATE, SKY = "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"
PETROFF: Final = (BLUE, ORANGE, RED, STONE, PURPLE, BROWN, FLAME, SAND, SLATE, SKY)
"""The colours of the style file, in the same order."""
LAYERS: Final = (BLUE, ORANGE, RED, PURPLE, BROWN, SKY)
"""Those of layers one on the other; a layer of all others is of `REST`."""
REST: Final = "#c9ccd1"

Format = Literal["png", "svg", "pdf"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)

_STYLE: Final = Path(__file__).with_name("house.mplstyle")
# The day and matplotlib's version are left out.
_METADATA: Final[dict[Format, dict[str, None]]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@cache
def _settings() -> dict[Any, Any]:
    """Return matplotlib's defaults with the style file over them."""
    every: Any = mpl.rc_params_from_file(_STYLE, use_default_template=True)
    return {key: every[key] for key in list(every) if "backend" not in key}


@contextmanager
def house_style() -> Iterator[None]:
    """Make and draw figures in the house style, whatever the user's own settings are."""
    with mpl.rc_context(_settings()), warnings.catch_warnings():
        # A character that the font lacks is drawn as a box; that is no reason to stop.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def figure_of(drawn: Drawn) -> Figure:
    """Return the figure of a chart's axes."""
    if isinstance(drawn, Figure):
        return drawn
    axes = drawn if isinstance(drawn, Axes) else drawn[0]
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("the axes are not on a figure")
    return figure


def save(
    drawn: Drawn,
    path: Path | BinaryIO,
    form: Format,
    settings: Mapping[str, Any] | None = None,
    within: Bbox | None = None,
) -> None:
    """Write a chart into a file or a stream; the same chart gives the same bytes.

    ``settings`` are matplotlib's and go before the house style; ``within`` is the part of the
    figure to write, in inches from the lower left corner.
    """
    changed: dict[Any, Any] = dict(settings or {})
    with house_style(), mpl.rc_context(changed):
        figure_of(drawn).savefig(path, format=form, metadata=_METADATA[form], bbox_inches=within)


def save_png(drawn: Drawn, path: Path | BinaryIO) -> None:
    """Write a chart as PNG; see `save`."""
    save(drawn, path, "png")
