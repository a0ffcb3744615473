"""KumoMTA: log records as JSON lines.

A record has the times of arrival and event, and the session; it lacks the duration of the attempt.
That of a message with several recipients has all of them, and each of them counts.
Source: KumoMTA, ``crates/kumo-log-types/src/lib.rs`` and "Log Record" of the reference manual.
"""

import json
import math
from functools import lru_cache
from typing import Any, Final

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, RECEIVED, REMOVED, RETURNED, SOFT
from sendcap.calibration.logs.opening import Log
from sendcap.calibration.logs.reading import Context, LineError, LineReader, Row
from sendcap.calibration.logs.stamps import rfc3339_s
from sendcap.calibration.outcomes import packed
from sendcap.calibration.reasons import is_expiry

_OUTCOMES: Final = {
    "Delivery": ACCEPTED,
    "TransientFailure": SOFT,
    "Bounce": HARD,
    "Expiration": EXPIRED,
    "OOB": RETURNED,
    "AdminBounce": REMOVED,
    "Reception": RECEIVED,
}
_decoder: Final = json.JSONDecoder()
_MOST_ATTEMPTS: Final = 1 << 16
_MOST_SESSIONS: Final = 10_000
_OTHER: Final = frozenset(
    {
        *("Feedback", "Rejection", "AdminRebind"),
        *("DeferredInjectionRebind", "Delayed", "XferOut", "XferIn"),
    }
)


class KumomtaReader(LineReader):
    """Reads JSON lines."""

    format = "kumomta"
    attempts = "records Delivery, TransientFailure and Bounce"
    unreadable = "unreadable record"

    def __init__(self, log: Log, context: Context) -> None:
        super().__init__(log, context)
        # Of one session are many records, not far from each other.
        self._session = lru_cache(_MOST_SESSIONS)(self._identity)

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return the number of lines that have an object with a type and an id."""
        # An event of SparkPost has both, too.
        return sum(
            b'"type"' in line and b'"id"' in line and b'"rcpt_to"' not in line for line in lines
        )

    @classmethod
    def _record_in(cls, line: bytes) -> bytes:
        return line[line.find(b"{") :] if b"{" in line else b""

    def _row(self, line: bytes) -> Row | list[Row] | None:
        record: dict[str, Any] = _record_of(str(line, "utf-8"))
        kind = record["type"]
        outcome = _OUTCOMES.get(kind)
        if outcome is None:
            if kind not in _OTHER:
                raise LineError("unknown record type")
            self.pass_over(f"records of type {kind}")
            return None
        if outcome == RECEIVED and record.get("queue") == "null":
            self.pass_over("receptions of mail that goes nowhere")
            return None
        recipients = record.get("recipient") or ""
        if not isinstance(recipients, list):
            recipients = [recipients]
        # Of a reception, the peer is who handed the message over.
        peer = (record.get("peer_address") or {}) if outcome != RECEIVED else {}
        # Without a connection, the site names the host; older records have it without the protocol.
        site = str(record.get("site") or "")  # source->mx.example.com@smtp_client
        host = peer.get("name") or site.partition("->")[2].partition("@")[0]
        server = str(host).encode("utf-8", "replace")
        session = record.get("session_id") if outcome <= HARD else None
        category = str(record.get("bounce_classification") or "")
        if outcome == HARD and is_expiry(category):
            outcome = EXPIRED
        reason, code, enhanced = self._reply(record.get("response") or {}, outcome, category)
        tried = int(record.get("num_attempts") or 0)
        if not 0 <= tried < _MOST_ATTEMPTS:
            tried = min(max(tried, 0), _MOST_ATTEMPTS - 1)
        parts = (
            self._session(str(session)) if session else 0,
            _time_s(record, "created_time", "created", needed=False),
            _time_s(record, "event_time", "timestamp", needed=True),
            tried,
            enhanced,
            code if 0 <= code < 1000 else 0,
            reason,
            outcome,
        )
        identities, number = self.context.identities, self.context.providers.number
        message, found = identities.of(str(record["id"]).encode("utf-8", "replace")), list[Row]()
        for each in recipients:
            address = str(each).encode("utf-8", "replace")
            provider = number(server, address.rpartition(b"@")[2])
            found.append((message, identities.short(address), provider, *parts))
        return found[0] if len(found) == 1 else found

    def _reply(self, response: dict[str, Any], outcome: int, category: str) -> tuple[int, int, int]:
        """Return the reason, the code and the enhanced code of a response."""
        code, status = int(response.get("code") or 0), response.get("enhanced_code")
        enhanced = 0
        if status:
            enhanced = packed(int(status["class"]), int(status["subject"]), int(status["detail"]))
        if outcome not in (SOFT, HARD):
            return 0, code, enhanced
        text = str(response.get("content") or "").encode("utf-8", "replace")
        return self.context.reply(text, enhanced, code, category)


def _record_of(text: str) -> Any:
    """Return the value of a line; the usual one needs no search for spaces around it."""
    if text[0] == "{":
        record, end = _decoder.raw_decode(text)
        if end == len(text):
            return record
    return _decoder.decode(text)


def _time_s(record: dict[str, Any], exact: str, rounded: str, *, needed: bool) -> float:
    text = record.get(exact)
    if text:
        return rfc3339_s(str(text).encode("ascii", "replace"))
    number = record.get(rounded)
    if number is None and not needed:
        return math.nan
    seconds = float(number)  # type: ignore[arg-type]
    if not 0.0 < seconds < 1e11:
        raise LineError("unreadable timestamp")
    return seconds
