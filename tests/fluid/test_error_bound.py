"""The error bound of expected curves: it holds, it is stated, and a useless one is refused."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sendcap
from sendcap.analysis import Expected, expected
from sendcap.errors import ScenarioError
from sendcap.fluid.variation import Lump, Variation
from sendcap.scenario import from_dict

EXPERIMENT = Path(__file__).parents[2] / "experiments" / "expected_bound.py"


def _experiment() -> Any:
    spec = importlib.util.spec_from_file_location("expected_bound", EXPERIMENT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["expected_bound"] = module
    spec.loader.exec_module(module)
    return module


study = _experiment()

NEARLY_MATCHED = {
    "deliveries": [
        {"name": "d", "messages": 20_000, "validity": "30m", "audience": {"p": 1.0}},
    ],
    "relay": {
        "batch": 64,
        "batch_time": {"dist": "exponential", "mean": "4s"},
        "rate": "11/s,max_burst=64",
    },
    "mta": {"clock_origin": "delivery-start"},
    "providers": {
        "p": {"connections_per_ip": 50, "connect_time": "300ms", "transaction_time": "300ms"}
    },
}


def test_it_holds_for_random_scenarios() -> None:
    # The experiment has more of them.
    found = [study.held(study.random_scenario(seed), 3) for seed in range(300, 316)]
    answered = [each for each in found if each is not None]
    assert len(answered) >= 11
    assert np.mean([each.runs for each in answered]) > 0.9
    assert np.median([each.widest_pt for each in answered]) < 12.0


def test_workers_and_a_rate_that_nearly_match_are_within_it() -> None:
    scenario = from_dict(NEARLY_MATCHED)
    course = expected(scenario)
    error = course.error("efs")
    assert list(error.columns) == ["time_s", "delivered_pt", "bounces_errors_pt"]
    assert error.time_s.tolist() == course.kpis("efs").time_s.tolist()
    assert 2.0 < error.delivered_pt.iloc[-1] < 9.0
    ends = [
        sendcap.simulate(scenario, seed=seed).kpis("efs").delivered_pct.iloc[-1]
        for seed in range(20)
    ]
    final = course.kpis("efs").delivered_pct.iloc[-1]
    assert np.abs(np.array(ends) - final).max() < error.delivered_pt.iloc[-1]
    assert final == pytest.approx(np.mean(ends), abs=1.5)


@pytest.fixture(scope="module")
def nearly_matched() -> Expected:
    return expected(from_dict(NEARLY_MATCHED))


def test_it_is_stated_wherever_the_course_is_shown(nearly_matched: Expected) -> None:
    course = nearly_matched
    without, with_efs = course.sentences()
    assert without.startswith("Without EFS, Delivered % ends at 85.")
    assert with_efs.startswith("With EFS, Delivered % ends at 85.")
    assert "points; a simulation is at most" in with_efs
    assert with_efs.split(";")[0].removeprefix("With EFS, ") in repr(course)
    assert "points off the course" in course._repr_html_()


def test_with_many_messages_it_is_narrow() -> None:
    error = expected("quickstart").error("efs").delivered_pt
    assert error.iloc[-1] < 0.05
    assert error.max() < 5.0


def test_it_is_that_of_a_delivery_and_a_denominator(nearly_matched: Expected) -> None:
    course = nearly_matched
    for_all = course.error("efs")
    assert course.error("efs", "d").equals(for_all)
    assert not course.error("efs", "d", "processed").equals(for_all)


def test_what_runs_disagree_about_is_refused() -> None:
    # Two batches by two workers: whether they come after one minute or ten is chance.
    lumps = {"batch": 500, "workers": 2, "batch_time": {"dist": "exponential", "mean": "10m"}}
    delivery = {"name": "d", "messages": 1000, "audience": {"p": 1.0}}
    scenario = from_dict(NEARLY_MATCHED | {"deliveries": [delivery], "relay": lumps})
    with pytest.raises(
        ScenarioError, match=r"runs of this scenario may be \d+ points off"
    ) as caught:
        expected(scenario)
    assert "simulate it" in str(caught.value)


@pytest.mark.parametrize(
    ("deviations", "messages", "pace"),
    [(2.0, 400.0, 0.9), (-2.0, 400.0, 1.1), (2.0, 40_000.0, 0.99), (0.0, 400.0, 1.0), (2.0, 0, 1)],
)
def test_many_attempts_together_vary_by_the_root_of_their_number(
    deviations: float, messages: float, pace: float
) -> None:
    """A sum of n exponential times has a coefficient of variation of 1 / √n."""
    times = {"connect_time": "0s", "transaction_time": {"dist": "exponential", "mean": "3s"}}
    plain = {
        "deliveries": [{"name": "a", "messages": 400, "audience": {"p": 1.0}}],
        "relay": {"batch_time": "0s"},
        "providers": {"p": times},
    }
    scenario = from_dict(plain)
    (path,) = scenario.paths()
    found = Variation(queues=deviations).pace(scenario, path, messages)
    assert found == pytest.approx(pace)


@pytest.mark.parametrize(("queues", "expected_queues"), [("pooled", 1), ("per-ip", 4)])
def test_messages_at_once_are_divided_over_the_queues_of_single_addresses(
    queues: str, expected_queues: int
) -> None:
    scenario = from_dict(NEARLY_MATCHED | {"mta": {"ips": 4, "queues": queues}})
    (path,) = scenario.paths()
    assert Lump.of(scenario, path, 1.0).queues == expected_queues
