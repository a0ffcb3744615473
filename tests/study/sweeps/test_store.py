from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from warm import Process

from sendcap.errors import SendcapError, SendcapWarning
from sendcap.files.single import whole_file
from sendcap.study.sweeps import store as module
from sendcap.study.sweeps.outcomes import Outcome
from sendcap.study.sweeps.store import Store, StoreError


def outcome(number: int, error: str = "") -> Outcome:
    values = "" if error else json.dumps({"x": number / 7, "who": f"nümber {number}"})
    return Outcome(f"key{number}", values, error, number / 3, number / 9)


def opened(directory: Path) -> Store:
    store = Store(directory)
    store.open()
    return store


def parquet(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.parquet"))


def known(directory: Path, numbers: Sequence[int]) -> list[Outcome | None]:
    store = Store(directory)
    return [store.finished(f"key{number}") for number in numbers]


def test_what_is_kept_is_read_back_to_the_last_bit(tmp_path) -> None:
    store = opened(tmp_path / "a" / "store")
    store.add([outcome(1), outcome(2)])
    store.add([outcome(3)])
    expected = [outcome(1), outcome(2), outcome(3), None]
    assert known(store.directory, range(1, 5)) == expected
    store.compact()
    assert len(parquet(store.directory)) == 1
    assert known(store.directory, range(1, 5)) == expected
    assert Store(store.directory).finished("key1").columns() == {"x": 1 / 7, "who": "nümber 1"}


def test_nothing_is_written_until_there_is_something(tmp_path) -> None:
    assert Store(tmp_path / "store").finished("key1") is None
    assert not (tmp_path / "store").exists()


def test_a_failure_is_known_but_not_finished_and_success_is_for_good(tmp_path) -> None:
    store = opened(tmp_path)
    store.add([outcome(1, "out of memory")])
    assert store.finished("key1") is None
    assert Store(tmp_path).known("key1").error == "out of memory"
    store.add([outcome(1)])
    store.add([outcome(1, "out of memory")])
    for each in (store, Store(tmp_path)):
        assert each.finished("key1") == outcome(1)
    store.compact()
    assert known(tmp_path, [1]) == [outcome(1)]


def test_sweeps_find_what_the_others_have_finished(tmp_path) -> None:
    one, other = opened(tmp_path), opened(tmp_path)
    one.add([outcome(1)])
    one.add([outcome(2)])
    other.refresh()
    assert other.finished("key2") == outcome(2)
    other.add([outcome(3)])
    one.compact()
    other.compact()
    one.refresh()
    assert one.finished("key3") == outcome(3)
    assert known(tmp_path, [1, 2, 3]) == [outcome(1), outcome(2), outcome(3)]


def test_files_are_compacted_before_they_are_too_many(tmp_path) -> None:
    store = opened(tmp_path)
    for number in range(300):
        store.add([outcome(number)])
    assert len(parquet(tmp_path)) < 50
    assert known(tmp_path, range(300)) == [outcome(number) for number in range(300)]


# However a file comes to be damaged, its runs count as not done and the others as done.


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    # Within the text of a key: after the file's four letters come the page's header and its data.
    place = content.index(b"key")
    return content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]


def other_columns(content: bytes) -> bytes:
    table = pq.read_table(io.BytesIO(content)).drop_columns(["error"])
    into = io.BytesIO()
    pq.write_table(table, into)
    return into.getvalue()


def no_json(content: bytes) -> bytes:
    table = pq.read_table(io.BytesIO(content))
    place = table.column_names.index("values")
    into = io.BytesIO()
    pq.write_table(table.set_column(place, "values", [["{"] * len(table)]), into)
    return into.getvalue()


@pytest.mark.parametrize(
    "damage", [lambda _: b"", lambda _: b"PAR1", cut, flipped, other_columns, no_json]
)
def test_a_damaged_file_is_set_aside_and_its_runs_are_not_done(tmp_path, damage) -> None:
    store = opened(tmp_path)
    store.add([outcome(1)])
    (first,) = parquet(tmp_path)
    store.add([outcome(2)])
    first.write_bytes(damage(first.read_bytes()))
    with pytest.warns(SendcapWarning, match=r"is damaged; it is kept as runs-.*damaged, and its"):
        again = Store(tmp_path)
    assert (again.finished("key1"), again.finished("key2")) == (None, outcome(2))
    assert len(list(tmp_path.glob("*.damaged"))) == 1
    again.add([outcome(1)])
    assert known(tmp_path, [1, 2]) == [outcome(1), outcome(2)]


