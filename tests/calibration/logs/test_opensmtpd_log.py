"""OpenSMTPD's mail log: lines of 6.8.0p2, in the form of mta_log in mta.c, queue_log in queue.c."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from reading_lines import names, read, reasons

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, LEFT, RECEIVED, REMOVED, SOFT

NINE_S = datetime(2026, 11, 26, 9, tzinfo=UTC).timestamp()


def line(second: float, text: str) -> str:
    return f"2026-11-26T09:00:{second:06.3f}+00:00 mx1 smtpd[812]: {text}"


def tried(envelope: str, to: str, relay: str, delay: str, result: str, stat: str) -> str:
    return (
        f"e4b42575edef94c8 mta delivery evpid={envelope} from=<s@t.example> to=<{to}> rcpt=<-> "
        f'source="192.0.2.1" relay="{relay}" delay={delay} result="{result}" stat="{stat}"'
    )


A, B, C = "28468d2868cc68c9", "9e1bd82bbaea3283", "247866620e5cae58"
GMAIL = "142.250.1.27 (gmail-smtp-in.l.google.com)"
OPENSMTPD = [
    line(0.0, f"e4b4256b82ebc20e smtp envelope evpid={A} from=<s@t.example> to=<joe@gmail.com>"),
    line(0.2, "e4b42575edef94c8 mta connecting address=smtp://142.250.1.27:25 host=x"),
    line(1.5, tried(A, "Joe@gmail.com", GMAIL, "1s", "Ok", "250 2.0.0 OK")),
    line(2.0, tried(B, "x@gmail.com", GMAIL, "1h2m3s", "TempFail", "451 4.7.1 Greylisted")),
    line(3.0, tried(C, "y@gmail.com", GMAIL, "2s", "PermFail", "550 5.1.1 No such user")),
]


def test_a_message_and_its_attempts(tmp_path) -> None:
    rows, context, file = read(tmp_path, OPENSMTPD)
    assert (file.format, len(rows)) == ("opensmtpd", 4)
    assert rows["outcome"].tolist() == [RECEIVED, ACCEPTED, SOFT, HARD]
    assert rows["finished_s"].tolist() == [NINE_S + each for each in (0.0, 1.5, 2.0, 3.0)]
    assert names(rows, context)[1:] == ["gmail"] * 3
    assert reasons(rows)[2:] == ["greylisted", "user unknown"]
    assert rows["code"].tolist()[2:] == [451, 550]
    assert rows["enhanced"].tolist()[2:] == [4_007_001, 5_001_001]
    # An age is in whole seconds.
    assert rows["arrived_s"].tolist() == [NINE_S, NINE_S + 0.5, NINE_S - 3721.0, NINE_S + 1.0]
    assert rows["message"][0] == rows["message"][1]
    assert len(set(rows["session"].tolist()[1:])) == 1
    assert context.skipped.other == {"lines about something else": 1}


def test_without_a_host_no_connection_was_made(tmp_path) -> None:
    """mta_flush of mta.c names the domain in place of a host."""
    failed = tried(A, "a@yahoo.com", "yahoo.com", "5s", "TempFail", "Network error on destination")
    rows, context, _ = read(tmp_path, [line(1.0, failed)])
    assert (rows["outcome"].tolist(), rows["session"].tolist()) == ([SOFT], [0])
    assert names(rows, context) == ["yahoo"]


def test_messages_that_end_otherwise(tmp_path) -> None:
    ended = (
        "for {}: from=<s@t.example>, to=<a@gmail.com>, rcpt=<->, delay=4d, stat=Envelope expired"
    )
    local = (
        f"e4b42575edef94c8 mda delivery evpid={C} from=<s@t.example> to=<me@here.example> "
        "rcpt=<-> user=me delay=1s result=Ok stat=Delivered"
    )
    lines = [
        line(1.0, f"relay: Expire {ended.format(A)}"),
        line(2.0, f"relay: Remove {ended.format(B)}"),
        line(3.0, local),
    ]
    rows, context, file = read(tmp_path, lines)
    assert rows["outcome"].tolist() == [EXPIRED, REMOVED, LEFT]
    assert (file.used, file.lines) == (2, 3)
    assert np.isnan(rows["arrived_s"][:2]).all()
    assert context.skipped.other == {"local deliveries": 1}


def test_a_stamp_of_syslog_without_a_year(tmp_path) -> None:
    text = tried(A, "joe@gmail.com", GMAIL, "0s", "Ok", "250 OK")
    rows, _, _ = read(tmp_path, [f"Nov 26 09:00:07 mx1 smtpd[812]: {text}"])
    assert rows["finished_s"].tolist() == [NINE_S + 7.0]
