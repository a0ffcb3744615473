"""Damaged and edited saved data: every flipped bit and every impossible ledger is refused.

`SENDCAP_TEST_FLIPS` sets the number of flips in each kind of file.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from compiling import SMALLEST

import sendcap
from sendcap.charts.attempts import attempts_per_message
from sendcap.checking import check
from sendcap.errors import RunError, SendcapError
from sendcap.saved import read_run
from sendcap.scenario import from_dict, updated
from sendcap.study.sweeps.outcomes import Outcome
from sendcap.study.sweeps.store import Store, read_file, write_file

FLIPS = int(os.environ.get("SENDCAP_TEST_FLIPS", "40"))


PEOPLE: dict[str, Any] = {
    "population": {
        "size": 100,
        "providers": {"p": 0.5, "q": 0.5},
        "decay": 0.5,
        "control_group": 0.1,
        "fatigue": {"max": 1, "period": "2d"},
    },
    "deliveries": [
        {"name": "news", "every": "7d", "times": 2, "waves": {"size": 0.5, "every": "1h"}},
        {"name": "again", "at": "8d"},
    ],
    "relay": {"batch_time": "1s"},
    "providers": {name: {"connect_time": "1s", "transaction_time": "1s"} for name in "pq"},
}


@pytest.fixture(scope="module")
def undamaged(tmp_path_factory) -> Path:
    """A saved run with its sending log, and a store in the same directory."""
    directory = tmp_path_factory.mktemp("saved") / "run"
    run = sendcap.simulate(from_dict(SMALLEST), sending_log=directory.parent / "log")
    run.save(directory)
    shutil.copy(directory.parent / "log", directory / "sending-log.parquet")
    store = Store(directory / "store")
    store.open()
    write_file(store.directory, [Outcome(f"key{each}", "{}", "", 0.1, 0.1) for each in range(9)])
    return directory


@pytest.fixture
def saved(undamaged, tmp_path) -> Path:
    """A copy to damage, sealed with the log."""
    from sendcap.files.checksums import seal

    shutil.copytree(undamaged, tmp_path / "run")
    shutil.move(tmp_path / "run" / "store", tmp_path / "store")
    seal(tmp_path / "run")
    return tmp_path / "run"


def is_refused(read: Callable[[], object]) -> bool:
    try:
        return read() is None
    except SendcapError:
        return True


@pytest.mark.parametrize(
    "name",
    [
        *("ledger.parquet", "delays.parquet", "scenario.toml", "sending-log.parquet"),
        *("runs", "summary.json"),
    ],
)
def test_every_flipped_bit_is_refused(saved, name) -> None:
    run = sendcap.open_run(saved)
    (runs,) = (saved.parent / "store").glob("runs-*.parquet")
    path = runs if name == "runs" else saved / name
    read: dict[str, Callable[[], Any]] = {
        "ledger.parquet": lambda: read_run(saved),
        "delays.parquet": lambda: read_run(saved),
        "scenario.toml": lambda: read_run(saved),
        "sending-log.parquet": lambda: attempts_per_message(run, path),
        "runs": lambda: read_file(path),
        "summary.json": lambda: None if check(saved)[1] else "believed",
    }
    content = path.read_bytes()
    assert not is_refused(read[name])
    rng = random.Random(name)
    # The footer is small, and has what page checksums leave out.
    footer = int.from_bytes(content[-8:-4], "little") + 8 if name.endswith("parquet") else 0
    believed = []
    for number in range(FLIPS):
        first = len(content) - footer if footer and number % 2 else 0
        place, bit = rng.randrange(first, len(content)), rng.randrange(8)
        damaged = bytearray(content)
        damaged[place] ^= 1 << bit
        path.write_bytes(damaged)
        if not is_refused(read[name]):
            believed.append((place, bit))
    assert believed == []


@pytest.mark.parametrize("name", ["ledger.parquet", "sending-log.parquet"])
def test_without_checksums_the_pages_have_theirs(saved, name) -> None:
    (saved / "summary.json").unlink()
    run = sendcap.open_run(saved)
    path = saved / name
    content = path.read_bytes()
    chunk = pq.ParquetFile(path).metadata.row_group(0).column(6 if "ledger" in name else 5)
    first = chunk.dictionary_page_offset or chunk.data_page_offset
    last = first + chunk.total_compressed_size - 1
    path.write_bytes(content[:last] + bytes([content[last] ^ 1]) + content[last + 1 :])
    read = sendcap.open_run if "ledger" in name else lambda _: attempts_per_message(run, path)
    with pytest.raises(RunError, match=r"cannot be read, it may be damaged or edited: .*CRC"):
        read(saved)


# Ledgers that somebody has edited, and that no simulation could have left.


def cell(column: str, value: Any) -> Callable[[pa.Table], pa.Table]:
    def edit(table: pa.Table) -> pa.Table:
        values = table.column(column).to_pylist()
        if isinstance(value, str | bool):
            values = list(map(type(value), values))
        values[0] = value
        return table.set_column(table.column_names.index(column), column, pa.array(values))

    return edit


def metadata(**changes: Any) -> Callable[[pa.Table], pa.Table]:
    def edit(table: pa.Table) -> pa.Table:
        about = json.loads(table.schema.metadata[b"sendcap"]) | changes
        return table.replace_schema_metadata({b"sendcap": json.dumps(about)})

    return edit


def metadata_gone(table: pa.Table) -> pa.Table:
    return table.replace_schema_metadata({})


EDITS: dict[str, Callable[[pa.Table], pa.Table]] = {
    **{
        f"count {value!r}": cell("count", value)
        for value in (-1, None, 11, 2**53, 2**63 - 1, -(2**63), 1.5, float("nan"), "7", True)
    },
    "unsigned count": lambda table: table.set_column(
        6, "count", pa.array([2**64 - 1] * len(table), pa.uint64())
    ),
    **{
        f"bin_start_s {value!r}": cell("bin_start_s", value)
        for value in (-60.0, None, 1e300, float("nan"), float("inf"), 0.5, "x")
    },
    **{f"{name} unknown": cell(name, "nobody") for name in ("delivery", "provider", "event")},
    **{f"{name} null": cell(name, None) for name in ("delivery", "provider", "reason", "clock")},
    "numbers for names": lambda table: table.set_column(0, "delivery", pa.array([1] * len(table))),
    "no count": lambda table: table.drop_columns(["count"]),
    "two counts": lambda table: table.append_column("count", table.column("count")),
    **{
        f"bin_s {value!r}": metadata(bin_s=value)
        for value in (0, -60.0, float("nan"), float("inf"), None, "60", True, [60], 61.0, 1e-300)
    },
    **{
        f"bins {value!r}": metadata(bins=value)
        for value in (-1, 10**9, 10**400, 1.5, None, True, "5", float("nan"))
    },
    **{
        f"to_deliver {value!r}": metadata(to_deliver=value)
        for value in (
            *(None, 7, [], [1], [["d"]], [["d", "p", -5], ["d", "q", 5]]),
            *([["d", "p", 5.5], ["d", "q", 5]], [["d", "p", 10**30], ["d", "q", 5]]),
            [["d", "p", 5], ["d", "p", 5], ["d", "q", 5]],
        )
    },
    **{f"format {value!r}": metadata(format=value) for value in (None, "1", [1], 99)},
    "metadata of another kind": lambda table: table.replace_schema_metadata({b"sendcap": b"[1]"}),
    "deep metadata": lambda table: table.replace_schema_metadata(
        {b"sendcap": b"[" * 100_000 + b"]" * 100_000}
    ),
    "no metadata": metadata_gone,
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_an_impossible_ledger_is_refused_in_one_line(saved, edit) -> None:
    # As an older sendcap saved it, or as somebody who knows about checksums would.
    (saved / "summary.json").unlink()
    table = pq.read_table(saved / "ledger.parquet")
    pq.write_table(edit(table), saved / "ledger.parquet")
    with pytest.raises(RunError) as caught:
        sendcap.open_run(saved)
    assert str(caught.value).startswith(f"{saved}")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


DELAY_EDITS: dict[str, Callable[[pa.Table], pa.Table]] = {
    **{f"count {value!r}": cell("count", value) for value in (-1, None, 9, 2**62, 1.5, "7")},
    **{
        f"{name} {value!r}": cell(name, value)
        for name in ("delay_from_s", "delay_to_s")
        for value in (-1.0, None, 1e300, 0.3, float("nan"), float("inf"), "x")
    },
    **{f"{name} unknown": cell(name, "nobody") for name in ("delivery", "provider")},
    "delivery null": cell("delivery", None),
    "no rows": lambda table: table[:0],
    "a row less": lambda table: table[1:],
    "no count": lambda table: table.drop_columns(["count"]),
    "format 99": metadata(format=99),
    "no metadata": metadata_gone,
}


@pytest.mark.parametrize("edit", DELAY_EDITS.values(), ids=DELAY_EDITS.keys())
def test_impossible_delays_are_refused_in_one_line(saved, edit) -> None:
    (saved / "summary.json").unlink()
    path = saved / "delays.parquet"
    pq.write_table(edit(pq.read_table(path)), path)
    with pytest.raises(RunError) as caught:
        sendcap.open_run(saved)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_run_without_delays_opens_unless_it_had_them(saved) -> None:
    before = sendcap.open_run(saved).ledger
    (saved / "delays.parquet").unlink()
    with pytest.raises(RunError, match=r"delays\.parquet: is missing"):
        sendcap.open_run(saved)
    (saved / "summary.json").unlink()  # as an older sendcap saved it
    after = sendcap.open_run(saved).ledger
    assert after.delays is None
    assert after.arrow().equals(before.arrow())


# What became of a population.


@pytest.fixture(scope="module")
def run_of_people() -> sendcap.Run:
    return sendcap.simulate(from_dict(PEOPLE))


@pytest.fixture(scope="module")
def undamaged_people(run_of_people, tmp_path_factory) -> Path:
    return run_of_people.save(tmp_path_factory.mktemp("saved") / "people")


@pytest.fixture
def people(undamaged_people, tmp_path) -> Path:
    """The directory of a run of people, to damage."""
    return shutil.copytree(undamaged_people, tmp_path / "people")


@pytest.mark.rendered
def test_people_come_back_as_they_were(run_of_people, people) -> None:
    again = sendcap.open_run(people)
    assert again.ledger == run_of_people.ledger
    assert again.ledger.people == run_of_people.ledger.people
    assert again.sentences() == run_of_people.sentences()
    again.save(people.parent / "again")
    for path in people.iterdir():
        assert (people.parent / "again" / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.filterwarnings("ignore:time.horizon")
def test_people_come_back_where_a_horizon_has_cut_deliveries_off(tmp_path) -> None:
    run = sendcap.simulate(from_dict(PEOPLE | {"time": {"horizon": "1d"}}))
    assert run.ledger.people is not None
    assert [each.sending for each in run.ledger.people.preparations] == ["news 1"]
    assert sendcap.open_run(run.save(tmp_path / "cut")).ledger == run.ledger


def test_a_run_of_people_needs_its_people(people) -> None:
    (people / "people.json").unlink()
    with pytest.raises(RunError, match=r"people\.json: is missing"):
        sendcap.open_run(people)
    assert check(people)[1] == [f"{people / 'people.json'}: is missing"]


def test_people_of_another_run_are_refused(people, tmp_path) -> None:
    fewer = updated(from_dict(PEOPLE), {"population.size": 90})
    other = sendcap.simulate(fewer).save(tmp_path / "other")
    shutil.copy(other / "people.json", people)
    with pytest.raises(RunError, match=r"people\.json: has changed since it was saved"):
        sendcap.open_run(people)
    (people / "summary.json").unlink()
    with pytest.raises(RunError, match=r"people\.json: is not of this ledger: their messages to d"):
        sendcap.open_run(people)


def test_every_flipped_bit_of_people_is_refused(people) -> None:
    path = people / "people.json"
    content = path.read_bytes()
    rng = random.Random("people")
    for _ in range(FLIPS):
        damaged = bytearray(content)
        damaged[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        assert is_refused(lambda: read_run(people))


def first(*path: str | int, value: Any) -> Callable[[Any], Any]:
    """Replace what is at a path of the figures."""

    def edit(figures: Any) -> Any:
        inner = figures
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        return figures

    return edit


PREPARED, STATE = ("preparations", 0), ("health", 0)
PEOPLE_EDITS: dict[str, Callable[[Any], Any]] = {
    **{
        f"{name} {value!r}": first(*PREPARED, name, value=value)
        for name in ("targeted", "to_deliver", "mistaken", "at_s", "sending", "excluded")
        for value in (-1, None, "x", [], True, 10**400)
        if not (name == "sending" and value == "x")
    },
    **{
        f"{name} {value!r} of the list": first(*STATE, name, value=value)
        for name in ("people", "good", "dead_unknown", "at_s")
        for value in (-1, None, 0.5, "x", {})
        if not (name == "at_s" and value == 0.5)
    },
    "sending unknown": first(*PREPARED, "sending", value="x"),
    "an exclusion less": first(*PREPARED, "excluded", value={"quarantined": 0}),
    "an unknown exclusion": first(*PREPARED, "excluded", "bored", value=0),
    "a column more": first(*PREPARED, "more", value=0),
    "no preparations": first("preparations", value=[]),
    "no state": first("health", value=[]),
    "a week before the start": first("accepted", value={"-1": {"1": 5}}),
    "part of a week": first("accepted", value={"0.5": {"1": 5}}),
    "fewer than nobody": first("accepted", value={"0": {"1": -5}}),
    "no weeks": first("accepted", value=None),
    "a list": lambda _: [],
    "nothing": lambda _: None,
}


@pytest.mark.parametrize("edit", PEOPLE_EDITS.values(), ids=PEOPLE_EDITS.keys())
def test_impossible_people_are_refused_in_one_line(people, edit) -> None:
    (people / "summary.json").unlink()
    path = people / "people.json"
    path.write_text(json.dumps(edit(json.loads(path.read_text()))))
    with pytest.raises(RunError) as caught:
        sendcap.open_run(people)
    assert str(caught.value).startswith(f"{path}: is ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\0", '"people"'])
def test_people_that_are_no_json_are_refused(people, text) -> None:
    (people / "summary.json").unlink()
    (people / "people.json").write_text(text)
    with pytest.raises(RunError, match=r"people\.json: is damaged: it is not what became of a pop"):
        sendcap.open_run(people)


def test_an_edited_ledger_is_refused_whatever_the_edit(saved) -> None:
    table = pq.read_table(saved / "ledger.parquet")
    pq.write_table(table, saved / "ledger.parquet")
    with pytest.raises(RunError, match=r"ledger\.parquet: has changed since it was saved"):
        sendcap.open_run(saved)


@pytest.mark.parametrize("attempt", [-1, None, 1 << 40, 1.5, "x"])
def test_an_impossible_sending_log_is_refused_in_one_line(saved, attempt) -> None:
    run = sendcap.open_run(saved)
    (saved / "summary.json").unlink()
    table = pq.read_table(saved / "sending-log.parquet")
    values = [attempt if event == "accepted" else 1 for event in table.column("event").to_pylist()]
    if isinstance(attempt, float | str):
        values = [type(attempt)(value) for value in values]
    changed = table.set_column(5, "attempt", pa.array(values))
    pq.write_table(changed, saved / "sending-log.parquet")
    with pytest.raises(RunError, match="may be damaged or edited") as caught:
        attempts_per_message(run, saved / "sending-log.parquet")
    assert "\n" not in str(caught.value)


def test_an_old_run_without_checksums_opens(saved) -> None:
    from sendcap.files.checksums import recorded
    from sendcap.files.figures import json_text

    before = sendcap.open_run(saved).ledger
    figures, _ = recorded(saved)
    (saved / "summary.json").write_text(json_text(figures))
    table = pq.read_table(saved / "ledger.parquet")
    pq.write_table(table, saved / "ledger.parquet", compression="zstd")
    assert sendcap.open_run(saved).ledger == before
    assert np.all(before.edges_s >= 0)
