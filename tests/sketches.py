"""Sketches of charts, for tests of what is around them.

To render a chart takes most of the time of a command that saves it. A sketch is a file of the same
kind, of the figure's size, that tells figures with other words, lines or areas apart. One as SVG
has the words, too.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from matplotlib.artist import Artist
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

SIGNATURE = b"\x89PNG\r\n\x1a\n"
render = Figure.savefig


def sketch(figure: Figure, target: Any, **options: Any) -> None:
    """Write a sketch instead of a PNG or an SVG; in place of `Figure.savefig`."""
    kind = options.get("format")
    if kind not in ("png", "svg"):
        render(figure, target, **options)
        return
    width, height = (round(72.0 * inches) for inches in figure.get_size_inches())
    parts = figure.findobj()
    digest = hashlib.sha256(b"".join(map(_told_apart, parts)) + bytes([width % 256, height % 256]))
    if kind == "png":
        content = _png(width, height, digest.digest())
    else:
        texts = [part for part in parts if isinstance(part, Text) and part.get_visible()]
        content = _svg(width, height, digest.hexdigest(), [text.get_text() for text in texts])
    if hasattr(target, "write"):
        target.write(content)
    else:
        Path(target).write_bytes(content)


def _told_apart(part: Artist) -> bytes:
    """Return what tells a part of a figure from another."""
    match part:
        case Text():
            return part.get_text().encode()
        case Line2D():
            return part.get_xydata().tobytes()
        case Collection():
            return b"".join(path.vertices.tobytes() for path in part.get_paths())
        case Patch():
            return part.get_path().vertices.tobytes()
    return b""


def _png(width: int, height: int, digest: bytes) -> bytes:
    return (
        SIGNATURE
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
        # As large as a small picture.
        + _chunk(b"tEXt", b"Comment\0" + 100 * digest.hex().encode())
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def _svg(width: int, height: int, name: str, texts: list[str]) -> bytes:
    words = "".join(f"<text>{escape(text)}</text>" for text in texts)
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="{height}pt" '
        f'viewBox="0 0 {width} {height}">'
        f'<g id="{name}">{words}</g></svg>'
    ).encode()
