"""What is no file is refused by name at once; endless lines and packed emptiness are too."""

from __future__ import annotations

import ast
import bz2
import gzip
import lzma
import os
import re
import socket
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

import sendcap
from sendcap.calibration.feedback import latencies_s
from sendcap.calibration.logs.opening import Log
from sendcap.calibration.logs.recognising import recognised
from sendcap.calibration.providers import read_map
from sendcap.errors import SendcapError
from sendcap.files.reading import LONGEST_LINE
from sendcap.importers.plan import audience_of, mail_exchangers
from sendcap.importers.queue_files import read_queue_file
from sendcap.importers.reading import read
from sendcap.scenario import from_dict, load
from sendcap.scenario.uncertain import load_uncertain
from sendcap.study.forecasts.readings import read_readings
from sendcap.study.optimisation.optimise_file import load_optimise_study
from sendcap.study.sweeps.points import points_of
from sendcap.study.sweeps.study_file import load_study


def log(path: Path) -> Any:
    return recognised(Log(path))


def times(path: Path) -> Any:
    table = {"dist": "empirical", "file": str(path), "column": "s"}
    return from_dict({"relay": {"batch_time": table}})


TABLES: Final[dict[str, Callable[[Path], Any]]] = {
    "measured times": times,
    "points": points_of,
    "readings": read_readings,
    "providers": read_map,
    "feedback": latencies_s,
}
TEXTS: Final[dict[str, Callable[[Path], Any]]] = {
    "scenario": load,
    "scenario with ranges": load_uncertain,
    "study": load_study,
    "optimisation": load_optimise_study,
    "audience": lambda path: audience_of(str(path)),
    "MX hosts": mail_exchangers,
    "configuration": lambda path: read(path, "Postfix configuration"),
}
SURFACES: Final = {**TABLES, **TEXTS, "log": log, "queue": read_queue_file}


@pytest.fixture
def special(tmp_path: Path) -> Callable[[str], Path]:
    def make(kind: str) -> Path:
        path = tmp_path / "special"
        if kind == "a named pipe":
            os.mkfifo(path)
        elif kind == "a socket":
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(path))
        elif kind == "a directory":
            path.mkdir()
        else:
            path.symlink_to("/dev/zero")
        return path

    return make


@pytest.mark.parametrize("kind", ["a named pipe", "a socket", "a directory", "a device"])
@pytest.mark.parametrize("surface", SURFACES)
def test_what_is_no_file_is_refused_by_name(
    special: Callable[[str], Path], surface: str, kind: str
) -> None:
    path = special(kind)
    with pytest.raises(SendcapError) as caught:
        SURFACES[surface](path)
    assert str(path) in str(caught.value).splitlines()[0] or surface == "measured times"
    assert f"is {kind}" in str(caught.value)


@pytest.mark.parametrize("surface", TABLES)
def test_a_line_has_a_longest_length(tmp_path: Path, surface: str) -> None:
    path = tmp_path / "one-line.csv"
    path.write_bytes(b"0" * 30_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(SendcapError, match=f"line 1 has more than {LONGEST_LINE:,} characters"):
            TABLES[surface](path)
        assert tracemalloc.get_traced_memory()[1] < 15_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("surface", TABLES)
def test_a_table_has_a_largest_size(
    tmp_path: Path, surface: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sendcap.files.reading._MOST_LINES", 1000)
    path = tmp_path / "empty-lines.csv"
    path.write_bytes(b"\n" * 2000)
    with pytest.raises(SendcapError, match=r"or 1,000 lines\)|is empty|must name the scenario"):
        TABLES[surface](path)


@pytest.mark.parametrize("opener", [gzip.open, bz2.open, lzma.open])
@pytest.mark.parametrize("reading", ["recognised", "read"])
def test_a_packed_log_of_nothing_is_refused(
    tmp_path: Path, opener: Callable[..., Any], reading: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sendcap.calibration.logs.opening._FREE_BYTES", 1 << 20)
    path = tmp_path / "log.packed"
    with opener(path, "wb") as file:
        for _ in range(6):
            file.write(b"\n" * 1_000_000)
    with pytest.raises(
        SendcapError, match=r"log\.packed: (is empty|unpacks to more than 250 times)"
    ):
        for _ in Log(path).blocks() if reading == "read" else [log(path)]:
            pass


def test_a_pipe_that_a_process_was_started_with_is_read() -> None:
    reader, writer = os.pipe()
    os.write(writer, sendcap.scenario.preset_text("quickstart").encode())
    os.close(writer)
    try:
        assert load(f"/dev/fd/{reader}") == load("quickstart")
    finally:
        os.close(reader)


OPENS: Final = {
    "explore.server": "files of the package",
    "explore.exact": "the progress of a process of its own",
    "files.checksums": "saved directories",
    "files.reading": "this is the place",
    "files.single": "files that are written",
    "files.tables": "tables that sendcap has written",
    "guide.pages": "pages of the package",
    "model.kernel.compiled": "the package's own sources",
    "model.feasibility": "the control group's limit",
    "plotting": "saved directories",
    "readings.kpi_files": "files that are written",
    "readings.people_file": "saved directories",
    "report.page": "files of the package",
    "saved": "saved directories",
    "scenario.files": "presets of the package",
    "study.sweeps.store": "saved directories",
}
"""Modules that open files otherwise, and why."""
PACKAGE: Final = Path(sendcap.__file__).parent


READERS: Final = {"read_text", "read_bytes", "read_csv"}
NAMED: Final = re.compile(rf"\b(open|{'|'.join(READERS)})\b")
"""What a module says that opens a path; most say nothing of it, and need no look at their parts."""


def opens(tree: ast.Module) -> bool:
    """Tell whether a module opens a path: ``path.open("rb")``, ``open(path)``, ``path.read_…``."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="open")):
                return True
            case ast.Call(func=ast.Attribute(attr="open"), args=[ast.Constant(), *_]):
                return True
            case ast.Call(func=ast.Attribute(attr=name)) if name in READERS:
                return True
    return False


def test_every_other_file_is_opened_at_the_one_place() -> None:
    found = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        if NAMED.search(text := path.read_text(encoding="utf-8")) and opens(ast.parse(text))
    }
    assert found <= OPENS.keys()
