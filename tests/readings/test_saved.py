from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sendcap.errors import RunError
from sendcap.saved import FORMAT, read_ledger, write_ledger
from sendcap.version import MODEL_VERSION

ROWS = [("relayed", 0, 7), ("accepted", 60, 3), ("hard", 90, 1), ("opened", 100, 1)]
MORE = [("loyalty", "yahoo", 30, [("relayed", 120, 30), ("accepted", 180, 12)])]


def test_a_ledger_comes_back_as_it_was(made, tmp_path) -> None:
    ledger = made(ROWS, more=MORE)
    write_ledger(tmp_path / "l.parquet", ledger)
    again = read_ledger(tmp_path / "l.parquet")
    assert again == ledger
    assert again.deliveries == ledger.deliveries
    assert again.providers == ledger.providers


def test_an_empty_ledger_comes_back_as_it_was(made, tmp_path) -> None:
    empty = replace(made(bins=0), delays=None)  # they have a file of their own
    write_ledger(tmp_path / "l.parquet", empty)
    assert read_ledger(tmp_path / "l.parquet") == empty


def test_any_reader_of_parquet_sees_the_counts(made, tmp_path) -> None:
    write_ledger(tmp_path / "l.parquet", made(ROWS))
    table = pd.read_parquet(tmp_path / "l.parquet")
    assert list(table.columns) == [
        "delivery",
        "provider",
        "event",
        "reason",
        "clock",
        "bin_start_s",
        "count",
    ]
    about = json.loads(pq.read_schema(tmp_path / "l.parquet").metadata[b"sendcap"])
    assert about["bin_s"] == 60.0
    assert about["model"] == MODEL_VERSION
    assert about["to_deliver"] == [["news", "gmail", 10]]


def damaged(path, made, **changes) -> None:
    write_ledger(path, made(ROWS))
    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[b"sendcap"]) | changes
    pq.write_table(table.replace_schema_metadata({b"sendcap": json.dumps(about)}), path)


def test_a_newer_format_is_refused_with_both_versions(made, tmp_path) -> None:
    path = tmp_path / "l.parquet"
    damaged(path, made, format=FORMAT + 1, version="9.9")
    with pytest.raises(RunError, match=r"saved by sendcap 9\.9, .* upgrade sendcap"):
        read_ledger(path)


def test_a_ledger_of_before_the_models_number_opens(made, tmp_path) -> None:
    path = tmp_path / "l.parquet"
    write_ledger(path, made(ROWS))
    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[b"sendcap"])
    del about["model"]
    pq.write_table(table.replace_schema_metadata({b"sendcap": json.dumps(about)}), path)
    assert read_ledger(path) == made(ROWS)


@pytest.mark.parametrize(
    "changes", [{"bins": 1}, {"bin_s": "x"}, {"to_deliver": [1]}, {"bins": None}, {"format": "1"}]
)
def test_wrong_metadata_is_damage(made, tmp_path, changes) -> None:
    damaged(tmp_path / "l.parquet", made, **changes)
    with pytest.raises(RunError, match="may be damaged"):
        read_ledger(tmp_path / "l.parquet")


def test_foreign_missing_and_cut_files_are_refused_in_one_line(made, tmp_path) -> None:
    foreign, cut = tmp_path / "foreign.parquet", tmp_path / "cut.parquet"
    pq.write_table(pa.table({"a": [1]}), foreign)
    write_ledger(cut, made(ROWS))
    cut.write_bytes(cut.read_bytes()[:-100])
    text = tmp_path / "text.parquet"
    text.write_text("hello")
    for path in (foreign, cut, text, tmp_path / "none.parquet"):
        with pytest.raises(RunError) as caught:
            read_ledger(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)
