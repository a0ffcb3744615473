"""The workbook of a run: what a spreadsheet reads there is what the run says."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from openpyxl import load_workbook

import sendcap
from sendcap.errors import SendcapError
from sendcap.readings.truth import truth


@pytest.fixture(scope="module")
def run() -> sendcap.Run:
    friday = sendcap.load("friday")
    sizes = {f"deliveries[{number}].messages": 4000 + number for number in range(4)}
    # So that there are few rows of KPIs. All attempts are over by then; opens go on.
    ends = {f"deliveries[{number}].validity": "1d" for number in range(4)}
    ends["time.horizon"] = "2d"
    names = {"deliveries[0].name": "=1+1"}
    return sendcap.simulate(friday.with_({**sizes, **ends, **names}))


@pytest.fixture(scope="module")
def file(run, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("book") / "run.xlsx"
    assert sendcap.write_workbook(run, path) == path
    return path


@pytest.fixture(scope="module")
def book(file):
    return load_workbook(file)


def rows(sheet) -> list[dict]:
    heading, *others = sheet.iter_rows(values_only=True)
    return [dict(zip(heading, row, strict=True)) for row in others]


def test_the_sheets_are_those_of_the_guide(book) -> None:
    assert book.sheetnames == [
        *("Summary", "KPIs", "Deliveries", "Providers", "Charts", "What columns mean")
    ]


def test_the_summary_has_the_answers(book, run) -> None:
    texts = [cell for (cell,) in book["Summary"].iter_rows(values_only=True) if cell]
    assert texts[0] == run.scenario.title
    assert texts[1:-1] == run.sentences()


def test_kpis_are_those_of_the_dashboard_beside_the_truth(book, run) -> None:
    table = rows(book["KPIs"])
    assert {row["Delivery"] for row in table} == {"all", *run.ledger.written}
    for delivery, name in (("all", "*"), ("last call", "last call")):
        row = next(
            row
            for row in table
            if row["Delivery"] == delivery and row["Clock time"] == datetime(2026, 11, 27, 16)
        )
        assert row["Elapsed"] == timedelta(hours=16)
        for mode, label in (("without-efs", "without EFS"), ("efs", "with EFS")):
            shown = run.dashboard("Fri 16:00", mode, name, compute_stats=True)
            assert row["Relayed"] == shown.relayed
            assert row[f"Sent, {label}"] == shown.sent
            assert row[f"Pending, {label}"] == shown.pending
            assert row[f"Delivered %, {label}"] == pytest.approx(shown.delivered_pct / 100.0)
        true = truth(run.ledger, row["Elapsed"].total_seconds(), name)
        assert row["Really delivered"] == true.delivered
        assert row["Backing off"] == true.backing_off


def test_kpis_come_every_quarter_of_an_hour_by_the_clock(run, tmp_path) -> None:
    later = run.scenario.with_({"start": "2026-11-27T09:07:00", "zone": None})
    sendcap.write_workbook(sendcap.simulate(later), tmp_path / "later.xlsx")
    with closing(load_workbook(tmp_path / "later.xlsx", read_only=True)) as book:
        table = rows(book["KPIs"])
    moments = [row["Clock time"] for row in table if row["Delivery"] == "all"]
    assert moments[0] == datetime(2026, 11, 27, 9, 15)
    steps = {(two - one).total_seconds() for one, two in pairwise(moments[:-1])}
    assert steps == {900.0}


def test_percentages_and_moments_have_the_formats_of_a_spreadsheet(book) -> None:
    sheet = book["KPIs"]
    first = {cell.value: cell.column for cell in sheet[1]}
    assert sheet.cell(2, first["Delivered %, with EFS"]).number_format == "0.00%"
    assert sheet.cell(2, first["Elapsed"]).number_format == "[h]:mm:ss"
    assert sheet.cell(2, first["Clock time"]).is_date
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref.startswith("A1:")


def test_deliveries_and_providers_add_up(book, run) -> None:
    deliveries = {row["Delivery"]: row for row in rows(book["Deliveries"])}
    assert deliveries["main offer"]["Starts"] == datetime(2026, 11, 27, 10)
    assert sum(row["Messages"] for row in deliveries.values()) == run.ledger.messages()
    providers = {row["Provider"]: row for row in rows(book["Providers"])}
    total = providers.pop("all")
    for name in ("To deliver", "Accepted", "Hard", "Expired"):
        assert sum(row[name] for row in providers.values()) == total[name]
    assert total["Accepted 99 %"].total_seconds() == run.summary()["total"]["accepted_99_pct_s"]


def test_a_name_that_looks_like_a_formula_stays_a_name(book) -> None:
    names = [cell for cell in book["Deliveries"]["A"] if cell.value == "=1+1"]
    assert [cell.data_type for cell in names] == ["s"]


def test_charts_are_images(book) -> None:
    assert len(book["Charts"]._images) == 5


def test_a_moment_has_seconds_where_it_has_some(tmp_path) -> None:
    preset = sendcap.load("quickstart").with_({"time.bin": "1s", "start": "2026-11-27T09:00"})
    one = preset.with_({"deliveries[0].messages": 500})
    twice = one.with_({"deliveries[0].every": "1h", "deliveries[0].times": 2})
    path = sendcap.write_workbook(sendcap.simulate(twice), tmp_path / "seconds.xlsx")
    heading, row, *_ = load_workbook(path)["Deliveries"].iter_rows()
    cells = {name.value: cell for name, cell in zip(heading, row, strict=True)}
    assert cells["Starts"].number_format == "ddd d mmm yyyy hh:mm"
    assert cells["50 % accepted"].value.second
    assert cells["50 % accepted"].number_format == "ddd d mmm yyyy hh:mm:ss"


def test_without_a_clock_there_are_no_moments_and_of_one_delivery_no_table(tmp_path) -> None:
    preset = sendcap.load("quickstart")
    scenario = preset.with_({"start": None, "zone": None, "deliveries[0].messages": 500})
    sendcap.write_workbook(sendcap.simulate(scenario), tmp_path / "run.xlsx")
    book = load_workbook(tmp_path / "run.xlsx")
    assert "Deliveries" not in book.sheetnames
    assert "Clock time" not in rows(book["KPIs"])[0]


@pytest.mark.rendered
def test_the_same_run_gives_the_same_bytes(run, file, tmp_path) -> None:
    again = sendcap.write_workbook(run, tmp_path / "again.xlsx")
    assert again.read_bytes() == file.read_bytes()


def test_a_file_that_cannot_be_written_is_one_line(run, tmp_path) -> None:
    (tmp_path / "folder.xlsx").mkdir()
    with pytest.raises(SendcapError, match=r"folder\.xlsx"):
        sendcap.write_workbook(run, tmp_path / "folder.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.xlsx"]
