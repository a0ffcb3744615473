"""Exim's main log: what each flag and each field means.

Source: Exim, ``doc/doc-docbook/spec.xfpt``, "Log files" ("Log line flags", "Summary of Fields in
Log Lines", "Reducing or increasing what is logged") and "Message identification"; lines in the form
of ``src/src/deliver.c`` and of its test suite (``test/log``).
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from reading_lines import names, read, reasons

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, LEFT, RECEIVED, REMOVED, SOFT

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def utc(*when: int) -> float:
    return datetime(*when, tzinfo=UTC).timestamp()


def number(second: float, end: str = "-0005MB-00") -> str:
    """Return the number of a message that came at a second since 1970."""
    text, rest = "", int(second)
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        text = DIGITS[digit] + text
    return text + end


NINE_S = utc(2026, 11, 26, 9)
ID = number(NINE_S)
GMAIL = "R=dns T=remote_smtp H=gmail-smtp-in.l.google.com [142.250.1.27]"
ARRIVED = f"2026-11-26 09:00:00 {ID} <= s@t.example H=app [192.0.2.1] P=esmtp S=900 id=1@t.example"
SENT = (
    f"2026-11-26 09:00:02 {ID} => joe@gmail.com {GMAIL} X=TLS1.3:TLS_AES_256_GCM_SHA384:256 CV=yes "
    f'C="250 2.0.0 OK  1795683602 a1si1 - gsmtp" QT=3s DT=2s'
)
DEFERRED = (
    f"2026-11-26 09:00:05 {ID} == ann@yahoo.co.uk R=dns T=remote_smtp defer (-46) "
    "H=mta5.am0.yahoodns.net [67.195.1.1] DT=1.250s: SMTP error from remote mail "
    "server after end of data: 451 4.7.1 Greylisted, come back later"
)
FAILED = (
    f"2026-11-26 09:00:06 {ID} ** x@hotmail.com R=dns T=remote_smtp "
    "H=hotmail-com.olc.protection.outlook.com [52.1.1.1] X=TLS1.3:X:256 CV=yes: SMTP error from "
    "remote mail server after RCPT TO:<x@hotmail.com>: 550 5.5.0 Requested action not taken: "
    "mailbox unavailable"
)
COMPLETED = f"2026-11-26 09:00:07 {ID} Completed QT=7s"
EXIM = [ARRIVED, SENT, DEFERRED, FAILED, COMPLETED]


def test_a_message_and_its_deliveries(tmp_path) -> None:
    rows, context, file = read(tmp_path, EXIM)
    assert (file.format, len(rows)) == ("exim", 4)
    assert rows["outcome"].tolist() == [RECEIVED, ACCEPTED, SOFT, HARD]
    assert rows["finished_s"].tolist() == [NINE_S, NINE_S + 2, NINE_S + 5, NINE_S + 6]
    assert names(rows, context)[1:] == ["gmail", "yahoo", "outlook"]
    assert reasons(rows)[2:] == ["greylisted", "user unknown"]
    assert rows["code"].tolist()[2:] == [451, 550]
    # QT tells the age; without it, the number of the message does.
    assert rows["arrived_s"].tolist() == [NINE_S, NINE_S - 1, NINE_S, NINE_S]
    assert rows["transaction_s"][1:3].tolist() == [2.0, 1.25]
    assert rows["started_s"][1:3].tolist() == [NINE_S, NINE_S + 3.75]
    assert len(set(rows["message"].tolist())) == 1
    assert context.skipped.other == {"messages that left the queue": 1}


# With log_selector = +millisec +pid, log_timezone, and in the longer number of Exim 4.97.
@pytest.mark.parametrize(
    ("old", "new", "moment_s"),
    [
        ("09:00:02 ", "09:00:02.250 ", NINE_S + 2.25),
        ("09:00:02 ", "10:00:02 +0100 ", NINE_S + 2),
        ("09:00:02 ", "09:00:02 [4711] ", NINE_S + 2),
        ("09:00:02 ", "04:00:02.250 -0500 [4711] ", NINE_S + 2.25),
        (ID, number(NINE_S, "-000000001bo-D342"), NINE_S + 2),
    ],
)
def test_the_beginning_of_a_line(tmp_path, old, new, moment_s) -> None:
    (row,), context, _ = read(tmp_path, [SENT.replace(old, new)])
    assert (row["finished_s"], row["outcome"]) == (moment_s, ACCEPTED)
    assert row["arrived_s"] == moment_s - 3
    assert not context.skipped.malformed


@pytest.mark.parametrize(
    "prefix",
    [
        "Nov 26 09:00:02 mx1 exim[99]: ",
        "exim-1  | ",
        "2026-11-26T09:00:09.123456789Z stdout F ",
        "<22>1 2026-11-26T09:00:02Z mx1 exim 99 - - ",
    ],
)
def test_a_line_behind_a_prefix(tmp_path, prefix) -> None:
    (row,), _, file = read(tmp_path, [prefix + SENT, prefix + "Start queue run: pid=1"])
    assert (file.format, row["finished_s"]) == ("exim", NINE_S + 2)


def test_syslog_may_have_the_only_stamp(tmp_path) -> None:
    line = "Nov 26 09:00:02 mx1 exim[99]: " + SENT.partition(" 09:00:02 ")[2]
    (row,), _, _ = read(tmp_path, [line])
    assert row["finished_s"] == NINE_S + 2


@pytest.mark.parametrize("hours", [-8, 1, 5.5])
def test_the_zone_of_stamps_without_one_is_that_of_the_arrivals(tmp_path, hours) -> None:
    first_s = NINE_S - hours * 3600
    lines = [line.replace(ID, number(first_s)).replace(" QT=3s", "") for line in EXIM[:3]]
    rows, _, _ = read(tmp_path, lines)
    assert rows["arrived_s"].tolist() == [NINE_S] * 3


def test_without_any_arrival_the_zone_is_unknown_and_so_is_the_age(tmp_path) -> None:
    (row,), _, _ = read(tmp_path, [SENT.replace(" QT=3s", "")])
    assert np.isnan(row["arrived_s"])


@pytest.mark.parametrize(
    ("line", "passed"),
    [
        (f"{ID} => joe <joe@mx1.example> R=localuser T=local_delivery", "local deliveries"),
        (f"{ID} => |/bin/cat <joe@mx1.example> R=aliases T=address_pipe", "local deliveries"),
        (f"{ID} => :blackhole: <x@mx1.example> R=blackhole", "local deliveries"),
        (f'{ID} => joe@mx1.example R=lmtp T=dovecot_lmtp C="250 saved"', "local deliveries"),
        (f"{ID} ** joe@mx1.example R=localuser T=local_delivery: over quota", "local deliveries"),
        (f"{ID} == ann@x.example routing defer (-52): retry time not reached", "not due"),
        (
            f"{ID} == ann@x.example R=r T=smtp defer (-54): retry time not reached for any",
            "not due",
        ),
        (f"{ID} == ann@x.example R=dns T=remote_smtp defer (-1): domain is held", "not due"),
        (f'{ID} *> ann@x.example {GMAIL} C="delivery bypassed by -N option"', "fake deliveries"),
        ("Start queue run: pid=12762", "something else"),
        (f"{ID} H=mail1.example [192.0.2.9] Connection timed out", "something else"),
        (f"{ID} Frozen (delivery error message)", "something else"),
    ],
)
def test_what_is_no_attempt_is_counted(tmp_path, line, passed) -> None:
    rows, context, _ = read(tmp_path, [SENT, f"2026-11-26 09:01:00 {line}"])
    # That a message went to a mailbox here is known, so that its reception is not without an end.
    assert [LEFT] * (passed == "local deliveries") == rows["outcome"].tolist()[1:]
    assert len(rows[rows["outcome"] != LEFT]) == 1
    ((reason, count),) = context.skipped.other.items()
    assert passed in reason
    assert count == 1
    assert not context.skipped.malformed


def test_a_local_delivery_is_passed_over_and_not_used(tmp_path) -> None:
    home = f"2026-11-26 09:00:01 {ID} => joe <joe@mx1.example> R=localuser T=local_delivery"
    _, context, file = read(tmp_path, [ARRIVED, home, home.replace("joe", "ann"), SENT])
    assert context.skipped.other == {"local deliveries": 2}
    assert (file.used, file.lines) == (2, 4)


@pytest.mark.parametrize(
    ("line", "outcome", "reason"),
    [
        (
            "== a@x.example R=dns T=remote_smtp defer (111): Connection refused",
            SOFT,
            "unreach",
        ),
        (
            "== a@x.example R=r T=smtp defer (110): timed out H=x [192.0.2.9]: timed out",
            SOFT,
            "unr",
        ),
        ("** a@x.example: Unrouteable address", HARD, ""),
        ("** a@x.example: retry timeout exceeded", EXPIRED, ""),
        ("** a@x.example R=dns T=remote_smtp: retry timeout exceeded", EXPIRED, ""),
        ("** a@x.example R=r T=t H=x [192.0.2.9]: 452 full: retry timeout exceeded", EXPIRED, ""),
        ("** a@x.example R=r T=smtp: all hosts have been failing for a long time", EXPIRED, ""),
        ("cancelled by root", REMOVED, ""),
        ('>> a@x.example R=r T=remote_smtp H=mx.x.example [192.0.2.9] C="250 ok"', ACCEPTED, ""),
        ("=> A@X.example <list@x.example> R=r T=t H=mx.x.example [192.0.2.9]*", ACCEPTED, ""),
        (
            "=> a@x.example F=<b@c> P=<b@c> R=r T=t S=9 H=mx.x.example DS [2001:db8::9]:25",
            ACCEPTED,
            "",
        ),
    ],
)
def test_the_end_of_an_attempt(tmp_path, line, outcome, reason) -> None:
    (row,), context, _ = read(tmp_path, [f"2026-11-26 09:01:00 {ID} {line}"])
    assert row["outcome"] == outcome
    assert reason in reasons(np.array([row]))[0]
    assert not context.skipped.malformed


def test_more_addresses_of_a_delivery_share_its_time(tmp_path) -> None:
    more = [SENT.replace("=> joe", f"-> joe{n}") for n in range(3)]
    later = SENT.replace("09:00:02", "09:20:02").replace("joe", "late")
    rows, _, _ = read(tmp_path, [SENT, *more, later])
    assert rows["transaction_s"].tolist() == [0.5] * 4 + [2.0]
    assert np.isnan(rows["started_s"]).sum() == 3
    assert not rows["use"].any()


def test_a_filter_on_the_same_machine_gives_the_message_back(tmp_path) -> None:
    other = number(NINE_S + 1)
    home = (
        f"2026-11-26 09:00:01 {ID} => joe@gmail.com R=filter T=amavis H=127.0.0.1 [127.0.0.1] "
        f'C="250 OK id={other}"'
    )
    rows, context, _ = read(tmp_path, [ARRIVED, home, SENT.replace(ID, other)])
    assert rows["outcome"].tolist() == [RECEIVED, ACCEPTED]
    assert context.skipped.other == {"handed to a program on the same machine": 1}
    rows, context, _ = read(tmp_path, [ARRIVED, home])
    assert rows["outcome"].tolist() == [RECEIVED, ACCEPTED]


def test_a_damaged_line_is_counted(tmp_path) -> None:
    _, context, _ = read(tmp_path, [SENT, SENT.replace("11-26", "13-26")])
    assert context.skipped.malformed == {"unreadable line": 1}


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("** a@b.example: Unrouteable address", "invalid domain"),
        ("** a@b.example F=<s@t.example>: Unrouteable address", "invalid domain"),
        (
            "** a@b.example R=dns: all relevant MX records point to non-existent hosts",
            "invalid domain",
        ),
        (
            "** a@b.example R=dns: an MX or SRV record indicated no SMTP service",
            "invalid domain",
        ),
        ("== a@b.example R=dns defer (-1): host lookup did not complete", "unreachable"),
        (
            "== a@b.example R=dns T=smtp defer (-18) H=mx.b.example: Remote host closed connection",
            "unreachable",
        ),
        # The words of another Exim are about an address.
        (
            "** a@b.example T=smtp H=b.example [192.0.2.7]: SMTP error: 550 Unrouteable address",
            "user unknown",
        ),
    ],
)
def test_exims_own_words(tmp_path, end, reason) -> None:
    """src/src/route.c, src/src/routers/dnslookup.c, src/src/smtp_out.c, src/src/deliver.c."""
    rows, _, _ = read(tmp_path, [ARRIVED, f"2026-11-26 09:00:01 {ID} {end}"])
    assert reasons(rows[rows["outcome"] != RECEIVED]) == [reason]
