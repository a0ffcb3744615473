from __future__ import annotations

import math

import numpy as np
import pytest

import sendcap
from sendcap.errors import SendcapError, SendcapWarning
from sendcap.scenario import Scenario, from_dict
from sendcap.study.replication import replication_seed
from sendcap.study.replication.recording import Quantity
from sendcap.study.replication.replicate import replicate
from sendcap.study.replication.replications import Band, spread

SMALL = {
    "seed": 5,
    "deliveries": [
        {
            "name": "first",
            "messages": 1500,
            "validity": "2h",
            "audience": {"p": 0.75, "q": 0.25},
        },
        {"name": "second", "messages": 500, "at": "20m", "audience": {"p": 1.0}},
    ],
    "relay": {"batch_time": {"dist": "exponential", "mean": "1s"}},
    "providers": {
        "p": {
            "connect_time": "100ms",
            "transaction_time": {"dist": "lognormal", "mean": "300ms", "cv": 1.0},
            "transient": 0.1,
            "hard": [{"reason": "user unknown", "share": 0.05}],
        },
        "q": {"connect_time": "1s", "transaction_time": "1s"},
    },
    "engagement": {"open_rate": 0.3, "click_rate": 0.2},
}


@pytest.fixture(scope="module")
def small() -> Scenario:
    return from_dict(SMALL)


@pytest.fixture(scope="module")
def six(small) -> sendcap.Replications:
    return replicate(small, 6, per=["delivery", "provider"], workers=1)


def same(one: sendcap.Replications, two: sendcap.Replications) -> bool:
    return (
        one.n == two.n
        and list(one.numbers) == list(two.numbers)
        and list(one.curves) == list(two.curves)
        and all(np.array_equal(one.numbers[key], two.numbers[key], True) for key in one.numbers)
        and all(np.array_equal(one.curves[key], two.curves[key], True) for key in one.curves)
    )


def test_the_number_of_workers_changes_nothing(small, six) -> None:
    assert same(six, replicate(small, 6, per=["delivery", "provider"], workers=2))


def test_when_precision_decides_it_does_so_at_the_same_replication_for_all(small) -> None:
    precision = {"delivered_pct": "0.11pt", "accepted_90_pct_s": "20s"}
    alone = replicate(small, precision=precision, workers=1)
    assert 10 < alone.n < 100
    assert alone.precise
    assert alone.estimate("delivered_pct", "efs").half_width <= 0.11
    assert alone.estimate("accepted_90_pct_s").half_width <= 20.0
    assert same(alone, replicate(small, precision=precision, workers=2))
    # Nothing but the decision to stop depends on what was asked.
    assert same(alone, replicate(small, alone.n, workers=1))


def test_each_replication_is_the_run_of_its_seed(small, six) -> None:
    for number in (0, 4):
        run = sendcap.simulate(small, seed=replication_seed(small.seed, number))
        kpis = run.kpis("without-efs", "second")
        quantity = Quantity("without-efs", "second", "*", "delivered_pct")
        assert six.numbers[quantity][number] == kpis["delivered_pct"].iloc[-1]
        expected = np.interp(six.moments_s, kpis["time_s"], kpis["delivered_pct"])
        curve = six.curves[quantity][number]
        assert curve.dtype == np.float32
        np.testing.assert_allclose(curve, expected, rtol=1e-6)


def test_opens_and_clicks_are_simulated_only_if_they_are_wanted(small, six) -> None:
    asked = replicate(small, 2, measures=["open_rate_pct", "delivered_pct"], workers=1)
    assert asked.estimate("open_rate_pct", "efs").mean == pytest.approx(30, abs=3)
    assert not any(key.name == "open_rate_pct" for key in six.numbers)
    # It makes no difference to the rest.
    quantity = Quantity("efs", "*", "*", "delivered_pct")
    np.testing.assert_array_equal(asked.numbers[quantity], six.numbers[quantity][:2])


def longest_bin(run: sendcap.Run) -> float:
    return float(np.diff(run.ledger.edges_s).max())


def test_any_measure_of_a_run_can_be_replicated(small) -> None:
    asked = ["truth_pct", "peak_backlog", longest_bin]
    found = replicate(small, 3, measures=asked, workers=1)
    backlogs = [sendcap.limits(small.with_seed(replication_seed(5, r))) for r in range(3)]
    peaks = [max(backlog.table()["peak_backlog"].iloc[1:]) for backlog in backlogs]
    assert found.numbers[Quantity("", "*", "*", "peak_backlog")].tolist() == peaks
    assert found.estimate("longest_bin").mean == small.time.bin
    assert not found.curves
    precise = replicate(
        small, measures=asked, precision={"truth_pct": "1pt", "peak_backlog": 300}, workers=1
    )
    assert precise.estimate("truth_pct").half_width <= 1.0


def test_deliveries_and_providers_are_kept_where_asked(small, six) -> None:
    groups = {(key.delivery, key.provider) for key in six.numbers}
    assert groups == {("*", "*"), ("first", "*"), ("second", "*"), ("*", "p"), ("*", "q")}
    assert {(key.delivery, key.provider) for key in six.curves} == groups
    plain = replicate(small, 1, workers=1)
    assert {(key.delivery, key.provider) for key in plain.numbers} == {("*", "*")}


