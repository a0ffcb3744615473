from __future__ import annotations

import io
import sys

import pytest

from sendcap.cli.tables import show_table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", ["10", "40", "80"])
def test_a_narrow_terminal_breaks_no_number_and_no_name(monkeypatch, width) -> None:
    name = "a provider with a name " * 60 + "ends"
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", width)
    title = "Providers, a heading longer than forty columns"
    columns = ["Provider", "Accepted", "90 %", "99 %"]
    show_table(title, columns, [[name, "9,999,999", "1d 4h", "–"]])
    lines = sys.stdout.getvalue().splitlines()
    assert len(lines) == 5
    for text in (name, "9,999,999", "1d 4h", "–"):
        assert text in lines[3]
