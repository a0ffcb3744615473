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


def test_throughput_has_what_was_relayed_beside_what_was_accepted(sendcap, nine) -> None:
    shown = lines(sendcap("dashboard", "nine", "--report", "throughput", "--at", "09:15"))
    table = nine.throughput("09:15")
    (relayed,), (accepted,) = table.relayed, table.accepted
    assert shown[0] == "Delivery throughput, messages per hour, all deliveries, at 15m (09:15)"
    assert f"09:00 {relayed} {accepted}" in shown
    assert f"Sum {relayed} {accepted}" in shown
    late = ("--delivery", "[bold]loyalty[/bold]", "--at", "09:15")
    shown = lines(sendcap("dashboard", "nine", "--report", "throughput", *late))
    assert "Nothing has been relayed or accepted." in shown


def test_of_hundreds_of_hours_the_busiest_are_shown(sendcap, place) -> None:
    changes = {"relay.batch": 4, "deliveries[0].spread": "3d"}
    slow = scenario.updated(scenario.load("small.toml"), changes)
    package.simulate(slow).save("slow")
    table = package.open_run("slow").throughput("6d")
    assert len(table) > 48
    result = sendcap("dashboard", "slow", "--report", "throughput")
    shown = lines(result)
    assert sum(line.startswith("t = ") for line in shown) == 48
    assert f"The 48 busiest of {len(table)} hours" in result.stdout
    assert f"Sum {table.relayed.sum()} {table.accepted.sum()}" in shown


def test_the_bounce_summary_is_that_of_the_api(sendcap, nine) -> None:
    asked = ("--report", "bounces", "--mode", "efs", "--delivery", "news", "--at", "12:00")
    shown = lines(sendcap("dashboard", "nine", *asked))
    assert shown[0] == "Bounce summary, efs, news, at 3h (12:00)"
    table = nine.bounce_summary("12:00", "efs", "news").set_index("reason")
    hard, soft = table.loc["user unknown"], table.loc["greylisted"]
    assert f"user unknown User unknown hard {hard.messages} {hard.messages_pct:.2f}" in " ".join(
        shown
    )
    assert f"greylisted Unreachable soft {soft.messages} {soft.messages_pct:.2f} 0 0.00" in shown
    assert any(line.startswith(f"Sum – – – – {hard.final} ") for line in shown)
    early = lines(sendcap("dashboard", "nine", *asked[:-1], "09:00"))
    assert "Nothing has bounced." in early


def test_alerts_are_those_of_the_api(sendcap, nine) -> None:
    result = sendcap("dashboard", "nine", "--report", "alerts", "--mode", "efs", "--at", "17:00")
    (alert,) = nine.alerts("17:00", "efs", "news").to_dict("records")
    shown = lines(result)
    assert f"news soft bounces 5.00 % 09:10 09:20 {100 * alert['worst']:.2f} %" in shown
    assert "a screenshot alone has" in " ".join(shown)
    quiet = sendcap("dashboard", "nine", "--report", "alerts", "--mode", "without-efs")
    assert "None would have been sent." in quiet.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--report", "x"], "error: Invalid value for '--report': 'x' is not one of "),
        (
            ["--report", "dynamic", "--compute-stats"],
            "error: --compute-stats: renews the report deployment, not dynamic; leave it out",
        ),
        (
            ["--report", "throughput", "--mode", "efs"],
            "error: --mode: the throughput is the same in every mode; leave it out",
        ),
        *(
            (
                ["--report", report, "--explain"],
                f"error: --explain: compares the reports deployment and dynamic, not {report}; ",
            )
            for report in ("throughput", "bounces", "alerts")
        ),
        *(
            (["--report", report, "--delivery", "x"], "error: unknown delivery 'x': choose from ")
            for report in ("throughput", "bounces", "alerts")
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
