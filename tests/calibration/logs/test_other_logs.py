"""KumoMTA, PowerMTA and Momentum: what their lines say."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import numpy as np
import pytest
from reading_lines import names, read, read_file, reasons

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, RECEIVED, RETURNED, SOFT
from sendcap.calibration.lives import lives
from sendcap.calibration.logs.momentum import fields
from sendcap.errors import SendcapError

NOW_S = datetime(2026, 11, 26, 9, tzinfo=UTC).timestamp()


def kumomta(**changes) -> str:
    record = {
        "type": "Delivery",
        "id": "1d98076abbbc11ed940250ebf67f93bd",
        "sender": "s@t.example",
        "recipient": "joe@example.org",
        "queue": "c:t@example.org",
        "site": "s->x@smtp_client",
        "response": {"code": 250, "enhanced_code": None, "content": "OK", "command": "."},
        "peer_address": {"name": "aspmx.l.google.com.", "addr": "142.250.1.27"},
        "timestamp": int(NOW_S),
        "event_time": "2026-11-26T09:00:00.500000000Z",
        "created": int(NOW_S) - 60,
        "created_time": "2026-11-26T08:59:00.250000000Z",
        "num_attempts": 1,
        "session_id": "abc",
    }
    return json.dumps({**record, **changes})


def test_a_record_of_kumomta(tmp_path) -> None:
    (row,), context, file = read(tmp_path, [kumomta()])
    assert file.format == "kumomta"
    assert row["finished_s"] == NOW_S + 0.5
    assert row["arrived_s"] == NOW_S - 59.75
    assert (row["outcome"], row["code"], row["attempt"]) == (ACCEPTED, 250, 1)
    assert row["session"] > 0
    assert names(np.array([row]), context) == ["gmail"]


def test_older_records_have_whole_seconds_and_no_session(tmp_path) -> None:
    line = kumomta(event_time=None, created_time=None, session_id=None, peer_address=None)
    (row,), context, _ = read(tmp_path, [line])
    assert (row["finished_s"], row["arrived_s"], row["session"]) == (NOW_S, NOW_S - 60, 0)
    assert names(np.array([row]), context) == ["other"]


def test_a_site_tells_the_provider_where_no_connection_came_about(tmp_path) -> None:
    site = "ip-1->(alt1|alt2)?.aspmx.l.google.com@smtp_client"
    changes = {"type": "TransientFailure", "peer_address": None, "site": site}
    rows, context, _ = read(tmp_path, [kumomta(recipient="x@firm.example", **changes)])
    assert names(rows, context) == ["gmail"]


# Source: KumoMTA, ``docs/reference/log_record.md``: the example's site has no protocol.
@pytest.mark.parametrize("changes", [{"type": "TransientFailure", "peer_address": None}, {}])
@pytest.mark.parametrize(
    "site",
    [
        "s1->(alt1|alt2)?.gmail-smtp-in.l.google.com.",
        "unspecified->aspmx.l.google.com",
        "s1->(alt1|alt2)?.gmail-smtp-in.l.google.com@smtp_client",
        "s1->(alt1|alt2)?.gmail-smtp-in.l.google.com@lmtp",
    ],
)
def test_older_sites_have_no_protocol(tmp_path, site, changes) -> None:
    line = kumomta(recipient="x@firm.example", site=site, **changes)
    rows, context, _ = read(tmp_path, [line])
    assert names(rows, context) == ["gmail"]


def test_an_older_site_of_a_real_log(shared) -> None:
    rows, context = read_file(shared("cases/52-kumo-site-old/log.jsonl"))
    assert sorted(names(rows, context)) == ["gmail"] * 200 + ["other"] * 200


def test_kumomtas_types(tmp_path) -> None:
    response = {
        "code": 552,
        "enhanced_code": {"class": 5, "subject": 2, "detail": 2},
        "content": "no room",
    }
    lines = [
        kumomta(type="TransientFailure", response=response),
        kumomta(type="Bounce", response=response, recipient=["a@b.example", "c@d.example"]),
        kumomta(type="Expiration"),
        kumomta(type="OOB"),
        kumomta(type="Reception"),
        kumomta(type="Delayed"),
        kumomta(type="Nothing"),
        "{not json",
        '{"type": "Delivery", "id": 4}',
        '{"type": ["Delivery"], "id": 4}',
    ]
    rows, context, _ = read(tmp_path, lines)
    assert rows["outcome"].tolist() == [SOFT, HARD, HARD, EXPIRED, RETURNED, RECEIVED]
    assert set(reasons(rows[rows["outcome"] == SOFT])) == {"mailbox full"}
    assert context.skipped.other == {"records of type Delayed": 1}
    assert context.skipped.malformed == {
        "unknown record type": 1,
        "unreadable record": 3,
    }


POWERMTA = [
    "type,timeLogged,timeQueued,rcpt,orig,dsnAction,dsnStatus,dsnDiag,dsnMta,jobId",
    (
        "d,2026-11-26 09:00:00+0000,2026-11-26 08:59:50+0000,joe@gmail.com,s@t,relayed,"
        '"2.0.0 (success)","smtp;250 ok",gmail-smtp-in.l.google.com (142.250.1.27),7'
    ),
    (
        "t,2026-11-26 09:00:05+0000,2026-11-26 08:59:50+0000,ann@yahoo.com,s@t,delayed,"
        '"4.2.2 (mailbox full)","smtp;452 4.2.2 over quota, ""full""",,7'
    ),
    "b,1795683610,1795683590,x@y.example,s@t,failed,5.1.1,smtp;550 5.1.1 gone,,7",
    "rb,2026-11-26 10:00:00+0000,,x@y.example,s@t,failed,5.1.1,smtp;550 no such user,,7",
    "r,2026-11-26 10:00:00+0000,,,,,,,,7",
]