def test_what_is_kept_does_not_grow_with_the_messages(small) -> None:
    larger = from_dict(SMALL | {"deliveries": [SMALL["deliveries"][0] | {"messages": 20_000}]})
    for each in (small, larger):
        (curve, *_) = replicate(each, 2, workers=1).curves.values()
        assert curve.shape[1] < 700


# Tables


def test_the_table_tells_mean_interval_median_and_band(six) -> None:
    table = six.table(["bounces_errors_pct", "delivered_pct"])
    assert list(dict.fromkeys(table["name"])) == ["bounces_errors_pct", "delivered_pct"]
    row = table[(table["mode"] == "efs") & (table["provider"] == "p")].iloc[-1]
    values = six.numbers[Quantity("efs", "*", "p", "delivered_pct")]
    estimated = six.estimate("delivered_pct", "efs", provider="p")
    assert (row["mean"], row["mean_low"], row["mean_high"]) == (
        estimated.mean,
        estimated.low,
        estimated.high,
    )
    assert row["median"] == np.median(values)
    assert values.min() <= row["low"] <= row["median"] <= row["high"] <= values.max()


def test_every_number_of_every_replication_can_be_had(six) -> None:
    table = six.each()
    assert len(table) == 6 * len(six.numbers)
    row = table[
        (table["replication"] == 3)
        & (table["mode"] == "efs")
        & (table["delivery"] == "first")
        & (table["name"] == "delivered_pct")
    ].iloc[0]
    assert row["value"] == six.numbers[Quantity("efs", "first", "*", "delivered_pct")][3]
    assert row["seed"] == str(replication_seed(5, 3))


def test_bands_hold_the_middle_of_further_replications() -> None:
    curves = np.stack([np.arange(1.0, 100.0), np.zeros(99)], axis=1)
    band = Band.of(np.array([0.0, 60.0]), curves, 0.9)
    # One more is as likely before the first of 99 as between any two: 90 of 100 are in the band.
    assert (band.low[0], band.median[0], band.high[0]) == pytest.approx((5.0, 50.0, 95.0))
    assert (band.mean[0], band.high[1]) == (50.0, 0.0)


def test_the_bands_are_a_tidy_table(six) -> None:
    table = six.bands()
    assert list(table.columns) == [
        *("mode", "delivery", "provider", "name"),
        *("time_s", "mean", "median", "low", "high"),
    ]
    assert len(table) == len(six.curves) * len(six.moments_s)
    told = table.dropna()
    assert ((told["low"] <= told["median"]) & (told["median"] <= told["high"])).all()


def test_a_number_that_some_replications_lack_is_told_of_the_others() -> None:
    estimated = spread(np.array([1.0, math.nan, 3.0]), 0.95)
    assert (estimated["n"], estimated["mean"], estimated["median"]) == (2, 2.0, 2.0)
    none = spread(np.array([math.nan, math.nan]), 0.95)
    assert none["n"] == 0
    assert math.isnan(none["median"])
    one = spread(np.array([4.0]), 0.95)
    assert (one["n"], one["mean"], one["low"]) == (1, 4.0, 4.0)
    assert math.isnan(one["mean_low"])


# What is refused


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        (
            {"replications": 5, "precision": 0.1},
            "give a number of replications or a precision, not both",
        ),
        ({"replications": 0}, "replications: must be a whole number from 1 to 1,000,000, not 0"),
        (
            {"replications": 2.5},
            "replications: must be a whole number from 1 to 1,000,000, not 2.5",
        ),
        ({"precision": "0pt"}, "precision: must be above 0 points"),
        ({"precision": "small"}, 'precision: "small" is not a number of points'),
        ({"precision": {"open_rate_pct": 1}}, "unknown measure in precision 'open_rate_pct'"),
        ({"precision": {"accepted_50_pct_s": "3 pigs"}}, "precision of accepted_50_pct_s"),
        ({"measures": ["sent"]}, 'measure: "sent" is unknown; there are accepted_50_pct_s'),
        ({"measures": ["bottleneck"], "workers": 1}, "measure: bottleneck: is text, and replica"),
        ({"measures": "accepted", "precision": 1}, "precision: no measure is a percentage"),
        (
            {"measures": "settling_s", "precision": {"settling_s.efs.3pt": 9}, "workers": 1},
            "precision: unknown quantity settling_s.efs.3pt; there are settling_s.without-efs.1pt",
        ),
        ({"modes": ["EFS"]}, "unknown mode 'EFS'"),
        ({"modes": []}, "mode: give one at least"),
        ({"confidence": 95}, "confidence: must be between 0 and 1"),
        ({"workers": 0}, "workers: must be"),
        ({"precision": 0.001, "workers": 1}, "precision: 200 replications cannot narrow"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_line(small, keywords, message) -> None:
    with pytest.raises(SendcapError) as caught:
        replicate(small, **keywords)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_precision_that_was_not_reached_is_told_and_the_rest_is_there(small) -> None:
    with pytest.warns(SendcapWarning, match=r"precision: not reached by 12 replications: \w+_pct"):
        replicated = replicate(small, precision="0.1pt", most=12, workers=1)
    assert (replicated.n, replicated.precise) == (12, False)


def test_an_unknown_quantity_names_the_known_ones(six) -> None:
    with pytest.raises(SendcapError, match=r"unknown quantity delivered_pct; known are accepted"):
        six.estimate("delivered_pct")
