from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

import sendcap
from sendcap.cli.commands import commands
from sendcap.errors import SendcapError
from sendcap.ledger import Ledger
from sendcap.scenario import Scenario, dumps, from_dict
from sendcap.study.replication import replication_seed
from sendcap.study.replication.estimates import Estimate, estimate
from sendcap.study.replication.workers import Workers, each_replication

SMALL = {
    "seed": 5,
    "deliveries": [{"name": "d", "messages": 2000, "validity": "2h", "audience": {"p": 1.0}}],
    "relay": {"batch_time": {"dist": "exponential", "mean": "1s"}},
    "providers": {
        "p": {
            "connect_time": "100ms",
            "transaction_time": {"dist": "lognormal", "mean": "300ms", "cv": 1.0},
            "transient": 0.1,
        }
    },
}


def ledger_of(scenario: Scenario) -> Ledger:
    return sendcap.simulate(scenario).ledger


@pytest.fixture(scope="module")
def small() -> Scenario:
    return from_dict(SMALL)


def test_replication_0_is_the_plain_run(small) -> None:
    with Workers(1) as workers:
        assert next(each_replication(ledger_of, small, [0], workers)) == ledger_of(small)


def test_any_replication_can_be_run_again_alone(small, tmp_path, monkeypatch) -> None:
    with Workers(1) as workers:
        (third,) = each_replication(ledger_of, small, [3], workers)
    (tmp_path / "small.toml").write_text(dumps(small))
    seed = str(replication_seed(small.seed, 3))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(commands, ["run", "small.toml", "--seed", seed, "--out", "a"])
    assert done.exit_code == 0, done.output
    assert sendcap.open_run(tmp_path / "a").ledger == third


def test_seeds_are_128_bits_and_all_different() -> None:
    seeds = [replication_seed(seed, number) for seed in range(30) for number in range(1, 30)]
    assert len(set(seeds)) == len(seeds)
    assert max(seeds) < 2**128
    assert np.mean([seed / 2**128 for seed in seeds]) == pytest.approx(0.5, abs=0.05)
    assert sum(seed < 2**120 for seed in seeds) < 20


def test_seeds_stay_as_they_are() -> None:
    # Somebody has written them down.
    assert replication_seed(1, 1) == 264543700214078413308291109800671038494
    assert replication_seed(2**100, 2) == 314044130430444784199820691527119602859


def test_the_number_of_workers_changes_nothing(small) -> None:
    results = []
    for count in (1, 2):
        with Workers(count) as workers:
            results.append(list(each_replication(ledger_of, small, range(5), workers)))
    assert results[0] == results[1]
    assert all(one != two for one, two in zip(results[0], results[0][1:], strict=False))


# Estimates


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    draws = np.random.default_rng(0).normal(10.0, 2.0, (4000, 5))
    for confidence in (0.9, 0.99):
        covered = [
            each.low <= 10.0 <= each.high for each in (estimate(row, confidence) for row in draws)
        ]
        assert np.mean(covered) == pytest.approx(confidence, abs=0.012)


def test_one_replication_tells_nothing_of_the_spread() -> None:
    assert estimate([3.0]) == Estimate(3.0, -np.inf, np.inf, 1)
    assert estimate([3.0]).half_width == np.inf


def test_replications_that_agree_have_an_interval_of_no_length() -> None:
    estimated = estimate([0.1, 0.1, 0.1])
    assert estimated.mean == pytest.approx(0.1, rel=1e-15)
    assert estimated.half_width < 1e-15
    assert estimate([2.0, 2.0]) == Estimate(2.0, 2.0, 2.0, 2)


def test_an_estimate_in_another_unit() -> None:
    estimated = estimate([1.0, 2.0, 3.0])
    assert estimated.scaled(60.0).half_width == pytest.approx(60.0 * estimated.half_width)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95, -0.5])
def test_a_confidence_that_is_none_is_refused(confidence) -> None:
    with pytest.raises(SendcapError, match="confidence"):
        estimate([1.0, 2.0], confidence)
