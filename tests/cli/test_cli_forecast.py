from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import pandas as pd
import pytest

from sendcap import scenario, simulate
from sendcap.ledger import Ledger
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario
from sendcap.study.replication import measures

TEXT = """
title = "Small [b]send[/b]"
seed = 3
[[deliveries]]
name = "news"
messages = 2000
validity = "5h"
audience = { gmail = 1.0 }
[relay]
batch_time = "1s"
rate = "10/s"
[providers.gmail]
connections_per_ip = 3
connect_time = "100ms"
transaction_time = { dist = "exponential", mean = "200ms" }
hard = [{ reason = "user unknown", share = SHARE }]
transient = 0.01
"""
RANGE = "{ low = 0.01, high = 0.2 }"


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> Path:
    """The saved run of the scenario as it was true."""
    truth = scenario.loads(TEXT.replace("SHARE", "0.08"))
    return simulate(truth, seed=10).save(tmp_path_factory.mktemp("truth") / "seen")


@pytest.fixture
def given(place: Path, seen: Path) -> Path:
    """A saved run in seen/, and the scenario with a range in place of what was true."""
    (place / "truth.toml").write_text(TEXT.replace("SHARE", "0.08"))
    (place / "given.toml").write_text(TEXT.replace("SHARE", RANGE))
    shutil.copytree(seen, place / "seen")
    return place


@pytest.fixture(scope="module")
def ledgers() -> dict[bytes, Ledger]:
    return {}


@pytest.fixture
def told(given: Path, ledgers, monkeypatch) -> Path:
    """The same, for tests of what is told: no scenario is simulated twice."""

    def ledger_of(scenario: Scenario) -> Ledger:
        key = pickle.dumps(scenario)
        if key not in ledgers:
            ledgers[key] = simulate_ledger(scenario)
        return ledgers[key]

    monkeypatch.setattr(measures, "simulate_ledger", ledger_of)
    return given


FORECAST = ("forecast", "given.toml", "--observed", "seen/kpis.csv", "--workers", "1")
TYPED = ("forecast", "given.toml", "--workers", "1", "--at", "2m", "--delivered")


def test_a_forecast_is_told_in_sentences_and_saved(given, sendcap) -> None:
    result = sendcap(*FORECAST, "--at", "2m", "--simulations", "64", "--out", "told")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0] == "Small [b]send[/b], all deliveries: forecast after 2m"
    assert lines[1].startswith("After 2m without EFS shows 9")
    told = " ".join(lines)
    assert "It will end at 9" in told
    assert "% (90 %: 9" in told
    assert " After 2m with EFS shows" in told
    assert "providers.gmail.hard[0].share" in result.stdout
    files = ("bands.csv", "final.csv", "forecast.png", "observed.csv", "parameters.csv")
    assert {path.name for path in Path("told").iterdir()} == {
        *files,
        "scenario.toml",
        "summary.json",
        "settling.csv",
    }
    final = pd.read_csv("told/final.csv").set_index("mode").loc["without-efs"]
    truth = pd.read_csv("seen/kpis.csv").query("mode == 'without-efs' and delivery == '*'")
    assert final["low"] < truth["delivered_pct"].iloc[-1] < final["high"]
    # What may come can be simulated, and the same command gives the same bytes.
    assert sendcap("scenario", "check", "told/scenario.toml").exit_code == 0
    again = sendcap(*FORECAST, "--at", "2m", "--simulations", "64", "--out", "again")
    assert again.exit_code == 0
    for path in Path("told").iterdir():
        assert path.read_bytes() == (Path("again") / path.name).read_bytes(), path.name


