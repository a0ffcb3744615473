from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendcap.charts.labels import spread


def test_places_far_apart_stay() -> None:
    assert spread([1.0, 5.0, 9.0], gap=2.0, low=0.0, high=10.0) == [1.0, 5.0, 9.0]


def test_places_that_coincide_are_centred_on_them() -> None:
    assert spread([5.0, 5.0, 5.0], gap=2.0, low=0.0, high=10.0) == [3.0, 5.0, 7.0]


def test_places_at_the_edge_are_pushed_inwards() -> None:
    assert spread([10.0, 10.0], gap=2.0, low=0.0, high=10.0) == [8.0, 10.0]
    assert spread([0.0, 0.1], gap=2.0, low=0.0, high=10.0) == [0.0, 2.0]


def test_no_labels_need_no_room() -> None:
    assert spread([], gap=2.0, low=0.0, high=10.0) == []


@given(st.lists(st.floats(0, 100), max_size=8), st.floats(0.1, 30))
def test_labels_never_overlap_and_keep_their_order(places, gap) -> None:
    result = spread(places, gap, 0.0, 100.0)
    room = min(gap, 100.0 / max(1, len(places) - 1))
    assert all(-1e-9 <= place <= 100.0 + 1e-9 for place in result)
    order = sorted(range(len(places)), key=lambda number: (places[number], number))
    moved = [result[number] for number in order]
    assert all(after - before >= room - 1e-9 for before, after in itertools.pairwise(moved))


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8, unique=True))
def test_labels_with_enough_room_do_not_move(places) -> None:
    ordered = sorted(places)
    gap = min((b - a for a, b in itertools.pairwise(ordered)), default=1.0)
    assert spread(places, gap * 0.99, 0.0, 100.0) == pytest.approx(places)
