"""KumoMTA: log records as JSON lines.

A record has when the message came and when the event was, and the session that it was in; how
long an attempt took it does not say.

References
----------
KumoMTA, ``crates/kumo-log-types/src/lib.rs`` and "Log Record" of its reference manual.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from sendcap.calibration.attempts import ACCEPTED, EXPIRED, HARD, RETURNED, SOFT
from sendcap.calibration.logs.opening import Log
from sendcap.calibration.logs.reading import Context, Reader
from sendcap.calibration.logs.stamps import Rfc3339
from sendcap.calibration.outcomes import packed

_OUTCOMES: Final = {
    "Delivery": ACCEPTED,
    "TransientFailure": SOFT,
    "Bounce": HARD,
    "Expiration": EXPIRED,
    "OOB": RETURNED,
}
_OTHER: Final = frozenset(
    {
        "Reception",
        "AdminBounce",
        "Feedback",
        "Rejection",
        "AdminRebind",
        "DeferredInjectionRebind",
        "Delayed",
        "XferOut",
        "XferIn",
    }
)
_UNREADABLE: Final = (
    *(ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError),
)
"""What may come of a record that is not what it should be."""
_NAN: Final = float("nan")


class KumomtaReader(Reader):
    """Reads JSON lines; see the module."""

    format = "kumomta"
    columns = (
        "message",
        "recipient",
        "provider",
        "session",
        "arrived_s",
        "finished_s",
        "attempt",
        "enhanced",
        "code",
        "reason",
        "outcome",
    )

    def __init__(self, log: Log, context: Context) -> None:
        super().__init__(log, context)
        self._created, self._event = Rfc3339(), Rfc3339()

    @classmethod
    def recognises(cls, lines: list[bytes]) -> int:
        """Return how many lines are objects with a type and an id."""
        return sum(
            line.startswith(b"{") and b'"type"' in line and b'"id"' in line for line in lines
        )

    def _rows(self, lines: list[bytes], first: int) -> Iterator[tuple[Any, ...]]:
        for number, line in enumerate(lines):
            if not line or line.isspace():
                continue
            try:
                record = json.loads(line)
                kind = record["type"]
                if kind in _OUTCOMES:
                    yield self._row(record, _OUTCOMES[kind])
                elif kind in _OTHER:
                    self.pass_over(f"records of type {kind}")
                else:
                    self.refuse("a record of an unknown type", first + number, line)
            except _UNREADABLE:
                self.refuse("a record that cannot be read", first + number, line)

    def _row(self, record: dict[str, Any], outcome: int) -> tuple[Any, ...]:
        identities, providers = self.context.identities, self.context.providers
        to = record.get("recipient") or ""
        if isinstance(to, list):
            to = ",".join(map(str, to))
        response = record.get("response") or {}
        enhanced, code, reason = 0, int(response.get("code") or 0), 0
        its = response.get("enhanced_code")
        if its:
            enhanced = packed(int(its["class"]), int(its["subject"]), int(its["detail"]))
        if outcome in (SOFT, HARD):
            text = str(response.get("content") or "").encode("utf-8", "replace")
            reason, code, enhanced = self.context.replies.read(text, enhanced, code)
        peer = record.get("peer_address") or {}
        # Where no connection came about, the site tells whose it would have been:
        # "source->(mx1|mx2).example.com@smtp_client".
        site = str(record.get("site") or "").partition("->")[2].rpartition("@")[0]
        host = str(peer.get("name") or site).encode("utf-8", "replace")
        address = str(to).encode("utf-8", "replace")
        session = record.get("session_id")
        attempt = int(record.get("num_attempts") or 0)
        return (
            identities.of(str(record["id"]).encode("utf-8", "replace")),
            identities.short(address),
            providers.number(host, address.rpartition(b"@")[2]),
            identities.of(str(session).encode("utf-8", "replace")) if session else 0,
            _time_s(record, "created_time", "created", self._created, needed=False),
            _time_s(record, "event_time", "timestamp", self._event, needed=True),
            min(max(attempt, 0), 65_535),
            enhanced,
            code if 0 <= code < 1000 else 0,
            reason,
            outcome,
        )


def _time_s(record: dict[str, Any], exact: str, whole: str, reader: Rfc3339, needed: bool) -> float:
    text = record.get(exact)
    if text:
        return reader.seconds(str(text).encode("ascii", "replace"))
    number = record.get(whole)
    if number is None and not needed:
        return _NAN
    seconds = float(number)  # type: ignore[arg-type]
    if not 0.0 < seconds < 1e11:
        raise ValueError
    return seconds
