"""The house style: one look for every figure, and the same bytes for the same figure.

Nothing global is changed: figures are made and drawn inside `house_style`, without pyplot.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sendcap.reporting.modes import Mode

INK: Final = "#22262b"
GREY: Final = "#6b7280"
GRID: Final = "#e3e6ea"
SHADE: Final = "#f1f3f5"


@dataclass(frozen=True)
class LineLook:
    """How a line is called and drawn.

    Lines of different modes may lie exactly on each other. The wider one is drawn first and the
    narrower, broken one over it, so that both are seen.
    """

    label: str
    colour: str
    width: float
    dashes: tuple[float, ...] | None

    def keywords(self) -> dict[str, Any]:
        """Return the look as keywords of `Axes.plot`."""
        line = {"color": self.colour, "linewidth": self.width, "solid_capstyle": "butt"}
        if self.dashes is not None:
            line |= {"dashes": self.dashes, "dash_capstyle": "butt"}
        return line


# The colours are Petroff's, chosen by survey and tested for the common colour-vision
# deficiencies: M. A. Petroff, "Accessible Color Sequences for Data Visualization" (2021),
# arXiv:2107.02270. The dashes keep the lines apart in grey too.
MODE_LOOKS: Final[dict[Mode, LineLook]] = {
    "without-efs": LineLook("without EFS", "#e42536", 2.0, None),
    "efs": LineLook("with EFS", "#5790fc", 3.2, None),
    "efs-v8": LineLook("EFS v8", "#7a21dd", 1.6, (5.0, 3.0)),
    "legacy": LineLook("legacy MTA", "#717581", 1.6, (1.5, 3.0)),
}

_RC: Final[dict[str, Any]] = {
    "figure.facecolor": "white",
    "figure.dpi": 150,
    "savefig.dpi": "figure",
    # matplotlib brings this font along, so that figures do not depend on the machine's.
    "font.family": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.minor.visible": False,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Make and draw figures in the house style, whatever the user's own settings are."""
    import matplotlib as mpl

    settings: dict[Any, Any] = {
        key: value for key, value in mpl.rcParamsDefault.items() if "backend" not in key
    }
    settings |= _RC
    with mpl.rc_context(settings), warnings.catch_warnings():
        # A character that the font lacks is drawn as a box; that is no reason to stop.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def save_png(figure: Figure, path: Path | BinaryIO) -> None:
    """Write a figure as PNG, into a file or a stream; the same figure gives the same bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with house_style():
        FigureCanvasAgg(figure)
        figure.savefig(path, format="png", metadata={"Software": None})
