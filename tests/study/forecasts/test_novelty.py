from __future__ import annotations

import numpy as np
import pytest

from sendcap.study.forecasts.adjustment import Novelty
from sendcap.study.forecasts.reference import Compared, Summaries

TIMES_S = np.array([60.0, 120.0, 180.0])


def simulated(rng, n: int):
    """A climb of unknown height, which the last two readings show within 0.02 points."""
    height = rng.uniform(90.0, 95.0, n)
    first = 0.5 * height + rng.normal(0.0, 1.0, n)
    return np.column_stack([first, height, height + rng.normal(0.0, 0.02, n)]).round(2)


@pytest.fixture(scope="module")
def novelty():
    values = simulated(np.random.default_rng(2), 64)
    compared = (Compared("efs", "delivered_pct", TIMES_S),)
    return Novelty(Summaries(compared, values, np.full(3, 0.01)))


def test_readings_of_such_a_delivery_are_as_strange_as_any(novelty) -> None:
    new = simulated(np.random.default_rng(4), 150)
    values = np.array([novelty.p_value(row) for row in new])
    for share in (0.1, 0.5):
        assert abs((values <= share).mean() - share) < 3.0 * np.sqrt(0.25 / 150 + 0.25 / 64)


@pytest.mark.parametrize(
    "strange",
    [
        # Outside of the ranges, though each is what the others let expect.
        (49.5, 99.0, 99.0),
        # Each in its place, but not together.
        (46.0, 92.0, 92.6),
    ],
)
def test_readings_that_no_simulation_has_are_the_strangest_of_all(novelty, strange) -> None:
    assert novelty.p_value(np.array(strange)) == pytest.approx(1 / 65)


def test_what_all_simulations_read_alike_is_not_to_be_read_otherwise() -> None:
    values = simulated(np.random.default_rng(2), 64)
    values[:, 2] = 100.0
    compared = (Compared("efs", "delivered_pct", TIMES_S),)
    judged = Novelty(Summaries(compared, values, np.full(3, 0.01)))
    assert judged.p_value(np.array((46.0, 92.0, 100.0))) > 0.05
    assert judged.p_value(np.array((46.0, 92.0, 99.9))) == pytest.approx(1 / 65)


def test_readings_as_strange_as_every_simulation_are_not_strange() -> None:
    """Of equals each is as likely the strangest: it is no sign that the readings do not fit."""
    same = np.tile([98.2, 97.5], (30, 1))
    judged = Novelty(Summaries((), same, np.full(2, 0.01)))
    assert judged.p_value(same[0]) == 1.0
    assert judged.p_value(same[0] + 5.0) == 1.0 / 31.0
