"""The lines in which the batches of deliveries wait for a worker of the relay."""

from collections.abc import Iterator
from typing import NamedTuple

from sendcap.scenario import PRIORITIES, Scenario
from sendcap.scenario.operators import held


class Line(NamedTuple):
    """Deliveries whose batches go one after the other: they are held at the same times."""

    deliveries: list[int]
    rank: int  # among lines: the lowest goes first
    held_s: tuple[tuple[float, float], ...]


def lines_of(scenario: Scenario) -> Iterator[Line]:
    """Yield the lines."""
    order = scenario.mta.order
    members: dict[tuple[int, int, tuple[tuple[float, float], ...]], list[int]] = {}
    for number, delivery in enumerate(scenario.deliveries):
        rank = PRIORITIES.index(delivery.priority) if order == "priority" else 0
        turn = number if order == "fair" else 0
        members.setdefault((rank, turn, tuple(held(delivery))), []).append(number)
    for (rank, _, held_s), deliveries in members.items():
        yield Line(deliveries, rank, held_s)
