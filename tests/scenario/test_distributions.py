from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from sendcap.scenario import Distribution, Empirical, RandomTime

adapter: TypeAdapter[RandomTime] = TypeAdapter(Distribution)

TABLES: dict[str, Any] = {
    "constant": "300ms",
    "constant-table": {"dist": "constant", "value": "2s"},
    "zero": "0s",
    "exponential": {"dist": "exponential", "mean": "500ms"},
    "uniform": {"dist": "uniform", "low": "200ms", "high": "600ms"},
    "lognormal-mean": {"dist": "lognormal", "mean": "700ms", "cv": 0.5},
    "lognormal-median": {"dist": "lognormal", "median": "250ms", "p95": "900ms"},
    "gamma": {"dist": "gamma", "mean": "400ms", "cv": 0.5},
    "weibull-mean": {"dist": "weibull", "mean": "2h", "shape": 1.5},
    "weibull-scale": {"dist": "weibull", "scale": "2h", "shape": 0.8},
    "empirical": {"dist": "empirical", "values": ["1s", "2s", "2s", "10s"]},
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_samples_have_the_stated_moments(table: Any) -> None:
    distribution = adapter.validate_python(table)
    size = 200_000
    draws = distribution.sample(np.random.default_rng(1), size)
    assert draws.dtype == np.float64
    assert draws.shape == (size,)
    for power, stated in ((1, distribution.mean_s), (2, distribution.second_moment_s2)):
        values = draws**power
        error = values.std() / np.sqrt(size)
        assert abs(values.mean() - stated) <= 4.5 * error + 1e-12 * stated
    assert draws.min() >= distribution.lowest_s >= 0


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_the_distribution_function_is_that_of_the_samples(table: Any) -> None:
    distribution = adapter.validate_python(table)
    draws = np.sort(distribution.sample(np.random.default_rng(2), 100_000))
    at = np.unique([*np.quantile(draws, np.linspace(0.0, 1.0, 101)), distribution.lowest_s])
    share = np.searchsorted(draws, at, side="right") / len(draws)
    # Kolmogorov's bound of the largest deviation, exceeded once in ten thousand times.
    assert distribution.cdf(at) == pytest.approx(share, abs=2.23 / np.sqrt(len(draws)))
    before = distribution.cdf(np.array([-1.0, np.nextafter(distribution.lowest_s, -1.0)]))
    assert before == pytest.approx([0.0, 0.0], abs=1e-12)
    assert distribution.cdf(np.array([1e12])) == pytest.approx([1.0])


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_a_distribution_reads_back(table: Any) -> None:
    distribution = adapter.validate_python(table)
    written = adapter.dump_python(distribution)
    assert adapter.validate_python(written) == distribution
    assert adapter.dump_python(adapter.validate_python(written)) == written


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_distributions_that_have_been_used_can_be_compared(table: Any) -> None:
    one, other = (adapter.validate_python(table) for _ in range(2))
    for each in (one, other):
        each.sample(np.random.default_rng(1), 2)
        each.cdf(np.array([1.0]))
    assert one == other


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_an_empty_sample_is_possible(table: Any) -> None:
    assert adapter.validate_python(table).sample(np.random.default_rng(1), 0).shape == (0,)


def test_a_constant_is_written_bare_and_draws_nothing() -> None:
    constant = adapter.validate_python({"dist": "constant", "value": "1200s"})
    assert adapter.dump_python(constant) == "20m"
    rng = np.random.default_rng(1)
    assert (constant.sample(rng, 3) == 1200).all()
    assert rng.random() == np.random.default_rng(1).random()


def test_median_and_95th_percentile_are_met() -> None:
    draws = adapter.validate_python(TABLES["lognormal-median"]).sample(
        np.random.default_rng(1), 200_000
    )
    assert np.quantile(draws, [0.5, 0.95]) == pytest.approx([0.25, 0.9], rel=0.02)


def test_measured_times_come_from_a_csv_beside_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "times.csv").write_text("host,seconds\na,1.5\nb,300ms\nc,\n")
    table = {"dist": "empirical", "file": "times.csv", "column": "seconds"}
    distribution = adapter.validate_python(table, context={"folder": tmp_path})
    assert isinstance(distribution, Empirical)
    assert distribution.values == (1.5, 0.3)
    inlined = {"dist": "empirical", "values": ["1.5s", "0.3s"]}
    assert adapter.dump_python(distribution) == inlined


