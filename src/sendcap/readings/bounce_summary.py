"""The bounce summary: why messages bounced, as Campaign knows at a moment."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from sendcap.ledger import Event, Ledger
from sendcap.readings.dynamic_report import require_moment
from sendcap.readings.modes import (
    ALL_DELIVERIES,
    Mode,
    known,
    names_of,
    require_delivery,
    statuses,
)

_LABELS: Final = (
    "User unknown",
    "Invalid domain",
    "Unreachable",
    "Account disabled",
    "Mailbox full",
    "Refused",
)
"""The reasons of Campaign's own bounce summary, for email."""
_UNREACHABLE: Final = "Unreachable"
"""What Campaign takes an SMTP error for that no rule names; it is soft."""


class _Row(NamedTuple):
    reason: str
    label: str
    type: str
    messages: float
    final: float


def bounce_summary(
    ledger: Ledger, t_s: float, mode: Mode, delivery: str = ALL_DELIVERIES
) -> pd.DataFrame:
    """Return the bounces up to a moment by reason; see `sendcap.Run.bounce_summary`."""
    require_moment(t_s)
    require_delivery(ledger, delivery)
    edges = ledger.last_edges([t_s])
    status = statuses(known(ledger, delivery, edges=edges), mode)
    processed = float(status.sent[0] + status.failed[0])

    def count(event: Event, reason: str | None = None) -> float:
        names = names_of(delivery)
        counts = ledger.cumulative(event, edges=edges, reason=reason, **names)
        total: float = counts[0].item()
        return total

    rows = [row for row in _rows(ledger, count) if row.messages or row.final]
    table = pd.DataFrame(rows, columns=list(_Row._fields))
    for name in ("messages", "final"):
        table[f"{name}_pct"] = 100.0 * table[name] / processed if processed else np.nan
    order = table.sort_values(["messages", "reason"], ascending=[False, True])
    return order.reset_index(drop=True)


def _rows(ledger: Ledger, count: Callable[..., float]) -> Iterator[_Row]:
    """Yield the rows by what counts events of a reason."""
    for reason in ledger.reasons("hard"):
        messages = count("hard", reason)
        yield _Row(reason, _label(reason, ""), "hard", messages, messages)
    for reason in ledger.reasons("soft"):
        # A message counts with its first soft bounce, and once expired with its last.
        expired = count("expired", reason) - count("expired_untried", reason)
        yield _Row(
            reason, _label(reason, _UNREACHABLE), "soft", count("soft_first", reason), expired
        )
    others: dict[str, Event] = {
        "asynchronous bounce": "async_bounced",
        "expired untried": "expired_untried",
        "failed at the relay": "relay_failed",
    }
    for words, event in others.items():
        messages = count(event)
        yield _Row(words, "", "", messages, messages)


def _label(reason: str, default: str) -> str:
    """Return Campaign's label of a reason."""
    return next((label for label in _LABELS if label.casefold() == reason.casefold()), default)
