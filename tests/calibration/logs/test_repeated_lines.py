"""Lines that logs have again count once; lines of two events that look alike count twice.

Sources: Postfix, ``src/global/log_adhoc.c`` (what a line has) and postconf(5),
``enable_original_recipient``; rsyslog, "$RepeatedMsgReduction"; logrotate(8), ``copytruncate``;
Momentum, "mainlog" (no recipient in a line); PowerMTA 5.0 User's Guide, "records" (no number of a
message in a row).
"""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest
from reading_lines import read_once
from test_exim_log import EXIM, ID
from test_opensmtpd_log import OPENSMTPD
from test_other_logs import MOMENTUM, POWERMTA, kumomta

from sendcap.calibration.calibrate import calibrate
from sendcap.calibration.report import report

DAY = "2026-11-26"


def sent(
    second: int, *, number: str = "", to: str = "", stamp: str = "", delay: float = 1.4, **more: str
) -> str:
    stamp = stamp or f"{DAY}T09:{second // 60:02}:{second % 60:02}+00:00"
    original = f"orig_to=<{more['original']}>, " if "original" in more else ""
    return (
        f"{stamp} mx1 postfix/smtp[{more.get('pid', '7')}]: {number or f'4Xab{second}'}: "
        f"to=<{to or f'u{second}@y.example'}>, {original}relay=mx.y.example[192.0.2.1]:25, "
        f"delay={delay}, delays=0.1/0.2/0.1/1, dsn=2.0.0, status=sent (250 2.0.0 OK)"
    )


POSTFIX = [sent(second) for second in range(200)]
KUMOMTA = [kumomta(id=f"{n}", recipient=f"u{n}@gmail.com") for n in range(3)]
NUMBERED = {
    "postfix": (POSTFIX, 200),
    "exim": (EXIM, 4),
    "opensmtpd": (OPENSMTPD, 4),
    "kumomta": (KUMOMTA, 3),
}


@pytest.mark.parametrize("name", NUMBERED)
@pytest.mark.parametrize("copies", [2, 3])
def test_one_log_behind_another_counts_once(tmp_path, name, copies) -> None:
    lines, count = NUMBERED[name]
    once, _, (alone,) = read_once(tmp_path, lines)
    rows, context, (file,) = read_once(tmp_path, lines * copies)
    assert (len(rows), file.used) == (len(once), alone.used)
    assert context.skipped.other["repeated lines"] == count * (copies - 1)
    # Not even the time that the recipients of a transaction share is that of more of them.
    assert np.array_equal(rows["transaction_s"], once["transaction_s"], equal_nan=True)
    assert np.array_equal(rows["use"], once["use"])


@pytest.mark.parametrize("name", NUMBERED)
def test_a_line_that_is_there_twice_counts_once(tmp_path, name) -> None:
    lines, count = NUMBERED[name]
    once, _, _ = read_once(tmp_path, lines)
    rows, context, _ = read_once(tmp_path, [line for line in lines for _ in range(2)])
    assert len(rows) == len(once)
    assert context.skipped.other["repeated lines"] == count


def test_rotated_files_may_overlap(tmp_path) -> None:
    rows, context, files = read_once(tmp_path, POSTFIX[:120], POSTFIX[100:])
    assert len(rows) == 200
    assert [file.used for file in files] == [120, 80]
    assert context.skipped.other["repeated lines"] == 20
    assert context.attempts.by_provider.sum() == 200


def test_the_same_log_twice_counts_once_and_the_report_says_so(tmp_path) -> None:
    text = ("\n".join(POSTFIX) + "\n").encode()
    (tmp_path / "mail.log").write_bytes(text)
    (tmp_path / "mail.log.1.gz").write_bytes(gzip.compress(text))
    once = calibrate([tmp_path / "mail.log"])
    twice = calibrate([tmp_path / "mail.log", tmp_path / "mail.log.1.gz"])
    assert "Lines passed over:\n- repeated lines: 200\n" in report(twice)
    assert [file.used for file in twice.files] == [200, 0]
    assert twice.text.replace("mail.log, mail.log.1.gz", "mail.log") == once.text