def test_rows_of_powermta_by_header(tmp_path) -> None:
    rows, context, file = read(tmp_path, POWERMTA)
    assert file.format == "powermta"
    assert rows["outcome"].tolist() == [ACCEPTED, SOFT, HARD, RETURNED]
    assert rows["finished_s"][:3].tolist() == [NOW_S, NOW_S + 5, 1_795_683_610]
    assert rows["arrived_s"][0] == NOW_S - 10
    assert names(rows, context) == ["gmail", "yahoo", "other", "other"]
    assert reasons(rows)[1:3] == ["mailbox full", "user unknown"]
    assert context.skipped.other == {"records of receptions": 1}


def test_a_message_of_powermta_is_one_when_its_arrival_is_told_in_another_zone(tmp_path) -> None:
    head = "type,timeLogged,timeQueued,rcpt,dsnStatus"
    rows, _, _ = read(
        tmp_path,
        [
            head,
            "t,2026-10-25 02:55:00+0200,2026-10-25 02:50:00+0200,u@y.example,4.7.1",
            "d,2026-10-25 02:05:00+0100,2026-10-25 01:50:00+0100,u@y.example,2.0.0",
            "d,1792890300,1792889400,u@y.example,2.0.0",
        ],
    )
    assert len(set(rows["message"].tolist())) == 1


def test_columns_may_be_in_any_order_and_change_in_between(tmp_path) -> None:
    lines = [
        *POWERMTA[:2],
        "type,rcpt,timeLogged",
        "d,ann@yahoo.com,2026-11-26 09:00:09+0000",
    ]
    rows, context, _ = read(tmp_path, lines)
    assert rows["finished_s"].tolist() == [NOW_S, NOW_S + 9]
    assert np.isnan(rows["arrived_s"][1])
    assert names(rows, context) == ["gmail", "yahoo"]


def test_a_header_may_be_quoted_behind_a_byte_order_mark(tmp_path) -> None:
    quoted = ",".join(f'"{name}"' for name in POWERMTA[0].split(","))
    rows, context, _ = read(tmp_path, ["\ufeff" + quoted, *POWERMTA[1:2]])
    assert rows["finished_s"].tolist() == [NOW_S]
    assert names(rows, context) == ["gmail"]


def test_short_and_long_rows_are_read_as_far_as_they_go(tmp_path) -> None:
    short = "d,2026-11-26 09:00:00+0000"
    rows, context, _ = read(tmp_path, [POWERMTA[0], short, POWERMTA[1] + ",more,more"])
    assert rows["finished_s"].tolist() == [NOW_S, NOW_S]
    assert np.isnan(rows["arrived_s"][0])
    assert names(rows, context) == ["other", "gmail"]


def test_a_cell_may_hold_a_line_end_and_an_open_quote_ends(tmp_path) -> None:
    text = POWERMTA[2].replace("over quota", "over\nquota")
    open_quote = POWERMTA[1].replace('"smtp;250 ok"', '"smtp;250 ok')
    rows, context, _ = read(tmp_path, [POWERMTA[0], text, open_quote, *POWERMTA[1:2] * 40])
    assert context.skipped.malformed["unclosed quote"] >= 1
    assert 20 <= len(rows) <= 41


