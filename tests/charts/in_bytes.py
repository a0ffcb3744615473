"""Charts as bytes: the same for the same chart, and drawn to the end, without its many pixels."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from sendcap.charts.style import save

if TYPE_CHECKING:
    from sendcap.charts.style import Drawn


def as_svg(drawn: Drawn) -> bytes:
    """Every line, area, word and colour, and where it is."""
    stream = io.BytesIO()
    save(drawn, stream, "svg", {"svg.fonttype": "none"})
    return stream.getvalue()


def as_small_png(drawn: Drawn) -> bytes:
    """A picture drawn as a user's is, of few pixels."""
    stream = io.BytesIO()
    save(drawn, stream, "png", {"savefig.dpi": 30})
    return stream.getvalue()