def test_a_range_can_be_given_on_the_command_line(told, sendcap, undrawn) -> None:
    result = sendcap(
        *("forecast", "truth.toml", "--observed", "seen/kpis.csv", "--at", "1h"),
        *("--range", "providers.gmail.hard[0].share=0.01..0.2", "--mode", "efs"),
        *("--simulations", "64", "--workers", "1", "--tolerance", "0.2pt", "--confidence", "80%"),
    )
    assert result.exit_code == 0, result.stderr
    assert "(80 %: " in result.stdout
    assert "0.2 points" in result.stdout
    assert "without EFS" not in result.stdout
    assert "Saved in runs/truth-forecast: " in result.stdout


def test_one_typed_reading_is_enough(told, sendcap, undrawn) -> None:
    # Without EFS it shows 92 % after two minutes, and with EFS far less.
    shown = pd.read_csv("seen/kpis.csv").query("mode == 'without-efs' and time_s == 120")
    result = sendcap(*TYPED, f"{shown['delivered_pct'].iloc[0]:.1f}", "--out", "typed")
    assert result.exit_code == 0, result.stderr
    told = " ".join(result.stdout.split())
    assert "No mode was given: the reading is taken to be without EFS." in told
    assert "If it were with EFS, no values in the ranges would explain it." in told
    final = pd.read_csv("typed/final.csv")
    end = pd.read_csv("seen/kpis.csv").query("mode == 'without-efs' and delivery == '*'")
    assert final["mode"].tolist() == ["without-efs"]
    assert final["low"].item() < end["delivered_pct"].iloc[-1] < final["high"].item()


def test_a_reading_that_fits_no_mode_is_told_of_each_and_of_none_as_known(told, sendcap) -> None:
    result = sendcap(*TYPED, "5.0", "--out", "stranger")
    assert result.exit_code == 0, result.stderr
    told = " ".join(result.stdout.split())
    assert "After 2m Delivered % is 5.00 %. No mode was given, and the reading fits none" in told
    assert "It will end at" not in told
    assert "other readings" not in told
    for mode in ("without EFS", "with EFS"):
        assert f"If it were {mode}, it would end at " in told
    assert told.count("5.00 % at 2m does not fit: lower than in any simulation (") == 2
    assert "do not trust any of these forecasts" in told
    # No values explain the reading, so it says nothing about them.
    assert "Given the readings" not in told
    assert "The reading fits no values in the ranges, and so it says nothing about them." in told
    # What a reading tells twice is told once.
    assert "does not fit" not in result.stderr
    for table in ("final", "settling", "bands", "observed"):
        modes = pd.read_csv(f"stranger/{table}.csv")["mode"]
        assert set(modes) == {"without-efs", "efs"}, table


def test_of_readings_that_fit_no_mode_together_each_mode_has_one_that_contradicts(
    told, sendcap, undrawn
) -> None:
    result = sendcap(*TYPED, "92.4", "--at", "4m", "--delivered", "60.0", "--out", "strange")
    assert result.exit_code == 0, result.stderr
    told = " ".join(result.stdout.split())
    assert "After 4m Delivered % is 60.00 %. No mode was given, and the readings fit none" in told
    assert "If they were without EFS, it would end at " in told
    assert "60.00 % at 4m fits the least: lower than the " in told
    assert " % that goes with the other readings (simulated: " in told


def test_what_nobody_knows_is_taken_for_unknown_and_told(told, sendcap, undrawn) -> None:
    command = (*TYPED, "92.4", "--mode", "without-efs")
    told = " ".join(sendcap(*command, "--out", "wide").stdout.split())
    assert "Taken for unknown" in told
    assert "Adobe publishes no schedule" in told
    assert "--range PATH=LOW..HIGH, or a range in the scenario, changes one" in told
    rows = pd.read_csv("wide/parameters.csv").set_index("path")
    # The range that was given is as it was given.
    given_range = rows.loc["providers.gmail.hard[0].share"]
    assert (given_range["range_low"], given_range["range_high"]) == (0.01, 0.2)
    assert rows["assumed"].to_dict() == {
        "providers.gmail.hard[0].share": False,
        "providers.gmail.transient": True,
        "providers.gmail.async_bounce": True,
        "mta.retry.first": True,
        "mta.retry.factor": True,
    }
    alone = sendcap(*command, "--only-given", "--out", "narrow")
    assert "Taken for unknown" not in alone.stdout
    assert pd.read_csv("narrow/parameters.csv")["path"].tolist() == [given_range.name]


