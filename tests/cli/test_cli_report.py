"""``sendcap report`` writes a file, tells what is wrong, and leaves nothing half-written."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from sendcap.charts import attempts


@pytest.fixture
def saved(saved_run, place):
    for name in ("one", "two"):
        shutil.copytree(saved_run, place / name)
    return place


@pytest.fixture
def no_pictures(monkeypatch) -> None:
    monkeypatch.setattr("sendcap.report.page._pictures", lambda *_: iter(()))


def test_it_writes_one_file(sendcap, saved, monkeypatch) -> None:
    before, read = set(saved.iterdir()), []
    per_message = attempts.attempts_per_message

    def counted(*arguments: Any) -> Any:
        read.append(arguments)
        return per_message(*arguments)

    monkeypatch.setattr(attempts, "attempts_per_message", counted)
    monkeypatch.setattr("sendcap.report.page.CHARTS", {"attempts": "Attempts per message"})
    result = sendcap("report", "one", "-o", "a.html")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "Saved in a.html\n"
    assert set(saved.iterdir()) - before == {saved / "a.html"}
    text = (saved / "a.html").read_text()
    assert text.startswith("<!DOCTYPE html>")
    # There is a sending log. It may be long, and is read once for both sizes of the chart.
    assert "Attempts per message" in text
    assert len(read) == 1


def test_a_saved_run_becomes_a_workbook(sendcap, saved, no_pictures) -> None:
    result = sendcap("report", "one", "--excel")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "Saved in report.html and run.xlsx\n"
    assert (saved / "run.xlsx").read_bytes().startswith(b"PK")
    again = sendcap("report", "one", "-o", "b.html", "--excel")
    assert "run.xlsx: already exists; choose another file or add --force" in again.stderr
    assert not (saved / "b.html").exists()


def test_several_are_compared_by_the_names_of_their_directories(
    sendcap, saved, no_pictures
) -> None:
    assert sendcap("report", "one", "two", "-o", "a.html").exit_code == 0
    text = (saved / "a.html").read_text()
    assert '<th scope="col">one</th><th scope="col">two</th>' in text


def test_a_file_is_replaced_with_force_only(sendcap, saved, no_pictures) -> None:
    (saved / "report.html").write_text("mine")
    result = sendcap("report", "one")
    assert result.exit_code == 2
    assert "report.html: already exists; choose another file or add --force" in result.stderr
    assert (saved / "report.html").read_text() == "mine"
    assert sendcap("report", "one", "--force").exit_code == 0
    assert (saved / "report.html").read_text() != "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "error: Missing argument 'DIR...'"),
        (["none"], "error: none: no such directory"),
        (["one", "."], "error: .: is not a saved run"),
        (["one", "./one"], "error: one: appears twice; name each run once"),
        (["one", "-o", "two"], "error: two: is a directory; give the name of a file"),
        (["one", "-o", "no/a.html"], "error: no/a.html: cannot be written: there is no"),
        (["one", "two", "--excel"], "error: --excel: a workbook is of one run, not 2; name one"),
        (["one", "-o", ""], "error: Invalid value for '-o' / '--out': is empty"),
    ],
)
def test_bad_input_is_told_in_one_line_and_leaves_nothing(
    sendcap, saved, arguments, message
) -> None:
    before = sorted(saved.iterdir())
    result = sendcap("report", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 1
    assert sorted(saved.iterdir()) == before
