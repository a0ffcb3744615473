"""A message exists by any record of it: its expiry, an operator's bounce, its reception."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sendcap.calibration.attempts import (
    ACCEPTED,
    EXPIRED,
    RECEIVED,
    REMOVED,
    SOFT,
    Records,
    rows,
)
from sendcap.calibration.calibrate import Calibration, calibrate
from sendcap.calibration.lives import lives

START_S = 1_788_256_800


def counts(found: Calibration) -> tuple[int, ...]:
    """Messages of the log, and those by outcome: open, accepted, hard, expired."""
    ends = sum(each.ends for each in found.evidence.providers.values())
    return found.evidence.messages, *ends.tolist()[: EXPIRED + 1][:2], int(ends[3]), int(ends[4])


def told(found: Calibration) -> str:
    return "\n".join(found.sentences())


def kumo(kind: str, number: int, at_s: float, **fields: object) -> str:
    """Return a record as in KumoMTA, ``crates/kumo-log-types/src/lib.rs``."""
    record = {
        "type": kind,
        "id": f"{number:032x}",
        "recipient": f"u{number}@b.example",
        "site": "" if kind == "Reception" else "s->mx.b.example@smtp_client",
        "response": {"code": 250, "enhanced_code": None, "content": "ok"},
        "timestamp": START_S + at_s,
        "created": START_S,
        "num_attempts": 0,
        **fields,
    }
    return json.dumps(record)


def test_rows_of_powermta_by_d_and_b_alone(shared) -> None:
    # PowerMTA writes d and b records by default, so an expired message has no attempt in the log.
    found = calibrate([shared("cases/17-pmta-expired-no-t/acct.csv")])
    assert counts(found) == (50, 0, 40, 0, 10)
    assert "10 messages are known by the expiry only" in told(found)
    (fault,) = found.scenario.providers["other"].faults
    assert (fault.share, fault.never) == (0.2, 1.0)
    assert found.scenario.deliveries[0].messages == 50
    assert found.validity_s == pytest.approx(2 * 86_400)


def test_an_expiry_by_powermtas_category_alone(tmp_path) -> None:
    log = tmp_path / "acct.csv"
    stamp = "2026-09-01 09:00:0{0}+0000"
    log.write_text(
        "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,dsnMta,bounceCat,jobId\n"
        + "".join(
            f"d,{stamp.format(5)},{stamp.format(0)},a@b.example,u{n}@c.example,2.0.0,smtp;250,,,j\n"
            for n in range(30)
        )
        + "".join(
            f"b,2026-09-02 09:00:00+0000,{stamp.format(0)},a@b.example,v{n}@c.example,"
            f"4.2.2 (mailbox full),smtp;452 4.2.2 full,,message-expired,j\n"
            for n in range(10)
        )
    )
    found = calibrate([log])
    assert counts(found) == (40, 0, 30, 0, 10)
    assert found.providers[0].faults[0].reason == "mailbox full"


def test_expiries_and_administrative_bounces_of_kumomta(tmp_path) -> None:
    log = tmp_path / "kumo.jsonl"
    lines = [kumo("Delivery", number, 1 + number, num_attempts=1) for number in range(40)]
    lines += [kumo("Expiration", 100 + number, 7200) for number in range(6)]
    lines += [kumo("AdminBounce", 200 + number, 600) for number in range(4)]
    # One that was tried before an operator bounced it.
    lines += [kumo("TransientFailure", 300, 5), kumo("AdminBounce", 300, 700)]
    lines += [kumo("Reception", number, 0) for number in (0, 100, 200, 300, 400, 401)]
    # Bounces and reports of complaints come in, too; KumoMTA's guide, "Processing Out-Of-Band
    # Bounces", and queue_helper's queue "null".
    lines += [kumo("Reception", 500, 0), kumo("OOB", 500, 0)]
    lines += [kumo("Reception", 600, 0, queue="null"), kumo("Feedback", 600, 0)]
    log.write_text("\n".join(lines))
    found = calibrate([log])
    # Open: 4 + 1 bounced by the operator, and 2 that were received and not tried.
    assert counts(found) == (53, 7, 40, 0, 6)
    for sentence in (
        "6 messages are known by the expiry only",
        "5 messages were bounced by an operator",
        "2 messages were received and not tried",
    ):
        assert sentence in told(found)


def test_what_an_operator_bounced_is_not_still_deferred(tmp_path) -> None:
    log = tmp_path / "kumo.jsonl"
    lines = [kumo("Delivery", number, 1 + number, num_attempts=1) for number in range(40)]
    lines += [kumo("AdminBounce", number, 600) for number in (200, 201)]
    lines += [kumo("TransientFailure", number, 5) for number in (300, 400, 401, 402)]
    log.write_text("\n".join([*lines, kumo("AdminBounce", 300, 700)]))
    found = calibrate([log])
    assert counts(found) == (46, 6, 40, 0, 0)
    assert "3 messages were still deferred" in told(found)
    assert "3 messages were bounced by an operator" in told(found)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("TransientFailure", "1 message was still deferred"),
        ("Expiration", "1 message is known by the expiry only"),
        ("AdminBounce", "1 message was bounced by an operator"),
        ("Reception", "1 message was received and not tried"),
    ],
)
def test_one_message_is_said_in_the_singular(tmp_path, kind, sentence) -> None:
    log = tmp_path / "kumo.jsonl"
    lines = [kumo("Delivery", number, 1 + number, num_attempts=1) for number in range(40)]
    log.write_text("\n".join([*lines, kumo(kind, 100, 60)]))
    assert sentence in told(calibrate([log]))


def test_receptions_of_momentum_without_an_end(tmp_path) -> None:
    # SparkPost/support-docs, content/momentum/4, "mainlog": R records.
    log = tmp_path / "mainlog.ec"
    received = "{0}@A{1:03}/00@b@c@R@u@b.example@a@c.example@192.0.2.9@900@ESMTP@g@b"
    delivered = "{0}@A{1:03}/00@b@c@D@b.example@900@g@b@0@0.5@192.0.2.1"
    lines = [received.format(START_S + number, number) for number in range(35)]
    lines += [delivered.format(START_S + number + 1, number) for number in range(30)]
    log.write_text("\n".join(lines))
    found = calibrate([log])
    assert counts(found) == (35, 5, 30, 0, 0)
    assert "5 messages were received and not tried" in told(found)


def test_a_log_of_nothing_but_expiries(tmp_path) -> None:
    log = tmp_path / "kumo.jsonl"
    log.write_text("\n".join(kumo("Expiration", number, 7200 + number) for number in range(40)))
    found = calibrate([log])
    assert counts(found) == (40, 0, 0, 0, 40)


def test_postfixs_expiry_without_its_attempts_is_of_an_unknown_provider(tmp_path) -> None:
    # Postfix, src/qmgr/qmgr_active.c: "from=<%s>, status=%s, returned to sender".
    sent = (
        "Nov  6 05:50:{0:02} m postfix/smtp[1]: A{0:09X}: to=<u@gmail.com>, "
        "relay=gmail-smtp-in.l.google.com[192.0.2.7]:25, delay=1.5, delays=0.1/0.2/0.3/0.9, "
        "dsn=2.0.0, status=sent (250 ok)"
    )
    gone = (
        "Nov  6 05:51:{0:02} m postfix/qmgr[1]: B{0:09X}: from=<a@b.example>, status=expired, "
        "returned to sender"
    )
    log = tmp_path / "mail.log"
    log.write_text(
        "\n".join([sent.format(n) for n in range(40)] + [gone.format(n) for n in range(8)])
    )
    found = calibrate([log])
    assert counts(found) == (48, 0, 40, 0, 8)
    assert {each.name: each.messages for each in found.providers} == {"gmail": 40, "other": 8}


def test_a_message_to_a_local_mailbox_of_exim_is_none(tmp_path) -> None:
    # Exim, doc/doc-docbook/spec.xfpt, "Log files": Completed when nothing is left to be done.
    log = tmp_path / "mainlog"
    came = "2026-11-06 05:50:{0:02} 1tAbCd-0000{0:02}-AB <= a@b.example H=x [192.0.2.5] P=esmtp S=9"
    kept = (
        "2026-11-06 05:51:{0:02} 1tAbCd-0000{0:02}-AB => joe <joe@h.example> R=u T=local_delivery"
    )
    sent = (
        "2026-11-06 05:51:{0:02} 1tAbCd-0000{0:02}-AB => u@gmail.com R=dnslookup T=remote_smtp "
        'H=gmail-smtp-in.l.google.com [192.0.2.7] C="250 ok"'
    )
    done = "2026-11-06 05:51:{0:02} 1tAbCd-0000{0:02}-AB Completed"
    lines = [came.format(number) for number in range(43)]
    lines += [(sent if number < 30 else kept).format(number) for number in range(40)]
    lines += [done.format(number) for number in range(40)]
    log.write_text("\n".join(lines))
    assert counts(calibrate([log])) == (33, 3, 30, 0, 0)


def table(*events: tuple[int, int, float, int]) -> Records:
    message, recipient, finished_s, outcome = zip(*events, strict=True)
    return rows(
        len(events),
        {
            "message": message,
            "recipient": recipient,
            "finished_s": np.array(finished_s),
            "outcome": outcome,
            "arrived_s": 0.0,
        },
    )


def test_what_has_an_attempt_or_an_end_is_told_once() -> None:
    each = lives(
        table(
            *((1, 1, 5, SOFT), (1, 1, 9, EXPIRED), (1, 0, 0, RECEIVED)),
            *((2, 1, 5, ACCEPTED), (2, 2, 9, EXPIRED), (2, 2, 0, RECEIVED)),
            *((3, 1, 9, EXPIRED), (3, 1, 8, REMOVED), (3, 1, 0, RECEIVED)),
            *((4, 1, 0, RECEIVED), (4, 2, 0, RECEIVED)),
            *((5, 0, 5, SOFT), (5, 1, 9, EXPIRED)),
        ),
        0.0,
    )
    untold = each.untold[["message", "recipient", "outcome"]].tolist()
    assert sorted(untold) == [(2, 2, EXPIRED), (3, 1, EXPIRED), (4, 1, RECEIVED), (4, 2, RECEIVED)]
