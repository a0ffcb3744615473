"""What Postfix hands to a socket or to its own machine, and whether that is a delivery.

Sources: Postfix, lmtp(8) and ``src/smtp/smtp_connect.c`` (the relay of a socket is ``name[path]``
without a port), ``README_FILES/FILTER_README`` (a filter gives the message back).
"""

from __future__ import annotations

import pytest
from reading_lines import names, read, read_file
from test_postfix_log import SENT

from sendcap.calibration.attempts import ACCEPTED, HARD, SOFT
from sendcap.calibration.logs import filters

HOME = (
    "Nov 26 09:00:00 mx1 postfix/smtp[5]: 4XhomeA: to=<u@gmail.com>, relay={}, delay=0.1, "
    "delays=0.1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok{})"
)
FILTERED = "handed to a program on the same machine"


@pytest.mark.parametrize(
    "relay",
    [
        "mail.example.org[private/dovecot-lmtp]",
        "dovecot[/var/run/dovecot/lmtp]",
        "/var/spool/postfix/lmtp",
        "mail.example.org[/var/lib/imap/socket/lmtp]",
    ],
)
@pytest.mark.parametrize("prefix", ["", "mail-1 | "])
def test_a_socket_is_a_local_delivery(tmp_path, relay, prefix) -> None:
    line = prefix + HOME.format(relay, "").replace("postfix/smtp", "postfix/lmtp")
    rows, context, _ = read(tmp_path, [line, SENT])
    assert len(rows) == 1
    assert context.skipped.other == {"local deliveries": 1}


def test_a_host_whose_name_begins_like_a_place_at_home_is_a_host(tmp_path) -> None:
    lines = [SENT.replace("gmail-smtp-in", name) for name in ("local", "virtual7", "localhost")]
    assert len(read(tmp_path, lines)[0]) == 3


def test_lmtp_over_a_network_is_a_delivery(tmp_path) -> None:
    line = HOME.format("store.example.org[192.0.2.1]:24", "").replace("smtp[", "lmtp[")
    assert len(read(tmp_path, [line])[0]) == 1


@pytest.mark.parametrize(
    "again",
    [
        "Nov 26 09:00:01 mx1 postfix/qmgr[5]: 4XhomeB: from=<s@t.example>, size=9, nrcpt=1",
        SENT.replace("4XabC1", "4XhomeB"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_message_that_comes_again_under_the_number_of_the_reply_was_filtered(
    tmp_path, again, first
) -> None:
    home = HOME.format("127.0.0.1[127.0.0.1]:10024", ": queued as 4XhomeB")
    lines = [again, home, home, SENT] if first else [home, home, again, SENT]
    rows, context, _ = read(tmp_path, lines)
    assert len(rows) == 1 + ("4XhomeB: to" in again)
    assert context.skipped.other[FILTERED] == 2


def test_a_message_that_comes_again_with_its_id_was_filtered(tmp_path) -> None:
    lines = [
        f"Nov 26 09:00:00 mx1 postfix/cleanup[5]: {number}: message-id=<a@b.example>"
        for number in ("4XhomeA", "4XhomeC")
    ]
    lines.insert(1, HOME.format("filter[127.0.0.1]:10024", ""))
    rows, context, _ = read(tmp_path, lines)
    assert len(rows) == 0
    assert context.skipped.other[FILTERED] == 1


@pytest.mark.parametrize(
    "relay", ["127.0.0.1[127.0.0.1]:2525", "tunnel[127.0.0.2]:25", "x[::1]:25"]
)
def test_a_log_in_which_everything_goes_there_is_used(tmp_path, relay) -> None:
    lines = [HOME.format(relay, ": queued as 9F2").replace("4XhomeA", f"4X{n}") for n in range(5)]
    rows, context, _ = read(tmp_path, lines)
    assert rows["outcome"].tolist() == [ACCEPTED] * 5
    assert set(names(rows, context)) == {"gmail"}
    assert not context.skipped.other


def test_many_deliveries_without_a_trace_are_not_held_back(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(filters, "_MOST_HELD", 10)
    line = HOME.format("127.0.0.1[127.0.0.1]:2525", ": queued as 9F2ABCD")
    assert len(read(tmp_path, [line] * 25)[0]) == 25


def test_a_filter_that_is_down_is_no_fault_of_a_provider(tmp_path) -> None:
    down = (
        "Nov 26 09:00:00 mx1 postfix/smtp[5]: 4XhomeD: to=<u@gmail.com>, relay=none, delay=0.1, "
        "delays=0.1/0/0/0, dsn=4.4.1, status=deferred (connect to 127.0.0.1[127.0.0.1]:10024: "
        "Connection refused)"
    )
    home = HOME.format("127.0.0.1[127.0.0.1]:10024", ": queued as 4XabC1")
    rows, context, _ = read(tmp_path, [down, home, SENT])
    assert rows["outcome"].tolist() == [ACCEPTED]
    assert context.skipped.other[FILTERED] == 2


def test_a_socket_of_a_real_log(shared) -> None:
    rows, context = read_file(shared("cases/30-lmtp-private-socket/mail.log"))
    assert len(rows) == 5
    assert context.skipped.other == {"local deliveries": 10}


# Source: Postfix, ``src/global/bounce.c`` (SOFTBOUNCE with ``soft_bounce = yes``), ``verify.c``.
@pytest.mark.parametrize(
    ("status", "outcomes"),
    [
        ("SOFTBOUNCE", [SOFT]),
        ("bounced", [HARD]),
        ("deliverable", []),
        ("undeliverable", []),
        ("undeliverable-but-not-cached", []),
        ("expanded", []),
    ],
)
@pytest.mark.parametrize("prefix", ["", "<22>"])
def test_every_status_has_its_meaning(tmp_path, status, outcomes, prefix) -> None:
    line = SENT.replace("status=sent (250 2.0.0 OK", f"status={status} (550 5.1.1 unknown user")
    rows, context, _ = read(tmp_path, [prefix + line])
    assert rows["outcome"].tolist() == outcomes
    assert not context.skipped.malformed
    probes = {} if outcomes or status == "expanded" else {"probes of addresses": 1}
    assert outcomes or context.skipped.other == (probes or {"another status": 1})


def test_a_soft_bounce_of_a_real_log(shared) -> None:
    rows, context = read_file(shared("cases/58-postfix-softbounce/mail.log"))
    assert sorted(rows["outcome"].tolist()) == [ACCEPTED] * 10 + [SOFT] * 5
    assert not context.skipped.malformed
