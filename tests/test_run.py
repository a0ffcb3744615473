from __future__ import annotations

import errno
import json
import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from disks import small_disk_at

import sendcap
from sendcap import run as run_module
from sendcap import saved, scenario
from sendcap.files.directory import Staging
from sendcap.ledger import Ledger
from sendcap.readings.tables import totals_tables

TEXT = """
title = "A small delivery"
seed = 3
[[deliveries]]
name = "news"
messages = 400
validity = "8h"
audience = { gmail = 0.7, yahoo = 0.3 }
[relay]
batch_time = "1s"
[providers.gmail]
connect_time = "100ms"
transaction_time = { dist = "exponential", mean = "200ms" }
hard = [{ reason = "user unknown", share = 0.02 }]
faults = [{ reason = "greylisted", share = 0.1, clears_after = "5m" }]
[providers.yahoo]
connect_time = "100ms"
transaction_time = "200ms"
[engagement]
open_rate = 0.3
open_delay = { dist = "exponential", mean = "2h" }
"""
FILES = {
    "scenario.toml",
    "ledger.parquet",
    "kpis.csv",
    "delays.parquet",
    "kpis.parquet",
    "summary.json",
    "delivered.png",
}


@pytest.fixture(scope="module")
def small() -> scenario.Scenario:
    return scenario.loads(TEXT)


@pytest.fixture(scope="module")
def run(small) -> sendcap.Run:
    return sendcap.simulate(small)


@pytest.fixture
def directory(run, tmp_path) -> Path:
    return run.save(tmp_path / "run")


