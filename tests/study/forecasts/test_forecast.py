from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sendcap
from sendcap.errors import ScenarioError, SendcapError, SendcapWarning
from sendcap.scenario import UncertainScenario, from_dict, load_uncertain
from sendcap.study.forecasts.forecast import Forecaster, forecast
from sendcap.study.forecasts.readings import read_readings
from sendcap.study.forecasts.reference import simulate_table
from sendcap.study.replication.estimates import holding

SMALL = {
    "seed": 5,
    "time": {"bin": "1m"},
    "deliveries": [
        {"name": "news", "messages": 4000, "validity": "10h", "audience": {"p": 0.75, "q": 0.25}}
    ],
    "relay": {"batch_time": "700ms", "rate": "10/s"},
    "providers": {
        "p": {
            "connections_per_ip": 4,
            "connect_time": "300ms",
            "transaction_time": {"dist": "lognormal", "mean": "400ms", "cv": 0.7},
            "hard": [{"reason": "user unknown", "share": 0.01}],
            "faults": [
                {"reason": "mailbox full", "share": 0.02, "clears_after": "2h", "never": 0.5}
            ],
        },
        "q": {"connect_time": "1s", "transaction_time": "500ms"},
    },
}
HARD, FULL = "providers.p.hard[0].share", "providers.p.faults[0].share"
RANGES = {HARD: (0.005, 0.1), FULL: (0.005, 0.1)}
MODES = ("without-efs", "efs")


@pytest.fixture(scope="module")
def small() -> UncertainScenario:
    return load_uncertain(from_dict(SMALL), RANGES)


@pytest.fixture(scope="module")
def table(small):
    return simulate_table(small, MODES, 64, workers=1)


def seen(run: sendcap.Run) -> pd.DataFrame:
    return pd.concat([run.kpis(mode) for mode in MODES], ignore_index=True)


@pytest.fixture(scope="module")
def run(small) -> sendcap.Run:
    return sendcap.simulate(small.at({HARD: 0.03, FULL: 0.06}), seed=91)


@pytest.fixture(scope="module")
def after_3h(small, table, run) -> sendcap.Forecast:
    return forecast(small, seen(run), "3h", table=table)


def test_the_interval_holds_the_end_as_often_as_it_says(small, table) -> None:
    rng = np.random.default_rng(8)
    levels, forecaster = [], None
    for number in range(40):
        values = {path: each.at(rng.random()) for path, each in small.ranges.items()}
        truth = sendcap.simulate(small.at(values), seed=1000 + number)
        readings = read_readings(seen(truth))
        until = {"efs": readings["efs"].until(5400.0)}
        forecaster = forecaster or Forecaster(table, until)
        predicted = forecaster.forecast(until)
        levels.append(
            (predicted.curves["efs"][:, -1] < readings["efs"].percent["delivered_pct"][-1]).mean()
        )
    # Were the intervals honest, 36 of 40 are hit on average, and less than 31 once in 100 times.
    hits = np.abs(np.array(levels) - 0.5) < 0.45
    assert stats.binom.cdf(hits.sum(), 40, 0.9) > 0.01
    # Nor are they too wide: as many ends are in the inner half as should be.
    inner = np.abs(np.array(levels) - 0.5) < 0.25
    assert stats.binom.sf(inner.sum(), 40, 0.5) > 0.001


def test_later_readings_narrow_the_interval_down_to_what_is_read_in_the_end(
    small, table, run
) -> None:
    end = run.kpis("efs")["delivered_pct"].iloc[-1]
    widths = []
    for at in ("4m", "30m", "12h"):
        predicted = forecast(small, seen(run), at, table=table).final().set_index("mode").loc["efs"]
        widths.append(predicted["high"] - predicted["low"])
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 0.2
    assert (widths[-1], predicted["median"]) == pytest.approx((0.0, end), abs=0.01)


def test_only_readings_up_to_the_moment_count(small, table, run, after_3h) -> None:
    shown = seen(run)
    early = forecast(small, shown[shown["time_s"] <= 10_800], table=table)
    pd.testing.assert_frame_equal(early.final(), after_3h.final())
    assert early.at_s == after_3h.at_s == 10_800


def test_each_value_is_found_as_far_as_the_readings_tell(small, table, run, after_3h) -> None:
    rows = after_3h.parameters().set_index("path")
    for path, truth in ((HARD, 0.03), (FULL, 0.06)):
        assert abs(rows["median"][path] - truth) < 0.75 * (rows["high"] - rows["low"])[path]
        assert rows["narrowed"][path] > 0.5
    # Without EFS a full mailbox is not seen before the validity ends.
    blind = forecast(small, seen(run), "3h", modes=["without-efs"], table=table)
    rows = blind.parameters().set_index("path")
    assert rows["narrowed"][FULL] < 0.15
    assert rows["narrowed"][HARD] > 0.5


