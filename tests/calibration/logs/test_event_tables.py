"""Events in a table: a column for each key, that of a nested key with a dot.

Sources: those of the events (`test_event_exports`), and Twilio SendGrid, "Email Activity Feed",
"Request a CSV": ``processed``, ``message_id``.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import numpy as np
import pytest
from reading_lines import names, read, reasons
from test_event_exports import MAILGUN, NINE_S, SENDGRID, SES, SPARKPOST

from sendcap.calibration.attempts import ACCEPTED, HARD, RECEIVED, SOFT

PLAIN = [one for event in SPARKPOST for one in event["msys"].values() if one]
"""As the Events API has them."""


def flat(event: dict[str, Any], before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in event.items():
        if isinstance(value, dict):
            found |= flat(value, f"{before}{key}.")
        else:
            found[before + key] = json.dumps(value) if isinstance(value, list) else str(value)
    return found


def table(events: list[dict[str, Any]], separator: str = ",", quoting: int = 0) -> list[str]:
    rows = [flat(event) for event in events]
    header = dict.fromkeys(name for row in rows for name in row)
    text = io.StringIO()
    writer = csv.DictWriter(text, header, delimiter=separator, quoting=quoting, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().splitlines()


@pytest.mark.parametrize(("separator", "quoting"), [(",", 0), (";", csv.QUOTE_ALL), ("\t", 0)])
@pytest.mark.parametrize(
    ("name", "events"),
    [("ses", SES), ("sendgrid", SENDGRID), ("mailgun", MAILGUN), ("sparkpost", PLAIN)],
)
def test_a_table_is_as_good_as_events(tmp_path, name, events, separator, quoting) -> None:
    as_events, _, _ = read(tmp_path, list(map(json.dumps, events)))
    rows, _, file = read(tmp_path, table(events, separator, quoting))
    assert (file.format, len(rows)) == (name, len(as_events))
    for column in ("finished_s", "arrived_s", "outcome", "reason", "code", "enhanced", "attempt"):
        assert np.array_equal(rows[column], as_events[column], equal_nan=True), column


def test_sendgrids_own_table(tmp_path) -> None:
    lines = [
        "processed,message_id,event,subject,from,email,reason,outbound_ip,mx,attempt",
        '2026-11-26 09:00:00 UTC,a.1,processed,"Hello, you",s@t.example,joe@gmail.com,,,,',
        '2026-11-26 09:00:02,a.1,deferred,"two',
        'lines",s@t.example,joe@gmail.com,452 4.2.2 over quota,192.0.2.1,mx,1',
        "2026-11-26T09:05:00Z,a.1,delivered,x,s@t.example,joe@gmail.com,250 OK,192.0.2.1,mx,2",
        "2026-11-26T09:05:00Z,a.2,bounce,x,s@t.example,ann@yahoo.com,550 5.1.1 no such user,,,",
        "2026-11-26T09:05:00Z,a.2,open,x,s@t.example,ann@yahoo.com,,,,",
        "",
        "2026-11-26T09:05:00Z,a.3,nothing,x,s@t.example,ann@yahoo.com,,,,",
    ]
    rows, context, file = read(tmp_path, lines)
    assert file.format == "sendgrid"
    assert rows["outcome"].tolist()[:2] == [RECEIVED, SOFT]
    assert sorted(rows["outcome"].tolist()[2:]) == [ACCEPTED, HARD]
    assert rows["finished_s"].tolist() == [NINE_S, NINE_S + 2, NINE_S + 300, NINE_S + 300]
    assert {"mailbox full", "user unknown"} <= set(reasons(rows))
    assert set(names(rows, context)) == {"gmail", "yahoo"}
    assert context.skipped.malformed == {"unknown kind of event": 1}


@pytest.mark.parametrize(
    "rest",
    ['"never closed', "\x00\x00", "a" * 300_000, ",".join("x" * 2000), '"a"b,"', "é,\udcff"],
)
def test_damaged_rows_cost_no_others_before_them(tmp_path, rest) -> None:
    lines = table(SENDGRID)
    rows, _, _ = read(tmp_path, lines)
    more, _, _ = read(tmp_path, [*lines, rest, *lines[1:3]])
    assert len(more) >= len(rows)
