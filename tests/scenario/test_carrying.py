"""How long a load takes under constraints, against formulas and brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendcap.scenario.carrying import carried
from sendcap.scenario.constraints import Constraint, Pace

attempts = st.floats(1.0, 1e8)
per_s = st.floats(0.01, 1e4)
constant = Constraint.constant


@given(attempts, per_s, per_s, st.floats(0.0, 1e6))
def test_constant_limits_carry_at_the_slowest_of_them(load, one, two, from_s) -> None:
    outcome = carried([constant("a", one), constant("b", two)], load, from_s)
    assert outcome.at_s == pytest.approx(from_s + load / min(one, two))
    slowest = "a" if one <= two else "b"
    assert outcome.limited_s[slowest] == pytest.approx(load / min(one, two))


@given(attempts, per_s, per_s, st.floats(0.0, 1e5))
def test_a_burst_goes_as_fast_as_the_rest_lets_it(load, fast, slow, burst) -> None:
    outcome = carried([constant("connections", fast), constant("rate", slow, burst)], load)
    assert outcome.at_s == pytest.approx(max(load / fast, (load - burst) / slow))


def test_a_burst_by_itself_goes_at_once() -> None:
    assert carried([constant("rate", 2.0, 100.0)], 100.0).at_s == 0.0
    assert carried([constant("rate", 2.0, 100.0)], 110.0).at_s == 5.0
    assert carried([], 1e9).at_s == 0.0


def test_a_burst_fills_up_again_while_something_else_is_slower() -> None:
    rate = constant("rate", 1.0, 10.0)
    outage = Constraint("outage", (Pace(0.0, math.inf), Pace(0.0, 0.0), Pace(20.0, math.inf)))
    slow = Constraint("schedule", (Pace(0.0, 100.0), Pace(5.0, 0.0), Pace(8.0, 100.0)))
    # 10 at once, 5 until 5 s, nothing until 8 s, then the 3 that have come and one a second.
    assert carried([rate, slow], 17.0).at_s == pytest.approx(8.0, abs=0.1)
    assert carried([rate, slow], 20.0).at_s == pytest.approx(10.0, abs=0.1)
    # No more than the burst is saved up.
    assert carried([rate, outage], 12.0).at_s == pytest.approx(22.0)


def brute_force_s(paces: list[Pace], cap_per_s: float, load: float) -> float:
    """The same by small steps of time, without bursts."""
    step_s, now_s = 0.25, 0.0
    while load > 0.0:
        pace = next(each for each in reversed(paces) if each.from_s <= now_s)
        load -= step_s * min(pace.per_s, cap_per_s)
        now_s += step_s
    return now_s


@given(
    st.lists(st.tuples(st.integers(1, 200), st.sampled_from([0.0, 1.0, 3.0, 9.0])), max_size=5),
    st.sampled_from([2.0, 5.0, math.inf]),
    st.floats(1.0, 3000.0),
)
def test_a_schedule_counts_step_by_step_each_capped_by_the_rest(steps, cap, load) -> None:
    paces = [Pace(0.0, 4.0)]
    for lasts_s, other_per_s in steps:
        paces.append(Pace(paces[-1].from_s + lasts_s, other_per_s))
    paces.append(Pace(paces[-1].from_s + 10.0, 1.0))
    outcome = carried([Constraint("schedule", tuple(paces)), constant("connections", cap)], load)
    assert outcome.at_s == pytest.approx(brute_force_s(paces, cap, load), abs=0.51)


@given(st.integers(1, 5000), st.integers(1, 300), st.sampled_from([0.5, 3.0, 40.0, math.inf]))
def test_fixed_windows_are_filled_from_their_beginning(load, limit, cap) -> None:
    window = Constraint("rate", (Pace(0.0, limit / 10.0, limit),), 10.0)
    each = min(limit, cap * 10.0)
    whole = math.ceil(load / each - 1e-9) - 1
    expected_s = 10.0 * whole + (load - whole * each) / cap
    outcome = carried([window, constant("connections", cap)], load)
    exact = load <= 1000 * limit  # beyond that, to within a window
    assert outcome.at_s == pytest.approx(expected_s, abs=1e-6 if exact else 10.0)


def test_windows_that_pass_in_an_outage_are_not_gone_through_one_by_one() -> None:
    window = Constraint("rate", (Pace(0.0, 1e9, 1.0),), 1e-9)
    outage = Constraint("outage", (Pace(0.0, 0.0), Pace(3600.0, math.inf)))
    outcome = carried([window, outage, constant("connections", 10.0)], 100.0)
    assert outcome.at_s == pytest.approx(3610.0)
    assert outcome.limited_s["outage"] == pytest.approx(3600.0)


def test_a_load_of_very_many_windows_takes_the_mean() -> None:
    window = Constraint("rate", (Pace(0.0, 1.0, 1.0),), 1.0)
    assert carried([window], 1e7).at_s == pytest.approx(1e7, rel=1e-4)


@given(st.floats(1.0, 1e5))
def test_an_outage_adds_its_length(load) -> None:
    closed = Constraint("outage", (Pace(0.0, math.inf), Pace(50.0, 0.0), Pace(80.0, math.inf)))
    outcome = carried([constant("connections", 10.0), closed], load)
    assert outcome.at_s == pytest.approx(load / 10.0 + (30.0 if load > 500.0 else 0.0))


@given(st.floats(1.0, 1e6), st.floats(1.0, 1e6), st.data())
def test_more_takes_longer_and_starts_no_earlier(load, more, data) -> None:
    limits = [
        constant("connections", data.draw(per_s)),
        constant("tolerance", data.draw(per_s), data.draw(st.floats(0.0, 1e4))),
        Constraint("schedule", (Pace(0.0, 1.0, 2.0), Pace(60.0, 0.0), Pace(90.0, 5.0, 1.0))),
        Constraint("rate", (Pace(0.0, 10.0, 100.0),), 10.0),
    ]
    first, both = carried(limits, load), carried(limits, load + more)
    assert first.at_s <= both.at_s
    assert sum(both.limited_s.values()) <= both.at_s * (1 + 1e-9)
    assert np.isfinite(both.at_s)


def test_what_is_closed_for_ever_is_never_carried() -> None:
    assert carried([Constraint("a", (Pace(0.0, 1.0), Pace(5.0, 0.0)))], 6.0).at_s == math.inf
