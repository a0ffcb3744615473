from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sendcap.ledger import SparseCounts, summed
from sendcap.model.tally import Tally

PARTS = st.lists(st.dictionaries(st.integers(0, 2_000), st.integers(1, 9)), max_size=5)


@settings(max_examples=25)
@given(PARTS, st.booleans())
def test_a_sum_is_that_of_the_arrays_of_all_bins(parts, near: bool) -> None:
    dense = np.zeros((len(parts) + 1, 2_001), np.int64)
    for row, part in zip(dense, parts, strict=False):
        for number, count in part.items():
            # Near each other they are added up in another way than far apart.
            row[number % 60 if near else number] += count
    total = summed([SparseCounts.of(row) for row in dense])
    assert total.equals(SparseCounts.of(dense.sum(axis=0)))
    edges = np.array([0, 1, 30, 1_000, 2_001])
    assert total.up_to(edges).tolist() == [dense[:, :edge].sum() for edge in edges]
    assert total.until(30).counts.sum() == dense[:, :30].sum()


def test_expected_counts_stay_fractions() -> None:
    total = summed([SparseCounts.of(np.array([0.0, 0.5])), SparseCounts.of(np.array([1, 2]))])
    assert total.counts.tolist() == [1.0, 2.5]
    assert total.up_to(np.array([0, 1, 2])).tolist() == [0.0, 1.0, 3.5]


def test_tallies_of_parts_add_up_to_that_of_all() -> None:
    times_s = np.random.default_rng(3).exponential(1e5, 3_000)
    at_once, together = (Tally(60.0, np.inf, ["p"], [""]) for _ in range(2))
    at_once.add("happened", "accepted", 0, 0, times_s)
    for part in np.array_split(times_s, 7):
        alone = together.another()
        alone.add("happened", "accepted", 0, 0, part)
        together.counted(alone)
    for end in (None, 100):
        one, two = (each.ledger(["d"], {("d", "p"): 3_000}, end) for each in (at_once, together))
        assert one == two
        numbers = np.bincount((times_s / 60.0).astype(int))
        assert np.array_equal(one.counts("accepted", clock="happened"), numbers[:end])
