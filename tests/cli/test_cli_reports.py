from __future__ import annotations

import shutil

import pytest

import sendcap as package
from sendcap import scenario


@pytest.fixture(scope="session")
def run_at_nine(tmp_path_factory, saved_run):
    """The directory of a run that starts on Friday at 9:00."""
    run = package.open_run(saved_run)
    settled = scenario.updated(run.scenario, {"start": "2026-11-27T09:00:00"})
    return package.Run(settled, run.ledger).save(tmp_path_factory.mktemp("nine") / "run")


@pytest.fixture
def nine(place, run_at_nine):
    shutil.copytree(run_at_nine, place / "nine")
    return package.open_run("nine")


def lines(result) -> list[str]:
    assert result.exit_code == 0, result.stderr
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def test_dynamic_reporting_is_that_of_the_api(sendcap, nine) -> None:
    shown = lines(sendcap("dashboard", "nine", "--report", "dynamic", "--at", "Sat 08:00"))
    reports = [nine.dynamic_report("Sat 08:00", mode) for mode in ("without-efs", "efs")]
    assert shown[0] == "Dynamic reporting, all deliveries, at 23h (08:00 on Sat 28 Nov)"
    processed, delivered = (
        [f"{getattr(each, name):,}" for each in reports] for name in ("processed", "delivered")
    )
    assert f"Processed/sent {' '.join(processed)}" in shown
    assert f"Delivered {' '.join(delivered)}" in shown
    assert "As of the last night, 17h (02:00 on Sat 28 Nov)." in shown


def test_before_the_first_night_it_says_so(sendcap, nine) -> None:
    shown = lines(sendcap("dashboard", "nine", "--report", "dynamic", "--at", "17:00"))
    assert "No figures until the first night, at 17h (02:00 on Sat 28 Nov)." in shown
    assert not any("Delivered" in line for line in shown)


def test_without_a_start_nights_count_from_zero(sendcap, place, saved_run) -> None:
    shown = lines(sendcap("dashboard", str(saved_run), "--report", "dynamic", "--at", "25h"))
    assert "As of the last night, 1d." in shown
    assert "The scenario has no start: nights count from t = 0, the first one at 1d." in shown


def test_an_explanation_has_both_reports_and_the_points(sendcap, nine) -> None:
    asked = ("--explain", "--mode", "efs", "--delivery", "news", "--at")
    shown = lines(sendcap("dashboard", "nine", *asked, "Sat 08:00"))
    explained = nine.explain("Sat 08:00", "efs", "news")
    assert shown[0].startswith("Deployment dashboard and Dynamic reporting, efs, news, at 23h")
    delivered = (explained.deployment.sent, explained.dynamic.delivered)
    assert f"Delivered {delivered[0]} {delivered[1]}" in shown
    early = lines(sendcap("dashboard", "nine", *asked, "17:00"))
    assert "Dynamic reporting has no figures until the first night, 02:00 on Sat 28 Nov." in early


def test_causes_stand_with_their_points(sendcap, place) -> None:
    changes = {
        "start": "2026-11-28T01:50:00",
        "feedback.synchronous": {"dist": "uniform", "low": "1m", "high": "30m"},
    }
    slow = scenario.updated(scenario.load("small.toml"), changes)
    package.simulate(slow).save("slow")
    explained = package.open_run("slow").explain("02:30", "efs")
    assert [cause.name for cause in explained.causes] == ["moment", "not relayed", "pending"]
    assert explained.delivered_pt > 0.0
    shown = sendcap("dashboard", "slow", "--at", "02:30", "--explain", "--mode", "efs").stdout
    together = next(line for line in shown.splitlines() if line.startswith("Together"))
    assert together.split()[1].replace("−", "-") == f"{explained.delivered_pt:+.2f}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--report", "x"], "error: Invalid value for '--report': 'x' is not one of "),
        (
            ["--report", "dynamic", "--compute-stats"],
            "error: --compute-stats: renews the report deployment, not dynamic; leave it out",
        ),
        (["--report", "dynamic", "--delivery", "x"], "error: unknown delivery 'x': choose from "),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_line(sendcap, nine, arguments, message):
    result = sendcap("dashboard", "nine", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 1
