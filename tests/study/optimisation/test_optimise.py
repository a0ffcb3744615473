"""The cheapest settings that meet a target: against all there are, with noise, and interrupted."""

from __future__ import annotations

import random
import sys
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from types import SimpleNamespace as Namespace

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy import stats
from swept import small

import sendcap
from sendcap import Priced, Target
from sendcap.errors import SendcapError
from sendcap.scenario import parse_duration
from sendcap.study.optimisation.optimise import BATCH
from sendcap.study.optimisation.optimum import TargetError, Tried
from sendcap.study.optimisation.proposals import cheaper, combinations
from sendcap.study.replication import measures, replication_seed
from sendcap.study.sweeps.store import Store
from sendcap.study.sweeps.sweep import Progress

pytest.importorskip("optuna", reason="Optuna is not installed: pip install 'sendcap[optimise]'")

TIMES = ["wall_s", "cpu_s"]
TINY = small(10)
LEVERS = {"mta.ips": (1, 16, 40), "relay.workers": (1, 12, 75)}


def hours(run) -> float:
    """Return a time that is known in closed form, give or take its noise."""
    noise = random.Random(run.scenario.seed).gauss(0.0, 0.02)
    return 24.0 / run.scenario.mta.ips + 10.0 / run.scenario.relay.workers + noise


def expected_hours(ips: int, workers: int) -> float:
    return 24.0 / ips + 10.0 / workers


@pytest.fixture(scope="module")
def here():
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture
def worked_out(here, monkeypatch):
    """An executor that simulates nothing: what is measured depends on the scenario alone."""
    monkeypatch.setattr(
        measures, "simulated_for", lambda scenario, _: (Namespace(scenario=scenario), None)
    )
    return here


def asked(**more):
    return {"trials": 60, "replications": 10, **more}


