from __future__ import annotations

import numpy as np
import pytest

from sendcap.ledger import Ledger
from sendcap.readings.kpi_files import grid, grids

DAY, WEEK, YEAR = 1_440, 10_080, 525_600


def of(bins: int, bin_s: float = 60.0) -> Ledger:
    return Ledger(bin_s, bins, {}, {})


def distances(edges: np.ndarray) -> list[int]:
    return np.unique(np.diff(edges)).tolist()


def test_rows_are_minutes_apart_at_first_and_an_hour_in_the_end() -> None:
    (edges,) = grids({"d": np.array([61, 300, 3 * WEEK])}, of(5 * WEEK), 2).values()
    assert edges[:3].tolist() == [0, 60, 61]
    assert edges[-2:].tolist() == [3 * WEEK, 5 * WEEK]
    for first, last, minutes in (
        *((61, 60 + 240, 1), (60 + 240, DAY, 5), (60 + DAY, 4 * DAY, 15)),
        (60 + 4 * DAY, 3 * WEEK, 60),
    ):
        within = edges[(edges >= first) & (edges <= last)]
        assert distances(within) == [minutes]
        assert (within % minutes == 0).all()
    assert len(edges) < 1_300


def test_long_bins_have_a_row_each() -> None:
    edges = grid(np.array([3, 20]), of(30, 3600.0), (1.0, 60.0, 300.0, 900.0, 3600.0))
    assert edges.tolist() == [0, *range(2, 21), 30]


def test_bins_of_a_second_have_rows_of_seconds_for_ten_minutes() -> None:
    (edges,) = grids({"d": np.array([1, 100_000])}, of(200_000, 1.0), 1).values()
    assert distances(edges[edges <= 600]) == [1]
    assert len(edges) < 1_500


@pytest.mark.parametrize(
    ("most", "least"), [(500_000, 150_000), (100_000, 50_000), (30_000, 20_000)]
)
def test_the_rows_of_many_deliveries_are_bounded(most, least) -> None:
    starts = np.linspace(0, YEAR - 3 * WEEK, 99).astype(int).tolist()
    changes = {str(at): np.array([at + 1, at + 2 * WEEK]) for at in starts}
    chosen = grids({"*": np.array([1, YEAR]), **changes}, of(YEAR), 2, most)
    assert least < 2 * sum(map(len, chosen.values())) <= most
    # Of all together there is a row every hour, however many deliveries there are.
    assert distances(chosen["*"][chosen["*"] > WEEK]) == [60]


def test_the_moments_of_a_first_and_a_last_change_are_always_there() -> None:
    changes = {"d": np.array([1_234, 56_789]), "at the end": np.array([5, 99_999])}
    chosen = grids(changes, of(99_999), 10**5)
    assert {0, 1_233, 56_789, 99_999} <= set(chosen["d"].tolist())
    assert {0, 4, 99_999} <= set(chosen["at the end"].tolist())
