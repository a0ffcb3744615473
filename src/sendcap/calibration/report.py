"""The calibration report: the sections of a calibration, and of the self-check, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sendcap.calibration.sentences import Section, Table, sections

if TYPE_CHECKING:
    from sendcap.calibration.calibrate import Calibration
    from sendcap.calibration.verification import Verification


def report(calibration: Calibration, verification: Verification | None = None) -> str:
    """Return the report as text."""
    parts = sections(calibration)
    if verification is not None:
        parts.append(verification.section())
    return "\n\n".join(map(_text, parts)) + "\n"


def _text(section: Section) -> str:
    lines = [section.title, "=" * len(section.title)]
    for part in section.content:
        lines += [part] if isinstance(part, str) else aligned(part)
    return "\n".join(lines)


def aligned(table: Table) -> list[str]:
    """Return a table as lines: left-aligned names and right-aligned values, all printable."""
    cells = [[_plain(cell) for cell in row] for row in (table.head, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [_line(row, widths) for row in cells]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    values = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
    return "  ".join([row[0].ljust(widths[0]), *values]).rstrip()


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
