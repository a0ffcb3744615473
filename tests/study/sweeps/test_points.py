from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendcap.errors import SendcapError
from sendcap.study.sweeps.designs import latin_hypercube
from sendcap.study.sweeps.points import MOST_POINTS, Points, cell, points_of

values = st.lists(st.integers() | st.text() | st.booleans(), min_size=1, max_size=4)


@given(st.dictionaries(st.text(min_size=1).filter(lambda path: path != "seed"), values, max_size=4))
def test_a_grid_is_all_combinations_in_order(over) -> None:
    found = points_of(over)
    assert found.paths == tuple(over)
    assert [tuple(point.values()) for point in found.changes] == list(
        itertools.product(*over.values())
    )


def test_no_path_is_one_point_the_scenario_itself() -> None:
    assert points_of({}) == Points((), ({},))


def test_numpy_values_become_plain_ones() -> None:
    found = points_of({"a": np.arange(2), "b": np.linspace(0.0, 1.0, 2), "c": range(1)})
    assert [type(value) for value in found.changes[0].values()] == [int, float, int]


ROWS = [{"mta.ips": 4, "relay.rate": "100/s"}, {"mta.ips": 8}]
EXPECTED = Points(("mta.ips", "relay.rate"), tuple(ROWS))


def test_a_table_is_a_point_in_each_row_however_it_is_given(tmp_path) -> None:
    (tmp_path / "points.csv").write_text("mta.ips,relay.rate\n4,100/s\n\n8,\n")
    for over in (
        ROWS,
        tuple(ROWS),
        [{"mta.ips": 4, "relay.rate": "100/s"}, {"mta.ips": 8, "relay.rate": None}],
        pd.DataFrame(ROWS).astype({"mta.ips": "int64"}),
        pd.DataFrame({"mta.ips": [4, 8], "relay.rate": ["100/s", float("nan")]}),
        pd.DataFrame({"mta.ips": [4, 8], "relay.rate": ["100/s", pd.NA]}, dtype=object),
        tmp_path / "points.csv",
        str(tmp_path / "points.csv"),
    ):
        assert points_of(over) == EXPECTED


def test_cells_of_a_csv_file_are_what_toml_says_and_else_text(tmp_path) -> None:
    (tmp_path / "points.csv").write_text(
        'a,b,c,d,e,f\n8,0.5,true,20m,"{policy = ""momentum""}","1,000/hr"\n'
    )
    assert points_of(tmp_path / "points.csv").changes[0] == {
        "a": 8,
        "b": 0.5,
        "c": True,
        "d": "20m",
        "e": {"policy": "momentum"},
        "f": "1,000/hr",
    }


def test_a_design_is_its_points() -> None:
    design = latin_hypercube({"mta.ips": (1, 9)}, 3)
    assert points_of(design).changes == tuple(design.points())


def test_tables_and_lists_are_shown_as_json() -> None:
    assert cell({"policy": "momentum"}) == '{"policy": "momentum"}'
    assert cell("20m") == "20m"


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"mta.ips": 4}, r"over: mta.ips: must be a list of values, such as \[4\], not 4"),
        ({"mta.ips": "4"}, r'must be a list of values, such as \["4"\]'),
        ({"mta.ips": []}, "over: mta.ips: needs at least one value"),
        ({"seed": [1, 2]}, "over: seed: ask for replications"),
        ([], "the table has no points"),
        (pd.DataFrame(), "the table has no points"),
        (7, "over: give values by path, a table"),
        ({"a": range(2000), "b": range(2000)}, "4,000,000 points are too many"),
        ([{}] * (MOST_POINTS + 1), "too many"),
    ],
)
def test_what_describes_no_points_is_refused(over, message) -> None:
    with pytest.raises(SendcapError, match=message) as caught:
        points_of(over)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1 must name the scenario paths"),
        ("mta.ips,mta.ips\n1,2\n", 'line 1: "mta.ips" appears twice'),
        ("mta.ips,b\n1,2\n\n1\n", "line 4: 1 cells, but 2 columns"),
        ("mta.ips\n", "has no points"),
        ('mta.ips\n"1\n', "not a CSV file"),
        ("mta.ips\n\xff\n".encode("latin-1"), "is not UTF-8"),
    ],
)
def test_a_file_that_is_no_table_is_told_in_one_line(tmp_path, text, message) -> None:
    path = tmp_path / "points.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SendcapError, match=message) as caught:
        points_of(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_told(tmp_path) -> None:
    with pytest.raises(SendcapError, match=r"none.csv: cannot be read: No such file"):
        points_of(tmp_path / "none.csv")
