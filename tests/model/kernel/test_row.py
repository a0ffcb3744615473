"""What compiled code reads of a row is what has been written to it, under whatever name."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.pointer import by_pointer

ROW = np.dtype([("one", "i8"), ("other", "i8"), ("flag", "?"), ("short", "i4"), ("part", "f8")])
"""Not aligned: what comes after the flag is not where a processor likes it best."""


class Arrays(NamedTuple):
    rows: Any
    same: Any
    numbers: Any


def arrays() -> Arrays:
    rows = np.zeros(3, ROW)
    return Arrays(rows, rows, np.zeros(3, np.int64))


@compiled
def write_and_read(arrays: Arrays, first: int, second: int) -> int:
    row, again, same = arrays.rows[first], arrays.rows[second], arrays.same[second]
    row.one, again.one = 1, 20
    found = row.one
    same.one += 300
    found += row.one
    row.other = 4000
    return found + row.one + again.other


@compiled
def write_slices(arrays: Arrays) -> int:
    row = arrays.rows[1]
    row.one, arrays.numbers[1] = 1, 10
    for each in arrays.rows[:2]:
        each.one += 5
    part = arrays.numbers[1:]
    part[0] += 70
    return row.one + arrays.numbers[1]


@compiled
def write_all(row: Any) -> None:
    row.one, row.other, row.flag, row.short, row.part = 1, 2, True, 3, 4.5


@compiled
def write_row(arrays: Arrays, number: int) -> float:
    write_all(arrays.rows[number])
    row = arrays.rows[number]
    return row.one + row.other + row.short + row.part if row.flag else 0.0


@compiled
def write_row_from_another(arrays: Arrays) -> int:
    row, other = arrays.rows[0], arrays.rows[1]
    row.one, other.one = 1, 20
    arrays.rows[0] = other
    found = row.one
    other.one = 300
    arrays.same[2] = arrays.rows[1]
    return found + arrays.rows[2].one


def test_a_row_is_written_as_a_whole() -> None:
    assert write_row_from_another(by_pointer(arrays())) == 320


def test_a_row_is_the_same_under_two_names() -> None:
    apart, together = arrays(), arrays()
    assert write_and_read(by_pointer(apart), 0, 1) == 1 + 1 + 1
    assert write_and_read(by_pointer(together), 1, 1) == 20 + 320 + 320 + 4000
    assert apart.rows["one"].tolist() == [1, 320, 0]
    assert together.rows["one"].tolist() == [0, 320, 0]


def test_a_row_and_an_item_are_those_of_a_slice() -> None:
    assert write_slices(by_pointer(arrays())) == 6 + 80


def test_fields_of_every_kind_are_written_and_read() -> None:
    made = arrays()
    assert write_row(by_pointer(made), 2) == 10.5
    assert made.rows[2].item() == (1, 2, True, 3, 4.5)
    assert made.rows[1].item() == (0, 0, False, 0, 0.0)
