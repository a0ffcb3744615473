"""The lines in which the batches of deliveries wait for a worker of the relay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sendcap.model.kernel.state import Ints
from sendcap.scenario import PRIORITIES, Scenario
from sendcap.scenario.operators import held


class Line(NamedTuple):
    """Batches that go one after the other, of deliveries that are held at the same times."""

    batches: Ints
    rank: int  # among lines: the lowest goes first
    held_s: tuple[tuple[float, float], ...]


def lines_of(scenario: Scenario, delivery_of: Ints) -> Iterator[Line]:
    """Yield the lines, given the delivery of each batch."""
    order = scenario.mta.order
    members: dict[tuple[int, int, tuple[tuple[float, float], ...]], list[int]] = {}
    for number, delivery in enumerate(scenario.deliveries):
        rank = PRIORITIES.index(delivery.priority) if order == "priority" else 0
        turn = number if order == "fair" else 0
        members.setdefault((rank, turn, tuple(held(delivery))), []).append(number)
    for (rank, _, held_s), deliveries in members.items():
        yield Line(np.flatnonzero(np.isin(delivery_of, deliveries)), rank, held_s)
