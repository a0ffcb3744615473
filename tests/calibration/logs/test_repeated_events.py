"""Webhooks post an event again and again; it counts once.

Sources: Twilio SendGrid, "Event Webhook Reference" ("Duplicate events"); SparkPost, "Webhooks"
("Batch Information").
"""

from __future__ import annotations

import json

import pytest
from reading_lines import read_once
from test_event_exports import EVENTS, SENDGRID, SES, sendgrid

from sendcap.calibration.attempts import Attempts
from sendcap.calibration.calibrate import calibrate
from sendcap.calibration.report import report


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_that_comes_again_counts_once(tmp_path, name) -> None:
    lines = [json.dumps(event) for event in EVENTS[name]]
    rows, context, (file,) = read_once(tmp_path, lines * 3)
    assert (len(rows), file.used) == (4, 4)
    assert context.skipped.other["repeated events"] == 8


def test_an_event_that_is_in_another_file_too_counts_once(tmp_path) -> None:
    for name, events in (("a.json", SENDGRID), ("b.json", SENDGRID[1:])):
        (tmp_path / name).write_text("".join(f"{json.dumps(event)}\n" for event in events))
    found = calibrate([tmp_path / "a.json", tmp_path / "b.json"])
    assert [file.used for file in found.files] == [4, 0]
    assert "Lines passed over:\n- repeated events: 3\n" in report(found)


@pytest.mark.parametrize(
    "other",
    [
        sendgrid("delivered", 1201, response="250 2.0.0 OK"),
        {**SENDGRID[2], "email": "ann@gmail.com"},
        {**SENDGRID[2], "sg_message_id": "another"},
    ],
)
def test_another_time_recipient_or_message_is_another_event(tmp_path, other) -> None:
    rows, context, _ = read_once(tmp_path, [json.dumps(event) for event in (SENDGRID[2], other)])
    assert len(rows) == 2
    assert "repeated events" not in context.skipped.other


def test_the_new_recipients_of_an_event_of_ses_count(tmp_path) -> None:
    both = json.loads(json.dumps(SES[2]))
    both["delivery"]["recipients"] = ["joe@gmail.com", "ann@yahoo.com"]
    rows, context, _ = read_once(tmp_path, [json.dumps(event) for event in (SES[2], both)])
    assert len(rows) == 2
    assert context.skipped.other["repeated events"] == 1


def test_an_event_counts_once_however_many_are_between(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(
        "sendcap.calibration.logs.reading.Attempts", lambda: Attempts(in_memory=1000)
    )
    monkeypatch.setattr("sendcap.calibration.logs.reading._CHUNK", 1000)
    lines = [
        json.dumps(sendgrid("delivered", n, email=f"u{n}@a.example", sg_message_id=f"{n}"))
        for n in range(5000)
    ]
    rows, context, (file,) = read_once(tmp_path, lines + lines[::-1])
    assert (len(rows), file.used) == (5000, 5000)
    assert context.skipped.other["repeated events"] == 5000
    assert context.attempts.by_provider.sum() == 5000
