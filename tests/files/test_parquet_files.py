"""Parquet files are read, and the process that has read them ends."""

from __future__ import annotations

import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sendcap.files.parquet import opened, table_in

PROGRAM = """
import os, sys
from pathlib import Path
from sendcap.files.parquet import opened, table_in
from sendcap.study.sweeps import store  # Python has much to forget as it ends

path = Path(sys.argv[1])
for read in 8 * sys.argv[2:]:
    child = os.fork()
    if not child:
        exec(read)
        sys.exit(7)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 7:
        sys.exit(f"a process was aborted after {read}")
# Its own end shows nothing more.
os._exit(0)
"""


@pytest.fixture
def file(tmp_path):
    columns = {name: [f"{name} {number}" for number in range(9)] for name in "abcde"}
    look = {"compression": "zstd", "write_page_checksum": True}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet", **look)
    return tmp_path / "a.parquet"


def test_a_process_that_ends_at_once_after_reading_is_not_aborted(file) -> None:
    """Threads of Arrow let go of what they have read while Python ends."""
    reads = ["opened(path).read()", "table_in(path.read_bytes())"]
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(file), *reads],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_file_is_read_by_its_name_and_from_its_content(file) -> None:
    table = pq.read_table(file)
    with opened(file) as found:
        assert found.read() == table
    assert table_in(file.read_bytes()) == table