def bytes_in(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


# Simulating


def test_a_scenario_a_path_and_a_name_are_simulated_alike(
    small, run, tmp_path, monkeypatch
) -> None:
    path = tmp_path / "small.toml"
    path.write_text(TEXT)
    assert sendcap.simulate(path).ledger == run.ledger
    assert sendcap.simulate(str(path)).ledger == run.ledger
    asked = []
    monkeypatch.setattr(run_module, "simulate_ledger", lambda each, **_: asked.append(each))
    sendcap.simulate("quickstart")
    assert asked[0] == sendcap.load("quickstart")


def test_another_seed_is_part_of_the_run(small, run) -> None:
    other = sendcap.simulate(small, seed=4)
    assert other.scenario.seed == 4
    assert other.ledger != run.ledger
    assert other.ledger == sendcap.simulate(small.with_seed(4)).ledger


def test_a_bad_seed_is_a_scenario_error(small) -> None:
    with pytest.raises(sendcap.ScenarioError, match="seed"):
        sendcap.simulate(small, seed=-1)


@pytest.mark.parametrize("window", [30, 30.0, "30s", "auto"])
def test_the_window_changes_nothing(small, run, window) -> None:
    assert sendcap.simulate(small, window=window) == run


@pytest.mark.parametrize("threads", [2, 16])
def test_threads_change_nothing(small, run, threads) -> None:
    assert sendcap.simulate(small, threads=threads) == run


@pytest.mark.parametrize("threads", [0, -1, 17, 1.5, 2.0, "2", None])
def test_a_bad_number_of_threads_is_refused_in_one_line(small, threads) -> None:
    with pytest.raises(sendcap.SendcapError, match=r"^threads: must be .* from 1 to 16, not "):
        sendcap.simulate(small, threads=threads)


@pytest.mark.parametrize("window", [0, -1, float("nan"), "0s", "30", "soon"])
def test_a_bad_window_is_refused_in_one_line(small, window) -> None:
    with pytest.raises(sendcap.SendcapError, match=r"^window: ") as caught:
        sendcap.simulate(small, window=window)
    assert "\n" not in str(caught.value)


def test_what_is_asked_for_reaches_the_engine(small, monkeypatch, tmp_path) -> None:
    asked = []

    def simulate_ledger(each, **keywords):
        asked.append(keywords)
        return Ledger(60.0, 0, {}, {})

    monkeypatch.setattr(run_module, "simulate_ledger", simulate_ledger)
    log = tmp_path / "log.parquet"
    sendcap.simulate(small, window="1m", threads=2, sending_log=log, progress=print)
    (what,) = asked
    assert what.pop("sending_log").parent == tmp_path
    assert what == {"window_s": 60.0, "threads": 2, "progress": print}


# Looking


def test_kpis_take_the_scenarios_denominator(small, run) -> None:
    changed = sendcap.Run(scenario.updated(small, {"reporting.denominator": "relayed"}), run.ledger)
    first_relayed = int(np.flatnonzero(changed.kpis("efs")["relayed"])[0])
    share = changed.kpis("efs").loc[first_relayed]
    assert share["delivered_pct"] == pytest.approx(100 * share["sent"] / share["relayed"])
    pd.testing.assert_frame_equal(changed.kpis("efs", denominator="default"), run.kpis("efs"))


def test_the_dashboard_takes_a_duration_and_the_scenarios_first_mode(run) -> None:
    shown = run.dashboard("3h")
    assert (shown.time_s, shown.mode, shown.delivery) == (10_800.0, "without-efs", "*")
    assert run.dashboard(10_800) == shown
    assert run.dashboard("3h", "efs", "news").mode == "efs"
    assert run.dashboard("3h 5m", compute_stats=True).as_of_s == 11_100.0
    assert run.dashboard("3h 5m").as_of_s == 10_800.0


@pytest.mark.parametrize("moment", ["3", "soon", "-3h", -1])
def test_a_bad_moment_is_refused_in_one_line(run, moment) -> None:
    with pytest.raises(sendcap.SendcapError) as caught:
        run.dashboard(moment)
    assert "\n" not in str(caught.value)


# Saving and opening


def test_a_saved_run_opens_as_it_was(run, directory) -> None:
    assert {path.name for path in directory.iterdir()} == FILES
    assert sendcap.open_run(directory) == run


def test_the_same_run_saves_the_same_bytes(run, directory, tmp_path) -> None:
    again = sendcap.open_run(directory).save(tmp_path / "again")
    assert bytes_in(again) == bytes_in(directory)


@pytest.mark.rendered
def test_the_saved_scenario_gives_the_same_bytes_in_another_process(
    directory, tmp_path, warm
) -> None:
    target = tmp_path / "again"
    code = "import sys, sendcap\nprint(hash('sendcap'))\n"
    code += "sendcap.simulate(sys.argv[1], window='45s').save(sys.argv[2])"
    done = warm.run(["-c", code, str(directory / "scenario.toml"), str(target)])
    assert (done.returncode, done.stderr) == (0, "")
    # A set of names has another order there.
    assert int(done.stdout) != hash("sendcap") or "PYTHONHASHSEED" in os.environ
    assert bytes_in(target) == bytes_in(directory)


def test_the_summary_is_saved(run, directory) -> None:
    summary = json.loads((directory / "summary.json").read_text(encoding="utf-8"))
    assert set(summary.pop("sha256")) == FILES
    assert summary == run.summary()


def test_an_existing_directory_is_refused_unless_forced(run, directory) -> None:
    before = bytes_in(directory)
    with pytest.raises(sendcap.RunError, match=r"already exists; .* or add force=True"):
        run.save(directory)
    assert bytes_in(directory) == before
    run.save(directory, force=True)
    assert bytes_in(directory) == before


@pytest.mark.parametrize("writer", ["write_text", "write_ledger", "write_kpis", "write_json"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_nothing_behind(
    run, tmp_path, monkeypatch, writer, error
) -> None:
    def fail(path, *_):
        path.write_text("half")
        raise error

    monkeypatch.setattr(saved, writer, fail)
    expected = KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else sendcap.RunError
    with pytest.raises(expected):
        run.save(tmp_path / "runs" / "run")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_in_the_simulation_leaves_no_half_written_sending_log(small, tmp_path) -> None:
    def interrupt(progress) -> None:
        raise KeyboardInterrupt

    def attempt() -> None:
        with Staging(tmp_path / "run", saved.RUN) as folder:
            sendcap.simulate(small, sending_log=folder / "log.parquet", progress=interrupt)

    with pytest.raises(KeyboardInterrupt):
        attempt()
    assert list(tmp_path.iterdir()) == []


def test_a_simulation_that_fails_leaves_the_earlier_sending_log(small, tmp_path) -> None:
    def fail(progress) -> None:
        raise OSError(errno.ENOSPC, "full")

    log = tmp_path / "log.parquet"
    log.write_text("earlier")
    with pytest.raises(sendcap.SendcapError, match=r"log\.parquet: cannot be written: no space"):
        sendcap.simulate(small, sending_log=log, progress=fail)
    assert log.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [log]


def refused(directory) -> str:
    with pytest.raises(sendcap.RunError) as caught:
        sendcap.open_run(directory)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_not_a_saved_run_is_refused(directory, tmp_path) -> None:
    assert refused(tmp_path / "none") == f"{tmp_path / 'none'}: no such directory"
    assert "is a file" in refused(directory / "kpis.csv")
    assert "is not a saved run: it has no ledger.parquet" in refused(tmp_path)
    (directory / "scenario.toml").unlink()
    assert "it has no scenario.toml" in refused(directory)


def test_a_damaged_ledger_is_refused(directory) -> None:
    path = directory / "ledger.parquet"
    path.write_bytes(path.read_bytes()[:200])
    assert "has changed since it was saved" in refused(directory)
    (directory / "summary.json").unlink()
    assert "may be damaged" in refused(directory)


def test_a_scenario_that_is_not_the_ledgers_is_refused(directory) -> None:
    path = directory / "scenario.toml"
    path.write_text(path.read_text().replace("messages = 400", "messages = 500"))
    assert "scenario.toml: has changed since it was saved" in refused(directory)
    (directory / "summary.json").unlink()
    assert "is not the scenario of ledger.parquet" in refused(directory)


def test_a_damaged_scenario_is_refused(directory) -> None:
    path = directory / "scenario.toml"
    path.write_text(path.read_text().replace("messages = 400", "messages = -1"))
    assert "scenario.toml: has changed since it was saved" in refused(directory)
    (directory / "summary.json").unlink()
    assert "is damaged" in refused(directory)


def test_warnings_are_told_at_the_simulation_and_not_at_the_opening(tmp_path) -> None:
    with pytest.warns(sendcap.SendcapWarning, match="honoured as"):
        case = scenario.loads(TEXT.replace('"8h"', '"9d"'))
    run = sendcap.simulate(case)
    assert sendcap.open_run(run.save(tmp_path / "run")) == run


def test_a_full_disk_is_told_and_leaves_nothing(run, tmp_path) -> None:
    with small_disk_at(tmp_path / "disk", "96k") as place:
        with pytest.raises(sendcap.RunError, match="no space is left on the disk"):
            run.save(place / "run")
        assert list(place.iterdir()) == []


# In sentences


def test_a_run_says_its_main_results(run) -> None:
    delivered, accepted, delayed, held_up, trust, engaged = run.sentences(["efs"])
    assert delayed.startswith("A message takes ")
    totals = run.summary()["total"]
    count = totals["accepted"] - totals["async_bounced"]
    assert delivered.startswith(f"Of 400 messages, {count} are delivered in the end: ")
    assert delivered.endswith(f". {totals['hard']} bounced hard.")
    assert accepted.startswith("Half of all that is ever accepted has been accepted after ")
    assert held_up == sendcap.limits(run.scenario).sentence
    assert trust.startswith("With EFS, Delivered % ends at ")
    truth = run.truth(run.ledger.end_s)
    opened = run.ledger.total("opened", clock="happened")
    share = f"{100.0 * opened / truth.delivered:.2f} %"
    assert engaged.startswith(f"Of the delivered messages, {share} are opened in the end, and ")
    assert len(run.sentences()) == 5 + len(run.scenario.reporting.modes)


def test_a_run_without_opens_says_nothing_of_them(small) -> None:
    silent = sendcap.simulate(scenario.updated(small, {"engagement.open_rate": 0.0}))
    assert not any("opened" in sentence for sentence in silent.sentences())


def test_a_run_without_any_acceptance_says_so(small) -> None:
    hard = [{"reason": "user unknown", "share": 1.0}]
    changes = {"providers.gmail.hard": hard, "providers.yahoo.hard": hard}
    changes["providers.gmail.faults"] = []
    delivered, accepted, *_ = sendcap.simulate(scenario.updated(small, changes)).sentences()
    assert delivered == ("Of 400 messages, 0 are delivered in the end: 0.00 %. 400 bounced hard.")
    assert accepted == "No message was ever accepted."


def test_rates_of_opens_that_are_not_simulated_have_no_value(small) -> None:
    silent = sendcap.simulate(scenario.updated(small, {"engagement.open_rate": 0.0}))
    for name in ("open_rate_pct", "click_through_pct"):
        assert silent.kpis("efs")[name].isna().all()
        assert math.isnan(getattr(silent.dashboard("1d"), name))
        assert silent.summary()["final_kpis"]["efs"]["*"][name] is None
    assert not silent.kpis("efs")["delivered_pct"][1:].isna().any()


def test_sendings_of_one_recurring_delivery_go_by_the_clock() -> None:
    # Nobody counts the third of three days from the first one's midnight.
    daily = scenario.loads(
        """
        start = 2026-11-27T08:00:00
        [[deliveries]]
        name = "daily"
        messages = 50
        at = "09:00"
        every = "1d"
        times = 3
        audience = { p = 1.0 }
        [relay]
        batch_time = "1s"
        [providers.p]
        connect_time = "0s"
        transaction_time = "1s"
        """
    )
    finished = sendcap.simulate(daily)
    assert daily.common_start == daily.start
    said = " ".join(finished.sentences())
    assert "and 99 % after 2d 1h. By the clock that is Sat 09:01, Sun 09:01 and Sun 09:01." in said
    assert "It stays within 0.5 points of its end from Sun 09:01 on" in said
    assert "After 1h" not in said
    (totals,) = totals_tables(finished, finished.summary())
    assert totals.rows[-1][-3:] == ["Sat 09:01", "Sun 09:01", "Sun 09:01"]
