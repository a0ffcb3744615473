"""The year of a stamp without one: no line is later than the file's last change."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from reading_lines import WRITTEN_S
from test_prefixes import MESSAGE

from sendcap.calibration.logs.reading import Context
from sendcap.calibration.logs.recognising import read_logs
from sendcap.calibration.providers import Providers


def plain(text: bytes) -> bytes:
    return text


def zipped(text: bytes) -> bytes:
    return gzip.compress(text, mtime=int(WRITTEN_S))


def days_read(path, days, compress=plain, lines=1) -> list[str]:
    """Write a log with lines at noon of some days, and return the days that are read."""
    text = "".join(f"{day} 12:00:00 m postfix/smtp[1]: {MESSAGE}\n" * lines for day in days)
    path.write_bytes(compress(text.encode()))
    os.utime(path, (WRITTEN_S, WRITTEN_S))
    context = Context(Providers())
    read_logs([path], context)
    rows = np.concatenate(list(context.attempts.parts()))
    times_s = rows["finished_s"][::lines].tolist()
    return [f"{datetime.fromtimestamp(moment_s, UTC):%Y-%m-%d}" for moment_s in times_s]


@pytest.mark.parametrize("compress", [plain, zipped])
@pytest.mark.parametrize(
    ("days", "expected"),
    [
        # The file is of 2026-11-27.
        (["Aug 31", "Feb 25"], ["2025-08-31", "2026-02-25"]),
        (["Jul 31", "Mar  5"], ["2025-07-31", "2026-03-05"]),
        (["Nov 20", "Nov 27"], ["2026-11-20", "2026-11-27"]),
        (["Nov 28"], ["2026-11-28"]),
        (["Nov 29"], ["2025-11-29"]),
        (["Dec 31", "Jan  1", "Dec 31", "Jan  2"], ["2025-12-31", "2026-01-01"] * 2),
        (["Jan  5", "Aug 20", "Nov  1"], ["2026-01-05", "2026-08-20", "2026-11-01"]),
        (
            ["Mar  1", "Dec  1", "Feb  1", "Nov  1", "Jan  1"],
            ["2024-03-01", "2024-12-01", "2025-02-01", "2025-11-01", "2026-01-01"],
        ),
        (["Feb 28", "Feb 29", "Mar  1"], ["2024-02-28", "2024-02-29", "2024-03-01"]),
        (["Nov 20", "Nov 13"], ["2026-11-20", "2026-11-13"]),
    ],
)
def test_no_line_is_later_than_its_file(tmp_path, days, expected, compress) -> None:
    found = days_read(tmp_path / "mail.log", days, compress)
    if days[1:3] == ["Jan  1", "Dec 31"]:
        # The third line is a late one of the old year.
        expected = ["2025-12-31", "2026-01-01", "2025-12-31", "2026-01-02"]
    assert found == expected


@pytest.mark.parametrize("compress", [plain, zipped])
def test_a_log_of_years_is_read_from_its_end(tmp_path, compress) -> None:
    first = datetime(2023, 12, 1, tzinfo=UTC)
    whole = [first + timedelta(days=n) for n in range(0, 1090, 5)]
    days = [f"{day:%b} {day.day:2d}" for day in whole]
    found = days_read(tmp_path / "mail.log", days, compress, lines=50)
    assert found == [f"{day:%Y-%m-%d}" for day in whole]


def test_the_years_of_a_real_log(shared, tmp_path) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(shared("cases/57-postfix-half-a-year/mail.log").read_bytes())
    written_s = datetime(2026, 11, 28, tzinfo=UTC).timestamp()
    os.utime(path, (written_s, written_s))
    context = Context(Providers())
    read_logs([path], context)
    rows = np.concatenate(list(context.attempts.parts()))
    years = [datetime.fromtimestamp(moment_s, UTC).year for moment_s in rows["finished_s"]]
    assert years == [2025, 2026]
