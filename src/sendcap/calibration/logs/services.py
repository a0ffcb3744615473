"""Events of sending services: Amazon SES, Twilio SendGrid, Mailgun and SparkPost.

- **Amazon SES**: events published to SNS, Firehose or EventBridge, and notifications. A bounce that
  is no permanent one ends the attempts of SES. A report by another server came after the message
  had been accepted. Source: Amazon SES Developer Guide, "Contents of event data that Amazon SES
  publishes to Amazon SNS" and "Amazon SNS notification contents".
- **Twilio SendGrid**: events of the event webhook. Times are whole seconds; the arrival is that of
  the event ``processed``. A bounce of the type ``blocked`` ends the attempts, too: after a refusal
  for a time, because the message was deferred for 72 hours. Source: Twilio SendGrid, "Event Webhook
  Reference" and "Throttling".
- **Mailgun**: events of the Events API and of webhooks. ``session-seconds`` is the time of an
  attempt with its connection; the arrival is that of the event ``accepted``. A message that was
  tried for too long fails for the reason ``old``. Source: Mailgun, "Event structure", "Event types"
  and "Webhook payloads".
- **SparkPost**: events of webhooks (``msys``), and of the Events API, which has them plain.
  ``queue_time`` is in milliseconds, ``num_retries`` 0 at the first attempt. Source: SparkPost
  developer documentation, "Webhooks" and "Events"; SparkPost/support-docs,
  ``content/docs/tech-resources/sparkpost-event-definitions.md``.
"""

from typing import Any, ClassVar

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, RECEIVED, RETURNED, SOFT
from sendcap.calibration.logs.events import EventReader
from sendcap.calibration.logs.reading import Row, status_code
from sendcap.calibration.logs.stamps import any_time


class SesReader(EventReader):
    """Reads events of Amazon SES."""

    format = "ses"
    attempts = "events Delivery, DeliveryDelay and Bounce"
    outcomes: ClassVar = {
        "Send": RECEIVED,
        "Delivery": ACCEPTED,
        "DeliveryDelay": SOFT,
        "Bounce": HARD,
    }
    others = frozenset(
        {"Complaint", "Reject", "Open", "Click", "Rendering Failure", "Subscription"}
    )

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return the number of lines that have a kind of event and a mail."""
        keys = (b'"eventType"', b'"notificationType"')
        return sum(b'"mail"' in line and any(key in line for key in keys) for line in lines)

    def _event(self, event: dict[str, Any]) -> Row | list[Row] | None:
        detail = event.get("detail")
        event = detail if isinstance(detail, dict) else event
        kind = event.get("eventType") or event.get("notificationType")
        mail = event["mail"]
        message, arrived = mail["messageId"], mail.get("timestamp")
        outcome = self._outcome(kind)
        if outcome is None:
            return None
        if outcome == RECEIVED:
            to = mail.get("destination") or [""]
            return [self._attempt(outcome, message, one, arrived, arrived=arrived) for one in to]
        if outcome == ACCEPTED:
            delivery = event["delivery"]
            finished, to = delivery["timestamp"], delivery["recipients"]
            return [self._attempt(outcome, message, one, finished, arrived=arrived) for one in to]
        if outcome == SOFT:
            failure, category = event["deliveryDelay"], "delayType"
            to = failure["delayedRecipients"]
        else:
            failure, category = event["bounce"], "bounceSubType"
            outcome, to = _end(failure), failure["bouncedRecipients"]
        return [
            self._attempt(
                outcome,
                message,
                one["emailAddress"],
                failure["timestamp"],
                arrived=arrived,
                text=one.get("diagnosticCode"),
                enhanced=status_code(str(one.get("status"))),
                category=failure.get(category),
            )
            for one in to
        ]


def _end(bounce: dict[str, Any]) -> int:
    """Return what became of a message of Amazon SES."""
    by = str(bounce.get("reportingMTA") or "")
    if by and "amazonses" not in by:
        return RETURNED
    return HARD if bounce.get("bounceType") == "Permanent" else EXPIRED


class SendgridReader(EventReader):
    """Reads events of SendGrid."""

    format = "sendgrid"
    attempts = "events delivered, deferred and bounce"
    outcomes: ClassVar = {
        "processed": RECEIVED,
        "delivered": ACCEPTED,
        "deferred": SOFT,
        "bounce": HARD,
    }
    others = frozenset(
        {
            *("open", "click", "spamreport", "unsubscribe", "group_unsubscribe"),
            *("group_resubscribe", "account_status_change", "open_unknown"),
        }
    )

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return the number of lines that have an event and SendGrid's number of it."""
        return sum(
            b'"sg_' in line
            and b'"event"' in line
            and (b'"sg_event_id"' in line or b'"sg_message_id"' in line)
            for line in lines
        )

    def _event(self, event: dict[str, Any]) -> Row | None:
        kind = event["event"]
        if kind == "dropped":
            self.pass_over(self.suppressed)
            return None
        outcome = self._outcome(kind)
        if outcome is None:
            return None
        if event.get("type") == "blocked" and _is_for_a_time(event):
            outcome = EXPIRED
        return self._attempt(
            outcome,
            event.get("sg_message_id") or event["smtp-id"],
            event["email"],
            event["timestamp"],
            arrived=event["timestamp"] if outcome == RECEIVED else None,
            attempt=event.get("attempt"),
            text=event.get("reason") or event.get("response"),
            enhanced=status_code(str(event.get("status"))),
            category=event.get("bounce_classification"),
        )


