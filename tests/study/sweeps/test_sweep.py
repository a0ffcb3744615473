from __future__ import annotations

import math
import multiprocessing
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from swept import delivered, dies_at_13, small

import sendcap
from sendcap.errors import ScenarioError, SendcapError, SendcapWarning
from sendcap.scenario import updated
from sendcap.study.replication import replication_seed
from sendcap.study.sweeps import sweep as module

GRID = {"mta.ips": [1, 2], "relay.batch_time": ["1s", "10s"]}
ASKED = {"replications": 2, "measures": ["accepted_50_pct_s", "bottleneck", delivered]}
TIMES = ["wall_s", "cpu_s"]


@pytest.fixture
def here():
    """An executor in this process: nothing has to be started."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    with ThreadPoolExecutor(1) as executor:
        return sendcap.sweep(small(), GRID, executor=executor, **ASKED)


def without_times(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=TIMES)


def test_a_row_is_a_run_of_a_point_that_can_be_run_again_alone(table) -> None:
    assert table.columns.tolist() == [
        "point",
        "replication",
        "seed",
        *GRID,
        "accepted_50_pct_s",
        "bottleneck",
        "delivered",
        "error",
        *TIMES,
    ]
    assert table["point"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert table["replication"].tolist() == 4 * [0, 1]
    assert table["seed"].tolist() == 4 * ["5", str(replication_seed(5, 1))]
    assert table["error"].tolist() == 8 * [""]
    for row in table.to_dict("records"):
        again = updated(small(), {path: row[path] for path in GRID})
        run = sendcap.simulate(again, seed=int(row["seed"]))
        assert run.ledger.total("accepted", clock="happened") == row["delivered"]
        accepted_s = run.summary()["total"]["accepted_50_pct_s"]
        assert accepted_s - 60.0 < row["accepted_50_pct_s"] <= accepted_s
        assert sendcap.limits(again, seed=int(row["seed"])).bottleneck == row["bottleneck"]


def test_times_are_what_a_run_takes(table) -> None:
    assert (table["wall_s"] > 0.0).all()
    assert (table["cpu_s"] > 0.0).all()
    assert (table["cpu_s"] <= table["wall_s"] + 0.02).all()


@pytest.mark.parametrize("workers", [1, 2])
def test_the_number_of_workers_changes_nothing(table, workers) -> None:
    found = sendcap.sweep(small(), GRID, workers=workers, **ASKED)
    assert_frame_equal(without_times(found), without_times(table), check_exact=True)


def test_a_worker_killed_in_the_middle_changes_nothing(table, tmp_path) -> None:
    killed: list[int] = []

    def kill_one(progress: module.Progress) -> None:
        if progress.done >= 2 and not killed:
            worker = multiprocessing.active_children()[0]
            worker.kill()
            killed.append(worker.pid)

    found = sendcap.sweep(small(), GRID, workers=2, store=tmp_path, progress=kill_one, **ASKED)
    assert killed
    assert_frame_equal(without_times(found), without_times(table), check_exact=True)


def test_any_executor_will_do(table) -> None:
    with ProcessPoolExecutor(1) as executor:
        found = sendcap.sweep(small(), GRID, executor=executor, **ASKED)
    assert_frame_equal(without_times(found), without_times(table), check_exact=True)


def test_the_order_in_which_runs_are_done_changes_nothing(table, here, monkeypatch) -> None:
    monkeypatch.setattr(module.random, "shuffle", lambda items: items.reverse())
    found = sendcap.sweep(small(), GRID, executor=here, **ASKED)
    assert_frame_equal(without_times(found), without_times(table), check_exact=True)


def test_no_path_gives_plain_replications(here) -> None:
    found = sendcap.sweep(small(), replications=3, measures=delivered, executor=here)
    assert found["point"].tolist() == [0, 0, 0]
    assert found["seed"].nunique() == 3


def test_points_that_come_out_the_same_are_done_once_and_are_all_there(here) -> None:
    told = []
    found = sendcap.sweep(
        small(),
        {"mta.ips": [1, 1.0, 2]},
        measures=delivered,
        executor=here,
        progress=told.append,
    )
    assert len(found) == 3
    assert found["wall_s"].nunique() == 2
    assert told[-1] == module.Progress(runs=3, done=3, failed=0, kept=0)


def test_the_files_and_presets_of_scenarios_will_do(here) -> None:
    found = sendcap.sweep(
        "quickstart", {"deliveries[0].messages": [1000]}, measures="accepted", executor=here
    )
    assert found["accepted"].iloc[0] > 900


# What fails is a row.


def test_a_point_that_is_no_scenario_is_a_row_with_its_error(here) -> None:
    found = sendcap.sweep(
        small(),
        {"mta.spool": [100, 1000], "relay.batch": [256]},
        replications=2,
        measures=delivered,
        executor=here,
    )
    assert found["error"].tolist() == [
        *2 * ["mta.spool: 100 is less than relay.batch, 256; no batch fits"],
        *2 * [""],
    ]
    assert found["delivered"].isna().tolist() == [True, True, False, False]


def test_if_no_point_is_a_scenario_nothing_is_simulated() -> None:
    with pytest.raises(ScenarioError) as caught:
        sendcap.sweep(small(), {"mta.ips": [0, -1], "relay.rate": ["1/s"]}, executor=Executor())
    assert str(caught.value).splitlines() == [
        "mta.ips: must be at least 1, not 0",
        "mta.ips: must be at least 1, not -1",
    ]
    with pytest.raises(ScenarioError, match='unknown key; did you mean "ips"') as caught:
        sendcap.sweep(small(), {"mta.ipz": [1, 2]}, executor=Executor())
    assert "\n" not in str(caught.value)


NO_VALUE = (
    "is a list; a measure returns a number, text, true or false, None, or several of these by name"
)


def fails_at_two_ips(run) -> float:
    if run.scenario.mta.ips == 2:
        raise ZeroDivisionError("by nothing\nat all")
    return [1] if run.scenario.mta.ips == 3 else 0.5


def test_a_measure_that_fails_is_a_row_with_its_error(here, tmp_path) -> None:
    over = {"mta.ips": [1, 2, 3]}
    found = sendcap.sweep(small(), over, measures=fails_at_two_ips, executor=here, store=tmp_path)
    assert found["error"].tolist() == [
        "",
        "ZeroDivisionError: by nothing; at all",
        "fails_at_two_ips: " + NO_VALUE,
    ]
    assert found["fails_at_two_ips"].fillna(-1).tolist() == [0.5, -1, -1]


def test_a_simulation_that_is_not_feasible_is_a_row_with_its_error(here) -> None:
    over = {"relay.rate": ["none", "1/d"]}
    found = sendcap.sweep(small(), over, measures=delivered, executor=here)
    assert found["error"][0] == ""
    assert "500 messages take 500 days (limit 366)" in found["error"][1]


def test_only_the_point_that_kills_its_process_is_a_row_with_an_error() -> None:
    over = {"deliveries[0].messages": [11, 12, 13, 14, 15]}
    found = sendcap.sweep(small(), over, measures=dies_at_13, workers=2)
    assert found["error"].tolist() == [
        "",
        "",
        "its worker process died 3 times (exit code 9)",
        "",
        "",
    ]
    assert found["dies_at_13"].dropna().tolist() == [11, 12, 14, 15]


# Stores.


def test_what_is_in_the_store_is_not_computed_again(here, tmp_path) -> None:
    first = sendcap.sweep(small(), GRID, executor=here, store=tmp_path, **ASKED)
    told = []
    # An executor that refuses everything.
    again = sendcap.sweep(
        small(), GRID, executor=Executor(), store=tmp_path, progress=told.append, **ASKED
    )
    assert_frame_equal(again, first, check_exact=True)
    assert told == [module.Progress(runs=8, done=8, failed=0, kept=8)]


def test_only_what_is_new_is_computed(here, tmp_path) -> None:
    sendcap.sweep(small(), GRID, executor=here, store=tmp_path, **ASKED)
    told: list[module.Progress] = []
    wider = {"relay.batch_time": ["10s", "1s"], "mta.ips": [1, 2, 3]}
    asked = {**ASKED, "replications": 3}
    sendcap.sweep(small(), wider, executor=here, store=tmp_path, progress=told.append, **asked)
    assert told[0] == module.Progress(runs=18, done=8, failed=0, kept=8)
    assert told[-1] == module.Progress(runs=18, done=18, failed=0, kept=8)


def test_other_measures_another_seed_another_model_are_computed(
    here, tmp_path, monkeypatch
) -> None:
    def kept(scenario=None, measure=delivered) -> int:
        told: list[module.Progress] = []
        sendcap.sweep(
            scenario or small(),
            measures=measure,
            executor=here,
            store=tmp_path,
            progress=told.append,
        )
        return told[0].kept

    assert [kept(), kept()] == [0, 1]
    assert [kept(measure="accepted"), kept(measure="accepted")] == [0, 1]
    assert [kept(small().with_seed(7)), kept(small().with_seed(7))] == [0, 1]
    monkeypatch.setattr("sendcap.study.sweeps.plan.MODEL_VERSION", 99)
    assert [kept(), kept()] == [0, 1]


def test_what_has_failed_is_tried_again(here, tmp_path, monkeypatch) -> None:
    def sweep() -> str:
        return sendcap.sweep(
            small(), measures="accepted", executor=here, store=tmp_path, workers=None
        )["error"][0]

    def broken(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("sendcap.study.sweeps.outcomes.measured", broken)
        assert sweep() == "not enough memory"
    assert sweep() == ""


def test_a_damaged_file_is_computed_again(here, tmp_path) -> None:
    first = sendcap.sweep(small(), GRID, executor=here, store=tmp_path, **ASKED)
    (path,) = tmp_path.glob("*.parquet")
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.warns(SendcapWarning, match="is damaged"):
        again = sendcap.sweep(small(), GRID, executor=here, store=tmp_path, **ASKED)
    assert_frame_equal(without_times(again), without_times(first), check_exact=True)


class Shared(ThreadPoolExecutor):
    """An executor, during whose first task another sweep of the same points ends."""

    def __init__(self, other) -> None:
        super().__init__(1)
        self.other, self.asked = other, 0

    def submit(self, function, /, *arguments):
        self.asked += 1
        if self.asked == 1:
            self.other()
        return super().submit(function, *arguments)


def test_what_another_sweep_finishes_meanwhile_is_taken_from_it(table, here, tmp_path) -> None:
    def other() -> None:
        sendcap.sweep(small(), GRID, executor=here, store=tmp_path, **ASKED)

    with Shared(other) as executor:
        found = sendcap.sweep(small(), GRID, executor=executor, store=tmp_path, **ASKED)
    assert executor.asked == 1
    assert_frame_equal(without_times(found), without_times(table), check_exact=True)


def test_a_full_disk_is_told_with_what_is_kept(here, tmp_path, monkeypatch) -> None:
    from sendcap.study.sweeps import store

    write, times = store.write_file, iter(range(9))

    def full(directory, outcomes):
        if next(times) >= 2:
            raise store.StoreError(f"{directory}: cannot be written: no space")
        return write(directory, outcomes)

    monkeypatch.setattr(store, "write_file", full)
    with pytest.raises(SendcapError) as caught:
        sendcap.sweep(small(), GRID, executor=here, store=tmp_path, **ASKED)
    monkeypatch.undo()
    kept = int(str(caught.value).split("no space; ")[1].split(" of 8 runs are saved")[0])
    assert kept >= 2
    told: list[module.Progress] = []
    sendcap.sweep(small(), GRID, executor=here, store=tmp_path, progress=told.append, **ASKED)
    assert told[0].kept == kept


# What is asked wrongly.


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"replications": 0}, "replications: must be a whole number from 1 to 1,000,000, not 0"),
        ({"replications": True}, "replications: must be"),
        ({"over": {"mta.ips": range(1, 1001)}, "replications": 10**5}, "100,000,000 runs"),
        ({"executor": 7}, "executor: must be a concurrent.futures.Executor or a Dask client"),
        ({"workers": 0}, "workers: must be"),
        ({"measures": "nothing"}, 'measure: "nothing" is unknown'),
        ({"over": {"mta.ips": [1]}, "measures": {"mta.ips": delivered}}, "a path that is swept"),
        ({"measures": {"f": lambda run: 1}}, "measure: f: other processes cannot import"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(asked, message) -> None:
    with pytest.raises(SendcapError, match=message) as caught:
        sendcap.sweep(small(), **asked)
    assert "\n" not in str(caught.value)


def test_an_executor_and_workers_are_one_too_many(here) -> None:
    with pytest.raises(SendcapError, match="an executor or a number of workers, not both"):
        sendcap.sweep(small(), executor=here, workers=2)


class Cancelling(Executor):
    """An executor like that of Dask, whose scheduler stops."""

    def submit(self, *_: object) -> Future[object]:
        future: Future[object] = Future()
        future.cancel()
        future.set_running_or_notify_cancel()
        return future


def test_an_executor_that_is_shut_down_or_broken_is_told(tmp_path) -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(SendcapError, match="the executor takes no more"):
        sendcap.sweep(small(), executor=executor)
    executor = Cancelling()
    with pytest.raises(SendcapError, match="it has cancelled what was under way, as a cluster"):
        sendcap.sweep(small(), executor=executor)
    with ProcessPoolExecutor(1) as breaking, pytest.raises(SendcapError, match="the executor"):
        sendcap.sweep(small(13), measures=dies_at_13, executor=breaking)


def test_a_function_of_the_users_needs_no_module_where_no_process_imports_it(here) -> None:
    found = sendcap.sweep(small(), measures={"f": lambda run: 7}, executor=here)
    assert found["f"].tolist() == [7]


def test_warnings_of_points_are_told_once(here) -> None:
    over = {"deliveries[0].validity": ["4d"], "mta.ips": [1, 2, 3]}
    with pytest.warns(SendcapWarning, match="is longer than mta.longest_validity") as told:
        sendcap.sweep(small(), over, measures=delivered, executor=here)
    assert len(told) == 1


def test_results_are_json_so_infinite_and_missing_values_come_back(here, tmp_path) -> None:
    def odd(run) -> dict[str, object]:
        return {"a": math.inf, "b": math.nan, "c": None, "d": "ü", "e": True, "f": 10**30}

    for _ in range(2):
        found = sendcap.sweep(small(), measures=odd, executor=here, store=tmp_path)
        row = found.to_dict("records")[0]
        assert (row["odd.a"], row["odd.d"], row["odd.e"]) == (math.inf, "ü", True)
        assert math.isnan(row["odd.b"])
        assert row["odd.f"] == 10**30
