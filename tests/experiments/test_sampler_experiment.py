"""The experiment on the samplers runs, at a small size, and notices a wrong mean."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

EXPERIMENT = Path(__file__).parents[2] / "experiments" / "samplers.py"


@pytest.fixture(scope="module")
def experiment() -> Any:
    spec = importlib.util.spec_from_file_location("samplers", EXPERIMENT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_wrong_mean_shows_and_a_right_one_does_not(experiment) -> None:
    samplers = {sampler.name: sampler for sampler in experiment.samplers()}
    assert len(samplers) == 14
    for name in ("uniform number", "lognormal, cv 0.5"):
        sampler = samplers[name]
        row = experiment.measured(sampler, 1 << 20)
        scores = [row[score] for score in ("z_mean", "z_variance", "z_next", "z_neighbour")]
        assert max(map(abs, scores)) < 5.0
        assert row["p_distance"] > 1e-5
        sampler.mean += 0.01
        assert abs(experiment.measured(sampler, 1 << 20)["z_mean"]) > 5.0
