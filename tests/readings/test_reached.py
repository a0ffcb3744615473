"""When counts have reached a share, by hand: always at the end of a bin."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sendcap.ledger import SparseCounts
from sendcap.ledger.sparse import NO_COUNTS
from sendcap.readings.reached import reached_s


def counts(*pairs: tuple[int, float]) -> SparseCounts:
    bins, events = zip(*pairs, strict=True)
    return SparseCounts(np.array(bins, np.int32), np.array(events))


@pytest.mark.parametrize(
    ("share", "of", "expected"),
    [
        (0.5, None, 60.0),  # 5 of 10 in the first bin
        (0.51, None, 180.0),
        (0.9, None, 180.0),
        (1.0, None, 420.0),
        (0.5, 20, 420.0),  # all that come
        (0.51, 20, math.inf),
        (0.99, 0, math.inf),
    ],
)
def test_it_is_the_end_of_the_first_bin_by_which_so_many_have_come(share, of, expected) -> None:
    assert reached_s(counts((0, 5), (2, 4), (6, 1)), 60.0, share, of) == expected


def test_nothing_is_never_reached() -> None:
    assert reached_s(NO_COUNTS, 60.0, 0.5) == math.inf


@pytest.mark.parametrize("many", [7, 100, 1_000_003, 1_000_000_000])
@pytest.mark.parametrize("pct", [7, 29, 55, 57, 99])
def test_the_rounding_of_a_share_asks_for_no_more_messages(many, pct) -> None:
    enough = math.ceil(pct * many / 100)
    found = reached_s(counts((0, enough), (1, many - enough)), 1.0, pct / 100.0)
    assert found == 1.0
    assert reached_s(counts((0, enough - 1), (1, many - enough + 1)), 1.0, pct / 100.0) == 2.0


def test_the_rounding_of_sums_and_of_edges_is_forgiven() -> None:
    tenths = counts(*((number, 0.1) for number in range(10)))
    assert reached_s(tenths, 0.1, 1.0) == 1.0
    assert reached_s(tenths, 0.1, 0.3) == 0.3
