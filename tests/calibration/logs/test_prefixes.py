"""The message is found behind whatever was put before it, and its own time is used.

Sources: RFC 3164 and RFC 5424 (syslog), journalctl(1) (``--output``), syslogd(8) of FreeBSD
(``-v``), the CRI log format of Kubernetes ("CRI: Log Management for Container Stdout/Stderr
Streams").
"""

from __future__ import annotations

import codecs
from datetime import UTC, datetime

import numpy as np
import pytest
from reading_lines import WRITTEN_S, names, read, read_file
from test_other_logs import MOMENTUM, POWERMTA, kumomta

from sendcap.calibration.attempts import ACCEPTED
from sendcap.calibration.logs.stamps import Syslog, moment_s

MESSAGE = (
    "4XyZ1a2b10: to=<u10@gmail.com>, relay=gmail-smtp-in.l.google.com[142.250.1.27]:25, delay=1.5, "
    "delays=0.1/0.2/0.3/0.9, dsn=2.0.0, status=sent (250 ok)"
)
NOON_S = datetime(2026, 3, 22, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "prefix",
    [
        "Mar 22 12:00:00 mail1 postfix/smtp[123]: ",
        "mail-1  | Mar 22 12:00:00 mail1 postfix/smtp[123]: ",
        "\x1b[36mmail-1  |\x1b[0m Mar 22 12:00:00 mail1 postfix/smtp[123]: ",
        "Mar 22 12:00:00.000000 mail1 postfix/smtp[123]: ",
        "Sun 2026-03-22 12:00:00 UTC mail1 postfix/smtp[123]: ",
        "Sun 2026-03-22 12:00:00 UTC mail1 postfix@-.service[123]: ",
        "Sun 2026-03-22 12:00:00.000000 UTC mail1 postfix/smtp[123]: ",
        "2026-03-22T13:00:00+0100 mail1 postfix/smtp[123]: ",
        "2026-03-22T13:00:00,000000+01:00 mail1 postfix/smtp[123]: ",
        "1774180800.000000 mail1 postfix/smtp[123]: ",
        "<22>Mar 22 12:00:00 mail1 postfix/smtp[123]: ",
        "<22>1 2026-03-22T12:00:00.000Z mail1 postfix/smtp 123 - - ",
        '<22>1 2026-03-22T12:00:00Z mail1 postfix/smtp 123 - [timeQuality isSynced="1"] ',
        "2026-03-22T12:00:01.123456789Z stdout F Mar 22 12:00:00 mail1 postfix/smtp[123]: ",
        "2026-03-22T12:00:01Z {job=mail} Mar 22 12:00:00 mail1 postfix/smtp[123]: ",
        "2026-03-22 12:00:00 mail1 postfix/smtp[123]: ",
        "2026/03/22 12:00:00 mail1 postfix/smtp[123]: ",
        "2026-03-22_12:00:00.00000 mail1 postfix/smtp[123]: ",
        "Mar 22 12:00:00 <mail.info> mail1 postfix/smtp[123]: ",
        "Mar 22 12:00:00 <2.6> mail1 postfix/smtp[123]: ",
        "mail.info: Mar 22 12:00:00 mail1 postfix-out/smtp[123]: ",
        "Mar 22 2026 12:00:00 mail1 postfix/smtp[123]: ",
        "Sun Mar 22 12:00:00 2026 mail1 postfix/smtp[123]: ",
        f"@{(1 << 62) + 1774180810:016x}00000000 postfix/smtp[123]: ",
        "\x00\x00\x00Mar 22 12:00:00 mail1 postfix/smtp[123]: ",
    ],
)
def test_the_message_is_found_behind_a_prefix(tmp_path, prefix) -> None:
    lines = [prefix + MESSAGE, prefix.replace("smtp[123]", "qmgr[9]") + "4X: from=<a@b>, nrcpt=1"]
    (row,), context, file = read(tmp_path, lines)
    assert (file.format, row["outcome"], row["finished_s"]) == ("postfix", ACCEPTED, NOON_S)
    assert (row["use"], row["arrived_s"]) == (1, NOON_S - 1.5)
    assert names(np.array([row]), context) == ["gmail"]
    assert not context.skipped.malformed


def test_an_earlier_stamp_with_a_year_tells_the_year() -> None:
    syslog = Syslog(WRITTEN_S)
    of_2024 = datetime(2024, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
    assert moment_s(b"2025-01-01T00:00:01Z stdout F Dec 31 23:59:59 m ", syslog) == of_2024
    assert moment_s(b"2024-12-31T23:59:59Z x Dec 31 23:59:59 m ", syslog) == of_2024
    with pytest.raises(ValueError):
        moment_s(b"mail-1 | postfix/smtp[1]: ", syslog)


@pytest.mark.parametrize(
    "prefix", ["mta-1  | ", "2026-03-22T12:00:01.123456789Z stdout F ", "<22>"]
)
@pytest.mark.parametrize(
    ("name", "lines", "count"),
    [
        ("kumomta", [kumomta(), kumomta(type="Bounce")], 2),
        ("powermta", POWERMTA[:3], 2),
        ("momentum", MOMENTUM[1:3], 2),
    ],
)
def test_records_of_others_are_found_behind_a_prefix(tmp_path, prefix, name, lines, count) -> None:
    rows, context, file = read(tmp_path, [prefix + line for line in lines])
    plain, _, _ = read(tmp_path, lines)
    assert (file.format, len(rows)) == (name, count)
    assert rows["finished_s"].tolist() == plain["finished_s"].tolist()
    assert not context.skipped.malformed


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_log_is_the_same_in_every_encoding(tmp_path, mark, encoding, end) -> None:
    line = f"Mar 22 12:00:00 mail1 postfix/smtp[1]: {MESSAGE}{end}"
    path = tmp_path / "mail.log"
    # Several blocks of a megabyte, in each encoding.
    path.write_bytes(mark + (line * 10_000).encode(encoding))
    rows, context = read_file(path)
    assert len(rows) == 10_000
    assert set(rows["finished_s"].tolist()) == {NOON_S}
    assert not context.skipped.malformed


@pytest.mark.parametrize(
    ("case", "year"),
    [
        ("19-postfix-docker-compose", 2026),
        ("20-postfix-journal-short-precise", 2026),
        ("21-postfix-journal-short-full", 2024),
        ("22-postfix-rfc3164-pri", 2026),
        ("24-postfix-kubernetes", 2024),
        ("25-postfix-iso-space", 2024),
        ("26-postfix-freebsd", 2026),
        ("27-postfix-journal-json", 2024),
        ("28-postfix-bom", 2026),
    ],
)
def test_the_prefixes_of_real_logs(shared, tmp_path, case, year) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(shared(f"cases/{case}/mail.log").read_bytes())
    rows, context = read_file(path)
    begin_s = datetime(year, 3, 22, 8, 0, 10, tzinfo=UTC).timestamp()
    assert rows["outcome"].tolist() == [ACCEPTED] * 10
    assert rows["finished_s"].astype(int).tolist() == [int(begin_s) + n for n in range(10)]
    assert not context.skipped.malformed
