"""How Delivered % converges, over replications: the tables agree with single runs."""

from __future__ import annotations

import numpy as np
import pytest

import sendcap
from sendcap.errors import SendcapError
from sendcap.readings.convergence import MOMENTS_S, convergence
from sendcap.study.replication import replication_seed
from sendcap.study.replication.recording import PARTS


@pytest.fixture(scope="module")
def single(two_deliveries) -> list[sendcap.Run]:
    return [
        sendcap.simulate(two_deliveries, seed=replication_seed(two_deliveries.seed, number))
        for number in range(6)
    ]


def of(table, **keys):
    for key, value in keys.items():
        table = table[table[key] == value]
    return table


@pytest.mark.parametrize("mode", ["without-efs", "efs"])
@pytest.mark.parametrize(("delivery", "provider"), [("*", "*"), ("loyalty", "*"), ("*", "q")])
def test_tables_are_made_of_what_each_run_tells(
    converged, single, mode, delivery, provider
) -> None:
    each = [convergence(run, mode, delivery, provider) for run in single]
    whose = {"mode": mode, "delivery": delivery, "provider": provider}
    for tolerance in (1.0, 0.5, 0.1):
        row = of(converged.settling(), tolerance_pt=tolerance, **whose).iloc[0]
        assert row["median"] == np.median([result.settling_s[tolerance] for result in each])
        assert row["n"] == 6
    final = of(converged.final(), **whose).set_index("name")["mean"]
    assert final["delivered_pct"] == pytest.approx(np.mean([entry.final_pct for entry in each]))
    assert final["truth_pct"] == pytest.approx(np.mean([entry.truth_pct for entry in each]))
    extremes = of(converged.extremes(), **whose)
    if mode == "efs":
        peak = of(extremes, name="peak_pct")["mean"].item()
        assert peak == pytest.approx(np.mean([entry.overshoot.peak_pct for entry in each]))
    elif provider != "q":
        height = of(extremes, name="cliff_height_pt")["mean"].item()
        assert height == pytest.approx(np.mean([found.cliff.height_pt for found in each]))


@pytest.mark.parametrize("against", ["truth", "final"])
def test_errors_are_those_of_the_runs(converged, single, against) -> None:
    table = of(converged.errors(), mode="efs", delivery="news", against=against)
    assert table["time_s"].tolist() == list(MOMENTS_S)
    for row in table.itertuples():
        each = [convergence(run, "efs", "news") for run in single]
        readings = [found.final_pct + found.errors_pt[row.time_s] for found in each]
        ends = [getattr(found, f"{against}_pct") for found in each]
        assert row.median == pytest.approx(np.median(np.subtract(readings, ends)), abs=1e-4)


@pytest.mark.parametrize("delivery", ["*", "news", "loyalty"])
def test_the_parts_of_the_error_add_up_to_it(converged, delivery) -> None:
    moments = [900.0, 3600.0, 4 * 3600.0]
    for mode in converged.modes:
        errors = of(converged.errors(moments), mode=mode, delivery=delivery, against="truth")
        parts = of(converged.remaining(moments), mode=mode, delivery=delivery)
        assert set(parts["part"]) == set(PARTS)
        together = parts.groupby("time_s")["mean"].agg(lambda each: each.sum(skipna=False))
        np.testing.assert_allclose(together, errors.set_index("time_s")["mean"], atol=1e-4)


def test_a_moment_between_two_of_the_grid_is_read_at_the_one_before(converged) -> None:
    one, two = (converged.errors([moment]) for moment in (900.0, 959.0))
    assert one.drop(columns="time_s").equals(two.drop(columns="time_s"))


def test_every_mode_ends_on_the_truth(converged) -> None:
    final = converged.final().set_index(["mode", "delivery", "provider", "name"])["mean"]
    for (_mode, _delivery, _provider, name), value in final.items():
        if name == "delivered_pct":
            truth = final[_mode, _delivery, _provider, "truth_pct"]
            assert value == pytest.approx(truth, abs=1e-9)


def test_tolerances_are_sorted_and_each_is_there_once(two_deliveries) -> None:
    converged = sendcap.converge(
        two_deliveries, 1, tolerances=["0.2pt", 3, "3"], modes=["legacy"], workers=1
    )
    assert converged.tolerances_pt == (3.0, 0.2)
    assert converged.modes == ("legacy",)
    assert set(converged.settling()["tolerance_pt"]) == {3.0, 0.2}


def test_precision_decides_here_too(two_deliveries) -> None:
    converged = sendcap.converge(two_deliveries, precision="0.5pt", workers=1).replications
    assert converged.n >= 10
    assert converged.estimate("delivered_pct", "efs").half_width <= 0.5


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"tolerances": ["0pt"]}, "tolerance: must be above 0 points"),
        ({"tolerances": ["-1"]}, 'tolerance: "-1" is not a number of points'),
        ({"tolerances": []}, "tolerance: give one at least"),
        ({"n": 3, "precision": 0.1}, "give a number of replications or a precision, not both"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_line(two_deliveries, keywords, message) -> None:
    with pytest.raises(SendcapError) as caught:
        sendcap.converge(two_deliveries, **keywords)
    assert str(caught.value).startswith(message)