def test_readings_that_cannot_be_are_warned_of(told, sendcap, undrawn) -> None:
    Path("odd.csv").write_text("time,delivered_pct\n1m,99\n2m,60\n3m,55\n")
    result = sendcap(
        *("forecast", "given.toml", "--observed", "odd.csv", "--mode", "without-efs"),
        *("--simulations", "64", "--workers", "1"),
    )
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: no values in the ranges explain these readings")
    assert "do not trust this forecast" in result.stdout
    told = " ".join(result.stdout.split())
    assert "Delivered % without EFS at 3m fits the least: 55.00 %, lower than" in told
    assert "Widen first providers.gmail.hard[0].share, now 0.01 to 0.2" in told


def test_an_end_that_the_horizon_cuts_off_is_told_as_such(told, sendcap) -> None:
    Path("cut.toml").write_text(Path("given.toml").read_text() + '[time]\nhorizon = "1h"\n')
    command = ("forecast", "cut.toml", *FORECAST[2:], "--simulations", "64", "--at")
    result = sendcap(*command, "2m", "--confidence", "92.5%")
    assert result.exit_code == 0, result.stderr
    assert "The run stops at the horizon (1h); messages still in flight" in result.stdout
    assert "(92.5 %: " in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("forecast", "given.toml"), "Missing option '--observed'"),
        ((*FORECAST, "--at", "soon"), '--at: "soon" is not a duration'),
        ((*FORECAST, "--mode", "legacy"), "no rows of mode legacy"),
        ((*FORECAST, "--simulations", "8"), "simulations: must be a power of two from 64"),
        ((*FORECAST, "--range", "mta.ips"), '--range: "mta.ips" is not path=low..high'),
        ((*FORECAST, "--range", "mta.ips=[1..3]"), "--range: mta.ips=[1..3]: not valid TOML"),
        ((*FORECAST, "--range", "mta.ips=3"), '--range: "mta.ips=3" is not path=low..high'),
        (
            (*FORECAST, "--range", "mta.ips=9..3"),
            "--range: mta.ips=9..3: write the lower end first",
        ),
        ((*FORECAST, "--delivery", "new"), 'no rows of delivery "new"'),
        (
            ("forecast", "truth.toml", "--observed", "seen/kpis.csv", "--only-given"),
            "no range: write an uncertain",
        ),
        ((*FORECAST, "--delivered", "98.7"), "--observed and --delivered: give one"),
        ((*FORECAST, "--at", "1m", "--at", "2m"), "--at: 2 moments; with --observed give one"),
        ((*TYPED, "98.7", "--at", "4m"), "--delivered: 1 of them and 2 of --at"),
        ((*TYPED, "98.7", "--at", "2m", "--delivered", "98"), "--at: the same moment twice"),
        ((*TYPED, "101"), 'delivered: "101" is not a percentage from 0 to 100'),
        ((*TYPED, "98,7"), 'delivered: "98,7" is not a percentage from 0 to 100; write it with'),
        ((*TYPED, "0.98"), "write 98 % as 98, not as 0.98"),
        ((*TYPED, "98", "--mode", "efs", "--mode", "legacy"), "a typed reading is of one mode"),
        (("forecast", "given.toml", "--delivered", "98"), "--delivered: 1 of them and 0 of --at"),
        (("run", "given.toml"), "is a range, which only `sendcap forecast` accepts"),
    ],
)
def test_what_is_wrong_is_told_in_a_line_and_nothing_is_left(
    given, sendcap, arguments, message
) -> None:
    before = sorted(given.iterdir())
    result = sendcap(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert sorted(path for path in given.iterdir() if path.name != "runs") == before
