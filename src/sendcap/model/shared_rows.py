"""The limits over several queues in numbers, as the compiled step takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sendcap.model.kernel import fields, state
from sendcap.model.limit_rows import LimitRows
from sendcap.model.records import records
from sendcap.scenario import Queue, Scenario


class _OfQueue(NamedTuple):
    """What covers a queue."""

    row: dict[str, int]
    rates: list[int]  # limits


class SharedRows:
    """The shared limits of a group of queues, in the making."""

    def __init__(self, scenario: Scenario, queues: Sequence[Queue]) -> None:
        self._limits = [each for each in scenario.limits if any(map(each.covers, queues))]
        self._most = len(queues)
        self.rows: list[dict[str, Any]] = []
        self._of_queue: list[int] = []
        self._number_of: dict[tuple[str, str], int] = {}

    def add(self, queue: Queue, limits: LimitRows) -> _OfQueue:
        """Add what covers a queue."""
        first, rates = len(self._of_queue), list[int]()
        for each in self._limits:
            if not each.covers(queue):
                continue
            for place, throttle in enumerate(each.throttles):
                number = self._number(each.name, f"rate {place}")
                if "rate" not in self.rows[number]:
                    self.rows[number]["rate"] = limits.add(throttle, 1)
                rates.append(self.rows[number]["rate"])
                self._of_queue.append(number)
            if each.connections is not None:
                number = self._number(each.name, "connections")
                self.rows[number] |= {"rate": fields.NONE, "connections": each.connections}
                self._of_queue.append(number)
        count = len(self._of_queue) - first
        row = {"first_shared": first, "shared": count, "shared_rates": len(rates)}
        return _OfQueue(row, rates)

    def _number(self, name: str, what: str) -> int:
        number = self._number_of.setdefault((name, what), len(self.rows))
        if number == len(self.rows):
            self.rows.append({"first": number * self._most})
        return number

    def numbers(self) -> state.Shared:
        """Return them all."""
        room = max(len(self.rows) * self._most, 1)
        return state.Shared(
            limits=records(fields.SHARED, self.rows or [{}]),
            of_queue=np.array(self._of_queue or [0], np.int32),
            parked=np.zeros(room, np.int32),
            ready_s=np.zeros(room),
        )
