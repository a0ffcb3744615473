from __future__ import annotations

import bz2
import gzip
import lzma
import os
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from reading_lines import WRITTEN_S, read
from test_postfix_log import BOUNCED, SENT

from sendcap.calibration.logs.opening import LONGEST_LINE, Log
from sendcap.calibration.logs.reading import Context
from sendcap.calibration.logs.recognising import read_logs
from sendcap.calibration.logs.stamps import Syslog, any_time, rfc3339_s
from sendcap.calibration.providers import Providers
from sendcap.errors import SendcapError

TEXT = f"{SENT}\n{BOUNCED}\n".encode() * 2000


def zstd(text: bytes) -> bytes:
    return pa.compress(text, codec="zstd", asbytes=True)


def xz(text: bytes) -> bytes:
    # As quickly as it can.
    return lzma.compress(text, preset=0)


@pytest.mark.parametrize(
    ("name", "compressed"),
    [
        ("plain", lambda text: text),
        ("gzip", gzip.compress),
        ("bz2", bz2.compress),
        ("xz", xz),
        ("zstd", zstd),
        ("as spreadsheets save it", lambda text: text.replace(b"\n", b"\r")),
        ("two gzips", lambda text: gzip.compress(text[:1000]) + gzip.compress(text[1000:])),
        ("two zstds", lambda text: zstd(text[:1000]) + zstd(text[1000:])),
    ],
)
def test_a_log_is_the_same_however_it_is_compressed(tmp_path, name, compressed) -> None:
    path = tmp_path / "mail.log.1"
    path.write_bytes(compressed(TEXT))
    context = Context(Providers())
    (file,) = read_logs([path], context)
    assert (file.lines, file.used, file.remark) == (4000, 4000, "")
    assert file.read_bytes == len(TEXT)


def test_files_that_have_the_same_header_alone_are_read(tmp_path) -> None:
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for number, path in enumerate(paths):
        path.write_text(f"type,timeLogged,rcpt\nd,{1_795_683_600 + number},a@b.example\n")
    assert [each.used for each in read_logs(paths, Context(Providers()))] == [1, 1]


