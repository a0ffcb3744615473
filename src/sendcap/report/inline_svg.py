"""Charts as SVG that stands within a page, with as much of their font as they need.

Text stays text, and names clash with no other's. The charts' labels are placed by the widths of
matplotlib's own font, DejaVu Sans; with another one they would overlap.
"""

import base64
import io
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple
from xml.etree import ElementTree

import matplotlib as mpl
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from sendcap.charts.figures import unbroken
from sendcap.charts.narrow import Legend, narrow
from sendcap.charts.style import house_style, save

_REFERENCE: Final = re.compile(r"url\(#([^)]+)\)")
_LONG_FRACTION: Final = re.compile(r"(\.\d\d)\d+")
"""Of a coordinate; a hundredth of a point cannot be seen."""
_ABOVE_IN: Final = 0.06
_FONTS: Final = {400: "DejaVuSans.ttf", 700: "DejaVuSans-Bold.ttf"}
_ALWAYS: Final = "".join(map(chr, range(0x20, 0x7F)))


class Picture(NamedTuple):
    """A chart for a page, and the texts that stand beside it there."""

    name: str  # a word that no other chart of the page has
    title: str
    words: str  # how to read it
    wide: str  # SVG
    narrow: str  # SVG for a phone, which has the legends below
    legends: list[Legend]
    letters: frozenset[str]  # all that is written in it


def picture(name: str, title: str, draw: Callable[[], Figure]) -> Picture:
    """Return a chart for a page, without the heading of its figure.

    All names within the picture begin with ``name``.
    """
    figure = draw()
    # A figure's texts are the headline and how to read it.
    words = unbroken(" ".join(text.get_text() for text in figure.texts[1:]).replace("\n", " "))
    wide, letters = _inline(figure, name, title)
    with narrow() as legends:
        slim, more = _inline(draw(), f"{name}-narrow", title)
    return Picture(name, unbroken(title), words, wide, slim, legends, letters | more)


def _inline(figure: Figure, name: str, title: str) -> tuple[str, frozenset[str]]:
    """Return the element of a figure, in which all names begin with ``name``, and the letters."""
    svg = _svg(figure)
    root = ElementTree.fromstring(svg)
    letters: set[str] = set()
    for element in _cleaned(root):
        _rename(element, name)
        letters.update(element.text or "")
    size = re.search(rb'viewBox="(0 0 [\d.]+ [\d.]+)"', svg)
    assert size is not None, "matplotlib writes a size"
    root.attrib.clear()
    root.attrib |= {"viewBox": size[1].decode(), "role": "img", "aria-label": title}
    return ElementTree.tostring(root, "unicode"), frozenset(letters)


def _svg(figure: Figure) -> bytes:
    """Return the figure below its heading as SVG."""
    with house_style():
        lowest = min((text.get_window_extent().y0 for text in figure.texts), default=figure.bbox.y1)
        width, height = figure.get_size_inches()
        shown = Bbox.from_extents(0.0, 0.0, width, min(lowest / figure.dpi - _ABOVE_IN, height))
        for text in figure.texts:
            text.set_visible(False)
        stream = io.BytesIO()
        save(figure, stream, "svg", {"svg.fonttype": "none"}, within=shown)
    return stream.getvalue()


def _cleaned(root: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """Yield all elements, without namespaces, metadata and a style that would be all the page's."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag.rpartition("}")[2] in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.tail = None
        if element.tag not in ("text", "tspan"):
            element.text = None
        yield element


def _rename(element: ElementTree.Element, name: str) -> None:
    """Let the names of an element, and those that it refers to, begin with the chart's."""
    for key, value in list(element.attrib.items()):
        plain = key.rpartition("}")[2]
        if plain == "id":
            value = f"{name}-{value}"
        elif plain == "d":
            value = _LONG_FRACTION.sub(r"\1", value)
        elif plain == "href" and value.startswith("#"):
            value = f"#{name}-{value[1:]}"
        else:
            value = _REFERENCE.sub(rf"url(#{name}-\1)", value)
        del element.attrib[key]
        element.set(plain, value)


def font_faces(letters: frozenset[str]) -> str:
    """Return the CSS that brings along the glyphs of some letters, regular and bold.

    Letters that the font lacks are left to the fonts of the reader's machine.
    """
    more = "".join(sorted(letters.difference(_ALWAYS)))
    return "\n".join(
        "@font-face { font-family: 'DejaVu Sans'; "
        f"font-weight: {weight}; src: url(data:font/woff;base64,{_encoded(file, more)}); }}"
        for weight, file in _FONTS.items()
    )


@lru_cache(maxsize=16)
def _encoded(file: str, more: str) -> str:
    options = Options(layout_features=["kern"], hinting=False)
    options.drop_tables = [*options.drop_tables, "FFTM"]
    subsetter = Subsetter(options)
    subsetter.populate(text=_ALWAYS + more)
    content = io.BytesIO()
    # The same letters give the same bytes at any time.
    path = Path(mpl.get_data_path(), "fonts", "ttf", file)
    with TTFont(path, recalcTimestamp=False) as font:
        subsetter.subset(font)
        font.flavor = "woff"
        font.save(content)
    return base64.b64encode(content.getvalue()).decode("ascii")
