from __future__ import annotations

import warnings

import pytest

import sendcap
from sendcap.scenario import Range, from_dict, load_uncertain, updated
from sendcap.study.forecasts.unknowns import KINDS, assumed, unknowns, widened

PLAIN = {
    "deliveries": [{"name": "news", "messages": 1000, "audience": {"p": 0.9, "q": 0.1}}],
    "relay": {"batch_time": "1s"},
    "providers": {
        "p": {
            "connect_time": "1s",
            "transaction_time": "1s",
            "transient": 0.02,
            "hard": [{"reason": "user unknown", "share": 0.01}],
            "faults": [
                {"reason": "full", "share": 0.02, "never": 0.4, "clears_after": "30h"},
                {
                    "reason": "greylisted",
                    "share": 0.1,
                    "clears_after": {"dist": "exponential", "mean": "6m"},
                },
            ],
        },
        "q": {"connect_time": "1s", "transaction_time": "1s"},
    },
}
P = "providers.p"


def spans(scenario) -> dict[str, Range]:
    return {each.path: each.span for each in unknowns(scenario)}


def test_shares_clearing_retries_and_what_comes_later_are_unknown() -> None:
    found = spans(from_dict(PLAIN))
    assert {path: (span.low, span.high) for path, span in found.items()} == {
        f"{P}.hard[0].share": pytest.approx((0.004, 0.025)),
        f"{P}.faults[0].share": pytest.approx((0.008, 0.05)),
        f"{P}.faults[1].share": pytest.approx((0.04, 0.25)),
        f"{P}.faults[0].never": pytest.approx((0.0, 0.8)),
        f"{P}.faults[0].clears_after": ("10h", "90h"),
        f"{P}.faults[1].clears_after.mean": ("2m", "18m"),
        f"{P}.transient": pytest.approx((0.02 / 3, 0.06)),
        f"{P}.async_bounce": (0.0, 0.001),
        "providers.q.transient": (0.0, 0.02),
        "providers.q.async_bounce": (0.0, 0.001),
        "mta.retry.first": ("10m", "40m"),
        "mta.retry.factor": pytest.approx((4 / 3, 3.0)),
    }


def test_a_range_of_the_users_own_counts_instead_also_of_a_part() -> None:
    own = {f"{P}.hard[0].share": (0.0, 0.1), f"{P}.faults[1].clears_after.mean": ("1m", "2m")}
    uncertain = widened(load_uncertain(from_dict(PLAIN), own))
    assert uncertain.ranges[f"{P}.hard[0].share"] == Range(0.0, 0.1)
    assert uncertain.ranges[f"{P}.faults[1].clears_after.mean"] == Range("1m", "2m")
    assert len(uncertain.ranges) == len(unknowns(from_dict(PLAIN)))
    whole = load_uncertain(from_dict(PLAIN), {"mta.retry.first": ("1m", "2m")})
    assert "mta.retry.first" not in {each.path for each in assumed(whole)}
    # The scenario itself has its own numbers still.
    assert uncertain.scenario.mta == from_dict(PLAIN).mta


@pytest.mark.parametrize("name", sendcap.scenario.presets())
@pytest.mark.parametrize("place", [0.0, 1.0])
def test_presets_are_scenarios_at_the_ends_of_all_ranges(name, place) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sendcap.SendcapWarning)
        uncertain = widened(load_uncertain(name, needed=False))
    assert len(uncertain.ranges) <= 24
    uncertain.at({path: span.at(place) for path, span in uncertain.ranges.items()})


@pytest.mark.parametrize("place", [0.0, 1.0])
@pytest.mark.parametrize(
    "values",
    [
        {f"{P}.hard[0].share": 0.5, f"{P}.faults[1].share": 0.4},
        {f"{P}.hard[0].share": 0.88},
        {f"{P}.transient": 1.0, f"{P}.async_bounce": 1.0},
        {f"{P}.transient": 0.9, f"{P}.async_bounce": 0.9},
        {f"{P}.faults[0].never": 1.0, f"{P}.faults[1].never": 0.99},
        {f"{P}.faults[0].clears_after": "0s", f"{P}.faults[1].clears_after.mean": "1ms"},
        {
            f"{P}.faults[0].clears_after": {"dist": "lognormal", "median": "2h", "p95": "3h"},
            f"{P}.faults[1].clears_after": {"dist": "uniform", "low": "1m", "high": "2m"},
        },
        {"mta.retry": {"policy": "exponential", "first": "20m", "max": "20m", "factor": 1.0}},
        {"mta.retry": {"policy": "exponential", "first": "1s", "max": "none", "factor": 1000}},
        {"mta.retry": {"policy": "schedule", "delays": ["5m", "1h"]}},
    ],
)
def test_what_is_at_an_end_already_makes_no_wrong_scenario(values, place) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sendcap.SendcapWarning)
        scenario = updated(from_dict(PLAIN), values)
        uncertain = widened(load_uncertain(scenario, needed=False))
    assert uncertain.ranges
    uncertain.at({path: span.at(place) for path, span in uncertain.ranges.items()})


def test_each_kind_says_how_wide_and_why() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert all(kind.width and kind.why for kind in KINDS)
    assert {each.kind for each in unknowns(from_dict(PLAIN))} == set(KINDS)
