"""The lanes of a group of queues in numbers: who waits together, first in, first out."""

from typing import Any, Final

import numpy as np

from sendcap.model.kernel import fields, state
from sendcap.model.limit_rows import LimitRows
from sendcap.model.records import records
from sendcap.model.shared_rows import SharedRows
from sendcap.scenario import PRIORITIES, Delivery, Queue, Scenario

_EMPTY: Final[dict[str, Any]] = {
    "run_first": fields.NONE,
    "retry_first": fields.NONE,
    "new_ready_s": np.inf,
    "retry_ready_s": np.inf,
    "arrival_s": np.inf,
    "arriving_run": fields.NONE,
    "incoming_run": fields.NONE,
    "incoming_retry": fields.NONE,
    "parked_at": fields.NONE,
}
"""A lane in which nobody waits."""


class LaneRows:
    """The lanes, in the making."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._rows: list[dict[str, Any]] = []
        self._lane_of: list[list[int]] = []  # of new messages, by queue and delivery
        self._retry_lane_of: list[list[int]] = []

    def add(self, queue: Queue, shared: SharedRows, limits: LimitRows) -> dict[str, int]:
        """Add the lanes of a queue: messages wait together that no rule tells apart."""
        scenario, first = self._scenario, len(self._rows)
        together: dict[Any, list[tuple[Delivery, bool]]] = {}
        for delivery in scenario.deliveries:
            sends_there = delivery.audience.get(queue.provider, 0.0) > 0.0
            if sends_there and scenario.pool_of(delivery) == queue.pool:
                for retried in (False, True):
                    key = self._key(delivery, queue, retried)
                    together.setdefault(key, []).append((delivery, retried))
        lane_of = dict[tuple[str, bool], int]()
        for those in together.values():
            names = [(delivery.name, retried) for delivery, retried in those]
            lane_of |= dict.fromkeys(names, len(self._rows))
            row = {"queue": len(self._lane_of), "rank": self._rank(those[0][0])}
            self._rows.append(_EMPTY | row | shared.add_lane(queue, names, limits))
        for retried, table in ((False, self._lane_of), (True, self._retry_lane_of)):
            names = [(delivery.name, retried) for delivery in scenario.deliveries]
            table.append([lane_of.get(name, fields.NONE) for name in names])
        lanes = len(self._rows) - first
        alone = lanes == 1 and scenario.mta.active is None and not self._rows[first]["limits"]
        return {
            "first_lane": first,
            "lanes": lanes,
            "only_lane": first if alone else fields.NONE,
            "fair": scenario.mta.order == "fair",
        }

    def _key(self, delivery: Delivery, queue: Queue, retried: bool) -> Any:
        own = tuple(
            limit.covers_message(delivery.name, retried)
            for limit in self._scenario.limits
            if limit.lets_others_pass and limit.covers(queue)
        )
        fair = self._scenario.mta.order == "fair"
        return (delivery.name if fair else self._rank(delivery)), own

    def _rank(self, delivery: Delivery) -> int:
        order = self._scenario.mta.order
        return PRIORITIES.index(delivery.priority) if order == "priority" else 0

    def records(self) -> state.Records:
        """Return the records of the lanes."""
        return records(fields.LANE, self._rows)

    def lane_of(self) -> state.Numbers:
        """Return the lanes of each delivery in each queue: of new messages, and of retries."""
        return np.array([self._lane_of, self._retry_lane_of], np.int32).transpose(0, 2, 1).copy()
