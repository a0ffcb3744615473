from __future__ import annotations

import re
import signal

import pandas as pd
import pytest

from sendcap.cli.compare import _differs
from sendcap.cli.edits import edits_of
from sendcap.cli.tables import WIDTH
from sendcap.errors import SendcapError
from sendcap.readings.modes import MODES
from sendcap.readings.summary import ACCEPTED_PCT, accepted_at_s
from sendcap.run import open_run
from sendcap.study.convergence.converge import CONVERGENCE
from sendcap.text.quantities import elapsed


def names(directory) -> set[str]:
    return {path.name for path in directory.iterdir()}


def bytes_in(directory) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture
def converge(sendcap):
    def run(*arguments: str):
        return sendcap("converge", "small.toml", "--workers", "1", *arguments)

    return run


def test_it_says_when_delivered_can_be_trusted_and_saves_it(converge, place) -> None:
    result = converge("--replications", "3")
    assert result.exit_code == 0
    assert result.stderr == ""
    for text in (
        "Final Delivered %",
        "The truth",
        "0.5 points",
        "3d 12h",
        "In queue",
        "gmail",
        "[bold]loyalty[/bold]",
        "Without EFS, Delivered % ends at ",
        "With EFS, Bounces + errors % peaks at ",
        "the smallest to the largest of 3 simulations",
        "lies there in 50 % of the cases",
        "interval of a median takes 6 of them",
    ):
        assert text in " ".join(result.stdout.split())
    assert "Saved in runs/small-converge: " in result.stdout
    assert names(place / "runs" / "small-converge") == CONVERGENCE.files | {"summary.json"}


def test_tables_of_every_mode_fit_80_columns(converge, undrawn) -> None:
    modes = [f"--mode={mode}" for mode in MODES]
    result = converge("--replications", "2", *modes)
    lines = [line for line in result.stdout.splitlines() if not line.startswith("Saved in ")]
    assert max(map(len, lines)) <= WIDTH


def test_the_tables_are_tidy(converge, place, undrawn) -> None:
    converge("--replications", "2", "--out", "here", "--tolerance", "2pt")
    for name in ("final", "settling", "errors", "remaining", "extremes", "curves", "replications"):
        table = pd.read_csv(place / "here" / f"{name}.csv")
        assert {"mode", "delivery", "provider"} <= set(table.columns)
        assert len(table)
    settling = pd.read_csv(place / "here" / "settling.csv")
    assert set(settling["tolerance_pt"]) == {2.0}
    assert set(settling["provider"]) == {"*", "gmail", "yahoo"}


def test_tolerances_are_a_list_or_given_several_times(converge, undrawn) -> None:
    result = converge("--replications", "1", "--tolerance", "3pt,0.25", "--tolerance", "2 points")
    lines = [line.split("  ")[0] for line in result.stdout.splitlines()]
    assert [line for line in lines if line.endswith(" points")][:3] == [
        "3 points",
        "2 points",
        "0.25 points",
    ]


def test_the_same_command_gives_the_same_bytes_whatever_the_workers(
    converge, sendcap, place
) -> None:
    converge("--replications", "3", "--out", "a", "--mode", "efs")
    two = ("--workers", "2", "--replications", "3", "--out", "b", "--mode", "efs")
    assert sendcap("converge", "a/scenario.toml", *two).exit_code == 0
    one, other = (bytes_in(place / name) for name in "ab")
    assert one == other


def test_the_seed_and_the_modes_can_be_chosen(converge, place, undrawn) -> None:
    converge("--replications", "1", "--out", "a", "--seed", "5", "--mode", "legacy")
    assert "seed = 5" in (place / "a" / "scenario.toml").read_text()
    assert set(pd.read_csv(place / "a" / "settling.csv")["mode"]) == {"legacy"}


def test_precision_decides_how_often_it_is_simulated(converge, undrawn) -> None:
    result = converge("--precision", "0.6pt", "--mode", "efs")
    assert result.exit_code == 0
    replications = pd.read_csv("runs/small-converge/replications.csv")["replication"].max() + 1
    assert 10 <= replications < 100
    half = float(result.stdout.split(" % ± ")[1].split(" ")[0])
    assert half <= 0.6


def test_a_horizon_is_the_end_of_all_that_is_told(sendcap, place) -> None:
    text = (place / "small.toml").read_text()
    (place / "cut.toml").write_text(f'{text}[time]\nhorizon = "15m"\n')
    result = sendcap("converge", "cut.toml", "--replications", "2", "--workers", "1")
    assert result.exit_code == 0
    assert "The run stops at the horizon (15m); final and true values are as of" in result.stdout
    assert pd.read_csv("runs/cut-converge/errors.csv")["time_s"].max() == 900.0
    assert "without EFS, from its end" in result.stdout