def test_blank_lines_and_quoted_cells_of_a_file_are_read(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('\ufeff\nhost,t,host\r\n\n"a, b",1,\n"c ""d""","2s",x\n\n')
    table = {"dist": "empirical", "file": "x.csv", "column": "t"}
    distribution = adapter.validate_python(table, context={"folder": tmp_path})
    assert isinstance(distribution, Empirical)
    assert distribution.values == (1, 2)


@pytest.mark.parametrize(
    ("content", "changes", "part"),
    [
        ("t\n1\n", {"file": "no.csv"}, 'file "no.csv": No such file or directory'),
        ("t\n1\n", {"file": "."}, "is a directory"),
        ("time\n1\n", {}, 'line 1: no column "t"'),
        ("tt\n1\n", {}, 'did you mean "tt"?'),
        ("t\n1\n-2\n", {}, 'file "x.csv", line 3: "-2" is not a duration'),
        ("t\nnan\n", {}, "line 2"),
        ("t\n5 dyas\n", {}, 'did you mean "days"?'),
        ("t\n", {}, 'file "x.csv", line 1: column "t" has no times below it'),
        ("", {}, 'file "x.csv", line 1: is empty; it needs a header with the column "t"'),
        ("\n\n", {}, 'file "x.csv", line 1: is empty'),
        ("a,b\n1,2\n", {}, 'line 1: no column "t"; columns: "a", "b"'),
        ("a\u202e\n1\n", {}, r'line 1: no column "t"; columns: "a\u202e"'),
        ("t,a,t\n1,2,3\n", {}, 'line 1: 2 columns are called "t"; give each its own name'),
        ("a,t\n1,2\n3\n4,5\n", {}, "line 3: 1 cell, where the header has 2"),
        ("a,t\n1,2\n\n3,4,5\n", {}, "line 4: 3 cells, where the header has 2"),
        ("t\n1,5\n", {}, "line 2: 2 cells, where the header has 1"),
        ('a,t\nx,1\n"y,2\nz,3\n', {}, "line 3: not CSV: a quote is opened and never closed"),
        ('"t\n1\n', {}, "line 1: not CSV: a quote is opened and never closed"),
        ('t\n"1"5\n', {}, "line 2: not CSV: "),
        ('a,t\n"x\ny",1\nz,-1\n', {}, 'line 4: "-1" is not a duration'),
        ('t\n1\n"' + "9\n" * 200_000, {}, "line 3: not CSV: a quote is opened and never closed"),
        (",".join(f"c{n}" for n in range(99)) + "\n", {}, '"c8", "c9", …'),
        ("t\n1\n", {"values": ["1s"]}, "not both"),
        ("t\n1\n", {"column": 3}, "file and column must both be text"),
        (b"t\n\xff\n", {}, "is not UTF-8 text"),
    ],
)
def test_a_bad_file_of_times_is_explained(
    tmp_path: Path, content: str | bytes, changes: dict[str, Any], part: str
) -> None:
    (tmp_path / "x.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    table = {"dist": "empirical", "file": "x.csv", "column": "t"} | changes
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(table, context={"folder": tmp_path})
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("table", "part"),
    [
        (5, "5 has no unit"),
        (True, "true has no unit"),
        ("5", "number with a unit"),
        ({"dist": "exponential"}, "mean"),
        ({"dist": "exponential", "mean": "0s"}, 'must be more than zero, not "0s"'),
        ({"dist": "exponential", "mean": "200000 days"}, "more than 100 years"),
        ("200000 days", "more than 100 years"),
        (
            {"dist": "uniform", "low": "2s", "high": "1s"},
            'must be no less than low, "2s", not "1s"',
        ),
        ({"dist": "lognormal", "mean": "1s"}, "needs either mean and cv, or median and p95"),
        ({"dist": "lognormal", "mean": "1s", "p95": "2s"}, "needs either mean and cv"),
        (
            {"dist": "lognormal", "mean": "1s", "cv": 1, "median": "1s", "p95": "2s"},
            "needs either mean and cv",
        ),
        (
            {"dist": "lognormal", "median": "2s", "p95": "1s"},
            'must be more than the median, "2s", not "1s"',
        ),
        ({"dist": "lognormal", "mean": "1s", "cv": 0}, "cv"),
        ({"dist": "lognormal", "mean": "1s", "cv": float("nan")}, "finite"),
        ({"dist": "lognormal", "mean": "1s", "cv": "0.5"}, "must be a number"),
        ({"dist": "gamma", "mean": "1s", "cv": -1}, "cv"),
        ({"dist": "weibull", "shape": 1}, "needs either mean or scale"),
        ({"dist": "weibull", "mean": "1s", "scale": "1s", "shape": 1}, "needs either"),
        ({"dist": "weibull", "mean": "1s", "shape": 0.001}, "shape"),
        ({"dist": "empirical"}, "file and column of a CSV file"),
        ({"dist": "empirical", "values": []}, "list of durations"),
        ({"dist": "empirical", "values": []}, "file and column of a CSV file"),
        ({"dist": "empirical", "values": "1s"}, "list of durations"),
        ({"dist": "empirical", "values": ["1s", 2]}, "entry 1: 2 has no unit"),
        ({"dist": "empirical", "file": "x.csv"}, "column is missing"),
    ],
)
def test_a_bad_distribution_is_explained(table: Any, part: str) -> None:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(table)
    assert part in str(caught.value)
