from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from reading_lines import names, read, reasons

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, SOFT

SENT = (
    "Nov 26 09:00:10 mx1 postfix/smtp[99]: 4XabC1: to=<joe@gmail.com>, "
    "relay=gmail-smtp-in.l.google.com[142.250.1.27]:25, delay=10, delays=0.5/6.5/2.1/0.9, "
    "dsn=2.0.0, status=sent (250 2.0.0 OK 12345 - gsmtp)"
)
DEFERRED = (
    "2026-11-26T09:00:20.250000+01:00 mx1 postfix/out/smtp[7]: 4XabC2: to=<ann@yahoo.co.uk>, "
    "orig_to=<a@b.example>, relay=mta5.am0.yahoodns.net[67.195.1.1]:25, conn_use=3, delay=1.4, "
    "delays=0.1/0.2/0.04/1.1, tls=TLSv1.3, dsn=4.7.1, status=deferred (host "
    "mta5.am0.yahoodns.net[67.195.1.1] said: 451 4.7.1 Greylisted, come back later (in reply to "
    "RCPT TO command))"
)
NOWHERE = (
    "Nov 26 09:01:00 mx1 postfix/error[7]: 4XabC3: to=<x@example.org>, relay=none, delay=301, "
    "delays=300/0.9/0/0.1, dsn=4.4.1, status=deferred (delivery temporarily suspended: connect to "
    "example.org[192.0.2.9]:25: Connection timed out)"
)
BOUNCED = (
    "Nov 26 09:02:00 mx1 postfix/relay/smtp[7]: 4XabC4: to=<x@hotmail.com>, "
    "relay=hotmail-com.olc.protection.outlook.com[52.1.1.1]:25, delay=3, delays=0/0/1/2, "
    "dsn=5.5.0, status=bounced (host hotmail-com.olc.protection.outlook.com[52.1.1.1] said: 550 "
    "5.5.0 Requested action not taken: mailbox unavailable (in reply to RCPT TO command))"
)
OTHERS = [
    "Nov 26 09:00:00 mx1 postfix/qmgr[5]: 4XabC1: from=<s@t.example>, size=9, nrcpt=1 (active)",
    (
        "Nov 26 09:00:00 mx1 postfix/local[5]: 4Xl: to=<root@mx1>, relay=local, delay=0.1, "
        "delays=0.1/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)"
    ),
    (
        "Nov 26 09:00:00 mx1 postfix/smtp[5]: 4Xfiltered: to=<u@v.example>, "
        "relay=127.0.0.1[127.0.0.1]:10024, delay=0.1, delays=0.1/0/0/0, dsn=2.0.0, "
        "status=sent (250 2.0.0 Ok)"
    ),
    "Nov 26 09:00:00 mx1 postfix/cleanup[5]: 4Xfiltered: message-id=<1@v.example>",
    "Nov 26 09:00:00 mx1 postfix/cleanup[5]: 4XabC1: message-id=<1@v.example>",
]


def utc(*when: int) -> float:
    return datetime(*when, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "address", ['"a b, c>d"@gmail.com', '"a, relay=none"@gmail.com', '"a@b.example"@gmail.com']
)
@pytest.mark.parametrize("place", ["to=<{}>", "to=<joe@gmail.com>, orig_to=<{}>"])
def test_a_quoted_local_part_may_have_any_sign(tmp_path, address, place) -> None:
    """RFC 5321, 4.1.2, Quoted-string."""
    line = SENT.replace("to=<joe@gmail.com>", place.format(address))
    (row,), context, _ = read(tmp_path, [line])
    assert names(np.array([row]), context) == ["gmail"]
    assert row["outcome"] == ACCEPTED


def test_the_four_delays_give_the_times_of_an_attempt(tmp_path) -> None:
    (row,), context, file = read(tmp_path, [SENT])
    finished_s = utc(2026, 11, 26, 9, 0, 10)
    assert row["finished_s"] == finished_s
    assert row["arrived_s"] == finished_s - 10
    assert row["ready_s"] == finished_s - 10 + 0.5
    assert row["started_s"] == pytest.approx(finished_s - 2.1 - 0.9)
    assert row["setup_s"] == pytest.approx(2.1)
    assert row["transaction_s"] == pytest.approx(0.9)
    assert (row["outcome"], row["use"], row["enhanced"]) == (ACCEPTED, 1, 2_000_000)
    assert context.providers.names[row["provider"]] == "gmail"
    assert (file.format, file.lines, file.used) == ("postfix", 1, 1)


