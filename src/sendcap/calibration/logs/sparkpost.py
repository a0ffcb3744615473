"""SparkPost: events of webhooks (``msys``), and of the Events API, which has them plain.

``queue_time`` is in milliseconds, ``num_retries`` 0 at the first attempt. Source: SparkPost
developer documentation, "Webhooks" and "Events"; SparkPost/support-docs,
``content/docs/tech-resources/sparkpost-event-definitions.md``.
"""

from typing import Any, Final

from sendcap.calibration.attempts import ACCEPTED, HARD, RECEIVED, RETURNED, SOFT
from sendcap.calibration.logs.events import EventReader
from sendcap.calibration.logs.reading import Row
from sendcap.calibration.logs.stamps import any_time

_OUTCOMES: Final = {
    "injection": RECEIVED,
    "delivery": ACCEPTED,
    "delay": SOFT,
    "bounce": HARD,
    "out_of_band": RETURNED,
}
_OTHER: Final = frozenset(
    {
        *("policy_rejection", "spam_complaint", "initial_open", "open", "click", "amp_open"),
        *("generation_failure", "generation_rejection", "list_unsubscribe", "link_unsubscribe"),
        *("relay_injection", "relay_rejection", "relay_delivery", "relay_tempfail"),
        *("relay_permfail", "amp_click", "amp_initial_open", "sms_status", "ab_test_completed"),
        *("ab_test_cancelled", "success", "error"),
    }
)


class SparkpostReader(EventReader):
    """Reads events of SparkPost."""

    format = "sparkpost"

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
        outcome = _OUTCOMES.get(kind)
        if outcome is None:
            self._of_another_kind(kind, _OTHER)
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
    waited_ms = event.get("queue_time")
    if event.get("injection_time") or waited_ms is None:
        return event.get("injection_time")
    return any_time(str(finished)) - float(waited_ms) / 1000.0
