"""Charts as SVG that stands within a page: text stays text, and names clash with no other's."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.etree import ElementTree

from sendcap.charts.style import figure_of, house_style, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sendcap.charts.style import Drawn

_REFERENCE: Final = re.compile(r"url\(#([^)]+)\)")
_ABOVE_IN: Final = 0.06


class Picture(NamedTuple):
    """A chart for a page.

    Attributes
    ----------
    name
        The same in no other chart of the page.
    title, told
        Its heading, and how to read it: text of the page and not of the picture.
    svg
        The picture, an element of HTML.
    letters
        All that is written in it.
    """

    name: str
    title: str
    told: str
    svg: str
    letters: frozenset[str]


def picture(name: str, title: str, drawn: Drawn) -> Picture:
    """Return a chart for a page, without the heading that its figure has.

    Parameters
    ----------
    name
        A word that no other chart of the page has: names within the picture begin with it.
    title
        Its heading on the page.
    drawn
        The axes of the chart, or its figure.
    """
    figure = figure_of(drawn)
    # A figure's texts are its title and how to read it, a line or more.
    told = " ".join(text.get_text() for text in figure.texts[1:]).replace("\n", " ")
    svg = _svg(figure)
    root = ElementTree.fromstring(svg)
    letters: set[str] = set()
    for element in _cleaned(root):
        _rename(element, name)
        letters.update(element.text or "")
    root.attrib.clear()
    width, height = _size(svg)
    root.attrib |= {"viewBox": f"0 0 {width:g} {height:g}", "role": "img", "aria-label": title}
    return Picture(name, title, told, ElementTree.tostring(root, "unicode"), frozenset(letters))


def _svg(figure: Figure) -> bytes:
    """Return the figure below its heading as SVG."""
    from matplotlib.transforms import Bbox

    with house_style():
        lowest = min((its.get_window_extent().y0 for its in figure.texts), default=figure.bbox.y1)
        width, height = figure.get_size_inches()
        shown = Bbox.from_extents(0.0, 0.0, width, min(lowest / figure.dpi - _ABOVE_IN, height))
        for its in figure.texts:
            its.set_visible(False)
        stream = io.BytesIO()
        save(figure, stream, "svg", {"svg.fonttype": "none"}, within=shown)
    return stream.getvalue()


def _size(svg: bytes) -> tuple[float, float]:
    found = re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    if found is None:
        raise ValueError("the SVG has no size")
    return float(found[1]), float(found[2])


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
        elif plain == "href" and value.startswith("#"):
            value = f"#{name}-{value[1:]}"
        else:
            value = _REFERENCE.sub(rf"url(#{name}-\1)", value)
        del element.attrib[key]
        element.set(plain, value)
