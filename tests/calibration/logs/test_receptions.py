"""When messages came in, and those of which a log has nothing but that.

Sources: Postfix, ``src/qmgr/qmgr_active.c`` ("(queue active)") and ``src/qmgr/qmgr_message.c``
(``nrcpt``); PowerMTA 5.0 User's Guide, "Accounting": the record type ``r``; KumoMTA,
``crates/kumo-log-types/src/lib.rs``: ``recipient`` is one or many.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from reading_lines import names, read
from test_other_logs import NOW_S, kumomta

from sendcap.calibration.attempts import ACCEPTED, RECEIVED, Records
from sendcap.calibration.calibrate import calibrate
from sendcap.calibration.lives import lives


def active(number: str, at: str = "12:00:00", nrcpt: int = 1, sender: str = "a@b.example") -> str:
    return (
        f"Mar 22 {at} mail1 postfix/qmgr[9]: {number}: from=<{sender}>, size=900, nrcpt={nrcpt} "
        f"(queue active)"
    )


def delivery(number: str, agent: str = "smtp", relay: str = "mx.c.example[192.0.2.1]:25") -> str:
    return (
        f"Mar 22 12:00:02 mail1 postfix/{agent}[1]: {number}: to=<u@c.example>, relay={relay}, "
        f"delay=2, delays=0.1/0.1/0.9/0.9, dsn=2.0.0, status=sent (250 ok)"
    )


def outcomes(rows: Records) -> list[int]:
    return sorted(rows["outcome"].tolist())


def test_a_message_of_postfix_that_is_not_tried_is_known(tmp_path) -> None:
    lines = [active("4XA"), active("4XB", nrcpt=3), delivery("4XA"), active("4XC", sender="")]
    rows, _, _ = read(tmp_path, lines)
    assert outcomes(rows) == [ACCEPTED] + [RECEIVED] * 3
    part = lives(rows, float(rows["finished_s"].min()))
    assert len(part.untold) == 3


def test_a_line_that_counts_for_a_waiting_message_is_not_passed_over(tmp_path) -> None:
    lines = [active("4XA"), delivery("4XA"), active("4XB", nrcpt=3), active("4XB", "12:30:00")]
    _, context, file = read(tmp_path, lines)
    assert file.used == 4
    assert context.skipped.other == {"lines about something else": 2}


@pytest.mark.parametrize(
    "lines",
    [
        # To a mailbox on this machine.
        [active("4XA"), delivery("4XA", "local", "local")],
        [active("4XA"), delivery("4XA", "lmtp", "h[private/dovecot-lmtp]")],
        # Tried before, and put off; the manager takes it again.
        [active("4XA"), delivery("4XA"), active("4XA", "12:30:00")],
        # To a filter, which gives it back under another number.
        [
            active("4XAAAA"),
            delivery("4XAAAA", "smtp", "127.0.0.1[127.0.0.1]:10024").replace(
                "250 ok", "250 queued as 4XBBBB"
            ),
            active("4XBBBB"),
            delivery("4XBBBB"),
        ],
    ],
)
def test_what_was_tried_once_is_not_waiting(tmp_path, lines) -> None:
    rows, _, _ = read(tmp_path, [*lines, delivery("4XZ")])
    assert not len(lives(rows, float(rows["finished_s"].min())).untold)


def test_waiting_messages_of_postfix_are_told(tmp_path) -> None:
    log = tmp_path / "mail.log"
    lines = [line for n in range(40) for line in (active(f"4XA{n}"), delivery(f"4XA{n}"))]
    log.write_text("\n".join([*lines, *(active(f"4XB{n}") for n in range(7))]))
    found = calibrate([log])
    assert found.evidence.messages == 47
    assert "7 messages were received and not tried" in "\n".join(found.sentences())


def test_messages_whose_provider_nobody_knows_are_shared_among_all(tmp_path) -> None:
    log = tmp_path / "mail.log"
    to = {"gmail.com": "gmail-smtp-in.l.google.com", "yahoo.com": "mta5.am0.yahoodns.net"}
    lines = [
        text.replace("u@c.example", f"u@{domain}")
        for n in range(120)
        for domain in [list(to)[n % 3 == 0]]
        for text in (active(f"4XA{n}"), delivery(f"4XA{n}", relay=f"{to[domain]}[192.0.2.1]:25"))
    ]
    log.write_text("\n".join([*lines, *(active(f"4XB{n}") for n in range(30))]))
    found = calibrate([log])
    counts = {name: each.messages for name, each in found.evidence.providers.items()}
    assert {name: count for name, count in counts.items() if count} == {"gmail": 100, "yahoo": 50}
    assert set(found.scenario.deliveries[0].audience) == {"gmail", "yahoo"}
    assert found.scenario.deliveries[0].messages == 150


HEADER = "type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag,dsnMta,bounceCat,jobId"
WITHOUT = "type,timeLogged,orig,rcpt,dsnStatus,dsnDiag,dsnMta,bounceCat,jobId"


def test_a_reception_of_powermta_tells_the_arrival(tmp_path) -> None:
    lines = [
        WITHOUT,
        "r,2026-11-26 08:59:00+0000,a@b.example,joe@gmail.com,,,,,j",
        "r,2026-11-26 08:59:30+0000,a@b.example,ann@gmail.com,,,,,j",
        "d,2026-11-26 09:00:00+0000,a@b.example,joe@gmail.com,2.0.0,smtp;250 ok,,,j",
    ]
    rows, context, _ = read(tmp_path, lines)
    part = lives(rows, NOW_S)
    assert part.rows["arrived_s"].tolist() == [NOW_S - 60.0]
    assert part.untold["arrived_s"].tolist() == [NOW_S - 30.0]
    assert names(part.untold, context) == ["gmail"]


def test_a_reception_of_powermta_has_the_time_of_queueing_of_the_others(tmp_path) -> None:
    lines = [
        HEADER,
        "r,2026-11-26 08:59:01+0000,2026-11-26 08:59:00+0000,a@b.example,joe@gmail.com,,,,,j",
        "d,2026-11-26 09:00:00+0000,2026-11-26 08:59:00+0000,a@b.example,joe@gmail.com,2.0.0,,,,j",
        # Without it nobody knows which of the others it belongs to.
        "r,2026-11-26 08:59:01+0000,,a@b.example,joe@gmail.com,,,,,j",
    ]
    rows, context, _ = read(tmp_path, lines)
    part = lives(rows, NOW_S)
    assert (len(part.rows), len(part.untold)) == (1, 0)
    assert context.skipped.other["records of receptions"] == 1


def test_each_recipient_of_a_record_of_kumomta_counts(tmp_path) -> None:
    both = ["joe@gmail.com", "ann@yahoo.com"]
    lines = [
        kumomta(recipient=both, type="Reception", peer_address=None, site=""),
        kumomta(recipient=both, peer_address=None, site=""),
        kumomta(recipient="Joe@gmail.com", id="2", peer_address=None),
        kumomta(recipient=["joe@gmail.com"], id="3", peer_address=None),
        kumomta(recipient=[], id="4", type="Reception", peer_address=None),
    ]
    rows, context, _ = read(tmp_path, lines)
    tried = rows[rows["outcome"] == ACCEPTED]
    assert sorted(names(tried, context)) == ["gmail", "gmail", "gmail", "yahoo"]
    assert len(np.unique(tried["recipient"])) == 3
    part = lives(rows, NOW_S)
    assert (len(part.first), len(part.untold)) == (4, 1)


def test_recipients_of_kumomta_that_did_not_get_it_are_open(tmp_path) -> None:
    log = tmp_path / "kumo.jsonl"
    both = {"recipient": ["a@c.example", "b@c.example"], "peer_address": None}
    lines = [
        text
        for n in range(30)
        for text in (
            kumomta(id=f"{n:032x}", **both, response={"code": 250, "content": "ok"}),
            kumomta(id=f"{100 + n:032x}", type="Reception", **both),
        )
    ]
    log.write_text("\n".join(lines))
    assert json.loads(lines[0])["recipient"] == both["recipient"]
    assert calibrate([log]).evidence.messages == 120