@pytest.mark.parametrize("compressed", [gzip.compress, bz2.compress, xz, zstd])
def test_of_a_file_that_is_cut_off_what_is_there_is_used(tmp_path, compressed) -> None:
    path = tmp_path / "mail.log.1"
    # Every line has something that cannot be compressed, so that half of the file is half of them.
    lines = [f"{os.urandom(20).hex()} {n}".encode() for n in range(40_000)]
    whole = compressed(b"\n".join(lines))
    path.write_bytes(whole[: len(whole) // 2])
    log = Log(path)
    found = [line for block in log.blocks() for line in block]
    assert log.damage.startswith(("is cut off", "is damaged"))
    # bzip2 gives nothing of the block of 900 kB that is cut.
    assert len(found) > (8_000 if compressed is bz2.compress else 19_000)
    assert found[:-1] == lines[: len(found) - 1]


def test_a_gzip_that_is_damaged_at_once_is_an_error_in_words(tmp_path) -> None:
    path = tmp_path / "mail.log.gz"
    path.write_bytes(gzip.compress(TEXT)[:12])
    with pytest.raises(SendcapError, match="cut off"):
        read_logs([path], Context(Providers()))


def test_a_gzip_knows_when_its_log_was_written(tmp_path) -> None:
    path = tmp_path / "mail.log.gz"
    path.write_bytes(gzip.compress(TEXT, mtime=1_400_000_000))
    assert Log(path).written_s == 1_400_000_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"hello\nworld\n", "unknown format"),
        (bytes(range(256)) * 10, "unknown format"),
        (b"PK\x03\x04" + bytes(80), "is a zip archive; unpack it"),
        (b"\x04\x22\x4d\x18" + bytes(80), "is compressed with lz4; unpack it"),
    ],
)
def test_a_file_that_is_no_log_is_an_error_in_words(tmp_path, content, message) -> None:
    path = tmp_path / "x.log"
    path.write_bytes(content)
    with pytest.raises(SendcapError, match=message) as error:
        read_logs([path], Context(Providers()))
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("name", "content", "remark"),
    [
        ("mail.log", b"", "is empty"),
        ("mail.log.gz", gzip.compress(b"", mtime=0), "is empty"),
        ("mail.log.gz", gzip.compress(TEXT, mtime=0)[:12], "is cut off"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_log_that_was_just_rotated_may_be_empty(tmp_path, name, content, remark, first) -> None:
    paths = [tmp_path / name, tmp_path / "mail.log.1"]
    paths[0].write_bytes(content)
    paths[1].write_bytes(TEXT)
    files = read_logs(paths if first else paths[::-1], Context(Providers()))
    empty, full = files if first else files[::-1]
    assert (empty.used, full.used) == (0, 4000)
    assert empty.remark.startswith(remark)


def test_a_directory_and_a_missing_file_are_errors_in_words(tmp_path) -> None:
    with pytest.raises(SendcapError, match="is a directory"):
        Log(tmp_path)
    with pytest.raises(SendcapError, match="No such file"):
        Log(tmp_path / "none")


def test_a_line_that_is_too_long_is_left_out_and_the_next_is_read(tmp_path) -> None:
    for size in (LONGEST_LINE + 1, 3 << 20):
        rows, context, file = read(tmp_path, [SENT, "x" * size, BOUNCED])
        assert len(rows) == 2
        assert file.lines == 3
        assert context.skipped.malformed == {"line too long": 1}
        assert context.skipped.samples["line too long"][0].line == 2


def test_lines_have_their_numbers_over_all_blocks(tmp_path) -> None:
    lines = [SENT] * 9000 + [SENT.replace("delay=", "dilay=")] + [SENT] * 10
    _, context, _ = read(tmp_path, lines)
    assert context.skipped.samples["unreadable delivery line"][0].line == 9001


def utc(*when: int) -> float:
    return datetime(*when, tzinfo=UTC).timestamp()


def test_the_29th_of_february_is_of_a_leap_year() -> None:
    assert Syslog(WRITTEN_S).seconds(b"Feb 29 10:00:00") == utc(2024, 2, 29, 10)
    assert Syslog(utc(2024, 3, 1)).seconds(b"Feb 29 10:00:00") == utc(2024, 2, 29, 10)


def test_a_late_line_of_the_old_year_stays_in_it() -> None:
    syslog = Syslog(utc(2026, 1, 2))
    found = [
        syslog.seconds(stamp)
        for stamp in (
            b"Dec 31 23:59:58",
            b"Jan  1 00:00:00",
            b"Dec 31 23:59:59",
            b"Jan  1 00:00:02",
        )
    ]
    assert found == [
        utc(2025, 12, 31, 23, 59, 58),
        utc(2026, 1, 1),
        utc(2025, 12, 31, 23, 59, 59),
        utc(2026, 1, 1, 0, 0, 2),
    ]


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (b"2026-11-26T09:00:00Z", utc(2026, 11, 26, 9)),
        (b"2026-11-26T09:00:00.25+01:00", utc(2026, 11, 26, 8) + 0.25),
        (b"2026-11-26T09:00:00-0530", utc(2026, 11, 26, 14, 30)),
        (b"2026-11-26 09:00:00+00", utc(2026, 11, 26, 9)),
        # A leap second is the first one of the next minute, as in a stamp like Syslog's.
        (b"2016-12-31T23:59:60Z", utc(2017, 1, 1)),
        (b"2017-01-01T00:59:60.5+01:00", utc(2017, 1, 1) + 0.5),
        (b"2017-01-01T05:29:60+05:30", utc(2017, 1, 1)),
    ],
)
def test_zones(stamp, expected) -> None:
    assert rfc3339_s(stamp) == expected


@pytest.mark.parametrize(
    "stamp",
    [b"2026-13-26T09:00:00Z", b"2026-11-26T09:00:61Z", b"", b"2026-11-26T09:00:00+1", b"x" * 40],
)
def test_what_is_no_time_is_none(stamp) -> None:
    with pytest.raises(ValueError):
        rfc3339_s(stamp)
    with pytest.raises(ValueError):
        any_time(stamp.decode() or "-1")
