from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy import stats

from sendcap.calibration.families import EXPONENTIAL, GAMMA, LOGNORMAL, WEIBULL
from sendcap.calibration.fitting import Likelihood, best, best_or_measured
from sendcap.calibration.scenarios import written
from sendcap.calibration.times import Times, observed, share
from sendcap.scenario import Scenario, from_dict

SCIPY = {
    "lognormal": (stats.lognorm, LOGNORMAL),
    "gamma": (stats.gamma, GAMMA),
    "weibull": (stats.weibull_min, WEIBULL),
}


def censored_times(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return lognormal times known to be between two edges, the last of them open."""
    edges = np.array([0.0, 100, 300, 700, 1500, 3000, 6000, math.inf])
    place = np.searchsorted(edges, rng.lognormal(math.log(600), 1.0, count))
    return edges[place - 1], edges[place]


@pytest.mark.parametrize(
    ("low_s", "high_s", "log_p"),
    [
        (50.0, 51.0, -50.0 + math.log(-math.expm1(-1.0))),
        (50.0, math.inf, -50.0),
        (0.0, 1e-20, math.log(1e-20)),
        (3.0, 3.0, -3.0),
    ],
)
def test_what_is_far_in_a_tail_is_as_likely_as_it_is(low_s, high_s, log_p) -> None:
    times = Times.of(np.array([low_s]), np.array([high_s]))
    assert Likelihood(times).log(EXPONENTIAL, np.zeros(1), never=False) == pytest.approx(log_p)


def test_what_is_there_several_times_counts_as_often() -> None:
    at_s = np.array([3.0, 3.0, 3.0, 5.0, 2.0, 2.0])
    times = Times.of(at_s, np.array([3.0, 3.0, 3.0, 5.0, np.inf, np.inf]))
    assert len(times.weight) == 3
    log_p = Likelihood(times).log(EXPONENTIAL, np.zeros(1), never=False)
    assert log_p == pytest.approx(-at_s.sum())


@pytest.mark.parametrize("name", SCIPY)
def test_a_fit_is_scipys(name) -> None:
    dist, _ = SCIPY[name]
    low_s, high_s = censored_times(np.random.default_rng(1), 800)
    (fit,) = [each for each in best(Times.of(low_s, high_s)) if each.family == name]
    is_open = np.isinf(high_s)
    data = stats.CensoredData(
        interval=np.column_stack((low_s, high_s))[~is_open], right=low_s[is_open]
    )
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        *shape, _, scale = dist.fit(data, floc=0)
    frozen = dist(*shape, 0, scale)
    assert fit.mean_s.value == pytest.approx(frozen.mean(), rel=2e-3)
    assert fit.cv.value == pytest.approx(frozen.std() / frozen.mean(), rel=5e-3)
    at_s = np.array([50.0, 500.0, 5000.0])
    assert fit.cdf(at_s) == pytest.approx(frozen.cdf(at_s), abs=1e-3)


def test_exact_times_are_fitted_as_scipy_does() -> None:
    values_s = np.random.default_rng(2).gamma(2.0, 0.3, 1500)
    fits = best(Times.of(values_s, values_s))
    assert fits[0].family == "gamma"
    shape, _, scale = stats.gamma.fit(values_s, floc=0)
    assert fits[0].mean_s.value == pytest.approx(shape * scale, rel=1e-3)
    assert fits[0].log_likelihood == pytest.approx(
        stats.gamma.logpdf(values_s, shape, 0, scale).sum(), abs=0.05
    )


def test_a_share_that_never_comes_is_found_with_the_rest() -> None:
    rng = np.random.default_rng(3)
    low_s, high_s = censored_times(rng, 3000)
    never = rng.random(3000) < 0.3
    low_s[never], high_s[never] = 6000.0, math.inf
    times = Times.of(low_s, high_s)
    fit = best(times, never=True)[0]
    assert fit.family == "lognormal"
    assert fit.never is not None
    assert fit.never.low < 0.3 < fit.never.high
    assert fit.mean_s.low < 600 * math.exp(0.5) < fit.mean_s.high
    # Without it the fit is far off.
    assert best(times)[0].aic > fit.aic + 100
    assert best(times)[0].mean_s.value > 2 * fit.mean_s.value


def test_times_in_two_digits_are_fitted_without_bias() -> None:
    from sendcap.scenario import Lognormal

    each = Lognormal(mean="30ms", cv=0.5)
    values_s = each.sample(np.random.default_rng(4), 40_000)
    fit = best(Times.rounded(np.floor(values_s * 100 + 0.5) / 100))[0]
    assert fit.mean_s.low < 0.03 < fit.mean_s.high
    assert fit.cv.low < 0.5 < fit.cv.high


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [(0.0, 0.0, 0.005), (0.01, 0.005, 0.015), (1.0, 0.995, 1.05), (9.9, 9.85, 9.95),
     (10.0, 9.95, 10.5), (123.0, 122.5, 123.5)],
)  # fmt: skip
def test_what_a_rounded_time_stands_for(value, low, high) -> None:
    times = Times.rounded(np.array([value]))
    assert (times.low_s[0], times.high_s[0]) == pytest.approx((low, high))


def test_what_is_between_two_bounds_is_uniform() -> None:
    values_s = np.random.default_rng(5).uniform(0.2, 0.6, 800)
    fit = best(Times.of(values_s, values_s))[0]
    assert fit.family == "uniform"
    assert fit.table["low"] == pytest.approx(0.2, abs=0.01)
    assert fit.mean_s.low < 0.4 < fit.mean_s.high


def test_a_constant_is_found_where_one_explains_all() -> None:
    low_s, high_s = np.array([0.0, 100, 200]), np.array([300.0, 320, 340])
    (fit,) = best(Times.of(low_s, high_s))
    assert fit.family == "constant"
    assert (fit.mean_s.low, fit.mean_s.high) == (200, 300)
    assert 200 < fit.table["value"] <= 300
    low_s[2] = 310.0
    assert all(each.family != "constant" for each in best(Times.of(low_s, high_s)))


def test_where_attempts_were_never_too_early_greylisting_takes_five_minutes() -> None:
    (fit,) = best(Times.of(np.zeros(50), np.full(50, 1200.0)))
    assert fit.table["value"] == 300.0
    assert (fit.mean_s.low, fit.mean_s.high) == (0.0, 1200.0)
    (sooner,) = best(Times.of(np.zeros(50), np.full(50, 60.0)))
    assert sooner.table["value"] == 30.0


def test_where_no_family_fits_the_measured_times_are_taken() -> None:
    rng = np.random.default_rng(6)
    values_s = np.concatenate((rng.normal(0.5, 0.01, 900), rng.normal(3.0, 0.05, 600)))
    fits = best_or_measured(Times.of(values_s, values_s))
    assert fits[0].family == "empirical"
    assert fits[0].mean_s.value == pytest.approx(values_s.mean())
    assert np.mean(fits[0].table["values"]) == pytest.approx(values_s.mean())
    assert fits[0].distance < 0.02 < fits[1].distance


def test_measured_times_that_are_apart_by_less_than_is_written_are_one_time() -> None:
    # A clock that is off by a millionth on half of the attempts: no family fits.
    values_s = np.repeat([0.4, 0.4000004], [150, 150])
    fit, *_ = best_or_measured(Times.of(values_s, values_s))
    assert fit.family == "empirical"
    assert written(fit) == "0.4s"
    apart_s = np.repeat([0.4, 0.401], [150, 150])
    (fit, *_) = best_or_measured(Times.of(apart_s, apart_s))
    assert {"0.4s", "401ms"} == set(written(fit)["values"])


def test_very_many_different_times_are_fitted_soon_and_as_well() -> None:
    values_s = np.random.default_rng(7).weibull(1.5, 60_000)
    times = Times.of(values_s, values_s)
    assert len(times.low_s) < 3000
    assert times.count == 60_000
    fit = best(times)[0]
    assert fit.family == "weibull"
    assert fit.mean_s.low < math.gamma(1 + 1 / 1.5) < fit.mean_s.high


def test_the_distribution_function_is_between_the_early_and_the_late_one() -> None:
    times = Times.of(np.array([0.0, 10, 20]), np.array([10.0, 20, math.inf]))
    at_s, upto = observed(times)
    assert dict(zip(at_s, upto, strict=True))[20.0] == pytest.approx(2 / 3)
    early_s, early = observed(times, early=True)
    assert dict(zip(early_s, early, strict=True))[0.0] == pytest.approx(1 / 3)


def test_a_share_of_nothing_is_unknown_and_of_none_has_a_bound() -> None:
    assert math.isnan(share(0, 0).value)
    assert share(0, 100).low == 0.0
    assert 0.005 < share(0, 100).high < 0.03
    assert share(100, 100).high == 1.0
    low, high = stats.binomtest(30, 100).proportion_ci(0.9, "wilson")
    assert share(30, 100).low == pytest.approx(low, abs=0.005)
    assert share(30, 100).high == pytest.approx(high, abs=0.005)


def test_every_fit_can_be_written_into_a_scenario() -> None:
    rng = np.random.default_rng(8)
    for values_s in (rng.exponential(1e-3, 50), rng.lognormal(0, 4, 200), np.full(40, 0.5)):
        for fit in best_or_measured(Times.rounded(values_s)):
            scenario = from_dict(
                {
                    "deliveries": [{"name": "a", "messages": 1, "audience": {"p": 1.0}}],
                    "relay": {"batch_time": "1s"},
                    "providers": {"p": {"connect_time": "1s", "transaction_time": written(fit)}},
                }
            )
            assert isinstance(scenario, Scenario)
