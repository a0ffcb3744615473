"""Figures of a delivery at a moment, as notebooks and prompts show them."""

from collections.abc import Iterator, Mapping
from typing import ClassVar

from sendcap.readings.modes import ALL_DELIVERIES
from sendcap.text.displayed import Displayed
from sendcap.text.tables import Table, cell, heading


class DisplayedFigures(Displayed):
    """A dataclass of figures at a moment, whose table has a row for each; ``LABELS`` names them."""

    __slots__ = ()
    LABELS: ClassVar[Mapping[str, str]] = {}
    delivery: str

    def _title(self) -> str:
        return "" if self.delivery == ALL_DELIVERIES else self.delivery

    def _tables(self) -> Iterator[Table]:
        figures = {
            name: value for name, value in vars(self).items() if isinstance(value, int | float)
        }
        rows = [
            [self.LABELS.get(name, heading(name)), cell(name, value)]
            for name, value in figures.items()
        ]
        yield Table(", ".join(filter(None, [self._title(), self._about()])), ["", ""], rows)
