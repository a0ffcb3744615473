"""Several recipients in one transaction: one connection, whose time they share.

Source: Postfix, ``src/global/log_adhoc.c`` ("multiple recipient records show the same delay
values") and ``default_destination_recipient_limit`` in postconf(5).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from reading_lines import read, read_file
from test_opensmtpd_log import line as opensmtpd_line
from test_other_logs import kumomta

from sendcap.calibration.calibrate import calibrate
from sendcap.calibration.report import report
from sendcap.calibration.times import Times

LINE = (
    "Nov 20 09:{}:00 m postfix/smtp[{}]: {}: to=<u{}@example.com>, relay=mx.example.com[192.0.2.9]:"
    "25, delay={}, delays=0.2/0/0.3/{}, dsn=2.0.0, status=sent (250 ok)"
)


def line(minute: int, recipient: int, *, number: str = "4A", pid: int = 77, d: float = 0.5) -> str:
    return LINE.format(f"{minute:02d}", pid, number, recipient, d + 0.5, d)


def test_recipients_of_a_transaction_share_its_time_and_connection(tmp_path) -> None:
    rows, _, _ = read(tmp_path, [line(1, n) for n in range(5)])
    assert sorted(rows["use"].tolist()) == [1, 2, 3, 4, 5]
    assert rows["transaction_s"] == pytest.approx([0.1] * 5)
    assert sorted(rows["setup_s"].tolist()) == pytest.approx([0, 0, 0, 0, 0.3])
    assert np.isnan(rows["started_s"]).sum() == 4
    assert set(rows["together"].tolist()) == {5}


def test_lines_of_others_may_be_between(tmp_path) -> None:
    lines = [line(1, n, number=f"4A{n % 3}", pid=n % 3) for n in range(30)]
    rows, _, _ = read(tmp_path, lines)
    assert (rows["use"] == 1).sum() == 3
    assert (~np.isnan(rows["started_s"])).sum() == 3


@pytest.mark.parametrize("other", [{"number": "4B"}, {"pid": 78}])
def test_other_messages_and_other_processes_have_their_own_transaction(tmp_path, other) -> None:
    rows, _, _ = read(tmp_path, [line(1, 1), line(1, 2, **other)])
    assert rows["use"].tolist() == [1, 1]
    assert rows["transaction_s"] == pytest.approx([0.5, 0.5])


def test_a_recipient_that_was_refused_earlier_is_of_the_same_transaction(tmp_path) -> None:
    rows, _, _ = read(tmp_path, [line(1, 1, d=0.1), line(1, 2), line(1, 3)])
    assert sorted(rows["use"].tolist()) == [1, 2, 3]
    (first,) = rows[rows["use"] == 1]
    assert first["finished_s"] - first["started_s"] == pytest.approx(0.8)


def test_a_message_that_is_tried_again_has_two_transactions(tmp_path) -> None:
    again = line(6, 1).replace("delays=0.2", "delays=300")
    rows, _, _ = read(tmp_path, [line(1, 1), again])
    assert rows["use"].tolist() == [1, 1]


def written(tmp_path, lines: list[str]) -> Path:
    path = tmp_path / "mail.log"
    path.write_text("".join(f"{each}\n" for each in lines))
    return path


def test_the_recipients_of_a_transaction_are_no_messages_over_a_connection(tmp_path) -> None:
    lines = [line(m, n, number=f"4A{m}") for m in range(60) for n in range(3)]
    found = calibrate([written(tmp_path, lines)])
    (other,) = found.providers
    assert (other.per_connection.most, other.per_connection.mean) == (1, 1.0)
    assert (other.per_connection.limit, other.per_connection.connections) == (False, 60)
    # A scenario's message has one recipient, and three of them shared a connection.
    assert found.scenario.providers["other"].messages_per_connection == 3
    text = report(found)
    assert "Transactions per connection: 1 on average, 1 at most, which is not a limit" in text
    assert "\nRecipients per transaction: 3 on average.\n" in text


def test_a_limit_counts_transactions_and_the_scenario_the_recipients_of_them(tmp_path) -> None:
    lines = [
        line(m, n, number=f"4A{m}x{use}", pid=m).replace(
            ", delay=", f", conn_use={use}, delay=" if use > 1 else ", delay="
        )
        for m in range(40)
        for use in range(1, 6)
        for n in range(2)
    ]
    found = calibrate([written(tmp_path, lines)])
    (other,) = found.providers
    assert (other.per_connection.most, other.per_connection.closed_there) == (5, 40)
    assert other.per_connection.limit
    assert found.scenario.providers["other"].messages_per_connection == 10
    assert "5 transactions of 2 recipients; 40 of 40 connections were closed there" in found.text


def test_the_recipients_of_a_record_of_kumomta_are_one_transaction(tmp_path) -> None:
    people = [f"u{n}@example.org" for n in range(4)]
    lines = [
        kumomta(
            id=f"{m}.{use}",
            recipient=people,
            session_id=f"s{m}",
            event_time=f"2026-11-26T09:{m:02}:{use:02}.5Z",
        )
        for m in range(30)
        for use in range(3)
    ]
    (other,) = calibrate([written(tmp_path, lines)]).providers
    assert (other.attempts, other.per_connection.recipients) == (360, 4.0)
    assert (other.per_connection.most, other.per_connection.closed_there) == (3, 30)
    assert other.per_connection.messages == 12


@pytest.mark.parametrize("apart_s", [0.0, 0.004])
def test_the_envelopes_of_a_message_of_opensmtpd_are_one_transaction(tmp_path, apart_s) -> None:
    lines = [
        opensmtpd_line(
            session + 1.5 * use + apart_s * n,
            f"{session:016x} mta delivery evpid={session:04x}{use:04x}{n:08x} from=<s@t.example> "
            f'to=<u{n}@example.org> rcpt=<-> source="192.0.2.7" relay="192.0.2.1 (mx.example.org)" '
            f'delay=2s result="Ok" stat="250 ok"',
        )
        for session in range(1, 31)
        for use in range(3)
        for n in range(4)
    ]
    (other,) = calibrate([written(tmp_path, lines)]).providers
    assert (other.messages, other.attempts) == (360, 360)
    assert (other.per_connection.most, other.per_connection.closed_there) == (3, 30)
    assert other.per_connection.recipients == 4.0


def test_a_rounded_time_is_divided_after_rounding() -> None:
    times = Times.rounded(np.array([0.02, 0.5]), np.array([25.0, 1.0]))
    assert times.low_s == pytest.approx([0.495 / 25, 0.495])
    assert times.high_s == pytest.approx([0.505 / 25, 0.505])


def test_the_connections_of_a_real_log(shared) -> None:
    path = shared("cases/55-postfix-25-recipients/mail.log")
    rows, _ = read_file(path)
    assert (rows["use"] == 1).sum() == 30
    busy_s = np.nansum(rows["finished_s"] - rows["started_s"])
    assert busy_s / 300.0 == pytest.approx(0.08)
    (other,) = calibrate([path]).providers
    assert other.ceiling.connections <= 1.0
    assert other.per_connection.connections == 30