@pytest.mark.parametrize("hours", [0, 1, -5, 5.75])
def test_two_forms_of_a_log_count_once(tmp_path, hours) -> None:
    """Syslog has whole seconds of the local time, journald microseconds of UTC."""
    start_s = 1_795_683_600
    syslog, journal = [], []
    for second in range(100):
        local = np.datetime64(int(start_s + second + hours * 3600), "s").item()
        syslog.append(sent(second, stamp=local.strftime("%b %e %H:%M:%S")))
        message = sent(second).partition("]: ")[2]
        journal.append(
            json.dumps(
                {
                    "__REALTIME_TIMESTAMP": str((start_s + second) * 1_000_000 + 345_678),
                    "SYSLOG_IDENTIFIER": "postfix/smtp",
                    "SYSLOG_PID": "7",
                    "MESSAGE": message,
                }
            )
        )
    _, context, files = read_once(tmp_path, syslog, journal)
    assert [file.used for file in files] == [100, 0]
    assert context.skipped.other["repeated lines"] == 100
    assert context.attempts.last_s - context.attempts.first_s == 99


@pytest.mark.parametrize(
    "other",
    [
        sent(5, number="4Xother"),
        sent(5, to="another@y.example"),
        # Postfix delivers twice to an address that a message has by two aliases.
        sent(5, original="info@t.example"),
        sent(5).replace("status=sent", "status=deferred"),
        # A retry, at the same second of a quarter of an hour.
        sent(5 + 900, number="4Xab5", to="u5@y.example", delay=901.4),
    ],
)
def test_another_event_is_no_repetition(tmp_path, other) -> None:
    rows, context, _ = read_once(tmp_path, [sent(5), other])
    assert len(rows) == 2
    assert "repeated lines" not in context.skipped.other


@pytest.mark.parametrize(
    "lines",
    [
        [POWERMTA[0], *[POWERMTA[1]] * 3],
        [MOMENTUM[0]] * 3,
    ],
)
def test_lines_without_numbers_may_be_of_several_messages(tmp_path, lines) -> None:
    """Momentum's name no recipient, and PowerMTA's rows no message."""
    rows, context, _ = read_once(tmp_path, lines)
    assert len(rows) == 3
    assert "repeated lines" not in context.skipped.other
    # In two logs it is the same three.
    rows, context, files = read_once(tmp_path, lines[:-1], lines)
    assert [file.used for file in files] == [2, 1]
    assert context.skipped.other["repeated lines"] == 2


@pytest.mark.parametrize(
    ("head", "line", "of_a_time"),
    [
        (POWERMTA[:1], "d,{},1795683600,o@t.example,u@y.example,2.0.0,,,,", "{}"),
        ([], "{}@a@b@c@D@y.example@900@g@b@0@1.5@192.0.2.1", "{}"),
    ],
)
def test_a_log_without_numbers_behind_another_counts_once(tmp_path, head, line, of_a_time) -> None:
    # All messages look alike but for the time, as in a test of the load.
    lines = [*head, *(line.format(1_795_683_600 + 60 * (n // 2)) for n in range(40))]
    rows, context, _ = read_once(tmp_path, lines * 2)
    assert len(rows) == 40
    assert context.skipped.other["repeated lines"] == 40


def test_local_deliveries_are_passed_over_as_they_are(tmp_path) -> None:
    here = [
        f"{DAY} 09:00:0{n + 3} {ID} => {name} <{name}@here.example> R=local T=local_delivery"
        for n in range(3)
        for name in ("ann", "bob")
    ]
    lines = [*EXIM, *here]
    _, _, (once,) = read_once(tmp_path, lines)
    _, context, (first, second) = read_once(tmp_path, lines, lines)
    assert (first.used, second.used) == (once.used, 0)
    assert context.skipped.other["local deliveries"] == 12
    assert context.skipped.other["repeated lines"] == once.used


def test_messages_that_wait_count_once(tmp_path) -> None:
    taken = f"{DAY}T09:00:00Z mx1 postfix/qmgr[5]: {{}}: from=<s@t.example>, size=9, nrcpt=2 "
    waiting = [taken.format(f"4Xw{n}") + "(queue active)" for n in range(5)]
    for name, lines in (("a", waiting), ("b", waiting[3:])):
        (tmp_path / name).write_text("\n".join([*POSTFIX, *lines]) + "\n")
    assert calibrate([tmp_path / "a", tmp_path / "b"]).evidence.waiting == 10
