"""The messages between stations, as arrays.

Inside the model, deliveries, providers, relay batches and reasons are numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sendcap.ledger import Event

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Records = npt.NDArray[np.void]
Deliveries = int | npt.NDArray[np.int16]
"""The delivery of each message, or the one of all of them."""
Reasons = int | npt.NDArray[np.int16]
"""The reason of each event, or the one of all of them."""

TRIED = np.dtype(
    [
        ("ready_s", "f8"),  # when it becomes ready again; when it expires, for the expired
        ("first_failed_s", "f8"),
        ("previous_delay_s", "f8"),
        ("clears_at_s", "f8"),  # when its fault clears
        ("reported_s", "f8"),  # when its last report arrives at Campaign
        ("message", "i8"),  # its number within its delivery
        ("batch", "i4"),
        ("kind", "i2"),  # what is wrong with its address, see addresses.AddressKinds
        ("reason", "i2"),  # of its last soft bounce
        ("failures", "i4"),  # soft bounces so far
    ],
    align=True,
)
"""A message that has been tried, or that needs more fields than a new one."""


@dataclass(frozen=True, slots=True)
class NewMessages:
    """Messages on their way to their first attempt, by ready time. Most messages are no more."""

    ready_s: Floats
    batch: npt.NDArray[np.int32]
    kind: npt.NDArray[np.int16]
    message: Ints | None  # for the sending log only

    def __len__(self) -> int:
        return len(self.ready_s)

    def part(self, index: Ints | slice) -> NewMessages:
        """Return some of the messages."""
        return NewMessages(
            self.ready_s[index],
            self.batch[index],
            self.kind[index],
            None if self.message is None else self.message[index],
        )

    @staticmethod
    def joined(parts: Sequence[NewMessages]) -> NewMessages:
        """Return the messages of all the parts, one after the other."""
        if len(parts) == 1:
            return parts[0]
        messages = [part.message for part in parts if part.message is not None]
        return NewMessages(
            np.concatenate([part.ready_s for part in parts]),
            np.concatenate([part.batch for part in parts]),
            np.concatenate([part.kind for part in parts]),
            np.concatenate(messages) if messages else None,
        )

    def tried(self) -> Records:
        """Return them as `TRIED` records that have not failed yet."""
        records = np.zeros(len(self), TRIED)
        records["ready_s"] = self.ready_s
        records["reported_s"] = -np.inf
        records["batch"] = self.batch
        records["kind"] = self.kind
        if self.message is not None:
            records["message"] = self.message
        return records


class Handover(NamedTuple):
    """Messages of one delivery that have been relayed, in the order in which they were."""

    delivery: int
    provider: npt.NDArray[np.int16]
    batch: npt.NDArray[np.int32]
    message: Ints | None


class Attempts(NamedTuple):
    """Attempts at one provider, in the order of their starts, or finishes where it reacts.

    Attempt k is that of a new message if k is in ``new_at``, of a tried one if in ``tried_at``.
    ``throttled`` marks those that the provider throttled; None means none.
    """

    delivery: Deliveries
    new_at: Ints
    new: NewMessages
    tried_at: Ints
    tried: Records
    finish_s: Floats
    throttled: npt.NDArray[np.bool_] | None


class Accepted(NamedTuple):
    """Messages that a provider has accepted."""

    provider: int
    delivery: Deliveries
    accepted_s: Floats


@dataclass(frozen=True, slots=True)
class Reports:
    """Status reports of one event at one provider.

    ``subset`` marks those that count for the event's subset too, see `SUBSET`; None marks none.
    ``attempt`` and ``message`` serve the sending log only.
    """

    event: Event
    provider: int
    delivery: Deliveries
    reason: Reasons
    happened_s: Floats
    arrives_s: Floats
    subset: npt.NDArray[np.bool_] | None
    attempt: Ints | None
    message: Ints | None

    def __len__(self) -> int:
        return len(self.arrives_s)

    def part(self, index: Ints) -> Reports:
        """Return some of the reports."""
        return Reports(
            self.event,
            self.provider,
            self.delivery if isinstance(self.delivery, int) else self.delivery[index],
            self.reason if isinstance(self.reason, int) else self.reason[index],
            self.happened_s[index],
            self.arrives_s[index],
            None if self.subset is None else self.subset[index],
            None if self.attempt is None else self.attempt[index],
            None if self.message is None else self.message[index],
        )


SUBSET: dict[Event, Event] = {
    "accepted": "recovered",
    "hard": "hard_after_soft",
    "soft": "soft_first",
    "expired": "expired_untried",
}

WITH_REASON: frozenset[Event] = frozenset({"hard", "soft", "expired"})
"""Events that are counted by their reason."""


def groups(
    delivery: Deliveries, reason: Reasons, count: int
) -> Iterator[tuple[int, int, Ints | slice]]:
    """Split ``count`` events: yield delivery, reason and the index of the events."""
    if isinstance(delivery, int) and isinstance(reason, int):
        yield delivery, reason, slice(None)
        return
    reasons = 1 + (reason if isinstance(reason, int) else int(reason.max(initial=0)))
    codes = np.broadcast_to(np.int64(1) * delivery * reasons + reason, count)
    for code in np.flatnonzero(np.bincount(codes)):
        one_delivery, one_reason = divmod(int(code), reasons)
        yield one_delivery, one_reason, np.flatnonzero(codes == code)
