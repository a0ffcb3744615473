from __future__ import annotations

import gzip
import re
import signal
from pathlib import Path

import pytest
from warm import wait_for

from sendcap.calibration import files as calibration_files
from sendcap.scenario import load

LINE = (
    "2026-11-26T09:{:02d}:{:02d}.5+00:00 mx1 postfix/smtp[7]: 4Xab{}: to=<ann{}@gmail.com>, "
    "relay=gmail-smtp-in.l.google.com[192.0.2.1]:25, delay=1.{}, delays=0.1/0.2/0.3/0.{}{}, "
    "dsn=2.0.0, status=sent (250 2.0.0 OK)"
)
FILES = {"scenario.toml", "report.txt", "estimates.csv", "calibration.png", "summary.json"}


@pytest.fixture
def log(place) -> Path:
    path = place / "mail.log"
    rows = (LINE.format(n // 60, n % 60, n, n, n % 10, n % 9 + 1, n % 7) for n in range(300))
    path.write_text(
        "\n".join([*rows, "Nov 26 postfix/smtp[7]: 4X: to=<bob@b.example>, status=x", ""])
    )
    return path


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_calibrate_writes_a_scenario_and_a_report(sendcap, place, log) -> None:
    result = sendcap("calibrate", "mail.log", "-o", "mine.toml")
    assert result.exit_code == 0
    assert result.stderr == ""
    for text in (
        "Data\n====",
        "mail.log  postfix",
        "- unreadable delivery line: 1",
        "Provider gmail",
        "Transaction time: ",
        "Not in this log",
        "Scenario: mine.toml",
        "Saved in runs/mine-calibration: ",
    ):
        assert text in result.stdout
    for address in ("ann1", "bob", "gmail.com", "b.example"):
        assert address not in result.stdout
    assert names(place / "runs" / "mine-calibration") == FILES
    written = (place / "mine.toml").read_text()
    assert written == (place / "runs" / "mine-calibration" / "scenario.toml").read_text()
    assert load(place / "mine.toml").providers.keys() == {"gmail"}
    assert (place / "runs" / "mine-calibration" / "report.txt").read_text() in result.stdout + "\n"


@pytest.mark.parametrize("name", ["ann@corp.example.log", "mail-ann%40corp.example.log.1"])
def test_an_address_in_the_name_of_a_log_is_written_nowhere(sendcap, place, log, name) -> None:
    home = place / "bob@corp.example"
    home.mkdir()
    # The second line is damaged; so are its samples named, and the first compressed log cut off.
    log.rename(home / name)
    (home / f"2-{name}.gz").write_bytes(
        gzip.compress((home / name).read_bytes().replace(b"4Xab", b"4Xcd").replace(b"09:", b"10:"))[
            :-40
        ]
    )
    logs = (f"bob@corp.example/{name}", f"bob@corp.example/2-{name}.gz")
    result = sendcap("calibrate", *logs, "-o", "mine.toml", "--report", "here", "--verify")
    assert result.exit_code == 0
    texts = [result.stdout, result.stderr, (place / "mine.toml").read_text()]
    texts += [path.read_bytes().decode("latin-1") for path in (place / "here").iterdir()]
    assert "(address), log 1" in texts[0]
    assert "is cut off" in texts[0]
    for text in texts:
        assert "corp.example" not in text
        assert "ann" not in re.findall(r"[a-z]+", text.split("\x00")[0])


def test_the_written_scenario_runs(sendcap, place, log) -> None:
    assert sendcap("calibrate", "mail.log", "-o", "mine.toml").exit_code == 0
    result = sendcap("run", "mine.toml", "--out", "run")
    assert result.exit_code == 0
    assert "gmail" in result.stdout


def test_verify_compares_with_a_simulation(sendcap, place, log) -> None:
    result = sendcap("calibrate", "mail.log", "-o", "mine.toml", "--report", "here", "--verify")
    assert result.exit_code == 0
    assert "Self-check: the fitted scenario, simulated" in result.stdout
    assert " figures agree: times within 25 %" in result.stdout
    assert names(place / "here") == {*FILES, "self-check.csv", "self-check.png"}


def test_nothing_is_replaced_without_force(sendcap, place, log) -> None:
    arguments = ("calibrate", "mail.log", "-o", "mine.toml", "--report", "here")
    assert sendcap(*arguments).exit_code == 0
    before = (place / "mine.toml").read_bytes()
    result = sendcap(*arguments)
    assert result.exit_code == 2
    assert result.stderr == (
        "error: mine.toml: already exists; choose another file or add --force\n"
    )
    result = sendcap("calibrate", "mail.log", "-o", "other.toml", "--report", "here")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: here: already exists")
    assert not (place / "other.toml").exists()
    assert sendcap(*arguments, "--force").exit_code == 0
    assert (place / "mine.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mail.log"], "Missing option '-o'"),
        (["-o", "x.toml"], "Missing argument 'LOG…'"),
        (["nothing.log", "-o", "x.toml"], "error: nothing.log: No such file or directory"),
        ([".", "-o", "x.toml"], "error: .: is a directory; give log files"),
        (["empty.log", "-o", "x.toml"], "error: empty.log: is empty"),
        (
            ["small.toml", "-o", "x.toml"],
            "error: small.toml: is a scenario file, not a log file; `sendcap run` reads it",
        ),
        (
            ["mail.log", "-o", "x.toml", "--format", "sendmail"],
            "error: format: 'sendmail' is not one of",
        ),
        (["mail.log", "-o", "x.toml", "--format", "kumomta"], "no delivery attempt in 301 lines"),
        (["mail.log", "-o", "x.toml", "--year", "x"], "'x' is not a valid whole number"),
        (["mail.log", "-o", "x.toml", "--providers", "no.csv"], "error: no.csv: No such file"),
        (["mail.log", "-o", "x.toml", "--feedback", "no.csv"], "error: no.csv: No such file"),
        (
            ["mail.log", "-o", "no/x.toml"],
            "no/x.toml: cannot be written: there is no directory no",
        ),
        (["mail.log", "-o", ""], "is empty; give a name"),
    ],
)
def test_bad_input_is_told_in_one_line_and_leaves_nothing(
    sendcap, place, log, arguments, message
) -> None:
    (place / "empty.log").write_text("")
    before = names(place)
    result = sendcap("calibrate", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert names(place) == before


def test_a_full_disk_is_told_in_one_line_and_leaves_nothing(
    sendcap, place, log, monkeypatch
) -> None:
    def fail(*_):
        raise OSError(28, "No space")

    monkeypatch.setattr(calibration_files, "write_csv", fail)
    result = sendcap("calibrate", "mail.log", "-o", "mine.toml")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: runs/mine-calibration: cannot be written: no space is left on the disk\n"
    )
    assert names(place) == {"small.toml", "mail.log"}


@pytest.mark.crash
def test_an_interrupted_calibration_leaves_nothing(place, process, log) -> None:
    path = place / "long.log"
    path.write_bytes(log.read_bytes() * 500)
    running = process("calibrate", "long.log", "-o", "mine.toml")
    wait_for(lambda: list(place.glob("runs/.sendcap-*")))
    running.send_signal(signal.SIGINT)
    _, stderr = running.communicate(timeout=300)
    assert running.returncode == 130
    assert stderr == "error: interrupted\n"
    assert names(place) == {"small.toml", "mail.log", "long.log"}
