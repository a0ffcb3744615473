"""Morris' screening: what matters of many parameters."""

from __future__ import annotations

import math
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from swept import delivered, small

import sendcap
from sendcap.errors import SendcapError
from sendcap.scenario import Range
from sendcap.study.sweeps.sensitivity.screening import Screening, screened, walked

UNIT = {f"x{number}": Range(0.0, 1.0) for number in range(5)}


def of(function, ranges=UNIT, walks=20, seed=1, **more) -> Screening:
    """Return the screening of a function of places in the unit cube."""
    places = walked(len(ranges), walks, seed)
    values = [function(*place) for place in places]
    runs = pd.DataFrame({"point": range(len(places)), "error": "", "f": values})
    return screened(ranges, walks, seed, more.get("confidence", 0.95), runs)


def test_a_walk_changes_one_parameter_at_a_time() -> None:
    places = walked(5, 7, 3).reshape(7, 6, 5)
    assert (np.abs(np.diff(places, axis=1)) > 0).sum(axis=2).tolist() == 7 * [5 * [1]]
    assert np.abs(np.diff(places, axis=1)).max(axis=2) == pytest.approx(2 / 3)
    assert (walked(5, 7, 3) == walked(5, 7, 3)).all()
    assert (walked(5, 7, 3) != walked(5, 7, 4)).any()


def test_the_effect_of_a_straight_line_is_its_slope_everywhere() -> None:
    effects = of(lambda a, b, c, d, e: 10 * a - 3 * b + 0.5 * c).effects.set_index("path")
    assert effects["mu_star"].tolist() == pytest.approx([10, 3, 0.5, 0, 0])
    assert effects["mu"].tolist() == pytest.approx([10, -3, 0.5, 0, 0])
    assert effects["sigma"].tolist() == pytest.approx(5 * [0.0], abs=1e-9)
    assert (effects["mu_star_high"] - effects["mu_star_low"]).max() < 1e-6


def test_what_interacts_has_a_spread_and_what_goes_up_and_down_still_an_effect() -> None:
    effects = of(lambda a, b, c, d, e: a * b + 4 * (c - 0.5) ** 2).effects
    effects = effects.set_index("path")
    assert effects.loc[["x0", "x1", "x2"], "sigma"].min() > 0.2
    assert effects.loc["x2", "mu_star"] > 2 * abs(effects.loc["x2", "mu"])
    assert effects.loc[["x3", "x4"], ["mu_star", "sigma"]].max(axis=None) == 0.0


def test_the_mean_effect_is_that_of_morris_own_formula() -> None:
    def f(a, b, c, d, e):
        return 4 * a * b + math.exp(c) - d * d

    places = walked(5, 10, 1)
    values = np.array([f(*place) for place in places]).reshape(10, 6)
    steps = np.diff(places.reshape(10, 6, 5), axis=1)
    expected = []
    for number in range(5):
        walk, step = np.nonzero(steps[:, :, number])
        effects = (values[walk, step + 1] - values[walk, step]) / steps[walk, step, number]
        expected.append((np.abs(effects).mean(), effects.mean(), effects.std(ddof=1)))
    found = of(f, walks=10).effects[["mu_star", "mu", "sigma"]].to_numpy()
    assert found == pytest.approx(np.array(expected))


def test_the_interval_covers_the_mean_of_very_many_walks() -> None:
    def f(a, b, c, d, e):
        return 4 * a * b + 3 * b * b

    truth = of(f, walks=4000).effects["mu_star"].tolist()
    covered = 0
    for seed in range(40):
        found = of(f, walks=30, seed=100 + seed).effects
        covered += ((found["mu_star_low"] <= truth) & (found["mu_star_high"] >= truth))[:2].sum()
    assert covered >= 0.85 * 80


def test_a_wider_confidence_gives_a_wider_interval() -> None:
    narrow, wide = (
        of(lambda a, b, c, d, e: a * b, confidence=confidence).effects for confidence in (0.5, 0.99)
    )
    assert (narrow["mu_star_high"] < wide["mu_star_high"])[:2].all()


RANGES = {
    "relay.workers": (1, 8),
    "deliveries[0].messages": (100, 400),
    "mta.retry.first": ("5m", "1h"),
}


def test_a_scenario_is_screened_and_kept(tmp_path) -> None:
    asked = {"measures": [delivered, "bottleneck"], "store": tmp_path, "replications": 2}
    with ThreadPoolExecutor(1) as here:
        found = sendcap.screening(small(), RANGES, 6, executor=here, **asked)
    assert len(found.runs) == 6 * (3 + 1) * 2
    rows = found.effects.set_index("path")
    assert rows["mu_star"].idxmax() == "deliveries[0].messages"
    assert rows.loc["deliveries[0].messages", "mu"] == pytest.approx(300, rel=0.1)
    again = sendcap.screening(small(), RANGES, 6, executor=Executor(), **asked)
    pd.testing.assert_frame_equal(again.effects, found.effects, check_exact=True)


@pytest.mark.parametrize(
    ("ranges", "walks", "message"),
    [
        (RANGES, 1, "the walks must be a whole number from 2 to 100,000, not 1"),
        (RANGES, 2.0, "must be a whole number"),
        ({"mta.ips": (1, 2)}, 8, "needs two ranges at least"),
    ],
)
def test_a_screening_that_makes_no_sense_is_refused(ranges, walks, message) -> None:
    with pytest.raises(SendcapError, match=message):
        sendcap.screening(small(), ranges, walks, executor=Executor())
