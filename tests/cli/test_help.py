from __future__ import annotations

import json
import resource
import subprocess
import sys

import pytest

HEAVY = {"numpy", "pandas", "matplotlib", "scipy", "numba", "pydantic", "pyarrow", "simpy", "rich"}


QUICK = [
    ["--help"],
    ["--version"],
    ["run", "--help"],
    ["limits", "--help"],
    ["people", "--help"],
    ["plot", "--help"],
    ["plot", "--list"],
    ["report", "--help"],
    ["converge", "--help"],
    ["compare", "--help"],
    ["sweep", "--help"],
    ["sensitivity", "--help"],
    ["optimise", "--help"],
    ["calibrate", "--help"],
    ["scenario", "--help"],
    ["import", "--help"],
    ["import", "kumomta", "--help"],
    [],
]
EACH = """
import json, os, sys
from sendcap.cli import main

heavy, *commands = json.loads(sys.argv[1])
for arguments in commands:
    sys.stdout.flush()
    if os.fork():
        _, status = os.wait()
        assert status == 0, arguments
    else:
        try:
            main(arguments)
        except SystemExit as end:
            assert not end.code, end.code
        found = sorted(set(heavy) & set(sys.modules))
        print("imported:", json.dumps([arguments, found, len(sys.modules)]), flush=True)
        os._exit(0)
"""
"""Runs each command in a fork of a Python that has imported no more than what all of them need."""


def test_help_imports_nothing_that_is_slow() -> None:
    code = [sys.executable, "-c", EACH, json.dumps([sorted(HEAVY), *QUICK])]
    done = subprocess.run(code, check=True, capture_output=True, text=True)
    told = [line for line in done.stdout.splitlines() if line.startswith("imported: ")]
    each = [json.loads(line.removeprefix("imported: ")) for line in told]
    assert [arguments for arguments, _, _ in each] == QUICK
    for arguments, found, count in each:
        assert found == [], arguments
        assert count < 400, arguments


def test_help_takes_less_than_a_third_of_a_second_of_cpu() -> None:
    def cpu_s() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "sendcap", "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(cpu_s() for _ in range(3)) < 0.3


def test_help_names_every_command(sendcap) -> None:
    for arguments in ((), ("--help",), ("-h",)):
        result = sendcap(*arguments)
        assert result.exit_code == 0
        for command in (
            "run",
            "limits",
            "dashboard",
            "people",
            "plot",
            "report",
            "converge",
            "compare",
            "sweep",
            "sensitivity",
            "optimise",
            "calibrate",
            "scenario",
            "import",
        ):
            assert f"\n  {command} " in result.output


def test_version_is_the_packages(sendcap) -> None:
    from sendcap import __version__

    assert sendcap("--version").output == f"sendcap {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "No such command 'nothing'"),
        (["run", "--nothing"], "No such option '--nothing'"),
        (["run", "--mode", "all"], "'all' is not one of 'without-efs', 'efs', 'efs-v8', 'legacy'"),
        (["run", "--seed", "-1"], "-1 is not 0 or more"),
        (["run", "--seed", "x"], "'x' is not a valid whole number"),
        (["run", "a", "b"], "Got unexpected extra argument"),
        (["dashboard"], "Missing argument 'DIR'"),
    ],
)
def test_a_wrong_command_line_is_told_in_one_line(sendcap, arguments, message) -> None:
    result = sendcap(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


def test_the_list_of_commands_fits_a_terminal(sendcap) -> None:
    lines = sendcap("--help").output.partition("Commands:\n")[2].splitlines()
    assert len(lines) > 10
    assert [line for line in lines if not line.endswith(".") or line.endswith("...")] == []


def test_bounds_are_in_words(sendcap) -> None:
    assert "seed. 0 or more." in " ".join(sendcap("run", "--help").output.split())
    assert "1970 to 9998." in " ".join(sendcap("calibrate", "--help").output.split())
