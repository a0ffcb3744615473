from __future__ import annotations

import io
import sys

import pytest

from sendcap.cli.tables import WIDTH, headline, say, show_grid, show_table, wrapped


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


@pytest.mark.parametrize(
    ("environment", "bold"),
    [
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False),
        # Bold is no colour.
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, True),
    ],
)
def test_only_titles_are_bold_and_not_where_a_terminal_shows_codes_as_letters(
    monkeypatch, environment, bold
) -> None:
    for name in ("TERM", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Terminal())
    headline("The queue")
    say("A title", bold=True)
    say("A sentence.")
    show_table("Totals", ["Provider", "Sent"], [["gmail", "9"]], "A note.")
    lines = sys.stdout.getvalue().splitlines()
    titles = ["The queue", "A title", "Totals"]
    for title in titles:
        assert (f"\x1b[1m{title}\x1b[0m" if bold else title) in lines
    assert ("\x1b" in sys.stdout.getvalue()) == bold
    assert {"A sentence.", "A note."} <= set(lines)


def test_headings_and_words_go_on_in_the_next_line_where_a_table_is_too_wide(capsys) -> None:
    headings = ["Provider", *[f"{at} pt, without EFS" for at in (1, 0.5, 0.1, 0.05)], "Helps until"]
    row = ["gmail", "1h 10m", "3d 12h", "3d 12h", "3d 12h", "up to 4 of them, then the relay"]
    show_table("Times", headings, [row], "A note " * 20 + "99 %.", words=["Helps until"])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert [line for line in lines if line != line.rstrip()] == []
    assert any("0.05 pt," in line for line in lines)
    assert any(line.startswith("gmail  ") and "3d 12h" in line for line in lines)


def test_an_interval_stands_below_the_value_where_a_table_is_too_wide(capsys) -> None:
    name = "a provider (de to fr)"
    row = [name, *["99.27 (99.15 to 99.28)"] * 3]
    show_table("Final", ["", "with EFS", "EFS v8", "without EFS"], [row])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[-3].split("  ")[0] == name
    assert lines[-2].split() == ["(99.15", "to", "99.28)"] * 3


def test_a_table_of_too_many_columns_goes_on_below_with_its_first_columns(capsys) -> None:
    modes = ("without EFS", "with EFS", "EFS v8", "legacy MTA")
    columns = {None: "Share"} | {
        (at, mode): f"{at} pt, {mode}" for at in (1, 0.5, 0.1) for mode in modes
    }

    def text(name: str, column: tuple[float, str] | None) -> str:
        return "50 %" if column is None else f"{column[0]}h {column[1][-2:]}"

    names = ["gmail", "a provider of thirty letters .."]
    show_grid("Times", "Provider", names, columns, text, "A note.", repeated=2, together=4)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= WIDTH
    title, *parts = out.removesuffix("\nA note.\n\n").split("\n\n")
    assert (title.splitlines()[0], len(parts)) == ("Times", 2)
    for part, at in zip([title, *parts], (1, 0.5, 0.1), strict=True):
        row = part.splitlines()[-1].split("  ")
        cells = [cell.strip() for cell in row if cell]
        assert cells == [names[1], "50 %", *[f"{at}h {mode[-2:]}" for mode in modes]]


def test_a_line_breaks_at_dots_and_underscores_of_paths(capsys) -> None:
    paths = [f"providers.other{number}.connections_per_ip" for number in range(4)]
    show_table("Points", ["Point", *paths], [["0", "1", "2", "3", "4"]])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= WIDTH


def test_a_number_and_the_percent_sign_stay_on_one_line() -> None:
    for length in range(60, 90):
        assert "\n%" not in wrapped("x" * length + " is 99.5 % of all")
