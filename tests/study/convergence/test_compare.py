"""Two scenarios with the same draws: what is alike cancels out, and the interval tells the rest."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

import sendcap
from sendcap.errors import SendcapError
from sendcap.scenario import Scenario, updated
from sendcap.study.convergence.compare import COMPARED, Comparison, compare
from sendcap.study.replication import replication_seed
from sendcap.study.replication.estimates import estimate
from sendcap.study.replication.recording import ACCEPTED_TIMES, Quantity
from sendcap.study.replication.replications import is_moment

FINAL = Quantity("efs", "*", "*", "delivered_pct")


@pytest.fixture(scope="module")
def sooner(two_deliveries) -> Scenario:
    return updated(two_deliveries, {"mta.retry.first": "5m"})


@pytest.fixture(scope="module")
def compared(two_deliveries, sooner) -> Comparison:
    return compare(two_deliveries, sooner, 8, workers=1)


def row_of(comparison: Comparison, name: str, mode: str = "efs", tolerance: float = 0.0):
    table = comparison.differences()
    found = table[
        (table["name"] == name) & (table["mode"] == mode) & (table["tolerance_pt"] == tolerance)
    ]
    (row,) = found.to_dict("records")
    return row


def test_nothing_differs_from_itself(two_deliveries) -> None:
    comparison = compare(two_deliveries, two_deliveries.with_seed(99), 3, workers=1)
    told = comparison.differences().query("n > 0")
    assert not told[["difference", "low", "high"]].to_numpy().any()
    assert not comparison.curves().query("which == 'difference'")["mean"].fillna(0.0).any()


def test_differences_are_paired_and_so_is_their_interval(compared) -> None:
    differences = compared.b.numbers[FINAL] - compared.a.numbers[FINAL]
    estimated = estimate(differences.tolist())
    row = row_of(compared, "delivered_pct")
    assert (row["difference"], row["low"], row["high"]) == (
        estimated.mean,
        estimated.low,
        estimated.high,
    )
    assert row["difference"] == pytest.approx(row["b"] - row["a"])


def test_times_of_acceptance_are_those_that_each_run_states(two_deliveries, sooner) -> None:
    comparison = compare(two_deliveries, sooner, 3, workers=1)
    for side in (comparison.a, comparison.b):
        for number in range(side.n):
            seed = replication_seed(two_deliveries.seed, number)
            stated = sendcap.simulate(side.scenario.with_seed(seed)).summary()["total"]
            for name in ACCEPTED_TIMES:
                times_s = side.numbers[Quantity("", "*", "*", name)]
                assert times_s[number] == stated[name]


def test_both_sides_and_their_difference_are_of_the_same_middle(two_deliveries) -> None:
    # One pair in five or so differs by a bin, so the median of the differences is 0.
    quicker = updated(two_deliveries, {"providers.p.transaction_time": "990ms"})
    comparison = compare(two_deliveries, quicker, 6, workers=1)
    about = [key for key in comparison.a.numbers if key.name in ACCEPTED_TIMES]
    apart = {key: comparison.b.numbers[key] - comparison.a.numbers[key] for key in about}
    assert any(0 < np.count_nonzero(times_s) < 3 for times_s in apart.values())
    table = pd.concat([comparison.differences(), comparison.by_delivery()])
    table = table[table["name"].isin(ACCEPTED_TIMES) & (table["difference"] == 0.0)]
    assert (table["a"] == table["b"]).all()


def test_the_same_draws_leave_less_to_chance_than_others_would(two_deliveries) -> None:
    faster = updated(two_deliveries, {"providers.q.connections_per_ip": 3})
    comparison = compare(two_deliveries, faster, 8, workers=1)
    paired = row_of(comparison, "accepted_50_pct_s", mode="")
    about = Quantity("", "*", "*", "accepted_50_pct_s")
    others = np.roll(comparison.b.numbers[about], 1) - comparison.a.numbers[about]
    assert paired["high"] < 0.0
    assert paired["high"] - paired["low"] < estimate(others.tolist()).half_width


def test_an_earlier_retry_lowers_the_peak_of_bounces(compared) -> None:
    row = row_of(compared, "peak_pct")
    assert row["high"] < 0.0


def test_all_that_is_told_of_a_delivery_is_compared(compared) -> None:
    table = compared.differences()
    assert set(table["name"]) == set(COMPARED)
    assert set(table[table["name"] == "settling_s"]["tolerance_pt"]) == {1.0, 0.5, 0.1}


def test_the_number_of_workers_changes_nothing(two_deliveries, sooner, compared) -> None:
    again = compare(two_deliveries, sooner, 8, workers=2)
    assert again.differences().equals(compared.differences())


def test_curves_of_both_are_on_the_same_moments(compared) -> None:
    table = compared.curves().set_index(["mode", "name", "which"]).sort_index()
    times = [table.loc[("efs", "delivered_pct", which)]["time_s"] for which in "ab"]
    np.testing.assert_array_equal(*times)
    means = [
        table.loc[("efs", "delivered_pct", which)]["mean"].to_numpy()
        for which in ("a", "b", "difference")
    ]
    np.testing.assert_allclose(means[1] - means[0], means[2], atol=1e-4)


# Saved runs


def test_a_saved_run_is_one_pair_without_an_interval(two_deliveries, sooner, tmp_path) -> None:
    sendcap.simulate(two_deliveries).save(tmp_path / "run")
    comparison = compare(tmp_path / "run", sooner, workers=1)
    assert comparison.saved
    assert comparison.same_draws
    assert comparison.a.n == comparison.b.n == 1
    row = row_of(comparison, "peak_pct")
    assert row["difference"] < 0.0
    assert math.isnan(row["low"])
    # As if both had been simulated.
    both = compare(two_deliveries, sooner, 1, workers=1)
    assert row_of(both, "peak_pct")["difference"] == row["difference"]


def test_the_scenario_takes_the_seed_of_the_run(two_deliveries, sooner) -> None:
    run = sendcap.simulate(sooner, seed=77)
    comparison = compare(two_deliveries, run, workers=1)
    expected = sendcap.simulate(two_deliveries, seed=77).kpis("efs")["delivered_pct"].iloc[-1]
    assert comparison.a.numbers[FINAL].tolist() == [expected]


def test_runs_of_different_seeds_are_told_apart(two_deliveries) -> None:
    runs = [sendcap.simulate(two_deliveries, seed=seed) for seed in (1, 2)]
    assert not compare(*runs, workers=1).same_draws
    assert compare(runs[0], runs[0], workers=1).same_draws


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"n": 0}, "replications: must be a whole number from 1"),
        ({"confidence": 1.5}, "confidence"),
        ({"tolerances": ["x"]}, "tolerance"),
        ({"modes": ["x"]}, "unknown mode 'x'"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_line(two_deliveries, keywords, message) -> None:
    with pytest.raises(SendcapError, match=message):
        compare(two_deliveries, two_deliveries, **keywords)


def test_a_run_cannot_be_replicated(two_deliveries) -> None:
    run = sendcap.simulate(two_deliveries)
    with pytest.raises(SendcapError, match="a saved run is one replication"):
        compare(run, two_deliveries, 5)


def test_each_delivery_of_both_is_compared(two_deliveries, compared) -> None:
    table = compared.by_delivery()
    names = [each.name for each in two_deliveries.deliveries]
    assert set(table["delivery"]) == set(names)
    of_one = table[(table["delivery"] == names[1]) & (table["name"] == "accepted_99_pct_s")]
    about = Quantity("", names[1], "*", "accepted_99_pct_s")
    estimated = estimate((compared.b.numbers[about] - compared.a.numbers[about]).tolist())
    (row,) = of_one.to_dict("records")
    assert (row["difference"], row["low"], row["high"]) == (
        estimated.mean,
        estimated.low,
        estimated.high,
    )


def test_moving_one_delivery_moves_the_other_less(two_deliveries) -> None:
    first, second = (each.name for each in two_deliveries.deliveries)
    later = updated(two_deliveries, {"deliveries[1].at": "2h 30m"})
    table = compare(two_deliveries, later, 2, workers=1).by_delivery()
    moved = table[table["name"] == "accepted_99_pct_s"].set_index("delivery")["difference"]
    assert moved[second] > 3600.0
    assert abs(moved[first]) < moved[second]


def test_one_delivery_has_no_table_of_its_own(two_deliveries) -> None:
    one = two_deliveries.model_copy(update={"deliveries": two_deliveries.deliveries[:1]})
    assert compare(one, one, 1, workers=1).by_delivery().empty


def test_the_note_names_whatever_is_compared_by_its_median(compared) -> None:
    note = " ".join(compared.sentences())
    assert is_moment("delay_longest_s")
    assert not is_moment("delay_p99_s")
    assert "Of settling times, peaks, longest delays, and where most pairs are the same" in note
