from __future__ import annotations

import shutil

import pandas as pd
import pytest

import sendcap as package
from sendcap import scenario
from sendcap.cli.tables import wrapped
from sendcap.readings.dashboard import EARLY_OPENS


@pytest.fixture
def saved(place, saved_run):
    shutil.copytree(saved_run, place / "here")
    return package.open_run("here")


def shown(result) -> dict[str, list[str]]:
    assert result.exit_code == 0, result.stderr
    return {
        line[:20].strip(): line[20:].split()
        for line in result.stdout.splitlines()[3:]
        if "─" not in line
    }


def test_the_dashboard_is_that_of_the_api(sendcap, saved) -> None:
    result = sendcap("dashboard", "here", "--at", "25m")
    figures = shown(result)
    expected = [saved.dashboard("25m", mode) for mode in ("without-efs", "efs")]
    assert figures["Sent"] == [f"{each.sent:,}" for each in expected]
    assert figures["Delivered %"] == [f"{entry.delivered_pct:.2f}" for entry in expected]
    assert "As of 20m; opens and clicks as of 0s." in result.stdout


def test_compute_stats_shows_the_moment_itself(sendcap, saved) -> None:
    result = sendcap("dashboard", "here", "--at", "25m", "--mode", "efs", "--compute-stats")
    assert "As of 25m; opens and clicks as of 25m." in result.stdout
    assert shown(result)["Sent"] == [f"{saved.dashboard('25m', 'efs', '*', True).sent:,}"]


def test_a_rate_above_100_percent_has_a_reason(sendcap, saved) -> None:
    changes = {
        "feedback.synchronous": {"dist": "uniform", "low": "0s", "high": "3h"},
        "engagement.open_rate": 1.0,
        "time.horizon": "90m",
    }
    with pytest.warns(package.SendcapWarning, match="time.horizon"):
        run = package.simulate(scenario.updated(saved.scenario, changes))
    run.save("slow")
    result = sendcap("dashboard", "slow", "--at", "1h")
    without_efs, efs = shown(result)["Open rate %"]
    assert float(without_efs) <= 100.0 < float(efs)
    assert wrapped(EARLY_OPENS) in result.stdout
    assert "above 100 %" not in sendcap("dashboard", "here", "--at", "1h").stdout


def test_it_can_be_of_one_delivery_and_of_any_mode(sendcap, saved) -> None:
    result = sendcap(
        "dashboard", "here", "--at", "3h", "--mode", "legacy", "--delivery", "[bold]loyalty[/bold]"
    )
    assert "[bold]loyalty[/bold]" in result.stdout
    assert shown(result)["To deliver"] == ["100"]


def test_without_a_moment_it_is_the_end(sendcap, saved) -> None:
    assert shown(sendcap("dashboard", "here", "--compute-stats"))["Pending"] == ["0", "0"]


def test_a_share_of_nothing_is_a_dash(sendcap, saved) -> None:
    assert shown(sendcap("dashboard", "here", "--at", "0s"))["Delivered %"] == ["–", "0.00"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none"], "error: none: no such directory"),
        (["."], "error: .: is not a saved run"),
        (["here", "--at", "3"], "error: --at: "),
        (["here", "--at", "-3h"], "error: --at: "),
        (
            ["here", "--at", "30m20s", "--compute-stats"],
            "error: no figures at 1820s: the run has counts every 1m; give 30m or 31m, or ",
        ),
        ([""], "error: Invalid value for 'DIR': is empty; "),
        (["here", "--delivery", "x"], "error: unknown delivery 'x': choose from news, "),
    ],
)
def test_bad_input_is_told_in_one_line(sendcap, saved, arguments, message) -> None:
    result = sendcap("dashboard", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 1


def test_without_a_moment_it_is_the_end_and_not_the_last_refresh(sendcap) -> None:
    sendcap("run", "small.toml", "--out", "ended", "--set", 'reporting.refresh="7d"')
    result = sendcap("dashboard", "ended")
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["To", "deliver", "500", "500"] in rows
    assert ["Relayed", "500", "500"] in rows


@pytest.mark.parametrize("at", ["noon", "8:00pm", "17h30"])
def test_a_moment_that_is_none_is_told_how_to_write_one(sendcap, at) -> None:
    result = sendcap("dashboard", "somewhere", "--at", at)
    assert result.exit_code == 2
    assert f'--at: "{at}" is not a duration; give a number with a unit' in result.stderr
    assert 'or a time by the clock such as "14:00" or "Sat 08:00"' in result.stderr


def test_delays_of_the_whole_run_are_told_at_its_end_only(sendcap, saved) -> None:
    told = "from ready to accepted"
    assert told in sendcap("dashboard", "here").stdout
    assert told in sendcap("dashboard", "here", "--at", "300d").stdout
    assert told not in sendcap("dashboard", "here", "--at", "25m").stdout


@pytest.mark.parametrize("report", [None, "dynamic", "throughput", "bounces", "alerts"])
def test_the_figures_of_a_report_are_written_as_csv(sendcap, place, report) -> None:
    options = [] if report is None else ["--report", report]
    sendcap("run", "small.toml", "--out", "here")
    result = sendcap("dashboard", "here", "--at", "1h", *options, "--csv", "figures.csv")
    assert result.exit_code == 0
    assert result.stdout.endswith("Saved in figures.csv\n")
    table = pd.read_csv("figures.csv") if report != "alerts" else pd.DataFrame()
    run = package.open_run("here")
    if report is None:
        assert list(table["sent"]) == [run.dashboard("1h", mode).sent for mode in table["mode"]]
    elif report == "throughput":
        assert table["relayed"].sum() == run.throughput("1h")["relayed"].sum()
    elif report == "bounces":
        assert set(table["mode"]) == {"without-efs", "efs"}
    again = sendcap("dashboard", "here", *options, "--csv", "figures.csv")
    assert again.exit_code == 2
    assert "figures.csv: already exists" in again.stderr
    assert sendcap("dashboard", "here", *options, "--csv", "figures.csv", "--force").exit_code == 0


def test_why_two_reports_differ_is_no_table(sendcap, place) -> None:
    sendcap("run", "small.toml", "--out", "here")
    result = sendcap("dashboard", "here", "--explain", "--csv", "figures.csv")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: --csv: ")
