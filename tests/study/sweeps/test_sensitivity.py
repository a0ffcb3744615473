from __future__ import annotations

import math
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from swept import delivered, small

import sendcap
from sendcap.errors import SendcapError
from sendcap.scenario import Range, parse_duration
from sendcap.study.sweeps.sensitivity import sobol
from sendcap.study.sweeps.sensitivity.sobol import Sensitivity, analysed, sensitivity_points

PI = math.pi


def of(function, ranges, n=512, **measures) -> Sensitivity:
    """Return the sensitivity of a function of points, as if runs had measured it."""
    ranges = {path: Range(*ends) for path, ends in ranges.items()}
    points = sensitivity_points(ranges, n, seed=1)
    values = {"f": [function(*point.values()) for point in points], **measures}
    runs = pd.DataFrame({"point": range(len(points)), "error": "", **values})
    return analysed(ranges, n, 1, 0.95, runs)


def test_indices_are_those_of_ishigamis_function() -> None:
    # T. Ishigami and T. Homma (1990), with a = 7 and b = 0.1: known in closed form.
    found = of(
        lambda x, y, z: math.sin(x) + 7 * math.sin(y) ** 2 + 0.1 * z**4 * math.sin(x),
        {"x": (-PI, PI), "y": (-PI, PI), "z": (-PI, PI)},
        4096,
    ).indices
    assert found["path"].tolist() == ["x", "y", "z"]
    assert found["first_order"].tolist() == pytest.approx([0.3139, 0.4424, 0.0], abs=0.02)
    assert found["total_order"].tolist() == pytest.approx([0.5576, 0.4424, 0.2437], abs=0.02)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    # Var(4x + 2y) is 16/12 + 4/12: x decides 80 % of it, y 20 %.
    covered = 0
    for seed in range(20):
        ranges = {"x": Range(0.0, 1.0), "y": Range(0.0, 1.0)}
        points = sensitivity_points(ranges, 64, seed)
        values = [4 * point["x"] + 2 * point["y"] for point in points]
        runs = pd.DataFrame({"point": range(len(points)), "error": "", "v": values})
        shares = analysed(ranges, 64, seed, 0.95, runs).indices
        covered += (shares["first_order_low"] <= [0.8, 0.2]).sum()
        covered += (shares["first_order_high"] >= [0.8, 0.2]).sum()
    assert covered >= 0.9 * 80


@pytest.mark.parametrize(("confidence", "least", "most"), [(0.95, 0.85, 1.0), (0.6, 0.4, 0.8)])
def test_of_independent_points_intervals_cover_the_truth_no_more_often(
    confidence: float, least: float, most: float
) -> None:
    # Sobol' points are spread so evenly that the intervals above cover nearly always.
    covered = []
    for seed in range(20):
        a, b = np.random.default_rng(seed).random((2, 256, 2))
        swapped = (np.where(np.arange(2) == column, b, a) for column in range(2))
        values = np.concatenate([points @ [4, 2] for points in (a, b, *swapped)])
        found = sobol._indices(values, 2, 256, seed, confidence)
        low, high = found["first_order_low"], found["first_order_high"]
        covered += list((low <= [0.8, 0.2]) & (high >= [0.8, 0.2]))
    assert least <= np.mean(covered) <= most


def test_resamples_that_are_not_in_memory_together_give_the_same_intervals(monkeypatch) -> None:
    def found() -> pd.DataFrame:
        return of(lambda x, y: x * y + y, {"x": (0.0, 1.0), "y": (0.0, 1.0)}, 16).indices

    together = found()
    for most in (1, 999 * 30):  # one at a time, and all but a few
        monkeypatch.setattr(sobol, "_AT_A_TIME", most)
        pd.testing.assert_frame_equal(found(), together)


def test_what_interacts_only_has_no_order_of_its_own() -> None:
    found = of(lambda x, y: x * y, {"x": (-1.0, 1.0), "y": (-1.0, 1.0)}).indices
    assert found["first_order"].tolist() == pytest.approx([0.0, 0.0], abs=0.05)
    assert found["total_order"].tolist() == pytest.approx([1.0, 1.0], abs=0.05)


def test_whole_numbers_and_durations_are_parameters_as_well() -> None:
    found = of(
        lambda ips, first: ips if 60.0 <= parse_duration(first) <= 120.0 else 0.0,
        {"ips": (1, 8), "first": ("1m", "2m")},
    ).indices
    assert found["total_order"].tolist() == pytest.approx([1.0, 0.0], abs=0.02)


def test_a_measure_that_does_not_vary_depends_on_nothing() -> None:
    found = of(lambda x, y: 7.0, {"x": (0.0, 1.0), "y": (0.0, 1.0)}).indices
    assert (found.drop(columns=["measure", "path"]) == 0.0).all(axis=None)


RANGES = {"relay.workers": (1, 8), "deliveries[0].messages": (100, 400)}


def test_a_scenario_is_simulated_at_all_points_and_its_means_are_analysed() -> None:
    with ThreadPoolExecutor(1) as here:
        found = sendcap.sensitivity(
            small(), RANGES, 32, measures=[delivered, "bottleneck"], replications=2, executor=here
        )
    assert len(found.runs) == 32 * (2 + 2) * 2
    assert found.indices["measure"].unique().tolist() == ["delivered"]
    # How many are accepted is a matter of how many there are.
    rows = found.indices.set_index("path")["total_order"]
    assert rows["deliveries[0].messages"] > 0.7
    assert rows["relay.workers"] < 0.2


def test_what_is_in_the_store_is_not_computed_again(tmp_path) -> None:
    asked = {"measures": delivered, "store": tmp_path}
    with ThreadPoolExecutor(1) as here:
        first = sendcap.sensitivity(small(), RANGES, 4, executor=here, **asked)
    again = sendcap.sensitivity(small(), RANGES, 4, executor=Executor(), **asked)
    pd.testing.assert_frame_equal(again.indices, first.indices, check_exact=True)


def fails(run) -> float:
    raise ZeroDivisionError


def test_a_run_that_fails_leaves_no_indices() -> None:
    with (
        ThreadPoolExecutor(1) as here,
        pytest.raises(SendcapError, match="16 of 16 runs have failed, and the indices need all"),
    ):
        sendcap.sensitivity(small(), RANGES, 4, measures=fails, executor=here)


def test_a_value_that_is_missing_leaves_no_indices() -> None:
    with pytest.raises(SendcapError, match=r"f has no value at \d of 32 points"):
        of(lambda x, y: math.nan if x > 0.94 else x, {"x": (0.0, 1.0), "y": (0.0, 1.0)}, 8)


@pytest.mark.parametrize(
    ("ranges", "n", "message"),
    [
        (RANGES, 100, "the base samples must be a power of two from 2, such as 128, not 100"),
        (RANGES, 1, "must be a power of two"),
        ({"mta.ips": (1, 2)}, 8, "needs two ranges at least"),
        ({"mta.ips": (2, 1)}, 8, "write the lower end first"),
    ],
)
def test_what_makes_no_sense_is_refused(ranges, n, message) -> None:
    with pytest.raises(SendcapError, match=message):
        sendcap.sensitivity(small(), ranges, n, executor=Executor())
