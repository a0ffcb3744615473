"""Mailgun: events of the Events API and of webhooks.

``session-seconds`` is the time of an attempt with its connection; the arrival is that of the event
``accepted``. A message that was tried for too long fails for the reason ``old``. Source: Mailgun,
"Event structure", "Event types" and "Webhook payloads".
"""

from typing import Any, Final

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, RECEIVED, SOFT
from sendcap.calibration.logs.events import EventReader
from sendcap.calibration.logs.reading import Row

_MARKS: Final = (b'"delivery-status"', b'"event-data"', b'"log-level"')
_OTHER: Final = frozenset(
    {
        *("rejected", "opened", "clicked", "unsubscribed", "complained", "stored"),
        *("list_member_uploaded", "list_member_upload_error", "list_uploaded"),
    }
)


class MailgunReader(EventReader):
    """Reads events of Mailgun."""

    format = "mailgun"

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return the number of lines that have an event and a key of Mailgun's."""
        return sum(b'"event"' in line and any(key in line for key in _MARKS) for line in lines)

    def _event(self, event: dict[str, Any]) -> Row | None:
        event = event.get("event-data") or event
        outcome = self._outcome(event)
        if outcome is None:
            return None
        status = event.get("delivery-status") or {}
        headers = (event.get("message") or {}).get("headers") or {}
        came = outcome == RECEIVED
        return self._attempt(
            outcome,
            headers.get("message-id") or event["id"],
            event["recipient"],
            event["timestamp"],
            arrived=event["timestamp"] if came else None,
            host=status.get("mx-host"),
            attempt=status.get("attempt-no"),
            text=status.get("message") or status.get("description"),
            code=status.get("code"),
            category=event.get("reason"),
            took=status.get("session-seconds") if status.get("mx-host") else None,
        )

    def _outcome(self, event: dict[str, Any]) -> int | None:
        kind, reason = event["event"], str(event.get("reason") or "")
        if kind == "accepted":
            return RECEIVED
        if kind == "delivered":
            return ACCEPTED
        if kind == "failed":
            if event.get("severity") == "temporary":
                return SOFT
            if reason.startswith("suppress"):
                self.pass_over("messages that the service suppressed")
                return None
            return EXPIRED if reason == "old" else HARD
        self._of_another_kind(kind, _OTHER)
        return None