def test_a_connection_that_is_used_again_was_not_set_up(tmp_path) -> None:
    (row,), context, _ = read(tmp_path, [DEFERRED])
    assert row["finished_s"] == utc(2026, 11, 26, 8, 0, 20) + 0.25
    assert (row["use"], row["setup_s"]) == (3, 0.0)
    assert (row["outcome"], row["code"], row["enhanced"]) == (SOFT, 451, 4_007_001)
    assert reasons(np.array([row])) == ["greylisted"]
    assert context.providers.names[row["provider"]] == "yahoo"


def test_without_a_connection_there_are_no_times_of_one(tmp_path) -> None:
    (row,), context, _ = read(tmp_path, [NOWHERE])
    assert np.isnan(row["setup_s"])
    assert np.isnan(row["transaction_s"])
    assert np.isnan(row["started_s"])
    assert row["use"] == 0
    assert reasons(np.array([row])) == ["unreachable"]
    assert context.providers.names[row["provider"]] == "other"


def test_words_of_the_reply_tell_the_reason_and_not_the_command(tmp_path) -> None:
    (row,), context, _ = read(tmp_path, [BOUNCED])
    assert (row["outcome"], row["code"]) == (HARD, 550)
    assert reasons(np.array([row])) == ["user unknown"]
    assert names(np.array([row]), context) == ["outlook"]


def test_what_is_not_sent_to_other_servers_is_counted_and_left_out(tmp_path) -> None:
    rows, context, _ = read(tmp_path, [*OTHERS, SENT])
    assert len(rows) == 1
    assert context.skipped.other == {
        "lines about something else": 3,
        "local deliveries": 1,
        "handed to a program on the same machine": 1,
    }
    assert not context.skipped.malformed


def test_the_recipients_of_a_message_are_told_apart(tmp_path) -> None:
    rows, _, _ = read(tmp_path, [SENT, SENT.replace("joe@", "sue@"), SENT.replace("4XabC1", "4Y")])
    assert len(set(rows["message"].tolist())) == 2
    assert len(set(rows["recipient"].tolist())) == 2


def test_an_expiry_is_of_all_recipients(tmp_path) -> None:
    line = "Nov 26 09:05:00 mx1 postfix/qmgr[5]: 4XabC3: from=<s@t.x>, status=expired, back"
    rows, _, _ = read(tmp_path, [NOWHERE, line])
    assert rows["outcome"].tolist() == [SOFT, EXPIRED]
    assert rows["message"][0] == rows["message"][1]
    assert rows["recipient"][1] == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("delays=0.5/6.5/2.1/0.9", "delays=0.5/6.5/2.1"),
        ("Nov 26", "Nov 41"),
        ("Nov 26", "Nox 26"),
        ("09:00:10", "29:00:10"),
        ("dsn=2.0.0, ", ""),
    ],
)
def test_a_damaged_line_is_counted_and_its_shape_kept(tmp_path, old, new) -> None:
    rows, context, _ = read(tmp_path, [SENT.replace(old, new), BOUNCED])
    assert rows["outcome"].tolist() == [HARD]
    ((why, count),) = context.skipped.malformed.items()
    assert count == 1
    (sample,) = context.skipped.samples[why]
    assert (sample.file, sample.line) == ("a.log", 1)
    assert "joe" not in sample.shape


def test_a_number_with_two_points_is_none(tmp_path) -> None:
    rows, _, _ = read(tmp_path, [SENT.replace("2.1/0.9", "2.1.3/0.9")])
    assert np.isnan(rows["setup_s"][0])


def test_the_older_stamps_of_a_log_get_the_year_before(tmp_path) -> None:
    lines = [
        SENT.replace("Nov 26 09:00:10", "Dec 31 23:59:59"),
        SENT.replace("Nov 26 09:00:10", "Jan  1 00:00:01"),
    ]
    rows, _, _ = read(tmp_path, lines)
    assert rows["finished_s"].tolist() == [
        utc(2025, 12, 31, 23, 59, 59),
        utc(2026, 1, 1, 0, 0, 1),
    ]
    rows, _, _ = read(tmp_path, lines, year=2014)
    assert rows["finished_s"][1] == utc(2015, 1, 1, 0, 0, 1)
