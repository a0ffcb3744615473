"""Twilio SendGrid: events of the event webhook.

Times are whole seconds; the arrival is that of the event ``processed``. A bounce of the type
``blocked`` ends the attempts, too. Source: Twilio SendGrid, "Event Webhook Reference".
"""

from typing import Any, Final

from sendcap.calibration.attempts import ACCEPTED, HARD, RECEIVED, SOFT
from sendcap.calibration.logs.events import EventReader
from sendcap.calibration.logs.reading import Row, status_code

_OUTCOMES: Final = {"processed": RECEIVED, "delivered": ACCEPTED, "deferred": SOFT, "bounce": HARD}
_OTHER: Final = frozenset(
    {
        *("open", "click", "spamreport", "unsubscribe", "group_unsubscribe", "group_resubscribe"),
        *("account_status_change", "open_unknown"),
    }
)


class SendgridReader(EventReader):
    """Reads events of SendGrid."""

    format = "sendgrid"

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
        outcome = _OUTCOMES.get(kind)
        if outcome is None:
            if kind == "dropped":
                self.pass_over("messages that the service suppressed")
            else:
                self._of_another_kind(kind, _OTHER)
            return None
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
