"""Extremes beside the fields of a scenario: levers, targets, ranges, moments, cells of a table."""

from __future__ import annotations

from typing import Any

import pytest

from sendcap.charts.timeaxis import start_of
from sendcap.cli.edits import edits_of
from sendcap.errors import SendcapError
from sendcap.scenario import Range, load
from sendcap.study.optimisation.priced import Priced
from sendcap.study.optimisation.target import Target
from sendcap.study.sweeps.points import points_of

ENORMOUS: tuple[Any, ...] = (1e308, -1e308, 10**400, 10**5000, float("inf"), float("nan"))


@pytest.mark.parametrize("number", ENORMOUS, ids=range(len(ENORMOUS)))
def test_an_enormous_number_is_refused(number: Any) -> None:
    for make in (
        lambda: Priced(1, 64, number),
        lambda: Priced(1, 64, [(1, 0), (64, number)]),
        lambda: Priced(1, number, 1),
        lambda: Range(1, number),
        lambda: Target("accepted_99_pct_s", at_most=number),
    ):
        with pytest.raises(SendcapError, match=r"up to 1e\+15") as caught:
            make()
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize("text", ["1e300d", "9999999d", "1e-300s"])
def test_an_endless_duration_is_refused(text: str) -> None:
    for make in (lambda: Range("1s", text), lambda: Target("accepted_99_pct_s", at_most=text)):
        with pytest.raises(SendcapError, match=r"more than 100 years|less than a microsecond"):
            make()


@pytest.mark.parametrize("start", ["9999-12-31T23:00", "0001-01-01T00:00"])
def test_a_start_is_of_our_time(start: str) -> None:
    with pytest.raises(SendcapError, match="start: must be from 1900 to 2200, not"):
        start_of(start, load("quickstart"))


def test_a_deep_value_is_text_in_a_table_and_refused_as_a_setting(tmp_path: Any) -> None:
    table = tmp_path / "points.csv"
    table.write_text("mta.ips\n" + "[" * 5000 + "\n")
    assert points_of(table).changes[0]["mta.ips"] == "[" * 5000
    with pytest.raises(SendcapError, match="nested too deeply"):
        edits_of(["mta.ips=" + "[" * 5000])
