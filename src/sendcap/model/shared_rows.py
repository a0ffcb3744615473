"""The limits over several queues or deliveries in numbers, as the compiled step takes them."""

from collections.abc import Iterable, Sequence
from itertools import starmap
from typing import Any, NamedTuple

import numpy as np

from sendcap.model.kernel import fields, state
from sendcap.model.kernel.turns import CALL, START, TAKE
from sendcap.model.limit_rows import LimitRows
from sendcap.model.records import records
from sendcap.scenario import Queue, Scenario, SharedLimit


class _OfQueue(NamedTuple):
    """What covers a queue."""

    row: dict[str, int]
    rates: list[int]  # limits that let attempts start


class SharedRows:
    """The shared limits of a group of queues, in the making."""

    def __init__(self, scenario: Scenario, queues: Sequence[Queue]) -> None:
        self._limits = [each for each in scenario.limits if any(map(each.covers, queues))]
        self._calls = CALL if scenario.mta.order == "fair" else TAKE
        self.rows: list[dict[str, Any]] = []
        self._of_queue: list[int] = []
        self._of_lane: list[int] = []
        self._lanes_of: dict[int, list[int]] = {}  # of limits that grow
        self._lanes = 0
        self._number_of: dict[tuple[str, str], int] = {}

    def add(self, queue: Queue, limits: LimitRows) -> _OfQueue:
        """Add what covers a queue."""
        first = len(self._of_queue)
        covering = [each for each in self._limits if each.covers(queue)]
        numbers = [number for each in covering for number in self._numbers_of(each, limits)]
        starts = [number for number in numbers if self.rows[number]["kind"] == fields.STARTS]
        self._of_queue += [*starts, *(number for number in numbers if number not in starts)]
        rates = [self.rows[number]["rate"] for number in starts]
        row = {"first_shared": first, "shared": len(numbers), "shared_rates": len(rates)}
        return _OfQueue(row, rates)

    def add_lane(
        self, queue: Queue, messages: Iterable[tuple[str, bool]], limits: LimitRows
    ) -> dict[str, int]:
        """Add what a lane of a queue asks for a connection.

        Its messages are those of some deliveries, new ones or retries.
        """
        first = len(self._of_lane)
        for each in self._limits:
            if each.covers(queue) and all(starmap(each.covers_message, messages)):
                for number in self._numbers_of(each, limits):
                    if self.rows[number]["kind"] != fields.STARTS:
                        self._of_lane.append(number)
                    if self.rows[number].get("every_s"):
                        self._lanes_of.setdefault(number, []).append(self._lanes)
        self._lanes += 1
        return {"first_limit": first, "limits": len(self._of_lane) - first}

    def _numbers_of(self, limit: SharedLimit, limits: LimitRows) -> list[int]:
        """Return the numbers of a limit's throttles, and of that of connections."""
        numbers = []
        for place, throttle in enumerate(limit.throttles):
            number = self._number(limit.name, f"rate {place}")
            if "rate" not in self.rows[number]:
                is_asked_late = not limit.lets_others_pass
                self.rows[number] |= {
                    "kind": fields.STARTS if is_asked_late else fields.TAKES,
                    "phase": START if is_asked_late else self._calls,
                    "rate": limits.add(throttle, 1),
                }
            numbers.append(number)
        if limit.connections is not None:
            number = self._number(limit.name, "connections")
            self.rows[number] |= {
                "kind": fields.CONNECTIONS,
                "phase": self._calls,
                "rate": fields.NONE,
                "connections": limit.connections,
                "open": limit.connections if limit.one_more_every is None else 0,
                "every_s": limit.one_more_every or 0.0,
                "shrunk_s": -np.inf,
                "last_run": fields.NONE,
            }
            numbers.append(number)
        return numbers

    def _number(self, name: str, what: str) -> int:
        number = self._number_of.setdefault((name, what), len(self.rows))
        if number == len(self.rows):
            self.rows.append({})
        return number

    def numbers(self) -> state.Shared:
        """Return them all."""
        # No limit has more parked than there are lanes; each queue has one at least.
        limits = records(fields.SHARED, self.rows or [{}])
        limits["first"] = np.arange(len(limits)) * self._lanes
        room = len(limits) * self._lanes
        lanes = list[int]()
        for number, own in self._lanes_of.items():
            limits["first_lane"][number], limits["lanes"][number] = len(lanes), len(own)
            lanes += own
        return state.Shared(
            limits=limits,
            of_queue=np.array(self._of_queue or [0], np.int32),
            of_lane=np.array(self._of_lane or [0], np.int32),
            lanes=np.array(lanes or [0], np.int32),
            parked=np.zeros(room, np.int32),
            rank=np.zeros(room, np.int32),
            ready_s=np.zeros(room),
        )