def test_what_has_no_reading_within_the_horizon_is_told_without_one(sendcap, place) -> None:
    text = (place / "small.toml").read_text().replace('at = "20m"\n', "")
    text = text.replace("[[deliveries]]", '[[deliveries]]\nat = "6h"')
    (place / "late.toml").write_text(f'{text}[time]\nhorizon = "2h"\n')
    result = sendcap("converge", "late.toml", "--replications", "2", "--workers", "1")
    assert result.exit_code == 0, result.stderr
    assert "Without EFS, Delivered % has no value yet" in result.stdout
    assert "nan" not in result.stdout


def test_a_directory_is_replaced_by_force_only_and_by_its_kind_only(
    converge, sendcap, undrawn
) -> None:
    assert converge("--replications", "1", "--out", "here").exit_code == 0
    again = converge("--replications", "1", "--out", "here")
    assert (again.exit_code, again.stderr.count("\n")) == (2, 1)
    assert again.stderr.startswith("error: here: already exists")
    assert converge("--replications", "1", "--out", "here", "--force").exit_code == 0
    sendcap("run", "small.toml", "--out", "run")
    refused = converge("--replications", "1", "--out", "run", "--force")
    assert refused.stderr.startswith("error: run: is not a saved convergence")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--replications", "3", "--precision", "1pt"], "--replications and --precision: give one"),
        (["--tolerance", "0pt"], "tolerance: must be above 0 points"),
        (["--tolerance", "1pt,,2pt"], 'tolerance: "" is not a number of points'),
        (["--tolerance", "5%"], 'tolerance: "5%" is not a number of points'),
        (["--precision", "fine"], '--precision: "fine" is not a number of points'),
        (["--precision", "0.00001pt"], "precision: 200 replications cannot narrow delivered_pct"),
        (["--confidence", "100%"], "--confidence: must be more than 0 and less than 100%"),
        (["--replications", "0"], "Invalid value for '--replications'"),
        (["--mode", "all"], "Invalid value for '--mode'"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_line_and_leaves_nothing(
    converge, place, arguments, message
) -> None:
    result = converge(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"error: {message}")
    assert result.stderr.count("\n") == 1
    assert names(place) == {"small.toml"}


@pytest.mark.crash
def test_ctrl_c_leaves_nothing(process, place) -> None:
    child = process("converge", "quickstart", "--replications", "40", "--workers", "2")
    while not list(place.glob("runs/.sendcap-*")):
        assert child.poll() is None
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=300)
    assert (child.returncode, err) == (130, "error: interrupted\n")
    assert names(place) == {"small.toml"}


# compare


def test_compare_tells_what_a_change_does(sendcap, place) -> None:
    result = sendcap(
        *("compare", "small.toml", "--set", "mta.retry.first=6m", "--replications", "4"),
        *("--workers", "1"),
    )
    assert result.exit_code == 0
    assert result.stderr == ""
    for text in ("A: small.toml", "B: mta.retry.first=6m", "99 % accepted", "Peak of Bounces"):
        assert text in result.stdout
    assert "4 pairs of simulations" in result.stdout
    folder = place / "runs" / "small-compare"
    assert "Saved in runs/small-compare: a.toml, b.toml, " in result.stdout
    table = pd.read_csv(folder / "differences.csv")
    assert {"a", "b", "difference", "low", "high"} <= set(table.columns)
    assert 'first = "6m"' in (folder / "b.toml").read_text()
    assert set(pd.read_csv(folder / "replications.csv")["which"]) == {"a", "b"}
    assert set(pd.read_csv(folder / "curves.csv")["which"]) == {"a", "b", "difference"}


def test_compare_tells_moments_by_the_clock(sendcap, place, undrawn) -> None:
    few = ("--replications", "2", "--workers", "1")
    change = ("--set", "start=2026-11-27T08:00:00")
    result = sendcap("compare", "small.toml", *change, "--out", "found", *few)
    assert result.exit_code == 0
    # A has no start.
    assert re.search(r"50 % accepted +1m +Fri 08:01 ", result.stdout)
    # A delay is no moment.
    assert not re.search(r"50 % are.*Fri", result.stdout)
    assert "Times count from t = 0, the start of the simulation.\n" in result.stdout
    text = (place / "small.toml").read_text()
    one = re.sub(r'\[\[deliveries\]\]\nname = "\[bold.*(?=\[relay\])', "", text, flags=re.DOTALL)
    (place / "one.toml").write_text(f"start = 2026-11-27T08:00:00\n{one}")
    alone = sendcap("compare", "one.toml", "one.toml", "--out", "alone", *few)
    (row,) = re.findall(r"50 % accepted .*", alone.stdout)
    assert len(re.findall(r"\dm, Fri 08:0\d", row)) == 2
    assert "Times count from t = 0, the start of the simulation, Fri 27 Nov 08:00." in alone.stdout


