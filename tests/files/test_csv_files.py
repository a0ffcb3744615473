"""Texts that a spreadsheet would run are texts in every CSV file, and come back when it is read."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sendcap
from sendcap.files.tables import csv_text, neutral, read_table, restored
from sendcap.readings.modes import MODES
from sendcap.study.forecasts.readings import read_readings
from sendcap.study.sweeps.points import points_of

FORMULAS = (
    '=cmd|"/c calc"!A1',
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\N{FULLWIDTH EQUALS SIGN}1",
)
NUMBERS = ("-1.5", "+2", "-1e-5", "1", "–")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_like_a_formula_is_written_as_a_text(text) -> None:
    table = pd.DataFrame({"provider": [text], text: ["gmail"]})
    [header, row] = csv.reader(io.StringIO(csv_text(table), newline=""))
    assert header == ["provider", f"'{text}"]
    assert row == [f"'{text}", "gmail"]


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_stay_as_they_are(text) -> None:
    assert neutral(text) == text
    assert csv_text(pd.DataFrame({"a": [-1.5], "b": [text]})) == f"a,b\n-1.5,{text}\n"


def test_a_carriage_return_is_no_way_around() -> None:
    assert neutral("\r=1") == "'\r=1"


def test_numbers_among_texts_keep_their_form() -> None:
    table = pd.DataFrame({"value": pd.Series([8, None, "10m"], dtype=object)})
    assert csv_text(table, exact=True) == "value\n8\n\n10m\n".replace("\n\n", '\n""\n')


def test_a_table_without_rows_keeps_the_header() -> None:
    assert csv_text(pd.DataFrame({"a": [], "b": []})) == "a,b\n"


@given(st.text(alphabet="=+-@'\t\ra1", max_size=5))
def test_every_text_comes_back(text) -> None:
    assert restored(neutral(text)) == text


def test_a_saved_table_is_read_as_it_was(tmp_path) -> None:
    table = pd.DataFrame(
        {"=path": ["=1", "'=1", "gmail"], "seed": ["1", "2", "3"], "x": [-1, 2, 3]}
    )
    (tmp_path / "results.csv").write_text(csv_text(table))
    pd.testing.assert_frame_equal(read_table(tmp_path / "results.csv", ("seed",)), table)


def test_the_points_of_a_saved_sweep_are_points_again(tmp_path) -> None:
    points = [{"title": "=1+1", "mta.ips": 4}, {"title": "-5", "mta.ips": 8}]
    path = tmp_path / "points.csv"
    path.write_text(csv_text(pd.DataFrame(points), exact=True))
    assert points_of(path).changes[0] == points[0]


def test_the_kpis_of_a_delivery_like_a_formula_can_be_observed(tmp_path) -> None:
    name = "=1+1"
    scenario = sendcap.scenario.updated(
        sendcap.load("quickstart"), {"deliveries[0].name": name, "deliveries[0].messages": 50}
    )
    directory = sendcap.simulate(scenario).save(tmp_path / "run")
    with (directory / "kpis.csv").open(newline="") as file:
        assert {row["delivery"] for row in csv.DictReader(file)} == {"*", f"'{name}"}
    assert set(read_readings(directory / "kpis.csv", None, name)) <= set(MODES)


def test_csv_files_are_written_in_two_places_only() -> None:
    package = Path(sendcap.__file__).parent
    writers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"\.to_csv\(|csv\.write", path.read_text(encoding="utf-8"))
    }
    # The observed table of the last one stays in memory.
    assert writers == {
        "files/tables.py",
        "readings/kpi_files.py",
        "study/forecasts/readings.py",
    }
