"""What expires against sorted order: by time, batch and place; void entries do not count."""

from __future__ import annotations

import numpy as np
import pytest

from sendcap.model.kernel import state
from sendcap.model.kernel.ends import (
    SIZE,
    drop_next,
    drop_void,
    is_void,
    message_expires,
    next_end_s,
    run_expires_at,
)
from sendcap.model.kernel.fields import MESSAGE, NEVER, RUN
from sendcap.model.kernel.pointer import by_pointer
from sendcap.model.kernel.runs import OLDEST

MESSAGES, RUNS = 64, 16


class Both:
    """The heap, and beside it a list of what waits: (time, batch, place, what)."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        room = 4096
        self.ends = by_pointer(
            state.Ends(np.zeros(room), *np.zeros((3, room), np.int64), np.zeros(2, np.int64))
        )
        self.messages = np.zeros(MESSAGES, MESSAGE)
        self.runs = by_pointer(
            state.Runs(np.zeros(RUNS, RUN), *np.zeros((2, 0), np.int32), np.zeros(3, np.int64))
        )
        self.waits: dict[int, tuple[float, int, int, int]] = {}

    def wait(self, number: int) -> None:
        """Let a message wait, perhaps anew."""
        batch, place = self.rng.integers(0, 4), number
        at_s = float(self.rng.integers(0, 8))
        self.messages["relayed"][number] = batch * 10_000 + place
        message_expires(self.ends, self.messages, number, at_s)
        self.waits[number] = (at_s, int(batch), place, number)

    def start(self, number: int) -> None:
        self.messages["stamp"][number] = 0
        self.waits.pop(number, None)

    def come(self, number: int, batch: int) -> None:
        """Let a run come; of a batch, it expires after the messages that have been taken."""
        at_s = float(self.rng.integers(0, 8))
        self.runs.runs["left"][number] = 1
        run_expires_at(self.ends, number, batch * 10_000 + 9_999, at_s)
        self.waits[-1 - number] = (at_s, batch, 1 << 31, -1 - number)

    def empty(self, number: int) -> None:
        self.runs.runs["left"][number] = 0
        self.waits.pop(-1 - number, None)

    def next(self) -> tuple[float, int]:
        """Return what expires next, and drop void entries on the way."""
        ends = self.ends
        while ends.numbers[SIZE] and is_void(self.messages, self.runs, ends.what[0], ends.stamp[0]):
            drop_next(ends)
        return next_end_s(ends), int(ends.what[0])

    def check(self) -> None:
        if not self.waits:
            assert self.next()[0] == NEVER
            return
        at_s, _, _, what = min(self.waits.values())
        assert self.next() == (at_s, what)


@pytest.mark.parametrize("seed", range(6))
def test_what_expires_next_is_the_first_that_still_waits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    both = Both(rng)
    # A run of each batch, so that no two of one batch tie.
    for number in range(RUNS):
        both.come(number, number)
    for _ in range(500):
        action, number = rng.integers(0, 8), int(rng.integers(0, MESSAGES))
        if action < 4:
            both.wait(number)
        elif action < 6:
            both.start(number)
        elif both.waits and action == 6:
            what = both.next()[1]
            drop_next(both.ends)
            del both.waits[what]
            if what >= 0:
                both.messages["stamp"][what] = 0
        elif rng.random() < 0.2:
            both.empty(int(rng.integers(0, RUNS)))
        if rng.random() < 0.05:
            drop_void(both.ends, both.messages, both.runs)
            assert both.ends.numbers[SIZE] == len(both.waits)
        both.check()


def test_the_entry_of_a_run_whose_room_is_given_free_is_void() -> None:
    both = Both(np.random.default_rng(1))
    both.come(0, 0)
    both.runs.runs["left"][0] = 5  # of the run that has its room now
    assert not is_void(both.messages, both.runs, -1, 0)
    both.runs.numbers[OLDEST] = 1
    assert is_void(both.messages, both.runs, -1, 0)
    assert not is_void(both.messages, both.runs, -1 - RUNS, 0)
