"""The messages that a queue gives the kernel in one call, under the kernel's numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sendcap.model.batches import Batches
from sendcap.model.kernel.arrays import Waiting
from sendcap.model.messages import TRIED, Attempts, Deliveries, Floats, Ints, NewMessages, Records


class Given:
    """Messages numbered through: those held by connections, new ones, tried ones."""

    def __init__(self, held: Records, new: NewMessages, tried: Records) -> None:
        self._held = held
        self._new = new
        self._tried = tried
        self._first_new = len(held)
        self._first_tried = len(held) + len(new)

    def __len__(self) -> int:
        return self._first_tried + len(self._tried)

    def waiting(self, next_new_s: float, tried_ready_s: Floats, expiry_s: Floats) -> Waiting:
        """Return the messages as the kernel takes them; see `Waiting`."""
        return Waiting(
            np.ascontiguousarray(self._held["batch"]),
            self._new.ready_s,
            self._new.batch,
            next_new_s,
            tried_ready_s,
            np.ascontiguousarray(self._tried["batch"]),
            expiry_s,
        )

    def _which(self, numbers: Ints) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Return masks of the new and of the tried messages."""
        tried = numbers >= self._first_tried
        return ~tried & (numbers >= self._first_new), tried

    def _tried_or_held(self, numbers: Ints) -> Records:
        records = np.empty(len(numbers), TRIED)
        held = numbers < self._first_new
        records[held] = self._held[numbers[held]]
        records[~held] = self._tried[numbers[~held] - self._first_tried]
        return records

    def ready_s(self, numbers: Ints) -> Floats:
        """Return the ready times of messages."""
        new, tried = self._which(numbers)
        ready_s = np.empty(len(numbers))
        ready_s[new] = self._new.ready_s[numbers[new] - self._first_new]
        ready_s[tried] = self._tried["ready_s"][numbers[tried] - self._first_tried]
        held = ~(new | tried)
        ready_s[held] = self._held["ready_s"][numbers[held]]
        return ready_s

    def records(self, numbers: Ints) -> Records:
        """Return messages, in the order of the numbers."""
        if not len(numbers):
            return np.zeros(0, TRIED)
        new, _ = self._which(numbers)
        records = np.empty(len(numbers), TRIED)
        records[new] = self._new.part(numbers[new] - self._first_new).tried()
        records[~new] = self._tried_or_held(numbers[~new])
        return records

    def delivery(self, numbers: Ints, batches: Batches) -> Deliveries:
        """Return the deliveries of messages."""
        if batches.of_one_delivery:
            return 0
        new, tried = self._which(numbers)
        batch = np.empty(len(numbers), np.int64)
        batch[new] = self._new.batch[numbers[new] - self._first_new]
        batch[tried] = self._tried["batch"][numbers[tried] - self._first_tried]
        held = ~(new | tried)
        batch[held] = self._held["batch"][numbers[held]]
        return batches.delivery[batch]

    def attempts(
        self,
        numbers: Ints,
        delivery: Deliveries,
        finish_s: Floats,
        throttled: npt.NDArray[np.bool_] | None = None,
    ) -> Attempts:
        """Return the attempts of messages."""
        new, _ = self._which(numbers)
        new_at, tried_at = np.flatnonzero(new), np.flatnonzero(~new)
        return Attempts(
            delivery,
            new_at,
            self._new.part(numbers[new_at] - self._first_new),
            tried_at,
            self._tried_or_held(numbers[tried_at]),
            finish_s,
            throttled,
        )
