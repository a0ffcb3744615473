"""What expires against sorted order: by time, batch and place; void entries do not count.

Messages that expire later than it is looked ahead have no entry yet.
"""

from __future__ import annotations

import numpy as np
import pytest

from sendcap.model.kernel import state
from sendcap.model.kernel.ends import (
    NEEDED,
    SIZE,
    drop_next,
    drop_void,
    is_to_look,
    is_void,
    look_further,
    message_expires,
    next_end_s,
    run_expires_at,
)
from sendcap.model.kernel.fields import MESSAGE, NEVER, RUN
from sendcap.model.kernel.pointer import by_pointer
from sendcap.model.kernel.runs import OLDEST

MESSAGES, RUNS = 64, 16


class Both:
    """What expires, and beside it a list of what waits: (time, batch, place, what)."""

    def __init__(self, rng: np.random.Generator, ahead_s: float = 1.0) -> None:
        self.rng = rng
        room = 4096
        later_s = np.array([ahead_s, NEVER, ahead_s])
        self.ends = by_pointer(
            state.Ends(
                np.full(room, NEVER), *np.zeros((3, room), np.int64), later_s, np.zeros(4, np.int64)
            )
        )
        # Each message is of a batch of its own.
        times, numbers = np.zeros((4, MESSAGES)), np.zeros(MESSAGES, np.int32)
        self.batches = by_pointer(state.Batches(numbers, *times, numbers, np.zeros(1)))
        self.messages = np.zeros(MESSAGES, MESSAGE)
        self.messages["batch"] = np.arange(MESSAGES)
        self.runs = by_pointer(
            state.Runs(np.zeros(RUNS, RUN), *np.zeros((2, 0), np.int32), np.zeros(3, np.int64))
        )
        self.waits: dict[int, tuple[float, int, int, int]] = {}

    def wait(self, number: int) -> None:
        """Let a message wait, perhaps anew."""
        batch, place = self.rng.integers(0, 4), number
        at_s = float(self.rng.integers(0, 8))
        self.messages["relayed"][number] = batch * 10_000 + place
        self.batches.expiry_s[number] = at_s
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
        """Return what expires next; look ahead and drop void entries on the way."""
        ends = self.ends
        while next_end_s(ends) < NEVER:
            if is_to_look(ends):
                assert look_further(ends, self.messages, self.batches)
            elif is_void(self.messages, self.runs, ends.what[0], ends.stamp[0]):
                drop_next(ends)
            else:
                break
        return next_end_s(ends), int(ends.what[0])

    def check(self) -> None:
        if not self.waits:
            assert self.next()[0] == NEVER
            return
        at_s, _, _, what = min(self.waits.values())
        assert self.next() == (at_s, what)


@pytest.mark.parametrize("ahead_s", [0.5, 2.0, NEVER])
@pytest.mark.parametrize("seed", range(6))
def test_what_expires_next_is_the_first_that_still_waits(seed: int, ahead_s: float) -> None:
    rng = np.random.default_rng(seed)
    both = Both(rng, ahead_s)
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
            from_s = both.ends.later_s[0]
            have_entries = [at_s < from_s or what < 0 for at_s, *_, what in both.waits.values()]
            assert both.ends.numbers[SIZE] == sum(have_entries)
        both.check()


def test_the_entry_of_a_run_whose_room_is_given_free_is_void() -> None:
    both = Both(np.random.default_rng(1))
    both.come(0, 0)
    both.runs.runs["left"][0] = 5  # of the run that has its room now
    assert not is_void(both.messages, both.runs, -1, 0)
    both.runs.numbers[OLDEST] = 1
    assert is_void(both.messages, both.runs, -1, 0)
    assert not is_void(both.messages, both.runs, -1 - RUNS, 0)


def test_a_look_needs_room_and_is_soon_made_for_longer_where_it_finds_little() -> None:
    both = Both(np.random.default_rng(2), 1.0)
    for number in range(MESSAGES):
        both.batches.expiry_s[number] = 8.0 + number
        message_expires(both.ends, both.messages, number, 8.0 + number)
    assert both.ends.numbers[SIZE] == 0
    assert next_end_s(both.ends) == 8.0
    small = both.ends._replace(at_s=np.zeros(1))
    both.ends.later_s[2] = 2.0
    assert not look_further(small, both.messages, both.batches)
    assert small.numbers[NEEDED] == 2
    assert look_further(both.ends, both.messages, both.batches)
    assert both.ends.numbers[SIZE] == 2
    assert next_end_s(both.ends) == 8.0
    drop_next(both.ends)
    drop_next(both.ends)
    # As many have been left out as there are messages, so that the next look goes as far.
    assert next_end_s(both.ends) == 10.0
    assert look_further(both.ends, both.messages, both.batches)
    assert both.ends.numbers[SIZE] == both.ends.numbers[NEEDED] == 2
    assert both.ends.later_s[2] == 4.0
