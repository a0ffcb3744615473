"""Sketches of charts, for tests of what is around them.

To render a chart takes most of the time of a command that saves it. A sketch is a file of the same
kind that begins like a PNG and tells figures with other words, lines or areas apart.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

SIGNATURE = b"\x89PNG\r\n\x1a\n"
render = Figure.savefig


def sketch(figure: Figure, target: Any, **options: Any) -> None:
    """Write a sketch instead of a PNG; in place of `Figure.savefig`."""
    if options.get("format") != "png":
        render(figure, target, **options)
        return
    digest = hashlib.sha256(repr(figure.get_size_inches()).encode())
    for text in figure.findobj(Text):
        digest.update(text.get_text().encode())
    for line in figure.findobj(Line2D):
        digest.update(line.get_xydata().tobytes())
    for collection in figure.findobj(Collection):
        for path in collection.get_paths():
            digest.update(path.vertices.tobytes())
    for patch in figure.findobj(Patch):
        digest.update(patch.get_path().vertices.tobytes())
    content = SIGNATURE + digest.digest() * 200
    if hasattr(target, "write"):
        target.write(content)
    else:
        Path(target).write_bytes(content)
