"""Whatever a file holds, reading a queue ends with messages, or with a line that says why."""

from __future__ import annotations

import errno
import gzip
import os
import re
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

import pytest

import sendcap
from sendcap.errors import ConfigurationError
from sendcap.importers.queue_files import FORMATS, read_queue_file
from sendcap.importers.queue_files.table import _COLUMNS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; give the list of a queue"),
        (b" \n\n", "is empty; give the list of a queue"),
        (b"\x7fELF\x02\x01\x01\0\0\xff", "has NUL characters, so it is not the list of a queue"),
        (gzip.compress(b"{}", mtime=0), "is compressed; unpack it first"),
        (b"hello ann@example.org\n", "unknown format (a line looks like 'xxxxx xxx@xxxxxxx.xxx');"),
        (b"\xff\xfe", "is empty; give the list of a queue"),
    ],
)
def test_what_is_no_list_is_told(put, content, message) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_queue_file(put(content, "queue"))
    assert message in str(caught.value)
    assert str(caught.value).isprintable()


def test_what_is_no_file_is_told(tmp_path) -> None:
    for path, message in (
        (tmp_path, "is a directory; give a file"),
        (tmp_path / "nothing", "No such file or directory"),
        ("a\0b", "is not a valid file name"),
        ("", "the name of a queue file is empty"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            read_queue_file(path)


def test_a_disk_that_fails_is_told(put, monkeypatch) -> None:
    """At any line: whoever saves the results takes it for an error of theirs otherwise."""

    class Failing(TextIOWrapper):
        def readline(self, _most: int) -> str:
            if not self.tell():
                return super().readline()
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("sendcap.importers.queue_files.source.TextIOWrapper", Failing)
    path = put("provider,messages\ngmail,1\n", "queue")
    with pytest.raises(ConfigurationError, match="queue: line 2: the disk reports an error"):
        read_queue_file(path)


def test_an_unknown_format_is_told_with_those_there_are(put) -> None:
    with pytest.raises(
        ConfigurationError, match='format: "postque" is not known; did you mean "po'
    ):
        read_queue_file(put("x"), "postque")
    with pytest.raises(ConfigurationError, match='format: "x" is not known; choose one of postque'):
        read_queue_file(put("x"), "x")


def test_a_moment_before_1970_is_told(put) -> None:
    for at in (datetime(1, 1, 1), datetime(1960, 1, 1, tzinfo=UTC), datetime(9999, 1, 1)):
        with pytest.raises(ConfigurationError, match="is no moment from 1970 to 2100"):
            read_queue_file(put("provider,messages\ngmail,1\n"), at=at)


def test_a_line_without_end_is_not_held_in_memory(put, monkeypatch) -> None:
    monkeypatch.setattr("sendcap.importers.queue_files.source._LONGEST_LINE", 1000)
    with pytest.raises(ConfigurationError, match="line 2: has more than 1,000 characters"):
        read_queue_file(put("provider,messages\n" + "x" * 2000), "csv")


def test_a_pipe_that_a_process_was_started_with_is_read() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"provider,messages\ngmail,35000\n")
    os.close(writer)
    try:
        (each,) = read_queue_file(f"/dev/fd/{reader}").queued
    finally:
        os.close(reader)
    assert each.messages == 35_000


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_another_kind_is_no_traceback(put, name) -> None:
    for content in (b"\x00\x01", b"hello\n", b"\xff\xfe\xfd\n" * 50, b"{}\n[]\n", b"\xfe\xffa"):
        with pytest.raises(ConfigurationError):
            read_queue_file(put(content), name)


def test_the_page_has_every_format_and_every_column() -> None:
    page = Path(sendcap.__file__).parent / "guide" / "reference" / "queues.md"
    first = re.findall(r"^\| `(\w+)` \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(first) == sorted([*FORMATS, *_COLUMNS])