def test_a_range_is_narrowed_by_as_much_as_its_interval_is_shorter(after_3h) -> None:
    even = np.arange(1, 100) / 100.0
    places = np.column_stack([even, 0.25 + even / 2.0])
    rows = dataclasses.replace(after_3h, places=places).parameters().set_index("path")
    assert rows["narrowed"][HARD] == pytest.approx(0.0, abs=1e-9)
    assert rows["narrowed"][FULL] == pytest.approx(0.5)


def test_the_end_is_still_to_come_however_late_it_is(after_3h) -> None:
    late = dataclasses.replace(after_3h, at_s=1e9)
    assert late.moments_s[late.later].tolist() == [late.moments_s[-1]]
    assert late.bands().groupby("mode").size().tolist() == [1, 1]
    assert after_3h.moments_s[after_3h.later].min() == 10_800


def test_the_settling_time_is_told_for_each_tolerance(small, table, run) -> None:
    predicted = forecast(small, seen(run), "3h", tolerances=["0.5pt", 2], table=table).settling()
    assert list(predicted["tolerance_pt"]) == [2.0, 0.5, 2.0, 0.5]
    assert (predicted["low"] <= predicted["median"]).all()
    assert (predicted["median"] <= predicted["high"]).all()
    without = predicted[predicted["mode"] == "without-efs"].set_index("tolerance_pt")
    # The full mailboxes, some 2 %, come off at the end of the validity, 10 h after the relay.
    assert 36_000 <= without["median"][0.5] <= 37_500


def test_both_modes_end_on_the_same(after_3h) -> None:
    np.testing.assert_allclose(
        after_3h.curves["efs"][:, -1], after_3h.curves["without-efs"][:, -1], atol=0.05
    )


def test_readings_that_the_model_cannot_give_are_told(small, table, run) -> None:
    shown = seen(run)
    odd = shown["time_s"] >= 7200
    shown.loc[odd, "delivered_pct"] -= 12.0
    with pytest.warns(SendcapWarning, match="no values in the ranges explain these readings"):
        predicted = forecast(small, shown, "3h", table=table)
    assert not predicted.reachable
    assert forecast(small, seen(run), "3h", table=table).reachable


@pytest.mark.parametrize(
    ("apart_pt", "words"),
    [
        (0.5, "higher than in any simulation"),
        (-0.5, "lower than in any simulation"),
        (None, "unlike nearly all simulations"),
    ],
)
def test_a_reading_that_does_not_fit_is_not_held_against_itself(
    small, table, apart_pt: float | None, words: str
) -> None:
    # A reading just beyond the simulations' is taken for chance: the nearest one is itself.
    with pytest.warns(SendcapWarning, match="no values in the ranges explain"):
        odd = forecast(small, {"2h": 20.0}, modes=["efs"], table=table)
    misfit = odd.misfit
    ends = {"low_pct": 60.0, "high_pct": 70.0}
    far = {None: 65.0, 0.5: 70.5, -0.5: 59.5}[apart_pt]
    beside = dataclasses.replace(misfit, observed_pct=far, nearest_pct=far + 0.001, **ends)
    told = dataclasses.replace(odd, misfit=beside).sentences()
    assert f"{far:.2f} %, {words} (60.00 to 70.00 %)." in " ".join(told)


def test_few_decimals_are_taken_for_what_they_are(small, table, run) -> None:
    shown = seen(run).round({"delivered_pct": 1, "bounces_errors_pct": 1})
    coarse = forecast(small, shown, "3h", table=table)
    exact = forecast(small, seen(run), "3h", table=table)
    widths = [float((row["high"] - row["low"])[1]) for row in (coarse.final(), exact.final())]
    assert widths[0] > widths[1]
    assert coarse.reachable


def test_a_time_and_one_percentage_are_enough(small, table, run, tmp_path: Path) -> None:
    kpis = run.kpis("efs").set_index("time_s")["delivered_pct"]
    lines = [f"{minutes}m,{kpis[minutes * 60]:.2f}" for minutes in (10, 30, 60, 120)]
    path = tmp_path / "noted.csv"
    path.write_text("\n".join(["time,delivered_pct", *lines]))
    predicted = forecast(small, path, modes=["efs"], table=table)
    row = predicted.final().iloc[0]
    assert row["low"] < kpis.iloc[-1] < row["high"]
    assert predicted.at_s == 7200


