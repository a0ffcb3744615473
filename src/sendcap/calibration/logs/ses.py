"""Amazon SES: events published to SNS, Firehose or EventBridge, and notifications.

A bounce that is no permanent one ends the attempts of SES. A report by another server came after
the message had been accepted. Source: Amazon SES Developer Guide, "Contents of event data that
Amazon SES publishes to Amazon SNS" and "Amazon SNS notification contents".
"""

from typing import Any, Final

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, RECEIVED, RETURNED, SOFT
from sendcap.calibration.logs.events import EventReader
from sendcap.calibration.logs.reading import Row, status_code

_KEYS: Final = (b'"eventType"', b'"notificationType"')
_OTHER: Final = frozenset(
    {"Complaint", "Reject", "Open", "Click", "Rendering Failure", "Subscription"}
)


class SesReader(EventReader):
    """Reads events of Amazon SES."""

    format = "ses"

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return the number of lines that have a kind of event and a mail."""
        return sum(b'"mail"' in line and any(key in line for key in _KEYS) for line in lines)

    def _event(self, event: dict[str, Any]) -> Row | list[Row] | None:
        detail = event.get("detail")
        event = detail if isinstance(detail, dict) else event
        kind = event.get("eventType") or event.get("notificationType")
        mail = event["mail"]
        message, arrived = mail["messageId"], mail.get("timestamp")
        if kind == "Send":
            to = mail.get("destination") or [""]
            return [self._attempt(RECEIVED, message, one, arrived, arrived=arrived) for one in to]
        if kind == "Delivery":
            delivery = event["delivery"]
            finished, to = delivery["timestamp"], delivery["recipients"]
            return [self._attempt(ACCEPTED, message, one, finished, arrived=arrived) for one in to]
        if kind == "Bounce":
            bounce = event["bounce"]
            return [
                self._failed(_end(bounce), message, arrived, bounce, one, "bounceSubType")
                for one in bounce["bouncedRecipients"]
            ]
        if kind == "DeliveryDelay":
            delay = event["deliveryDelay"]
            return [
                self._failed(SOFT, message, arrived, delay, one, "delayType")
                for one in delay["delayedRecipients"]
            ]
        self._of_another_kind(kind, _OTHER)
        return None

    def _failed(
        self,
        outcome: int,
        message: object,
        arrived: object,
        failure: dict[str, Any],
        recipient: dict[str, Any],
        category: str,
    ) -> Row:
        return self._attempt(
            outcome,
            message,
            recipient["emailAddress"],
            failure["timestamp"],
            arrived=arrived,
            text=recipient.get("diagnosticCode"),
            enhanced=status_code(str(recipient.get("status"))),
            category=failure.get(category),
        )


def _end(bounce: dict[str, Any]) -> int:
    by = str(bounce.get("reportingMTA") or "")
    if by and "amazonses" not in by:
        return RETURNED
    return HARD if bounce.get("bounceType") == "Permanent" else EXPIRED
