"""Results as notebooks and prompts show them: sentences and tables, and a line."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any, ClassVar, Final

from sendcap.text.tables import Table, table_of

_MOST_ROWS: Final = 30
_HOLDERS: Final = ("replications", "uncertain", "a")
"""Attributes of studies that know the scenario."""
_CELL: Final = "padding:0.15em 0.7em"


class Displayed:
    """A result that a notebook shows as sentences and tables, and a prompt as a line.

    The sentences are those of a method ``sentences``, if it has one, and the title is that of its
    scenario. A class adds its tables, and what the line says:
    ``class Levers(Drawable, tables={"Levers": "frame"})`` names the methods or attributes that
    return tables of pandas, by title.
    """

    __slots__ = ()
    _frames: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, tables: Mapping[str, str] | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        if tables is not None:
            cls._frames = tables
        # Otherwise a dataclass would write all its fields, arrays and all.
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = Displayed.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        title = self._title()
        about = self._about()
        return f"{type(self).__name__}({', '.join(filter(None, [title and repr(title), about]))})"

    def _repr_html_(self) -> str:
        sentences: list[str] = getattr(self, "sentences", list)()
        title = self._title() or type(self).__name__
        return "".join(
            [
                f"<h4>{escape(title)}</h4>",
                *(f"<p>{escape(sentence)}</p>" for sentence in sentences),
                *(html_of(table) for table in self._tables()),
            ]
        )

    def _title(self) -> str:
        """Return the title that a user gave, to the scenario or to that of the simulations."""
        for holder in (self, *(getattr(self, name, None) for name in _HOLDERS)):
            scenario = getattr(holder, "scenario", None)
            if scenario is not None:
                return str(scenario.title)
        return ""

    def _about(self) -> str:
        """Return what a prompt says beside the title."""
        return ""

    def _tables(self) -> Iterable[Table]:
        """Return the tables below the sentences."""
        for title, name in self._frames.items():
            frame = getattr(self, name)
            yield table_of(title, frame() if callable(frame) else frame)


def html_of(table: Table) -> str:
    """Return a table as HTML that needs no style sheet; of very long ones the first rows."""
    return "".join(_lines(table))


def _lines(table: Table) -> Iterator[str]:
    yield f"<table><caption style='text-align:left'><b>{escape(table.title)}</b></caption>"
    yield _row("th", table.columns)
    for row in table.rows[:_MOST_ROWS]:
        yield _row("td", row)
    yield "</table>"
    left_out = len(table.rows) - _MOST_ROWS
    notes = [*table.notes, *([f"{left_out:,} more rows."] if left_out > 0 else [])]
    yield from (f"<p><small>{escape(note)}</small></p>" for note in notes)


def _row(tag: str, cells: Iterable[str]) -> str:
    sides = ("left", "right")
    texts = "".join(
        f"<{tag} style='text-align:{sides[number > 0]};{_CELL}'>{_spaced(text)}</{tag}>"
        for number, text in enumerate(cells)
    )
    return f"<tr>{texts}</tr>"


def _spaced(text: str) -> str:
    """Return a text whose margin is kept: rows below a heading are indented."""
    margin = len(text) - len(text.lstrip())
    return "&nbsp;" * margin + escape(text.lstrip())
