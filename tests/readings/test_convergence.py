"""When a reading has settled, how far it is off, the cliff and the overshoot."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_lives import BIN_S, LIVES_MADE_UP, Life, ledger_of

import sendcap
from sendcap.errors import SendcapError
from sendcap.readings.convergence import (
    MOMENTS_S,
    Cliff,
    Convergence,
    convergence,
    overshoot,
    settling_s,
)
from sendcap.readings.kpis import Readings
from sendcap.readings.modes import MODES
from sendcap.run import Run
from sendcap.scenario import from_dict, load

READINGS = st.lists(
    st.floats(0.0, 100.0).map(lambda value: round(value, 1)) | st.just(math.nan),
    min_size=1,
    max_size=12,
)


QUICKSTART = load("quickstart")


def run_of(lives: list[Life]) -> Run:
    return Run(QUICKSTART, ledger_of(lives))


def settled(reading: list[float], tolerance: float) -> float:
    return settling_s(np.arange(len(reading), dtype=float), np.array(reading), tolerance)


# Settling


@given(READINGS, st.sampled_from([0.1, 1.0, 5.0, 30.0]))
def test_from_the_settling_time_on_all_is_within_and_just_before_it_is_not(
    reading, tolerance
) -> None:
    def within(value: float) -> bool:
        return abs(value - reading[-1]) <= tolerance + 1e-9

    at = settled(reading, tolerance)
    if math.isnan(reading[-1]):
        assert math.isnan(at)
        return
    assert all(within(value) for value in reading[int(at) :])
    assert at == 0 or not within(reading[int(at) - 1])


@settings(deadline=None)
@given(LIVES_MADE_UP)
def test_a_finer_tolerance_is_met_no_sooner(lives) -> None:
    run = run_of(lives)
    for mode in MODES:
        times = convergence(run, mode, tolerances_pt=(50, 10, 1)).settling_s
        assert times[50] <= times[10] <= times[1]


def test_a_reading_that_passes_through_its_final_value_has_not_settled() -> None:
    assert settled([0.0, 99.0, 90.0, 99.0], 0.5) == 3.0
    assert settled([99.0, 99.0, 99.0], 0.5) == 0.0
    assert settled([99.0, 98.9, 99.0], 0.1) == 0.0
    assert settled([math.nan, 99.0], 0.5) == 1.0


# What it converges to, and how far it is off


@settings(deadline=None)
@given(LIVES_MADE_UP)
def test_every_mode_converges_to_the_truth(lives) -> None:
    run = run_of(lives)
    for mode in MODES:
        found = convergence(run, mode, moments_s=[0.0, 120.0, 1e9])
        assert found.final_pct == pytest.approx(found.truth_pct, abs=1e-9)
        assert found.errors_pt[1e9] == pytest.approx(0.0, abs=1e-9)
        reading = Readings(run.ledger).figures(mode).delivered_pct[2]
        if not math.isnan(reading):
            assert found.errors_pt[120.0] == pytest.approx(reading - found.final_pct)


def test_the_truth_is_what_is_accepted_and_not_returned_at_the_end() -> None:
    lives = [Life(0, fate, 1, 1) for fate in ("accepted", "returned", "recovered", "hard")]
    assert convergence(run_of(lives), "efs").truth_pct == 50.0


def test_a_provider_converges_by_itself() -> None:
    lives = [Life(0, "accepted", 1, 0, "p")] * 9 + [Life(0, "recovered", 9, 0, "q")]
    run = run_of(lives)
    own = convergence(run, "efs", provider="q", tolerances_pt=(1,))
    assert own.settling_s[1] == 28 * BIN_S
    assert convergence(run, "efs", provider="p", tolerances_pt=(1,)).settling_s[1] == 2 * BIN_S
    assert convergence(run, "efs", tolerances_pt=(10, 1)).settling_s == {
        10: 2 * BIN_S,
        1: 28 * BIN_S,
    }


# The cliff and the overshoot


def test_the_cliff_is_what_the_expiries_take_and_as_wide_as_they_come() -> None:
    lives = [Life(0, "accepted", 1, 0)] * 6 + [Life(0, "expired", 5, 2), Life(4, "expired", 5, 2)]
    found = convergence(run_of(lives), "without-efs")
    assert found.cliff == Cliff(25.0, 17 * BIN_S, 22 * BIN_S)
    assert found.cliff.width_s == 5 * BIN_S
    for mode in ("efs", "efs-v8", "legacy"):
        assert convergence(run_of(lives), mode).cliff is None
    assert convergence(run_of([Life(0, "hard", 1, 0)]), "without-efs").cliff is None


def test_soft_bounces_overshoot_until_they_recover() -> None:
    lives = [Life(0, "accepted", 1, 0)] * 5 + [Life(0, "hard", 1, 0)] * 2
    lives += [Life(0, "recovered", 5, 0)] * 3
    found = convergence(run_of(lives), "efs", tolerances_pt=(40, 1)).overshoot
    assert (found.peak_pct, found.above_final_pt) == (50.0, 30.0)
    assert found.peak_s == 6 * BIN_S
    assert found.gone_s[1] == 16 * BIN_S
    # It was never above by so much.
    assert math.isnan(found.gone_s[40])
    for mode in ("without-efs", "efs-v8"):
        assert convergence(run_of(lives), mode).overshoot is None


def test_what_never_recovers_does_not_overshoot() -> None:
    found = overshoot(np.arange(4.0), np.array([0.0, 1.0, 3.0, 3.0]), "efs", (1.0,))
    assert (found.peak_pct, found.peak_s, found.above_final_pt) == (3.0, 2.0, 0.0)


@pytest.fixture(scope="module")
def simulated() -> dict[str, Convergence]:
    run = sendcap.simulate(
        from_dict(
            {
                "deliveries": [{"name": "d", "messages": 20_000, "audience": {"p": 1.0}}],
                "relay": {"batch_time": "10s"},
                "providers": {
                    "p": {
                        "connections_per_ip": 50,
                        "connect_time": "100ms",
                        "transaction_time": "1s",
                        "faults": [
                            {"reason": "full", "share": 0.1, "clears_after": "5h", "never": 0.3}
                        ],
                    }
                },
                "feedback": {"synchronous": "1m"},
            }
        )
    )
    return {mode: convergence(run, mode, tolerances_pt=(1, 0.1)) for mode in MODES}


def test_without_efs_the_cliff_comes_with_the_end_of_validity(simulated) -> None:
    relaying_s = 79 * 10.0
    picked = simulated["without-efs"]
    assert picked.cliff.begins_s == pytest.approx(84 * 3600, abs=180)
    assert picked.cliff.width_s == pytest.approx(relaying_s, abs=120)
    assert picked.cliff.height_pt == pytest.approx(3.0, abs=0.5)
    # Before it the reading looks finished, and is wrong.
    assert picked.errors_pt[48 * 3600] == pytest.approx(picked.cliff.height_pt)
    assert all(
        picked.cliff.begins_s < at <= picked.cliff.ends_s + 60 for at in picked.settling_s.values()
    )


def test_with_efs_it_is_settled_long_before(simulated) -> None:
    picked = simulated["efs"]
    assert picked.settling_s[0.1] < 0.3 * simulated["without-efs"].settling_s[0.1]
    assert picked.overshoot.above_final_pt == pytest.approx(7.0, abs=0.7)
    assert picked.overshoot.gone_s[0.1] == picked.settling_s[0.1]


def test_the_named_moments_are_those_at_which_planners_look(simulated) -> None:
    assert tuple(3600.0 * hours for hours in (0.25, 1, 4, 12, 24, 48, 72, 84, 168)) == MOMENTS_S
    errors = list(simulated["efs"].errors_pt.values())
    assert all(one <= two for one, two in itertools.pairwise(errors))
    assert errors[0] < -1.0


@pytest.mark.parametrize("tolerances", [(0.0,), (-1.0,), (math.nan,), ()])
def test_a_tolerance_must_be_above_zero(tolerances) -> None:
    with pytest.raises(SendcapError, match="tolerance"):
        convergence(run_of([Life(0, "accepted", 1, 0)]), "efs", tolerances_pt=tolerances)
