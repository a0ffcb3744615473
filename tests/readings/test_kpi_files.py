from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from sendcap.ledger import Ledger
from sendcap.readings.kpi_files import write_kpis
from sendcap.readings.kpis import Readings
from sendcap.study.forecasts.readings import read_readings

ROWS = [("relayed", 0, 7), ("accepted", 60, 3), ("hard", 90, 1), ("opened", 100, 1)]
MORE = [("loyalty", "yahoo", 30, [("relayed", 120, 30), ("accepted", 180, 12)])]
MODES = ("without-efs", "efs")
NAMES = ("*", "news", "loyalty")


@pytest.fixture
def write(tmp_path):
    """Write the KPIs of a ledger, and return both files."""

    def files(ledger: Ledger, modes=MODES, **options) -> tuple[Path, Path]:
        paths = tmp_path / "kpis.csv", tmp_path / "kpis.parquet"
        write_kpis(*paths, Readings(ledger), modes, **options)
        return paths

    return files


def rounded(table: pd.DataFrame) -> pd.DataFrame:
    return table.round(6).reset_index(drop=True)


def test_the_csv_holds_the_kpis_and_their_moments_in_words(made, write) -> None:
    ledger = made(ROWS, more=MORE)
    table, _ = write(ledger)
    read = pd.read_csv(table)
    assert read.pop("elapsed").iloc[:3].tolist() == ["0s", "1m", "2m"]
    assert read.pop("clock_time").isna().all()
    assert set(read["delivery"]) == set(NAMES)
    for (mode, delivery), rows in read.groupby(["mode", "delivery"]):
        every = Readings(ledger).kpis(mode, delivery).set_index("time_s", drop=False)
        expected = every.loc[rows["time_s"], list(rows.columns)]
        pd.testing.assert_frame_equal(rounded(rows), rounded(expected), check_dtype=False)


def test_the_csv_is_short_and_blank_for_a_share_of_nothing(made, write) -> None:
    table, _ = write(made(ROWS), ["without-efs"])
    lines = table.read_text().splitlines()
    assert lines[1] == "without-efs,*,0,0s,,10,0,0,0,0,,,,"
    assert lines[3] == "without-efs,*,120,2m,,10,7,6,1,0,85.714286,14.285714,16.666667,0"
    # After the last change, there is a row for the end.
    assert lines[4].startswith("without-efs,*,600,10m,,10,7,6,1,0,")
    assert len(lines) == 1 + 2 * 4


@pytest.mark.parametrize("zone", [None, UTC, timezone(timedelta(hours=2))])
def test_the_csv_has_the_time_by_the_clock_of_the_start(made, write, zone) -> None:
    start = datetime(2026, 11, 27, 23, 59, tzinfo=zone)
    table, _ = write(made(ROWS), ["efs"], start=start)
    moments = pd.read_csv(table)["clock_time"].iloc[:3].tolist()
    assert moments == ["2026-11-27 23:59:00", "2026-11-28 00:00:00", "2026-11-28 00:01:00"]


def test_half_seconds_show_at_the_clock_and_in_words(made, write) -> None:
    rows = [("relayed", 0, 1), ("relayed", 90.2, 1)]
    table, _ = write(made(rows, bin_s=0.5, bins=200), ["efs"], start=datetime(2026, 1, 1))
    last = pd.read_csv(table).query("relayed == 2").iloc[0]
    assert (last["time_s"], last["elapsed"]) == (90.5, "1m 30.5s")
    assert last["clock_time"] == "2026-01-01 00:01:30.500"


def test_names_with_commas_and_quotes_are_quoted(made, write) -> None:
    names = ['one, "two"', "three\nfour"]
    ledger = made(more=[(name, "yahoo", 5, []) for name in names])
    table, _ = write(ledger, ["efs"])
    with table.open(newline="") as file:
        found = {row["delivery"] for row in csv.DictReader(file)}
    assert found == {"*", "news", *names}


