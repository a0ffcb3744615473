"""Events of sending services: one line each, an array, a document, or inside SNS.

Sources: Amazon SES Developer Guide, "Examples of event data that Amazon SES publishes to Amazon
SNS"; Twilio SendGrid, "Event Webhook Reference"; Mailgun, "Webhook payloads" and "Event structure";
SparkPost, "Webhooks" and "Events".
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from reading_lines import names, read, reasons

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, RECEIVED, RETURNED, SOFT
from sendcap.calibration.lives import lives

NINE_S = datetime(2026, 11, 26, 9, tzinfo=UTC).timestamp()


def at(seconds: float) -> str:
    moment = datetime.fromtimestamp(NINE_S + seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def ses(kind: str, key: str = "eventType", **more: Any) -> dict[str, Any]:
    mail = {
        "timestamp": at(0),
        "messageId": "EXAMPLE7c191be45",
        "source": "s@t.example",
        "destination": ["joe@gmail.com"],
        "headers": [{"name": "From", "value": "s@t.example"}],
    }
    return {key: kind, "mail": mail, **more}


def bounced(kind: str, status: str, said: str, **more: Any) -> dict[str, Any]:
    who = {
        "emailAddress": "joe@gmail.com",
        "action": "failed",
        "status": status,
        "diagnosticCode": f"smtp; {said}",
    }
    bounce = {"bounceType": kind, "bounceSubType": "General", "bouncedRecipients": [who]}
    return ses("Bounce", bounce={**bounce, "timestamp": at(2), **more})


SES = [
    ses("Send", send={}),
    ses(
        "DeliveryDelay",
        deliveryDelay={
            "timestamp": at(60),
            "delayType": "MailboxFull",
            "expirationTime": at(50_400),
            "delayedRecipients": [
                {
                    "emailAddress": "joe@gmail.com",
                    "status": "4.2.2",
                    "diagnosticCode": "smtp; 452 4.2.2 over quota",
                }
            ],
        },
    ),
    ses(
        "Delivery",
        delivery={
            "timestamp": at(1200.5),
            "processingTimeMillis": 1_200_500,
            "recipients": ["joe@gmail.com"],
            "smtpResponse": "250 2.0.0 OK",
            "reportingMTA": "a8-70.smtp-out.amazonses.com",
        },
    ),
    bounced("Permanent", "5.1.1", "550 5.1.1 user unknown"),
    ses("Open", open={"timestamp": at(5000)}),
]


def sendgrid(event: str, seconds: int, **more: Any) -> dict[str, Any]:
    return {
        "email": "joe@gmail.com",
        "timestamp": int(NINE_S) + seconds,
        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
        "event": event,
        "category": ["news"],
        "sg_event_id": f"id-{event}",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        **more,
    }


SENDGRID = [
    sendgrid("processed", 0),
    sendgrid("deferred", 60, response="452 4.2.2 over quota", attempt="1"),
    sendgrid("delivered", 1200, response="250 2.0.0 OK"),
    sendgrid("bounce", 2, type="bounce", status="5.1.1", reason="550 5.1.1 user unknown"),
    sendgrid("open", 5000),
]


def mailgun(event: str, seconds: float, status: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "event": event,
        "id": f"id-{event}-{seconds}",
        "timestamp": NINE_S + seconds,
        "log-level": "info",
        "recipient": "joe@gmail.com",
        "recipient-domain": "gmail.com",
        "message": {"headers": {"message-id": "2026.1@t.example", "to": "joe@gmail.com"}},
        **({"delivery-status": status} if status else {}),
        **more,
    }


def status(code: int, message: str, attempt: int = 1) -> dict[str, Any]:
    return {
        "mx-host": "gmail-smtp-in.l.google.com",
        "attempt-no": attempt,
        "session-seconds": 2.5,
        "code": code,
        "message": message,
    }


MAILGUN = [
    mailgun("accepted", 0),
    mailgun("failed", 60.0, status(452, "4.2.2 over quota"), severity="temporary"),
    mailgun("delivered", 1200.5, status(250, "OK", 2)),
    mailgun("failed", 2.0, status(550, "5.1.1 user unknown"), severity="permanent"),
    mailgun("opened", 5000),
]


def sparkpost(kind: str, seconds: float, **more: Any) -> dict[str, Any]:
    event = {
        "type": kind,
        "event_id": "92356927693813856",
        "message_id": "000443ee14578172be22",
        "transmission_id": "65832150921904138",
        "rcpt_to": "joe@gmail.com",
        "raw_rcpt_to": "Joe@gmail.com",
        "routing_domain": "gmail.com",
        "timestamp": str(int(NINE_S + seconds)),
        **more,
    }
    family = "track_event" if kind == "open" else "message_event"
    return {"msys": {family: event}, "cust": {"id": "1"}}


FULL = {"error_code": "452", "raw_reason": "452 4.2.2 over quota", "bounce_class": "22"}
UNKNOWN = {"error_code": "550", "raw_reason": "550 5.1.1 user unknown", "bounce_class": "10"}
SPARKPOST = [
    sparkpost("injection", 0),
    sparkpost("delay", 60, num_retries="0", queue_time="60000", **FULL),
    sparkpost("delivery", 1200, num_retries="1", queue_time="1200000"),
    sparkpost("bounce", 2, num_retries="0", queue_time="2000", **UNKNOWN),
    sparkpost("open", 5000),
]
EVENTS = {"ses": SES, "sendgrid": SENDGRID, "mailgun": MAILGUN, "sparkpost": SPARKPOST}
each_service = pytest.mark.parametrize("name", EVENTS)


@each_service
def test_the_events_of_a_message(tmp_path, name) -> None:
    rows, context, file = read(tmp_path, [json.dumps(event) for event in EVENTS[name]])
    assert (file.format, file.remark) == (name, "")
    assert rows["outcome"].tolist() == [RECEIVED, HARD, SOFT, ACCEPTED]
    assert rows["finished_s"].round().tolist() == [NINE_S, NINE_S + 2, NINE_S + 60, NINE_S + 1200]
    assert reasons(rows)[1:3] == ["user unknown", "mailbox full"]
    assert rows["enhanced"].tolist()[1:3] == [5_001_001, 4_002_002]
    assert names(rows, context) == ["gmail"] * 4
    assert len(set(rows["message"].tolist())) == 1
    assert len(set(rows["recipient"].tolist())) == 1
    assert not context.skipped.malformed
    ((reason, count),) = context.skipped.other.items()
    assert reason.lower() in ("events of kind open", "events of kind opened")
    assert count == 1


@each_service
def test_the_arrival_is_told_by_the_event_or_by_that_of_the_reception(tmp_path, name) -> None:
    events = [event for number, event in enumerate(EVENTS[name]) if number != 3]
    rows, _, _ = read(tmp_path, [json.dumps(event) for event in events])
    found = lives(rows, NINE_S)
    assert found.rows["outcome"].tolist() == [SOFT, ACCEPTED]
    assert found.rows["arrived_s"].tolist() == [NINE_S, NINE_S]
    assert found.life.tolist() == [0, 0]


@each_service
@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_and_a_document_are_read_as_lines(tmp_path, name, indent) -> None:
    events = EVENTS[name]
    key = "results" if name == "sparkpost" else "items"
    objects = "\n".join(json.dumps(event, indent=2) for event in events)
    texts = [
        json.dumps(events, indent=indent),
        json.dumps({key: events, "paging": {"next": "x"}}, indent=indent),
        json.dumps({"links": [{"rel": "next"}], key: events}, indent=indent),
        objects,
        "\n".join(json.dumps([event]) for event in events),
        # Firehose joins records that have no line ends of their own.
        "".join(json.dumps(event) for event in events),
    ]
    for text in texts:
        rows, context, file = read(tmp_path, [text])
        assert (file.format, len(rows)) == (name, 4)
        assert not context.skipped.malformed


@each_service
@pytest.mark.parametrize("prefix", ["app-1  | ", "2026-11-26T09:00:00.123Z stdout F "])
def test_an_event_is_found_behind_a_prefix_and_in_a_record(tmp_path, name, prefix) -> None:
    lines = [json.dumps(event) for event in EVENTS[name]]
    rows, _, file = read(tmp_path, [prefix + line for line in lines])
    assert (file.format, len(rows)) == (name, 4)
    sns = [json.dumps({"Type": "Notification", "Message": line}) for line in lines]
    rows, _, file = read(tmp_path, sns)
    assert (file.format, len(rows)) == (name, 4)
    sqs = json.dumps({"Messages": [{"MessageId": "1", "Body": line} for line in sns]})
    rows, _, file = read(tmp_path, [sqs])
    assert (file.format, len(rows)) == (name, 4)


@each_service
def test_damaged_and_unknown_events_are_counted(tmp_path, name) -> None:
    good = [json.dumps(event) for event in EVENTS[name]]
    text = good[2]
    for key in ("eventType", "event", "type"):
        text = text.replace(f'"{key}": "deliver', f'"{key}": "dilever').replace("Delivery", "Dil")
    bad = [good[2][:-9], text, good[2].replace("timestamp", "timestump")]
    _, context, _ = read(tmp_path, [*good, *bad])
    assert sum(context.skipped.malformed.values()) == 3
    assert context.skipped.malformed["unknown kind of event"] == 1
    for samples in context.skipped.samples.values():
        assert all("joe" not in sample.shape for sample in samples)


@each_service
def test_events_among_others_lines_are_said(tmp_path, name) -> None:
    other = "mailgun" if name == "sendgrid" else "sendgrid"
    lines = [json.dumps(event) for event in [*EVENTS[name] * 3, *EVENTS[other]]]
    _, _, file = read(tmp_path, lines)
    assert file.remark == f"lines of {other} in the same file were not read"


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        (bounced("Transient", "4.2.2", "452 4.2.2 full"), EXPIRED),
        (bounced("Undetermined", "", ""), EXPIRED),
        (bounced("Permanent", "5.1.1", "550", reportingMTA="dsn; a8.smtp-out.amazonses.com"), HARD),
        (bounced("Permanent", "5.1.1", "550", reportingMTA="dns; mx.example.com"), RETURNED),
        ({"detail-type": "Email Sent", "detail": ses("Send")}, RECEIVED),
        (ses("Delivery", "notificationType", delivery=SES[2]["delivery"]), ACCEPTED),
    ],
)
def test_bounces_and_frames_of_ses(tmp_path, event, outcome) -> None:
    (row,), _, _ = read(tmp_path, [json.dumps(event)])
    assert row["outcome"] == outcome


def test_an_event_of_ses_may_have_several_recipients(tmp_path) -> None:
    event = json.loads(json.dumps(SES[2]))
    event["delivery"]["recipients"] = ["joe@gmail.com", "ann@yahoo.com"]
    rows, context, _ = read(tmp_path, [json.dumps(event)])
    assert sorted(names(rows, context)) == ["gmail", "yahoo"]


@pytest.mark.parametrize(
    ("event", "outcome", "passed"),
    [
        (sendgrid("dropped", 0, reason="Bounced Address"), None, "messages that the service"),
        (sendgrid("bounce", 0, type="blocked", reason="550 5.7.1 blocked"), HARD, ""),
        # After 72 hours a deferral becomes a block; "Throttling" in Twilio SendGrid's glossary.
        (sendgrid("bounce", 0, type="blocked", reason="452 4.2.2 full"), EXPIRED, ""),
        (sendgrid("bounce", 0, type="blocked", status="4.2.2", reason="full"), EXPIRED, ""),
        (sendgrid("bounce", 0, type="blocked", status="5.7.1", reason="4 times"), HARD, ""),
        (sendgrid("deferred", 0, response="throttled", attempt="5"), SOFT, ""),
        (mailgun("failed", 0, severity="permanent", reason="suppress-bounce"), None, "messages"),
        (mailgun("failed", 0, status(498, "x"), severity="permanent", reason="old"), EXPIRED, ""),
        ({"signature": {}, "event-data": mailgun("accepted", 0)}, RECEIVED, ""),
        (sparkpost("out_of_band", 0, **UNKNOWN), RETURNED, ""),
        (sparkpost("policy_rejection", 0), None, "events of kind"),
        (sparkpost("delivery", 0)["msys"]["message_event"], ACCEPTED, ""),
        ({"msys": {}}, None, "empty events"),
    ],
)
def test_other_events(tmp_path, event, outcome, passed) -> None:
    rows, context, _ = read(tmp_path, [json.dumps(event)])
    assert rows["outcome"].tolist() == ([outcome] if outcome else [])
    assert not context.skipped.malformed
    assert any(reason.startswith(passed) for reason in context.skipped.other) or not passed


def test_numbers_of_attempts_and_durations(tmp_path) -> None:
    rows, _, _ = read(tmp_path, [json.dumps(event) for event in SPARKPOST])
    assert rows["attempt"].tolist() == [0, 1, 1, 2]
    assert rows["arrived_s"].tolist() == [NINE_S] * 4
    rows, _, _ = read(tmp_path, [json.dumps(event) for event in MAILGUN])
    assert rows["attempt"].tolist() == [0, 1, 1, 2]
    assert rows["transaction_s"][1:].tolist() == [2.5] * 3
    assert rows["started_s"][3] == NINE_S + 1198.0
    assert np.isnan(rows["transaction_s"][0])
    rows, _, _ = read(tmp_path, [json.dumps(event) for event in SENDGRID])
    assert rows["attempt"].tolist() == [0, 0, 1, 0]