def separated(lines: list[str], separator: str, *, quoted: bool = True) -> list[str]:
    """Write rows with another separator; without quotes, a diagnostic text has none."""
    rows = list(csv.reader(lines))
    if not quoted:
        return [separator.join(row) for row in rows]
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows(rows)
    return out.getvalue().splitlines()


@pytest.mark.parametrize(
    ("separator", "quoted"), [(";", True), (";", False), ("\t", True), ("\t", False), ("|", True)]
)
def test_columns_of_powermta_may_have_another_separator(tmp_path, separator, quoted) -> None:
    same, _, _ = read(tmp_path, POWERMTA)
    rows, context, file = read(tmp_path, separated(POWERMTA, separator, quoted=quoted))
    assert file.format == "powermta"
    assert not context.skipped.malformed
    for name in ("finished_s", "arrived_s", "outcome", "enhanced", "code", "reason"):
        assert np.array_equal(rows[name], same[name], equal_nan=True), name
    assert names(rows, context) == ["gmail", "yahoo", "other", "other"]


def test_records_and_times_may_be_written_as_the_manual_has_them(tmp_path) -> None:
    # "records": delivery can be used in place of d; 11.2.9: MM/DD/YYYY HH:MM:SS+UTCoffset.
    kinds = {"d": "delivery", "t": "transient", "b": "bounce", "rb": "remote-bounce"}
    rows = [line.partition(",") for line in POWERMTA]
    lines = [f"{kinds.get(kind, kind)},{rest}" for kind, _, rest in rows]
    lines = [line.replace("2026-11-26", "11/26/2026") for line in lines]
    same, _, _ = read(tmp_path, POWERMTA)
    found, context, _ = read(tmp_path, lines)
    assert not context.skipped.malformed
    for name in ("finished_s", "outcome"):
        assert np.array_equal(found[name], same[name])


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_without_the_names_of_the_columns_are_refused(tmp_path, separator) -> None:
    for day in ("2026-11-26", "11/26/2026"):
        lines = [line.replace("2026-11-26", day) for line in POWERMTA[1:]]
        with pytest.raises(SendcapError) as caught:
            read(tmp_path, separated(lines, separator))
        assert str(caught.value) == (
            f"{tmp_path / 'a.log'}: is a part of a PowerMTA accounting file without the first "
            f"line, which names the columns; put it before this one: type,timeLogged,…"
        )
    rows, context, _ = read(tmp_path, [*POWERMTA[2:3], *POWERMTA[:2]])
    assert len(rows) == 1
    before = "row before the line with the names of the columns"
    assert context.skipped.malformed == {before: 1}


MOMENTUM = [
    "1795683600@AA/01@00/A0@C1/1@R@joe@gmail.com@s@t@192.0.2.1@1000@esmtp@g@b",
    (
        "1795683601@AA/01@00/A0@C1/2@T@gmail.com@1000@g@b@8@0@0.75@142.250.1.27@"
        "452 4.2.2 joe\\@gmail.com is over quota"
    ),
    "1795684801@AA/01@00/A0@C1/3@D@gmail.com@1000@g@b@1@1200.75@142.250.1.27",
    "1795684802@AA/02@00/A0@C1/3@P@y.example@1000@g@b@8@0@2@192.0.2.9@550 5.1.1 User unknown",
    "1795684803@AA/02@00/A0@C1/3@B@x@y.example@s@t@g@b@8@10@1000@192.0.2.9@550 5.1.1 unknown",
    "1795690000@AA/03@00/A0@C1/9@B@x@y.example@s@t@g@b@21@10@1000@192.0.2.9@550 5.1.1 unknown",
    "1795690001@AA/04@00/A0@C1/9@T@gmail.com@1000@g@b@8@x@y@1@z",
    "and so on",
]


def test_lines_of_momentum(tmp_path) -> None:
    rows, context, file = read(tmp_path, MOMENTUM)
    assert file.format == "momentum"
    assert rows["outcome"].tolist() == [RECEIVED, SOFT, ACCEPTED, HARD, HARD, RETURNED]
    received, rows = rows[:1], rows[1:]
    assert received["arrived_s"].tolist() == [1_795_683_600]
    assert received["message"][0] == rows["message"][0]
    assert rows["attempt"].tolist() == [1, 2, 1, 0, 0]
    assert rows["arrived_s"][:2].tolist() == [1_795_683_600.25, 1_795_683_600.25]
    assert rows["message"][0] == rows["message"][1]
    assert rows["message"][2] == rows["message"][3]
    assert reasons(rows)[0] == "mailbox full"
    assert names(rows, context)[:3] == ["gmail", "gmail", "other"]
    assert not context.skipped.other
    assert sum(context.skipped.malformed.values()) == 2