@pytest.mark.parametrize(
    ("name", "difference_s", "expected"),
    [
        ("delay_p95_s", 7.0, "not shown"),  # of 1,000 s, a step of the scale is up to 7.8 s
        ("delay_p95_s", 9.0, "yes"),
        ("accepted_99_pct_s", 7.0, "yes"),
    ],
)
def test_a_difference_of_delays_within_a_step_of_their_scale_is_not_shown(
    name, difference_s, expected
) -> None:
    row = {"name": name, "a": 1000.0, "difference": difference_s}
    assert _differs(row | {"low": difference_s - 1.0, "high": difference_s + 1.0}) == expected


def test_compare_shows_no_table_without_rows(sendcap) -> None:
    nobody = {"gmail.hard": '[{reason="x",share=1}]', "gmail.faults": "[]", "yahoo.transient": "1"}
    change = [
        word for key, value in nobody.items() for word in ("--set", f"providers.{key}={value}")
    ]
    result = sendcap("compare", "small.toml", *change, "--replications", "1", "--workers", "1")
    assert result.exit_code == 0
    assert "Messages at the MTA" not in result.stdout
    assert "Without EFS" in result.stdout


def test_compare_takes_saved_runs_and_says_that_one_run_tells_less(sendcap, undrawn) -> None:
    sendcap("run", "small.toml", "--out", "one")
    sendcap("run", "small.toml", "--out", "two", "--seed", "9")
    result = sendcap("compare", "one", "two", "--workers", "1")
    assert result.exit_code == 0
    assert "One run of each, with different seeds" in result.stdout
    assert "Differs" not in result.stdout
    # Of a saved run it says what the run itself says.
    for pct in ACCEPTED_PCT:
        one, two = (accepted_at_s(open_run(name).ledger, pct) for name in ("one", "two"))
        assert re.search(rf"{pct} % accepted +{elapsed(one)} +{elapsed(two)} ", result.stdout)
    changed = sendcap("compare", "one", "--set", "mta.retry.first=6m", "--workers", "1")
    assert "One run of each, with the same draws" in changed.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["small.toml"], "compare: give B, or a change with --set"),
        (["small.toml", "small.toml", "--set", "seed=1"], "compare: give B or --set, not both"),
        (
            ["small.toml", "--set", "mta.retry.frist=6m"],
            '--set: mta.retry.frist: unknown key; did you mean "first"?',
        ),
        (["small.toml", "--set", "mta.ips=0"], "--set: mta.ips: must be at least 1, not 0"),
        (["small.toml", "--set", "mta.oops.x=1"], "--set: mta.oops.x: unknown path"),
        (["small.toml", "--set", "mta.ips"], '--set: "mta.ips" is not path=value'),
        (["small.toml", "nothing.toml"], "nothing.toml: no such file"),
        (["small.toml", "small.toml", "--tolerance", "0"], "tolerance: must be above 0"),
    ],
)
def test_a_wrong_comparison_is_told_in_a_line(sendcap, place, arguments, message) -> None:
    result = sendcap("compare", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {message}")
    assert result.stderr.count("\n") == 1
    assert names(place) == {"small.toml"}


def test_a_saved_run_has_one_replication_and_its_own_seed(sendcap) -> None:
    sendcap("run", "small.toml", "--out", "one")
    for arguments, message in (
        (("--replications", "3"), "replications: a saved run is one replication"),
        (("--seed", "3"), "--seed: one is a saved run with a seed of its own"),
    ):
        result = sendcap("compare", "one", "small.toml", "--workers", "1", *arguments)
        assert result.exit_code == 2
        assert result.stderr.startswith(f"error: {message}")


# --set


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("a.b=10m", {"a.b": "10m"}),
        ("a=100/s,max_burst=1", {"a": "100/s,max_burst=1"}),
        ('a="10m"', {"a": "10m"}),
        ("a=8", {"a": 8}),
        ("a=0.5", {"a": 0.5}),
        ("a=true", {"a": True}),
        ("a = none", {"a": "none"}),
        ("a=[1, 2]", {"a": [1, 2]}),
        ('a={ dist = "exponential", mean = "1s" }', {"a": {"dist": "exponential", "mean": "1s"}}),
        ('providers."x=y".rate=5/s', {'providers."x=y".rate': "5/s"}),
        ("a=1\nb=2", {"a": "1\nb=2"}),
    ],
)
def test_values_are_toml_and_text_needs_no_quotes(setting, expected) -> None:
    assert edits_of([setting]) == expected


@pytest.mark.parametrize("setting", ["", "a", "=3", "a=", "a={ dist = exponential }", "a=[1"])
def test_a_setting_that_is_none_is_refused_in_a_line(setting) -> None:
    with pytest.raises(SendcapError) as caught:
        edits_of([setting])
    assert str(caught.value).startswith("--set: ")
    assert "\n" not in str(caught.value)