@pytest.mark.parametrize("place", range(4, 600, 40))
def test_no_flipped_bit_goes_unnoticed_and_changes_a_value(tmp_path, place) -> None:
    store = opened(tmp_path)
    store.add([outcome(number) for number in range(3)])
    (path,) = parquet(tmp_path)
    content = bytearray(path.read_bytes())
    content[place] ^= 0x04
    path.write_bytes(content)
    again = module.read_file(path)
    assert again is None or again == [outcome(number) for number in range(3)]


def test_a_store_of_a_newer_version_is_refused(tmp_path, monkeypatch) -> None:
    store = opened(tmp_path)
    store.add([outcome(1)])
    monkeypatch.setattr(module, "FORMAT", 0)
    message = r"was written by sendcap .*, in a format that is newer than what sendcap .* reads"
    with pytest.raises(StoreError, match=message):
        Store(tmp_path)
    (tmp_path / "sendcap-store.json").unlink()
    with pytest.raises(StoreError, match="is not a store of sendcap, and not empty"):
        Store(tmp_path)
    (tmp_path / "sendcap-store.json").write_text("{")
    with pytest.raises(StoreError, match=message):
        Store(tmp_path)


def test_a_directory_with_something_else_in_it_is_refused(tmp_path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(StoreError, match="is not a store of sendcap, and not empty"):
        Store(tmp_path)
    with pytest.raises(StoreError, match="cannot be read: a part of the path is not a directory"):
        Store(tmp_path / "letters.txt")


def test_what_killed_sweeps_left_half_written_is_removed_and_never_read(tmp_path) -> None:
    store = opened(tmp_path)
    store.add([outcome(1)])
    half = parquet(tmp_path)[0].read_bytes()[:-5]
    left = tmp_path / ".sendcap-0123456789ab.tmp"
    left.write_bytes(half)
    with whole_file(tmp_path / "other") as in_use:
        in_use.write_bytes(half)
        left.write_bytes(half)
        Store(tmp_path).compact()
        assert not left.exists(), "also where nothing is left to do"
        left.write_bytes(half)
        again = opened(tmp_path)
        assert again.finished("key1") == outcome(1)
        assert (left.exists(), in_use.exists()) == (False, True)


def test_where_nothing_can_be_written_that_is_told_at_once(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="a part of the path is not a directory"):
        Store(tmp_path / "file" / "store")


READ_ONLY = """
import os, sys
import pyarrow.parquet
from sendcap import __version__
from sendcap.errors import SendcapError
from sendcap.study.sweeps.outcomes import Outcome
from sendcap.study.sweeps.store import Store
if os.getuid() == 0:
    os.setuid(65534)
store = Store(sys.argv[1])
print(store.finished("key1") is not None)
try:
    store.open()
except SendcapError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="no users")
def test_a_read_only_store_is_read_and_not_written(tmp_path, warm) -> None:
    store = opened(tmp_path / "store")
    store.add([outcome(1)])
    shared = Path("/tmp") / f"sendcap-{os.getpid()}-{random.randrange(10**9)}"
    shutil.copytree(store.directory, shared)
    try:
        shared.chmod(0o555)
        done = warm.run(["-c", READ_ONLY, str(shared)])
    finally:
        shared.chmod(0o755)
        shutil.rmtree(shared)
    assert done.stdout == f"True\n{shared}: cannot be written: permission denied\n", done.stderr


FULL = """
import hashlib, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
from sendcap.errors import SendcapError
from sendcap.study.sweeps.outcomes import Outcome
from sendcap.study.sweeps.store import Store
store = Store(sys.argv[1])
store.open()
try:
    for number in range(100):
        keys = [hashlib.sha256(b"%d" % each).hexdigest() for each in range(number, 2 * number + 1)]
        store.add([Outcome(key, '{"x": 1}', "", 0.0, 0.0) for key in keys])
except SendcapError as error:
    print(number, error)
"""


@pytest.mark.crash
def test_a_full_disk_loses_nothing_that_was_kept(tmp_path, warm) -> None:
    done = warm.run(["-c", FULL, str(tmp_path), "4000"])
    assert done.returncode == 0, done.stderr
    number, message = done.stdout.split(" ", 1)
    assert message == (
        f"{tmp_path}: cannot be written: a file would be larger than the file system allows\n"
    )
    assert int(number) > 2
    store = Store(tmp_path)
    for each in range(2 * int(number) - 1):
        assert store.finished(hashlib.sha256(b"%d" % each).hexdigest()) is not None
    assert not list(tmp_path.glob(".*"))


def test_no_room_for_compacting_is_no_failure(tmp_path, monkeypatch) -> None:
    store = opened(tmp_path)
    store.add([outcome(1)])
    store.add([outcome(2)])

    def full(*_: object) -> str:
        raise StoreError("full")

    monkeypatch.setattr(module, "write_file", full)
    store.compact()
    assert len(parquet(tmp_path)) == 2
    assert known(tmp_path, [1, 2]) == [outcome(1), outcome(2)]


UNTRUSTED = """
import sys, warnings
met = []
sys.addaudithook(lambda event, _: met.append(event) if event.startswith("pickle.") else None)
import pickle
pickle.loads(pickle.dumps(print))
assert met == ["pickle.find_class"], "the hook does not hear of pickles"
met.clear()
from sendcap.study.sweeps.store import Store
warnings.simplefilter("ignore")
store = Store(sys.argv[1])
store.open()
store.compact()
print(len(store), store.finished("key1") is not None, met)
"""


class Payload:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_nothing_in_a_store_is_ever_unpickled(tmp_path, warm) -> None:
    store = opened(tmp_path / "store")
    store.add([outcome(1)])
    (good,) = parquet(store.directory)
    harm = pickle.dumps(Payload(tmp_path / "harm"))
    (store.directory / "runs-a.parquet").write_bytes(harm)
    # Types of the user's own are pickles in Arrow's schema, which Arrow once read.
    table = pq.read_table(good)
    kind = table.schema.field("key").with_metadata(
        {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": harm}
    )
    fields = [kind, *(table.schema.field(number) for number in range(1, len(table.schema)))]
    schema = pa.schema(fields, metadata={**table.schema.metadata, b"pandas": harm})
    renamed = table.set_column(0, "key", [["key2"]]).cast(table.schema)
    pq.write_table(
        pa.Table.from_arrays(renamed.columns, schema=schema), store.directory / "runs-b.parquet"
    )
    done = warm.run(["-c", UNTRUSTED, str(store.directory)])
    assert done.returncode == 0, done.stderr
    assert done.stdout in ("1 True []\n", "2 True []\n")
    assert not (tmp_path / "harm").exists()
    assert (store.directory / "runs-a.parquet.damaged").exists()


WRITER = """
import sys
from sendcap.study.sweeps.outcomes import Outcome
from sendcap.study.sweeps.store import Store
store = Store(sys.argv[1])
store.open()
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 100_000):
    store.add([Outcome(f"key{number}", '{"x": %d}' % number, "", 0.0, 0.0)])
    print(number, flush=True)
    if number % 7 == 0:
        store.compact()
"""


@pytest.mark.crash
def test_two_writers_killed_at_any_moment_lose_nothing_that_was_kept(tmp_path, warm) -> None:
    def start(first: int) -> Process:
        return warm.start(["-c", WRITER, str(tmp_path), str(first)])

    kept: list[int] = []
    for number in range(3):
        writers = [start(1_000_000 * (2 * number + which)) for which in range(2)]
        kept += [int(writer.stdout.readline()) for writer in writers]
        time.sleep(random.uniform(0.2, 0.8))
        for writer in writers:
            writer.kill()
        for writer in writers:
            kept += [int(line) for line in writer.communicate()[0].split()]
    assert len(kept) > 50
    assert None not in known(tmp_path, kept)


def test_errors_are_sendcaps() -> None:
    assert issubclass(StoreError, SendcapError)