# Source: SparkPost/support-docs, ``content/momentum/4/config/ref-log-hires-timestamp.md``.
@pytest.mark.parametrize(
    ("stamp", "expected_s"),
    [
        ("1795683601", NOW_S + 1),
        ("1795683601123456", NOW_S + 1.123456),
        ("1795683601123", NOW_S + 1.123),
        ("1795683601.123456", NOW_S + 1.123456),
    ],
)
def test_the_time_of_momentum_may_be_finer_than_a_second(tmp_path, stamp, expected_s) -> None:
    lines = [line.replace("1795683601", stamp) for line in MOMENTUM[1:3]]
    rows, _, file = read(tmp_path, lines)
    assert file.format == "momentum"
    assert rows["finished_s"][0] == pytest.approx(expected_s, abs=1e-6)
    assert rows["arrived_s"][0] == pytest.approx(expected_s - 0.75, abs=1e-6)


# Source: SparkPost/support-docs, ``content/momentum/4/log-formats-mainlog.md`` and -bouncelog.md.
def test_heartbeats_are_no_unreadable_lines(tmp_path) -> None:
    lines = [*MOMENTUM[1:3], "1795683602@@@@M", "1795683603@@@@M1", "1795683603123456@@@@M1"]
    rows, context, _ = read(tmp_path, lines)
    assert len(rows) == 2
    assert context.skipped.other == {"heartbeats": 3}
    assert not context.skipped.malformed


def test_a_log_that_begins_with_heartbeats_is_recognised(tmp_path) -> None:
    _, _, file = read(tmp_path, ["1795683602@@@@M"] * 3 + MOMENTUM[1:2])
    assert (file.format, file.used) == ("momentum", 1)


BOUNCELOG_T = (
    "1795683601@AA/01@00/A0@C1/2@T@joe@gmail.com@s@t@g@b@8@22@1000@142.250.1.27@"
    "452 4.2.2 joe\\@gmail.com is over quota"
)


def test_a_bouncelog_has_transient_failures_too(tmp_path) -> None:
    (row,), context, file = read(tmp_path, [BOUNCELOG_T])
    assert (file.format, row["outcome"], row["attempt"]) == ("momentum", SOFT, 0)
    assert reasons(np.array([row])) == ["mailbox full"]
    assert names(np.array([row]), context) == ["gmail"]


def test_a_transient_failure_in_both_logs_is_one_attempt(tmp_path) -> None:
    for lines in ([*MOMENTUM[1:3], BOUNCELOG_T], [BOUNCELOG_T, *MOMENTUM[1:3]]):
        rows, _, _ = read(tmp_path, lines)
        found = lives(rows, NOW_S)
        assert len(rows) == 3
        assert found.rows["outcome"].tolist() == [SOFT, ACCEPTED]
        assert found.rows["attempt"].tolist() == [1, 2]


def test_transfers_between_nodes_are_no_deliveries(tmp_path) -> None:
    lines = [*MOMENTUM[1:3], MOMENTUM[2].replace("@D@", "@X@")]
    rows, context, _ = read(tmp_path, lines)
    assert len(rows) == 2
    assert context.skipped.other == {"lines of other kinds": 1}


@pytest.mark.parametrize(
    ("case", "name", "outcome"),
    [
        ("32-momentum-hires", "mainlog.ec", ACCEPTED),
        ("34-momentum-heartbeat", "mainlog.ec", ACCEPTED),
        ("35-momentum-bouncelog-transient", "bouncelog.ec", SOFT),
    ],
)
def test_records_of_real_logs_of_momentum(shared, case, name, outcome) -> None:
    rows, context = read_file(shared(f"cases/{case}/{name}"))
    assert rows["outcome"].tolist() == [outcome] * 20
    assert round(float(np.ptp(rows["finished_s"]))) == 19
    assert not context.skipped.malformed


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"a@b", [b"a", b"b"]),
        (rb"a\@b@c", [b"a@b", b"c"]),
        (rb"a\\@b", [rb"a" + b"\\", b"b"]),
        (rb"a@", [b"a", b""]),
        (rb"\@@", [b"@", b""]),
        (b"a@b\\", [b"a", b"b"]),
    ],
)
def test_escaped_separators(line, expected) -> None:
    assert fields(line) == expected
