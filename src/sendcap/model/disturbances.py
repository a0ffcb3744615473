"""The disturbances of a group of queues: outages, and such as are drawn while time goes on."""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from sendcap.model.kernel import fields, state
from sendcap.model.records import records
from sendcap.scenario import RandomTime

_FIRST_BLOCK: Final = 1 << 6
_LARGEST_BLOCK: Final = 1 << 13


class _Course:
    """When a disturbance begins and ends."""

    def __init__(self, queue: int, windows_s: state.Floats) -> None:
        self.queue = queue
        self.windows_s = windows_s

    def foreseen_until_s(self) -> float:
        """Return until when it is known."""
        return np.inf

    def extend(self, now_s: float) -> None:
        """Know more, up to after this moment; forget what is over."""
        self.windows_s = self.windows_s[self.windows_s[:, 1] > now_s]


class _RandomCourse(_Course):
    """The same, drawn: from one's end to the next one's beginning, and how long it lasts."""

    def __init__(
        self,
        queue: int,
        every: tuple[RandomTime, np.random.Generator],
        lasts: tuple[RandomTime, np.random.Generator],
    ) -> None:
        super().__init__(queue, np.zeros((0, 2)))
        self._every, self._lasts = every, lasts
        self._until_s = 0.0
        self._block = _FIRST_BLOCK

    def foreseen_until_s(self) -> float:
        return self._until_s

    def extend(self, now_s: float) -> None:
        super().extend(now_s)
        parts = [self.windows_s]
        while self._until_s <= now_s:
            steps_s = np.zeros(1 + 2 * self._block)
            steps_s[0] = self._until_s
            for first, (time, generator) in ((1, self._every), (2, self._lasts)):
                steps_s[first::2] = time.sample(generator, self._block)
            # One after the other, so that the size of a block does not matter.
            parts.append(np.cumsum(steps_s)[1:].reshape(-1, 2))
            self._until_s = float(parts[-1][-1, 1])
            self._block = min(2 * self._block, _LARGEST_BLOCK)
        windows_s = np.concatenate(parts)
        self.windows_s = windows_s[windows_s[:, 1] > now_s]


class DisturbanceRows:
    """The disturbances of queues, in the making."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.courses: list[_Course] = []

    def add_times(self, queue: int, windows_s: Iterable[tuple[float, float]], **row: Any) -> None:
        """Add a disturbance at given times."""
        self.courses.append(_Course(queue, np.array(list(windows_s))))
        self._add(**row)

    def add(
        self,
        queue: int,
        every: tuple[RandomTime, np.random.Generator],
        lasts: tuple[RandomTime, np.random.Generator],
        **row: Any,
    ) -> None:
        """Add a disturbance that comes at random."""
        self.courses.append(_RandomCourse(queue, every, lasts))
        self._add(**row)

    def _add(self, **row: Any) -> None:
        usual = {"transient": fields.NONE, "tolerance": fields.NONE, "fails_after_s": np.inf}
        self.rows.append(usual | row)

    def numbers(self) -> tuple[state.Records, state.Floats]:
        """Return the records of the disturbances, and the windows that are known."""
        return records(fields.DISTURBANCE, self._placed()), self._windows_s()

    def extended(self, group: state.Group, now_s: float) -> state.Group:
        """Return a group in which the disturbances are foreseen after a moment."""
        for course in self.courses:
            course.extend(now_s)
        for row, placed in zip(group.disturbances, self._placed(), strict=True):
            row["first"], row["count"], row["at"] = placed["first"], placed["count"], 0
        for queue, known in self._foreseen_until_s().items():
            group.queues["foreseen_until_s"][queue] = known
        return group._replace(windows_s=self._windows_s())

    def _foreseen_until_s(self) -> dict[int, float]:
        found: dict[int, float] = {}
        for course in self.courses:
            known = min(found.get(course.queue, np.inf), course.foreseen_until_s())
            found[course.queue] = known
        return found

    def _placed(self) -> list[dict[str, Any]]:
        counts = [len(course.windows_s) for course in self.courses]
        firsts = np.cumsum([0, *counts]).tolist()
        placed = [
            row | {"first": first, "count": count}
            for row, first, count in zip(self.rows, firsts, counts, strict=False)
        ]
        return placed or [{}]

    def _windows_s(self) -> state.Floats:
        windows = [course.windows_s for course in self.courses]
        return np.concatenate([*windows, np.full((1, 2), np.inf)])