def test_the_number_of_workers_changes_nothing(small) -> None:
    tiny = dataclasses.replace(
        small, scenario=sendcap.scenario.updated(small.scenario, {"deliveries[0].messages": 40})
    )
    one, two = (simulate_table(tiny, ("efs",), 64, workers=count) for count in (1, 2))
    np.testing.assert_array_equal(one.places, two.places)
    for key, curves in one.curves.items():
        np.testing.assert_array_equal(curves, two.curves[key])


def test_the_table_fills_the_ranges_with_values_that_can_be(small) -> None:
    scenario = sendcap.scenario.updated(small.scenario, {"deliveries[0].messages": 40})
    uncertain = load_uncertain(scenario, {**RANGES, "providers.p.connections_per_ip": (2, 5)})
    table = simulate_table(uncertain, ("efs",), 64, workers=1)
    counts = [uncertain.ranges["providers.p.connections_per_ip"].at(u) for u in table.places[:, 2]]
    assert [counts.count(value) for value in (2, 3, 4, 5)] == [16, 16, 16, 16]
    for column in table.places.T:
        assert stats.kstest(column, "uniform").pvalue > 0.9


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"at": "3 pigs"}, "at: "),
        ({"at": "-3h"}, "at: "),
        ({"modes": ["EFS"]}, "unknown mode 'EFS'"),
        ({"confidence": 90}, "confidence: must be between 0 and 1"),
        (
            {"confidence": 0.97},
            "confidence: 64 simulations support intervals of up to 96.9 %",
        ),
        ({"tolerances": ["0pt"]}, "tolerance: must be above 0"),
        ({"simulations": 100}, "simulations: must be a power of two from 64"),
        (
            {"simulations": 20},
            "simulations: must be a power of two from 64 to 1,048,576, such as 256, not 20",
        ),
        ({"at": 0}, "observed: up to 0s all values in the ranges give the same readings"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_line(small, table, run, keywords, message) -> None:
    keywords = {"table": None if "simulations" in keywords else table, **keywords}
    with pytest.raises(SendcapError) as caught:
        forecast(small, seen(run), **keywords)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_mode_that_shows_the_same_whatever_the_values_are_is_not_taken_where_another_fits() -> (
    None
):
    """No message has failed for good after 1h: without EFS all deliveries show 100 %."""
    faults = [{"reason": "mailbox full", "share": 0.1, "never": 1}]
    providers = {"q": SMALL["providers"]["q"] | {"faults": faults}}
    deliveries = [{"name": "news", "messages": 4000, "validity": "10h", "audience": {"q": 1.0}}]
    result = SMALL | {"providers": providers, "deliveries": deliveries}
    result = load_uncertain(from_dict(result), {"providers.q.faults[0].share": (0.02, 0.2)})
    table = simulate_table(result, MODES, 64, workers=1)
    found = forecast(result, {"1h": 93.0}, table=table)
    assert found.modes == ("efs",)
    assert found.sentences()[1] == "No mode was given: the reading is taken to be with EFS."
    for pct, modes in ((100.0, None), (93.0, ["without-efs"])):
        with pytest.raises(SendcapError, match="up to 1h all values in the ranges give the same"):
            forecast(result, {"1h": pct}, modes=modes, table=table)


def test_readings_after_the_horizon_are_refused_as_nothing_is_simulated_there(small, run) -> None:
    with pytest.warns(SendcapWarning, match="cuts off"):
        cut = load_uncertain(from_dict(SMALL | {"time": {"bin": "1m", "horizon": "2h"}}), RANGES)
    with pytest.raises(SendcapError, match=r"observed: a row at 3h is after the .*horizon, 2h"):
        forecast(cut, seen(run), "3h")


@pytest.mark.parametrize(("n", "confidence"), [(64, 0.9), (64, 0.96), (9, 0.8), (257, 0.99)])
def test_between_quantiles_of_draws_one_more_is_as_often_as_they_say(n, confidence) -> None:
    # Of uniform draws the share between two of them is how often one more is there; on average
    # the draws are where these are.
    low, _, high = holding(np.arange(1, n + 1) / (n + 1), confidence)
    assert high - low == pytest.approx(confidence)


def test_the_likeliest_scenario_has_the_median_of_each_value(after_3h) -> None:
    medians = after_3h.parameters().set_index("path")["median"]
    found = after_3h.likeliest().providers["p"]
    assert found.hard[0].share == pytest.approx(medians[HARD])
    assert found.faults[0].share == pytest.approx(medians[FULL])


def test_a_value_that_makes_no_scenario_is_told_before_anything_is_simulated(run) -> None:
    with pytest.raises(ScenarioError, match=r"within the ranges, at deliveries\[0\]\.audience\.p"):
        forecast(from_dict(SMALL), seen(run), ranges={"deliveries[0].audience.p": (0.7, 0.8)})
