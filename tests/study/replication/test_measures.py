from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
from swept import delivered, small

import sendcap
from sendcap.errors import SendcapError
from sendcap.run import Run
from sendcap.study.replication.measures import (
    MEASURES,
    RESERVED,
    Measure,
    measured,
    measures_of,
)


@pytest.fixture(scope="module")
def scenario():
    return small(
        2000,
        engagement={"open_rate": 0.3, "click_rate": 0.5},
        reporting={"modes": ["efs", "without-efs"]},
    )


@pytest.fixture(scope="module")
def every(scenario):
    return measured(scenario, MEASURES.values())


def test_measures_agree_with_the_run_the_summary_and_the_limits(scenario, every) -> None:
    run, limits = sendcap.simulate(scenario), sendcap.limits(scenario)
    totals = run.summary()["total"]
    for event in ("attempted", "accepted", "recovered", "hard", "soft", "opened", "clicked"):
        assert every[event] == totals[event]
    for pct in (50, 90, 99):
        # Within the bin at whose end the summary says so.
        time_s = totals[f"accepted_{pct}_pct_s"]
        assert time_s - 60.0 < every[f"accepted_{pct}_pct_s"] <= time_s
    finals = run.summary()["final_kpis"]
    for mode in ("efs", "without-efs"):
        for name in ("delivered_pct", "bounces_errors_pct", "open_rate_pct"):
            assert every[f"{name}.{mode}"] == pytest.approx(finals[mode]["*"][name], abs=1e-6)
    assert every["bottleneck"] == limits.bottleneck
    mta = limits.table().set_index("stage").drop("relay")
    assert every["peak_backlog"] == mta["peak_backlog"].max() > 10
    assert every["peak_backlog_stage"] == mta["peak_backlog"].idxmax()
    assert every["longest_wait_s"] == mta["longest_wait_s"].max()
    assert every["attempts_per_message"] == totals["attempted"] / totals["relayed"]
    assert every["recovered_pct"] == pytest.approx(
        100.0 * totals["recovered"] / every["soft_first"]
    )
    assert every["truth_pct"] == pytest.approx(100.0 * totals["accepted"] / 2000, rel=1e-12)


def test_settling_is_as_convergence_has_it(scenario, every) -> None:
    from sendcap.readings.convergence import convergence

    found = convergence(sendcap.simulate(scenario), "efs")
    for tolerance, time_s in found.settling_s.items():
        assert every[f"settling_s.efs.{tolerance:g}pt"] == time_s


def test_leaving_opens_and_clicks_out_changes_no_other_measure(scenario, every) -> None:
    quiet = [each for each in MEASURES.values() if not each.needs_engagement]
    found = measured(scenario, quiet)
    assert found == {name: every[name] for name in found}
    assert len(found) < len(every)


def test_a_send_of_which_nothing_is_accepted_has_no_times() -> None:
    found = measured(
        small(
            5,
            providers={
                "p": {
                    "connect_time": "1s",
                    "transaction_time": "1s",
                    "hard": [{"reason": "no", "share": 1.0}],
                }
            },
        ),
        MEASURES.values(),
    )
    assert math.isnan(found["accepted_99_pct_s"])
    assert math.isnan(found["recovered_pct"])
    assert found["truth_pct"] == 0.0


def test_functions_see_the_whole_run(scenario) -> None:
    def seen(run: Run) -> dict[str, object]:
        return {"opened": run.ledger.total("opened"), "title": run.scenario.title, "x": None}

    found = measured(scenario, measures_of(seen))
    assert found["seen.opened"] > 100
    assert (found["seen.title"], found["seen.x"]) == ("", None)


def test_measures_are_names_functions_mappings_and_lists_of_them() -> None:
    def names(measure):
        return [each.name for each in measures_of(measure)]

    assert names("bottleneck") == ["bottleneck"]
    assert names(delivered) == ["delivered"]
    assert names(["bottleneck", {"mine": delivered, "half": partial(max, 0.5)}]) == [
        "bottleneck",
        "mine",
        "half",
    ]
    assert names(partial(np.round, 0.5)) == ["round"]


def test_values_of_numpy_are_plain_ones() -> None:
    columns = Measure("a", lambda _: {"b": np.float64(0.5), "c": np.int64(3), "d": np.bool_(True)})
    assert {name: type(value) for name, value in columns.columns(None).items()} == {
        "a.b": float,
        "a.c": int,
        "a.d": bool,
    }


@pytest.mark.parametrize("value", [[1], np.zeros(2), object(), {"x": {"y": 1}}])
def test_what_no_column_can_hold_is_refused(value) -> None:
    with pytest.raises(SendcapError, match="a measure returns a number, text"):
        Measure("a", lambda _: value).columns(None)


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        ("botleneck", 'measure: "botleneck" is unknown; did you mean "bottleneck"'),
        ("xyz", 'measure: "xyz" is unknown; there are accepted_50_pct_s, '),
        ([], "measure: give one at least"),
        (["bottleneck", "bottleneck"], '"bottleneck" appears twice'),
        ({"mine": 5}, "measure: mine: must be a function of a run, not 5"),
        (7, "measure: must be a name or a function of a run, not 7"),
        *(({name: delivered}, f'"{name}" is a name of sendcap') for name in RESERVED[:7]),
    ],
)
def test_what_is_no_measure_is_refused(measure, message) -> None:
    with pytest.raises(SendcapError, match=message):
        measures_of(measure)


def test_every_measure_is_explained() -> None:
    assert all(each.meaning and each.name == name for name, each in MEASURES.items())
