from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc

from sendcap.errors import SendcapError
from sendcap.scenario import Range, Rate, parse_duration
from sendcap.study.sweeps.designs import Design, latin_hypercube, sobol

u = st.floats(0.0, 1.0, exclude_max=True)


@given(st.integers(-1000, 1000), st.integers(1, 1000), u)
def test_whole_numbers_stay_whole_and_within_their_range(low, more, place) -> None:
    value = Range(low, low + more).at(place)
    assert isinstance(value, int)
    assert low <= value <= low + more


def test_each_whole_number_is_as_likely_as_the_next() -> None:
    span = Range(3, 6)
    counts = np.unique([span.at(place) for place in np.linspace(0, 1, 400, endpoint=False)], False)
    assert counts.tolist() == [3, 4, 5, 6]
    assert [span.at(place) for place in (0.0, 0.2499, 0.25, 0.75, 0.9999)] == [3, 3, 4, 6, 6]


@given(st.floats(0.001, 1000.0), st.floats(1.001, 100.0), u, st.booleans())
def test_durations_stay_within_their_range(low_s, factor, place, log) -> None:
    low, high = f"{low_s:.3f}s", f"{low_s * factor + 0.001:.3f}s"
    seconds = parse_duration(Range(low, high, log).at(place))
    assert parse_duration(low) - 1e-6 <= seconds <= parse_duration(high) + 1e-3


def test_a_logarithmic_range_has_its_geometric_mean_in_the_middle() -> None:
    assert Range(1.0, 10_000.0, log=True).at(0.5) == pytest.approx(100.0)
    assert Range("1s", "100s", log=True).at(0.5) == "10s"


def test_rates_keep_their_period_and_burst() -> None:
    span = Range("1,000/15m,max_burst=5", "3,000/15m,max_burst=5")
    assert Rate.parse(span.at(0.5)) == Rate(2000, 900.0, 5)
    assert Rate.parse(span.at(0.0)).limit == 1000


RANGES = {"mta.ips": (1, 1000), "relay.batch_time": ("1s", "2s"), "mta.x": (0.0, 1.0)}


@pytest.mark.parametrize("design", [latin_hypercube, sobol])
def test_every_slice_of_every_range_has_one_point(design) -> None:
    points = design(RANGES, 16).points()
    assert [list(point) for point in points] == 16 * [list(RANGES)]
    for slices in (
        [math.floor((point["mta.ips"] - 1) / 1000 * 16) for point in points],
        [math.floor((parse_duration(point["relay.batch_time"]) - 1) * 16) for point in points],
        [math.floor(point["mta.x"] * 16) for point in points],
    ):
        assert sorted(slices) == list(range(16))


@pytest.mark.parametrize("design", [latin_hypercube, sobol])
def test_points_are_spread_more_evenly_than_by_chance(design) -> None:
    ranges = {f"x{number}": (0.0, 1.0) for number in range(4)}
    points = np.array([list(point.values()) for point in design(ranges, 64).points()])
    assert qmc.discrepancy(points) < 0.3 * qmc.discrepancy(np.random.default_rng(1).random((64, 4)))


@pytest.mark.parametrize("design", [latin_hypercube, sobol])
def test_the_same_seed_gives_the_same_points(design) -> None:
    assert design(RANGES, 8, seed=3).points() == design(RANGES, 8, seed=3).points()
    assert design(RANGES, 8, seed=3).points() != design(RANGES, 8, seed=4).points()


def test_one_point_and_one_range_are_a_design() -> None:
    assert len(latin_hypercube({"a": (0.0, 1.0)}, 1).points()) == 1
    assert len(sobol({"a": (0.0, 1.0)}, 1).points()) == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Range(8, 1), r"\[8, 1\]: write the lower end first"),
        (lambda: Range(1, 1), "the ends must be two different numbers"),
        (lambda: Range("2h", "20m"), "write the lower end first"),
        (lambda: Range(0, 8, log=True), "both must be more than 0"),
        (lambda: Range(True, 8), "two numbers up to 1e.15, two durations or two rates"),
        (lambda: Range("1s", 8), "two numbers up to 1e.15, two durations or two rates"),
        (lambda: Range("10/s", "10/m"), "same period"),
        (lambda: Range("1 dya", "2d"), 'unknown unit "dya" in "1 dya"; did you mean "day"'),
        (lambda: Range(math.nan, 1.0), "must be two numbers up to 1e.15"),
        (lambda: sobol({"a": (0, 1)}, 100), "power of two, 64 or 128"),
        (lambda: latin_hypercube({}, 100), "needs one range"),
        (lambda: latin_hypercube({"a": (0, 1)}, 0), "points must be a whole number from 1"),
        (lambda: latin_hypercube({"a": 5}, 2), r"a: must have two ends, such as \[1, 8\], not 5"),
        (
            lambda: latin_hypercube({"a.b": (5, 1)}, 2),
            r"design: a.b: \[5, 1\]: write the lower end first",
        ),
    ],
)
def test_a_design_that_makes_no_sense_is_refused(make, message) -> None:
    with pytest.raises(SendcapError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_design_has_its_ranges_as_such() -> None:
    assert Design("sobol", {"a": (0, 1)}, 2).ranges == {"a": Range(0, 1)}