def test_a_percentage_of_one_in_a_hundred_million_shows(made, write) -> None:
    ledger = made([("relayed", 0, 100_000_000), ("accepted", 0, 1)], to_deliver=100_000_000)
    table, _ = write(ledger, ["efs"])
    assert ",0.000001," in table.read_text()


def test_the_parquet_file_has_every_change_and_the_figures_hold_between(made, write) -> None:
    ledger = made(ROWS, more=MORE, bins=50)
    _, changes = write(ledger)
    read = pd.read_parquet(changes)
    assert read["delivery"].drop_duplicates().tolist() == list(NAMES)
    for (mode, delivery), rows in read.groupby(["mode", "delivery"], observed=True):
        every = Readings(ledger).kpis(mode, delivery)
        held = np.searchsorted(rows["time_s"], every["time_s"], side="right") - 1
        figures = rows.iloc[held].assign(time_s=every["time_s"].to_numpy())
        pd.testing.assert_frame_equal(
            rounded(figures.astype({"mode": str, "delivery": str})),
            rounded(every.astype({"mode": str, "delivery": str})),
        )


def test_a_row_of_the_parquet_file_differs_from_the_one_before(made, write) -> None:
    _, changes = write(made(ROWS, more=MORE, bins=50))
    read = pd.read_parquet(changes)
    # What is accepted later changes nothing without EFS.
    assert read.query("mode == 'without-efs' and delivery == 'loyalty'")["time_s"].tolist() == [
        *(0, 180),
        3000,
    ]
    for _, rows in read.groupby(["mode", "delivery"], observed=True):
        figures = rows.iloc[:-1, 3:].fillna(-1.0).to_numpy()
        assert (figures[1:] != figures[:-1]).any(axis=1).all()
    assert pq.read_schema(changes).metadata[b"sendcap"]


def test_a_long_file_of_changes_is_written_in_groups(made, write, monkeypatch) -> None:
    ledger = made(ROWS, more=MORE, bins=50)
    at_once = pd.read_parquet(write(ledger)[1])
    monkeypatch.setattr("sendcap.files.parquet.ROWS", 6)
    _, changes = write(ledger)
    assert pq.ParquetFile(changes).num_row_groups > 2
    pd.testing.assert_frame_equal(pd.read_parquet(changes), at_once)


def test_without_any_event_the_files_have_the_ends(made, write) -> None:
    table, changes = write(made(), ["efs"])
    assert pd.read_csv(table)["time_s"].tolist() == [0, 600] * 2
    assert pd.read_parquet(changes)["time_s"].tolist() == [0, 600] * 2


def test_a_run_without_bins_has_one_row(made, write) -> None:
    table, changes = write(made(bins=0), ["efs"])
    assert pd.read_csv(table)["time_s"].tolist() == [0, 0]
    assert len(pd.read_parquet(changes)) == 2


def test_a_forecast_reads_what_was_written_while_nothing_changes_too(made, write) -> None:
    rows = [("relayed", 0, 10), ("accepted", 60, 4), ("accepted", 7_200, 5)]
    table, _ = write(made(rows, bins=200), ["efs"], start=datetime(2026, 1, 1))
    readings = read_readings(table, ["efs"])["efs"].until(3_600.0)
    assert readings.time_s[-1] == 3_600.0
    assert readings.percent["delivered_pct"][-1] == 40.0


def test_the_clock_of_a_zone_has_daylight_saving(made, write) -> None:
    """At three in the morning of 25 October the clock is put back to two."""
    start = datetime(2026, 10, 25, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    hourly = [("relayed", 3600 * hour, 1) for hour in range(4)]
    table, _ = write(made(hourly, bins=300), ["efs"], start=start)
    rows = pd.read_csv(table)
    by_hour = rows[rows["time_s"] % 3600.0 == 0.0].drop_duplicates("time_s").set_index("time_s")
    hours = [pd.Timestamp(by_hour["clock_time"][3600.0 * hour]).hour for hour in range(4)]
    assert hours == [1, 2, 2, 3]
