"""Stamps of local time jump by an hour when the clocks are changed; messages stay what they are."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from sendcap.calibration.attempts import ACCEPTED
from sendcap.calibration.calibrate import Calibration, calibrate
from sendcap.calibration.lives import OPEN
from sendcap.errors import SendcapError

CHANGES = {
    # In Berlin, at 01:00 UTC: hours to UTC before and after.
    "to winter time": (datetime(2026, 10, 25, 1), 2, 1),
    "to summer time": (datetime(2026, 3, 29, 1), 1, 2),
}
GREYLISTED = "deferred (host mx said: 451 4.7.1 greylisted)"
LINE = (
    "{stamp} m postfix/smtp[7]: 4D{number}: to=<u{number}@y.example>, relay=mx.y.example[192.0.2.1]"
    ":25, delay={delay:g}, delays={before:g}/0.2/0.1/1, dsn={dsn}, status={status}"
)


def log(change: str, *, zoned: bool) -> str:
    """Return a log of an hour and a half around a change; each message is tried again once."""
    moment, before, after = CHANGES[change]
    lines = []
    for number in range(200):
        for late_s in (0, 600):
            at = moment + timedelta(seconds=30 * (number - 100) + late_s)
            hours = before if at < moment else after
            local = at + timedelta(hours=hours)
            form = f"%Y-%m-%dT%H:%M:%S+0{hours}:00" if zoned else "%b %e %H:%M:%S"
            line = LINE.format(
                stamp=local.strftime(form),
                number=number,
                delay=1.4 + late_s,
                before=0.1 + late_s,
                dsn="2.0.0" if late_s else "4.7.1",
                status="sent (250 ok)" if late_s else GREYLISTED,
            )
            lines.append((at, line))
    return "".join(f"{line}\n" for _, line in sorted(lines))


def read(tmp_path, text: str) -> Calibration:
    path = tmp_path / "mail.log"
    path.write_text(text)
    written_s = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
    os.utime(path, (written_s, written_s))
    return calibrate([path])


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("zoned", [True, False])
def test_a_message_is_one_before_and_after_the_clocks_are_changed(tmp_path, change, zoned) -> None:
    found = read(tmp_path, log(change, zoned=zoned))
    (provider,) = found.evidence.providers.values()
    assert (found.evidence.messages, found.evidence.partial) == (200, 0)
    assert (provider.ends[ACCEPTED], provider.ends[OPEN]) == (200, 0)
    # Postfix's delay of a retry tells the gap, too.
    assert np.allclose(found.gaps.gap_s, 598.8, atol=1.0)


def test_a_clock_that_was_not_set_costs_one_line(tmp_path) -> None:
    text = log("to winter time", zoned=True)
    early = LINE.format(
        stamp="1970-01-01T00:00:07+00:00", number="x", delay=1.4, before=0.1, dsn="2.0.0",
        status="sent (250 ok)",
    )  # fmt: skip
    found = read(tmp_path, f"{early}\n{text}")
    assert (found.evidence.messages, found.files[0].used) == (200, 400)
    assert found.skipped.malformed == {"time before 2000": 1}
    assert found.evidence.last_s - found.evidence.first_s < 7200


def test_records_of_more_than_a_year_are_an_error_in_words(tmp_path) -> None:
    text = log("to winter time", zoned=True)
    text += text.replace("2026-", "2016-").replace(": 4D", ": 4E")
    with pytest.raises(SendcapError, match=r"of 2016-10-25 .* to 2026-10-25 .*at most 366 days"):
        read(tmp_path, text)


def test_another_arrival_is_another_message(tmp_path) -> None:
    """Of a number that is used again, the arrival is not just an hour later."""
    line = LINE.format(stamp="{}", number=1, delay=1.4, before=0.1, dsn="4.7.1", status=GREYLISTED)
    times = ("10:00:00", "11:10:00", "12:30:00")
    text = "".join(f"{line.format(f'Mar 20 {time}')}\n" for time in times)
    assert read(tmp_path, text).evidence.messages == 3
