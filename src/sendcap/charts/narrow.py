"""Narrow figures, for a phone: letters of the same size on less than half the width.

Nothing has room beside the panels there: the names of lines and colours become legends, which the
page shows as text below the figure.
"""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, NamedTuple

WIDTH_IN: Final = 4.0
"""Width of a narrow figure."""
LEFT_IN: Final = 0.65
RIGHT_IN: Final = 0.25
"""Beside the panels."""
LINE_IN: Final = 0.18
"""Height of a line that the narrow figure needs and others do not."""
LETTERS: Final = 44
"""Letters on a line as wide as a panel."""


class Named(NamedTuple):
    """A colour of a chart, with a name."""

    colour: str
    label: str
    words: str = ""


class Legend(NamedTuple):
    """The names of a panel's lines or colours."""

    title: str  # the panel's; may be empty
    names: list[Named]


_LEGENDS: Final[ContextVar[list[Legend] | None]] = ContextVar("legends", default=None)


@contextmanager
def narrow() -> Iterator[list[Legend]]:
    """Make new figures narrow; the list that is returned receives their legends."""
    legends: list[Legend] = []
    token = _LEGENDS.set(legends)
    try:
        yield legends
    finally:
        _LEGENDS.reset(token)


def is_narrow() -> bool:
    """Tell whether new figures are narrow."""
    return _LEGENDS.get() is not None


def name_below(title: str, names: Sequence[Named]) -> None:
    """Add a legend of a narrow figure, unless an earlier panel has the same names."""
    legends = _LEGENDS.get()
    assert legends is not None, "the figure is narrow"
    if names and all(legend.names != list(names) for legend in legends):
        legends.append(Legend(title, list(names)))


def broken(text: str, letters: int = LETTERS) -> str:
    """Return a text in lines of so many letters if the figure is narrow, otherwise as it is."""
    return textwrap.fill(text, letters) if is_narrow() else text