@pytest.mark.parametrize("seed", range(3))
def test_the_answer_is_the_one_of_the_whole_grid(worked_out, seed) -> None:
    limit = 4.6
    costs = {
        (ips, workers): 40.0 * ips + 75.0 * workers
        for ips in range(1, 17)
        for workers in range(1, 13)
        if expected_hours(ips, workers) <= limit
    }
    best = min(costs, key=costs.get)
    # It is no matter of chance: the next cheaper settings miss by more than the noise.
    assert expected_hours(*best) < limit - 0.05
    found = sendcap.optimise(
        TINY, LEVERS, Target(hours, at_most=limit), seed=seed, executor=worked_out, **asked()
    )
    assert found.settings == dict(zip(LEVERS, best, strict=True))
    assert found.cost == costs[best]
    assert len(found.trials) < 16 * 12 / 2
    assert found.bound <= limit
    assert found.scenario.mta.ips == best[0]
    assert found.estimate.mean == pytest.approx(expected_hours(*best), abs=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_all_that_is_a_step_cheaper_than_the_answer_has_been_tried(worked_out, seed) -> None:
    """Few trials, on purpose: the search by itself ends somewhere near."""
    levers = {"mta.ips": (1, 64, 40), "relay.workers": (1, 64, 75)}
    found = sendcap.optimise(
        TINY,
        levers,
        Target(hours, at_most=2.0),
        seed=seed,
        executor=worked_out,
        **asked(trials=20),
    )
    tried = set(found.trials[list(levers)].itertuples(index=False, name=None))
    priced = {path: Priced(*ends) for path, ends in levers.items()}
    steps = cheaper(priced, tuple(float(found.settings[path]) for path in levers))
    assert len(steps) > 4
    assert {tuple(map(int, each)) for each in steps} <= tried
    # None of them would do; the noise of a mean of ten is less than a tenth.
    assert min(expected_hours(*map(int, each)) for each in steps) > 2.0 - 0.05


def test_of_a_simulated_delivery_nothing_cheaper_meets_the_target(here) -> None:
    target = Target("accepted_50_pct_s", at_most="70s")
    found = sendcap.optimise(
        small(20_000), LEVERS, target, trials=40, trial_replications=1, executor=here
    )
    cheaper = [
        {"mta.ips": ips, "relay.workers": workers}
        for ips in range(1, 17)
        for workers in range(1, 13)
        if 40 * ips + 75 * workers < found.cost
    ]
    assert len(cheaper) > 5
    runs = sendcap.sweep(
        small(20_000), cheaper, measures="accepted_50_pct_s", replications=3, executor=here
    )
    assert runs.groupby("point")["accepted_50_pct_s"].mean().min() > 70.0
    assert found.bound <= 70.0


def test_few_settings_are_all_tried_and_need_no_optuna(worked_out, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    found = sendcap.optimise(
        TINY, {"mta.ips": (1, 12, 40)}, Target(hours, at_most=13.0), executor=worked_out, **asked()
    )
    assert found.settings == {"mta.ips": 9}
    assert found.trials["mta.ips"].tolist() == list(range(1, 13))
    with pytest.raises(SendcapError, match=r"Optuna is not installed.*pip install 'sendcap\[opt"):
        sendcap.optimise(TINY, LEVERS, Target(hours, at_most=5.0), executor=worked_out, **asked())


def per_hour(run) -> float:
    retry = run.scenario.mta.retry
    return 3600.0 / retry.first + random.Random(run.scenario.seed).gauss(0.0, 0.01)


def test_durations_and_shares_are_levers_also_where_less_is_dearer(worked_out) -> None:
    levers = {
        "mta.retry.first": ("5m", "1h", [("5m", 100), ("1h", 0)]),
        "mta.retry.factor": Priced(1.0, 3.0, 0),
    }
    found = sendcap.optimise(
        TINY, levers, Target(per_hour, at_least=4.0), executor=worked_out, **asked(trials=40)
    )
    # 15 minutes would do, and the steps are a 256th of 55 minutes.
    assert 900.0 - 26.0 < parse_duration(found.settings["mta.retry.first"]) <= 900.0
    assert found.bound >= 4.0


# Chance. The search is told by 2 replications, and those may be lucky.


def lucky(run) -> float:
    """Return what is less than nothing in the search, and more in expectation where x is 1."""
    in_search = run.scenario.seed in (5, replication_seed(5, 1))
    value = random.Random(run.scenario.seed).gauss(1.0, 0.2) - 0.5 * run.scenario.mta.ips
    return value - 2.0 if in_search else value


def test_a_lucky_search_does_not_decide(worked_out) -> None:
    found = sendcap.optimise(
        TINY, {"mta.ips": (1, 6, 1)}, Target(lucky, at_most=0.0), executor=worked_out, **asked()
    )
    assert found.settings["mta.ips"] >= 3  # 2 are 0 in expectation, and surely no less
    assert found.attempts > 1
    refuted = found.trials[found.trials["met"] == "no"]
    assert (refuted["lucky"] < 0.0).all()
    assert (refuted["bound"] > 0.0).all()
    runs = found.runs[found.runs["point"] == found.trial]
    assert runs["replication"].tolist() == list(range(12))
    assert found.estimate.mean == pytest.approx(runs["lucky"][2:].mean())


def test_the_error_that_is_allowed_is_shared_out_over_the_tests(worked_out) -> None:
    found = sendcap.optimise(
        TINY, {"mta.ips": (1, 6, 1)}, Target(lucky, at_most=0.0), executor=worked_out, **asked()
    )
    k = found.attempts
    assert k > 1
    values = found.runs.loc[found.runs["point"] == found.trial, "lucky"][2:]
    sure = 1.0 - 0.05 / (k * (k + 1))
    bound = stats.ttest_1samp(values, 0.0, alternative="less").confidence_interval(sure).high
    assert found.bound == pytest.approx(bound)


def close(run) -> float:
    noise = random.Random(run.scenario.seed).gauss(0.0, 1.0)
    return noise - 0.1 * (run.scenario.mta.ips - 8.5)


def test_an_answer_is_wrong_no_more_often_than_its_confidence_says(worked_out) -> None:
    wrong = answered = 0
    for seed in range(30):
        try:
            found = sendcap.optimise(
                TINY.with_seed(seed),
                {"mta.ips": (1, 32, 1)},
                Target(close, at_most=0.0, confidence=0.8),
                executor=worked_out,
                **asked(replications=5),
            )
        except TargetError:
            continue
        answered += 1
        wrong += found.settings["mta.ips"] <= 8
    assert answered > 24
    assert wrong <= 0.2 * answered, (wrong, answered)


# Wherever it is computed, and however often it is interrupted.


def test_workers_and_stores_change_nothing(here, tmp_path) -> None:
    target = Target("accepted_50_pct_s", at_most="40s")
    plain = sendcap.optimise(small(3000), LEVERS, target, executor=here, **asked(trials=20))
    assert plain.runs["error"].eq("").all()
    for more in ({"workers": 2}, {"executor": here, "store": tmp_path}, {"executor": Executor()}):
        if "executor" in more and more["executor"] is not here:
            more["store"] = tmp_path  # all of it is there
        again = sendcap.optimise(small(3000), LEVERS, target, **asked(trials=20), **more)
        assert again.settings == plain.settings
        assert_frame_equal(again.trials, plain.trials, check_exact=True)
        assert_frame_equal(
            again.runs.drop(columns=TIMES), plain.runs.drop(columns=TIMES), check_exact=True
        )


class Interrupted(Executor):
    """Evaluates in this thread, until it is interrupted in an evaluation."""

    def __init__(self, evaluations: int) -> None:
        self.left = evaluations

    def submit(self, function, item):
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        future = Future()
        future.set_result(function(item))
        return future


def test_it_goes_on_where_it_was_interrupted(worked_out, tmp_path) -> None:
    target = Target(hours, at_most=4.6)
    plain = sendcap.optimise(TINY, LEVERS, target, executor=worked_out, **asked())
    kept = 0
    for _ in range(2):
        before = kept
        with pytest.raises(KeyboardInterrupt):
            sendcap.optimise(
                TINY, LEVERS, target, executor=Interrupted(37), store=tmp_path, **asked()
            )
        # Runs that are submitted together are saved together, two for each trial of a batch: only
        # those of the last batch are lost.
        kept = len(Store(tmp_path))
        assert before + 37 - 2 * BATCH <= kept < before + 37
    told: list[Progress] = []
    again = sendcap.optimise(
        TINY, LEVERS, target, executor=worked_out, store=tmp_path, progress=told.append, **asked()
    )
    assert told[-1].kept == kept
    assert told[-1].runs == told[-1].done == len(again.runs)
    assert [each.done for each in told] == sorted(each.done for each in told)
    assert_frame_equal(again.trials, plain.trials, check_exact=True)


# The trade-off.


def test_no_trial_is_both_cheaper_and_better_than_one_of_the_front(worked_out) -> None:
    found = sendcap.optimise(
        TINY, LEVERS, Target(hours, at_most=4.6), executor=worked_out, **asked()
    )
    front = found.front()
    assert front["cost"].is_monotonic_increasing
    assert front["hours"].is_monotonic_decreasing
    assert found.trial in front["trial"].tolist()
    for row in front.to_dict("records"):
        others = found.trials[found.trials["trial"] != row["trial"]]
        better = (others["cost"] <= row["cost"]) & (others["hours"] <= row["hours"])
        assert not better.any()
    left = found.trials[~found.trials["front"]]
    for row in left.to_dict("records"):
        assert ((front["cost"] <= row["cost"]) & (front["hours"] <= row["hours"])).any()


# What cannot be answered.


def test_a_target_out_of_reach_is_told_with_what_comes_near(worked_out) -> None:
    with pytest.raises(TargetError) as caught:
        sendcap.optimise(TINY, LEVERS, Target(hours, at_most=2.0), executor=worked_out, **asked())
    told, tried = str(caught.value), caught.value.tried
    assert isinstance(tried, Tried)
    assert told.startswith(
        f"target: none of the {len(tried.trials)} settings tried meets the target "
        "(hours, at most 2); the nearest reach 2.3"
    )
    assert "with mta.ips = 16, relay.workers = 12, at a cost of 1,540; widen the levers" in told
    assert told.endswith(
        "widen the levers beyond the end of mta.ips and relay.workers, or move the target"
    )
    assert 50 <= len(tried.trials) <= 60


@pytest.mark.parametrize(
    ("target", "value", "text"),
    [
        (Target("accepted_99_pct_s", at_most="1h"), 3600.4, "1h (0.4 s more)"),
        (Target("accepted_99_pct_s", at_most="1h"), 5400.0, "1h 30m"),
        (Target("truth_pct", at_least=99.0), 98.999_999_9, "99 (1e-07 less)"),
    ],
)
def test_a_miss_never_reads_like_the_limit(target, value, text) -> None:
    assert target.written_beside_the_limit(value) == text


def test_a_target_that_is_met_only_perhaps_is_told_as_such(worked_out) -> None:
    with pytest.raises(
        TargetError, match=r"no settings tried are sure to meet the target \(close, at most -0\.5\)"
    ):
        sendcap.optimise(
            TINY,
            {"mta.ips": (1, 8, 1)},
            Target(close, at_most=-0.5),
            executor=worked_out,
            **asked(),
        )


def fails_with_few(run) -> float:
    if run.scenario.mta.ips < 5:
        raise ZeroDivisionError("few")
    return hours(run)


def test_settings_that_fail_are_not_the_answer(worked_out) -> None:
    levers = {"mta.ips": (1, 8, 1)}
    found = sendcap.optimise(
        TINY, levers, Target(fails_with_few, at_most=99.0), executor=worked_out, **asked()
    )
    assert found.settings == {"mta.ips": 5}
    assert found.trials["error"].str.startswith("ZeroDivisionError").sum() == 4
    with pytest.raises(TargetError, match="all 4 settings have failed: ZeroDivisionError: few"):
        sendcap.optimise(
            TINY,
            {"mta.ips": (1, 4, 1)},
            Target(fails_with_few, at_most=99.0),
            executor=worked_out,
            **asked(),
        )


def text(run) -> str:
    return "much"


HOURS = Target(hours, at_most=5.0)


@pytest.mark.parametrize(
    ("levers", "target", "message"),
    [
        ({"mta.ips": (8, 2, 40)}, HOURS, r"levers: mta.ips: \[8, 2\]: write the lower end first"),
        ({"mta.ips": (2, 8)}, HOURS, "levers: mta.ips: has no cost; give one, and 0 where it co"),
        ({"mta.ips": sendcap.Range(2, 8)}, HOURS, "levers: mta.ips: has no cost"),
        ({"mta.ips": (2, 8, 0)}, HOURS, "levers: all cost the same whatever their values"),
        ({"mta.ips": (2, 8, "4")}, HOURS, "levers: mta.ips: cost: must be a number"),
        ({"mta.ips": (2, 8, [(2, 0), (7, 1)])}, HOURS, r"cost: must go from one end of \[2"),
        ({"mta.ips": (2, 8, [(8, 0), (2, 1)])}, HOURS, "the values must rise"),
        ({"mta.ips": (2, 8, [("2s", 0), (8, 1)])}, HOURS, '"2s" is of another kind'),
        ({"mta.ips": (0, 8, 1)}, HOURS, "levers: mta.ips: must be at least 1"),
        ({"mta.ip": (1, 8, 1)}, HOURS, 'did you mean "ips"'),
        ({"mta.ips": 3}, HOURS, r"must be low, high and cost, such as \(1, 64, 40\), not 3"),
        ({}, HOURS, "levers: give one at least"),
        (LEVERS, Target(text, at_most=1), "target: measure: text is not a number"),
        (LEVERS, Target("settling_s", at_most="1h"), 'measure: "settling_s" is unknown'),
        (LEVERS, Target("settling_s.efs.1", at_most="1h"), 'did you mean "settling_s.efs.1pt"'),
    ],
)
def test_a_question_without_an_answer_is_refused(here, levers, target, message) -> None:
    with pytest.raises(SendcapError, match=message):
        sendcap.optimise(TINY, levers, target, executor=here, **asked(trials=BATCH))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"measure": "accepted_98_pct_s", "at_most": "1h"}, 'is unknown; did you mean "accepted'),
        ({"measure": "truth_pct"}, "give one of at_most and at_least"),
        ({"measure": "truth_pct", "at_most": 1, "at_least": 0}, "give one of at_most and at_least"),
        ({"measure": "truth_pct", "at_least": "1h"}, "truth_pct is not a time; give a number"),
        ({"measure": "drained_at_s", "at_most": "1 fortnight"}, 'target: unknown unit "fortnight"'),
        (
            {"measure": "drained_at_s", "at_most": True},
            "must be a number up to 1e.15, or a duration, not true",
        ),
        ({"measure": "truth_pct", "at_least": 1, "confidence": 95}, "must be between 0 and 1"),
        ({"measure": 5, "at_least": 1}, "measure: 5 is not a measure"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(given, message) -> None:
    with pytest.raises(SendcapError, match=message):
        Target(**given)


@pytest.mark.parametrize(("name", "least"), [("trials", 1), ("replications", 2)])
def test_too_little_effort_is_refused(name, least) -> None:
    with pytest.raises(
        SendcapError, match=f"{name}: must be a whole number from {least} to 1,000,000, not 0"
    ):
        sendcap.optimise(TINY, LEVERS, HOURS, **{name: 0})


def test_other_measures_are_kept_as_well(here) -> None:
    found = sendcap.optimise(
        TINY,
        {"mta.ips": (1, 3, 1)},
        Target("accepted", at_least=1),
        measures=["accepted", "truth_pct"],
        executor=here,
        **asked(),
    )
    assert isinstance(found.runs, pd.DataFrame)
    assert {"accepted", "truth_pct"} < set(found.runs.columns)
    assert found.settings == {"mta.ips": 1}


def test_neighbours_are_one_step_cheaper() -> None:
    levers = {"a": Priced(1, 64, 40), "b": Priced("100ms", "10s", 3, log=True)}
    near = cheaper(levers, (5.0, 1.0))
    assert [each[0] for each in near if each[1] == 1.0] == [4.0, 3.0, 1.0]
    assert [each[1] for each in near if each[0] == 5.0] == [
        pytest.approx(100.0 ** (-1.0 / 2.0**halvings), rel=1e-3) for halvings in range(1, 9)
    ]
    assert combinations({"a": levers["a"]}, 64) == 64
    assert combinations({"a": levers["a"]}, 63) is None
    assert combinations(levers, 10**9) is None
