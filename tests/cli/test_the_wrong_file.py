"""A file of another kind is called what it is, by every command that takes one."""

from __future__ import annotations

import pytest

STUDY = 'scenario = "small.toml"\n[over]\n"mta.ips" = [1, 2]\n'
OPTIMISE = """
scenario = "small.toml"
[levers]
"mta.ips" = { from = 1, to = 4, cost = 1 }
[target]
measure = "accepted_99_pct_s"
at_most = "1h"
"""
SHAPING = '["default"]\nconnection_limit = 3\n'
KINDS = {
    "small.toml": "a scenario",
    "sweep.toml": "a study of `sendcap sweep`",
    "optimise.toml": "a study of `sendcap optimise`",
    "shaping.toml": "traffic shaping of KumoMTA",
}
LOG = "2026-11-27 09:00:02 1tGabc-000001-Ab => a@b.example R=r T=t H=b.example [192.0.2.1]\n"
MTAS = {
    "main.cf": "is a Postfix configuration file, not a {} file; `sendcap import postfix` reads it",
    "mainlog": "is an Exim log file, not a {} file; `sendcap calibrate` reads it",
}
SCENARIOS = (
    ("run",),
    ("limits",),
    ("converge",),
    ("compare", "--set", "mta.ips=2"),
    ("compare", "small.toml"),
    ("forecast", "--observed", "kpis.csv"),
    ("explore",),
    ("scenario", "check"),
    ("import", "kumomta", "shaping.toml", "--base"),
)
TAKE = {
    **dict.fromkeys(SCENARIOS, "small.toml"),
    ("sweep",): "sweep.toml",
    ("sensitivity",): "sweep.toml",
    ("optimise",): "optimise.toml",
}


@pytest.fixture
def wrong(place):
    for name, text in (("sweep", STUDY), ("optimise", OPTIMISE), ("shaping", SHAPING)):
        (place / f"{name}.toml").write_text(text)
    (place / "empty.toml").write_text("# nothing\n")
    return place


@pytest.mark.parametrize("command", TAKE, ids=" ".join)
def test_a_file_of_another_kind_is_called_what_it_is(sendcap, wrong, command) -> None:
    wanted = TAKE[command]
    for name in KINDS.keys() - {wanted}:
        result = sendcap(*command, name)
        assert result.exit_code == 2
        kind, right = KINDS[name], KINDS[wanted]
        assert f"error: {name}: is {kind}, not {right}; " in result.stderr
        assert result.stderr.count("\n") == 1
    assert (
        f"error: empty.toml: is empty; {KINDS[wanted][:7]}"
        in sendcap(*command, "empty.toml").stderr
    )


def test_a_file_of_an_mta_is_called_what_it_is_with_what_reads_it(sendcap, wrong) -> None:
    (wrong / "main.cf").write_text("myhostname = mail.example.org\n")
    (wrong / "mainlog").write_text(LOG)
    for command, kind in TAKE.items():
        for name, what in MTAS.items():
            wanted = "scenario" if kind == "small.toml" else "study"
            result = sendcap(*command, name)
            assert result.exit_code == 2
            says = what.format(wanted)
            assert result.stderr == f"error: {name}: {says}\n"


def test_a_table_without_points_is_named(sendcap, wrong) -> None:
    (wrong / "points.csv").write_text("mta.ips\n")
    (wrong / "study.toml").write_text('scenario = "small.toml"\npoints = "points.csv"\n')
    stderr = sendcap("sweep", "study.toml").stderr
    assert "study.toml: points.csv: has no points; give one row at least" in stderr


def test_the_number_of_simulations_is_called_so(sendcap, wrong) -> None:
    (wrong / "kpis.csv").write_text("mode,time,delivered_pct\nefs,15m,99.8\n")
    arguments = ("forecast", "small.toml", "--observed", "kpis.csv", "--range", "mta.ips=1..4")
    stderr = sendcap(*arguments, "--simulations", str(2**40)).stderr
    assert stderr.startswith("error: simulations: must be a power of two from 64 to 1,048,576, ")


@pytest.mark.parametrize("command", ["converge", "compare"])
def test_more_replications_than_a_life_has_time_for_are_refused(sendcap, wrong, command) -> None:
    result = sendcap(command, "small.toml", "--replications", str(2**40), "--set", "mta.ips=2")
    assert "replications: must be a whole number from 1 to 1,000,000, not 1099" in result.stderr


def test_negative_costs_are_refused(sendcap, wrong) -> None:
    for cost in ("-1", "[[1, 3], [4, -1]]"):
        (wrong / "o.toml").write_text(OPTIMISE.replace("cost = 1", f"cost = {cost}"))
        stderr = sendcap("optimise", "o.toml").stderr
        assert 'levers."mta.ips": cost: must not be negative, as -1 is; where' in stderr


def test_a_dashboard_after_the_end_says_that_it_is_of_the_end(sendcap, place, saved_run) -> None:
    assert "The simulation ends at " in sendcap("dashboard", str(saved_run), "--at", "30d").stdout
    assert "The simulation ends at " not in sendcap("dashboard", str(saved_run)).stdout
