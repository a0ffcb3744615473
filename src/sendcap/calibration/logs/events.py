"""What the readers of event exports have in common: an event is a JSON object, one a line.

Sending services export arrivals and attempts as events, over webhooks or an API. An array or a
document of events has been split into lines before. A webhook posts an event until its receiver
confirms it, so an event may come several times; it counts once. Sources: Twilio SendGrid, "Event
Webhook Reference", "Duplicate events"; SparkPost, "Webhooks", "Batch Information".
"""

import json
import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from sendcap.calibration.attempts import HARD, SOFT, Records, rows
from sendcap.calibration.logs.reading import LineError, LineReader, Row
from sendcap.calibration.logs.stamps import any_time

_decode: Final = json.JSONDecoder().decode
_MOST: Final = 65_535
_MOST_TOOK_S: Final = 86_400.0


class EventReader(LineReader):
    """Reads events of a sending service."""

    outcomes: ClassVar[Mapping[str, int]]
    """Outcomes by the kind of event; an event may say more of it."""
    others: ClassVar[frozenset[str]]
    """Kinds of events that tell no arrival and no attempt."""
    suppressed: Final = "messages that the service suppressed"

    unreadable = "unreadable event"
    repeated = "repeated events"
    columns = (*LineReader.columns, "transaction_s")

    @abstractmethod
    def _event(self, event: dict[str, Any]) -> Row | list[Row] | None:
        """Return the row of an event, or those of its recipients; None for one of another kind."""

    @classmethod
    def _record_in(cls, line: bytes) -> bytes:
        return line[line.find(b"{") :] if b"{" in line else b""

    def _row(self, line: bytes) -> Row | list[Row] | None:
        return self._event(_decode(str(line, "utf-8")))

    def _attempt(
        self,
        outcome: int,
        message: object,
        to: object,
        finished: object,
        *,
        arrived: object = None,
        host: object = "",
        attempt: object = 0,
        text: object = "",
        enhanced: int = 0,
        code: object = 0,
        category: object = "",
        took: object = None,
    ) -> Row:
        """Return a row; values are as in the event. Only a failed attempt has a reason."""
        address = _bytes(to).lower()
        reason, number = 0, int(str(code or 0))
        took_s = math.nan if took is None else float(str(took))
        if outcome in (SOFT, HARD):
            reason, number, enhanced = self.context.reply(
                _bytes(text), enhanced, number, str(category or "")
            )
        return (
            self._identity(str(message)),
            self.context.identities.short(address),
            self.context.providers.number(_bytes(host), address.rpartition(b"@")[2]),
            0,
            math.nan if arrived in (None, "") else any_time(str(arrived)),
            any_time(str(finished)),
            min(max(int(str(attempt or 0)), 0), _MOST),
            enhanced,
            number if 0 <= number < 1000 else 0,
            reason,
            outcome,
            took_s if 0.0 <= took_s <= _MOST_TOOK_S else math.nan,
        )

    def _outcome(self, kind: Any) -> int | None:
        """Return the outcome of a kind of event; pass over one of another kind."""
        outcome = self.outcomes.get(kind)
        if outcome is None:
            if kind not in self.others:
                raise LineError("unknown kind of event")
            self.pass_over(f"events of kind {kind}")
        return outcome

    def _records(self, count: int, columns: dict[str, Any]) -> Records:
        records = rows(count, columns)
        records["started_s"] = records["finished_s"] - records["transaction_s"]
        return records


def _bytes(value: object) -> bytes:
    return str(value or "").encode("utf-8", "replace")
