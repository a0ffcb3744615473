from __future__ import annotations

import io
import sys

import pytest

from sendcap.cli.tables import console, show_totals

TOTALS = {
    "relay_failed": 0,
    "accepted": 9_999_999,
    "hard": 123_456,
    "soft": 7_654_321,
    "expired": 12_345,
    "async_bounced": 1_234,
    "accepted_50_pct_s": 100_000.0,
    "accepted_90_pct_s": 200_000.0,
    "accepted_99_pct_s": None,
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", ["10", "40", "80"])
def test_a_narrow_terminal_breaks_no_number_and_no_name(monkeypatch, columns) -> None:
    name = "a provider with a name " * 60 + "ends"
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", columns)
    show_totals(
        console(), "Providers, a heading longer than forty columns", "Provider", {name: TOTALS}
    )
    lines = sys.stdout.getvalue().splitlines()
    assert len(lines) == 4
    for text in (name, "9,999,999", "7,654,321", "1d 4h", "2d 8h"):
        assert text in lines[3]
