"""Every command that writes, on a disk that is full at any of the writes.

`SENDCAP_TEST_FULL` sets the number of tries.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from disks import small_disk_at
from warm import Warm
from writing_commands import IN_TURN, STUDIES, ended, leftovers, outputs, write_inputs

from sendcap.errors import RunError, SendcapError
from sendcap.files.directory import Staging
from sendcap.files.single import whole_file
from sendcap.saved import RUN
from sendcap.study.sweeps.outcomes import Outcome
from sendcap.study.sweeps.store import Store, StoreError, damaged_files

TRIES = int(os.environ.get("SENDCAP_TEST_FULL", "4"))
PAGE = 4096


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> Path:
    return write_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """A file system of 8 MB."""
    with small_disk_at(tmp_path / "disk", "8m") as place:
        yield place


def fill(disk: Path, pages: int) -> None:
    """Leave room for some pages."""
    free = os.statvfs(disk).f_bavail
    (disk / "ballast").write_bytes(bytes((free - pages) * PAGE))


@pytest.mark.crash
@pytest.mark.parametrize("number", range(TRIES))
def test_a_full_disk_is_told_in_one_line_and_loses_nothing(
    warm: Warm, inputs, disk, number
) -> None:
    rng = random.Random(f"disk {number}")
    name = IN_TURN[number % len(IN_TURN)]
    place = disk / "place"
    shutil.copytree(inputs, place)
    fill(disk, pages := rng.choice([0, 1, 2, 3, 5, 8, 12, 16, 24]))
    before = outputs(place, name)
    code, messages = ended(warm, name, place)
    told = messages[: messages.rfind("writes: ")].splitlines()
    if code == 0:
        assert pages, "there was no room"
        return
    assert code == 2
    assert len(told) == 1
    assert told[0].startswith("error: ")
    assert "no space is left on the disk" in told[0]
    assert leftovers(place) == []
    now = outputs(place, name)
    assert {path: now.get(path) for path in before} == before
    if name not in STUDIES:
        assert now == before
    (disk / "ballast").unlink()
    code, messages = ended(warm, name, place)
    assert code == 0, messages


def test_on_a_read_only_disk_the_directory_is_named_that_cannot_be_written(disk) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    words = f"^{re.escape(str(disk / 'run'))}: cannot be written: the file system is read-only$"
    with pytest.raises(RunError, match=words), Staging(disk / "run", RUN):
        raise AssertionError
    words = words.replace("/run", r"/run\.csv")
    with pytest.raises(SendcapError, match=words), whole_file(disk / "run.csv"):
        raise AssertionError


def test_a_store_on_a_read_only_disk_is_read_and_not_written(disk) -> None:
    outcome = Outcome("key", "{}", "", 0.1, 0.1)
    store = Store(disk / "store")
    store.open()
    store.add([outcome])
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    again = Store(disk / "store")
    assert again.finished("key") == outcome
    with pytest.raises(StoreError, match="cannot be written: the file system is read-only"):
        again.open()
    with pytest.raises(StoreError, match="cannot be written: the file system is read-only"):
        again.add([outcome])


def test_a_store_on_a_full_disk_keeps_what_it_has(disk) -> None:
    store = Store(disk / "store")
    store.open()
    fill(disk, 40)
    outcomes = [Outcome(f"key{number}", "{}", "", 0.1, 0.1) for number in range(100)]
    kept: list[Outcome] = []
    with pytest.raises(StoreError, match="no space is left on the disk"):  # noqa: PT012
        for outcome in outcomes:
            store.add([outcome])
            kept.append(outcome)
    again = Store(disk / "store")
    assert [again.finished(outcome.key) for outcome in kept] == kept
    assert damaged_files(disk / "store") == []
    assert not list((disk / "store").glob(".*"))