def _is_for_a_time(block: dict[str, Any]) -> bool:
    """Tell whether the last refusal before a block was a temporary one."""
    return str(block.get("status") or block.get("reason")).lstrip().startswith("4")


class MailgunReader(EventReader):
    """Reads events of Mailgun."""

    format = "mailgun"
    attempts = "events delivered and failed"
    outcomes: ClassVar = {"accepted": RECEIVED, "delivered": ACCEPTED, "failed": HARD}
    others = frozenset(
        {
            *("rejected", "opened", "clicked", "unsubscribed", "complained", "stored"),
            *("list_member_uploaded", "list_member_upload_error", "list_uploaded"),
        }
    )

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return the number of lines that have an event and a key of Mailgun's."""
        keys = (b'"delivery-status"', b'"event-data"', b'"log-level"')
        return sum(b'"event"' in line and any(key in line for key in keys) for line in lines)

    def _event(self, event: dict[str, Any]) -> Row | None:
        event = event.get("event-data") or event
        kind, reason = event["event"], str(event.get("reason") or "")
        outcome = self._outcome(kind)
        if outcome is None:
            return None
        if kind == "failed":
            if event.get("severity") == "temporary":
                outcome = SOFT
            elif reason.startswith("suppress"):
                self.pass_over(self.suppressed)
                return None
            elif reason == "old":
                outcome = EXPIRED
        status = event.get("delivery-status") or {}
        headers = (event.get("message") or {}).get("headers") or {}
        return self._attempt(
            outcome,
            headers.get("message-id") or event["id"],
            event["recipient"],
            event["timestamp"],
            arrived=event["timestamp"] if outcome == RECEIVED else None,
            host=status.get("mx-host"),
            attempt=status.get("attempt-no"),
            text=status.get("message") or status.get("description"),
            code=status.get("code"),
            category=event.get("reason"),
            took=status.get("session-seconds") if status.get("mx-host") else None,
        )


class SparkpostReader(EventReader):
    """Reads events of SparkPost."""

    format = "sparkpost"
    attempts = "events delivery, delay and bounce"
    outcomes: ClassVar = {
        "injection": RECEIVED,
        "delivery": ACCEPTED,
        "delay": SOFT,
        "bounce": HARD,
        "out_of_band": RETURNED,
    }
    others = frozenset(
        {
            *("policy_rejection", "spam_complaint", "initial_open", "open", "click", "amp_open"),
            *("generation_failure", "generation_rejection", "list_unsubscribe"),
            *("link_unsubscribe", "relay_injection", "relay_rejection", "relay_delivery"),
            *("relay_tempfail", "relay_permfail", "amp_click", "amp_initial_open", "sms_status"),
            *("ab_test_completed", "ab_test_cancelled", "success", "error"),
        }
    )

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return the number of lines that have SparkPost's frame, or its keys."""
        return sum(
            b'"msys"' in line or (b'"rcpt_to"' in line and b'"event_id"' in line) for line in lines
        )

    def _event(self, event: dict[str, Any]) -> Row | None:
        frame = event.get("msys")
        if isinstance(frame, dict):
            event = next(iter(frame.values()), {})
            if not event:
                self.pass_over("empty events")
                return None
        kind = event["type"]
        outcome = self._outcome(kind)
        if outcome is None:
            return None
        finished = event["timestamp"]
        tried = outcome in (ACCEPTED, SOFT, HARD)
        retries = event.get("num_retries")
        return self._attempt(
            outcome,
            event.get("message_id") or event["transmission_id"],
            event.get("raw_rcpt_to") or event["rcpt_to"],
            finished,
            arrived=_arrived(event, finished) if tried else finished if outcome == RECEIVED else "",
            attempt=int(retries) + 1 if tried and retries is not None else 0,
            text=event.get("raw_reason") or event.get("reason"),
            code=event.get("error_code"),
            category=event.get("bounce_class"),
        )


def _arrived(event: dict[str, Any], finished: object) -> object:
    """Return when SparkPost took a message in."""
    waited_ms = event.get("queue_time")
    if event.get("injection_time") or waited_ms is None:
        return event.get("injection_time")
    return any_time(str(finished)) - float(waited_ms) / 1000.0
