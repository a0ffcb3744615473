from __future__ import annotations

import errno
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
from warm import wait_for

from sendcap.cli.conduct import conduct
from sendcap.errors import SendcapError, SendcapWarning
from sendcap.text.quoting import printable

LONG = 50_000_000
"""Messages that keep a run busy until it is stopped."""


def raising(error):
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (SendcapError("a: wrong\nb: wrong"), 2, "error: a: wrong\nerror: b: wrong\n"),
        (KeyboardInterrupt(), 130, "error: interrupted\n"),
        (OSError(errno.EPERM, "not allowed", "file"), 2, "error: file: permission denied\n"),
        (OSError(errno.ENXIO, "no such device"), 2, "error: no such device\n"),
        (
            OSError(errno.ENOSPC, "no space"),
            2,
            "error: standard output: no space is left on the disk\n",
        ),
        (MemoryError(), 2, "error: not enough memory\n"),
    ],
)
def test_each_end_has_its_code_and_its_lines(capfd, error, code, told) -> None:
    assert conduct(raising(error)) == code
    assert capfd.readouterr().err == told


def test_what_nobody_expected_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        conduct(raising(ZeroDivisionError()))


def test_only_sendcaps_warnings_are_retold(capfd) -> None:
    def command() -> None:
        for _ in range(3):
            warnings.warn("too long", SendcapWarning, stacklevel=1)

    assert conduct(command) == 0
    assert capfd.readouterr().err == "warning: too long\n"
    # pytest makes an error of every other warning.
    with pytest.raises(RuntimeWarning):
        conduct(lambda: warnings.warn("strange", RuntimeWarning, stacklevel=1))


def test_nothing_in_a_text_moves_the_cursor() -> None:
    assert printable("a\x1b[31mb\r\nc\x07 ü中") == "a [31mb  c  ü中"


@pytest.fixture
def long_scenario(place) -> str:
    text = (place / "small.toml").read_text().replace("messages = 400", f"messages = {LONG}")
    (place / "long.toml").write_text(text.replace('batch_time = "1s"', 'batch_time = "10ms"'))
    return "long.toml"


@pytest.mark.crash
@pytest.mark.parametrize(
    ("number", "code", "word"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGHUP, 129, "terminated"),
    ],
)
def test_a_run_that_is_stopped_leaves_nothing_behind(
    process, place, long_scenario, number, code, word
) -> None:
    running = process("run", long_scenario, "--sending-log")
    wait_for(lambda: list(place.glob("runs/.sendcap-*/new/sending-log.parquet")))
    running.send_signal(number)
    out, err = running.communicate(timeout=600)
    assert (running.returncode, out, err) == (code, "", f"error: {word}\n")
    assert {path.name for path in place.iterdir()} == {"small.toml", "long.toml"}


def wait_until_listening(running) -> None:
    """Wait until a process has set its handler of SIGTERM: Python alone sets none."""
    status = Path(f"/proc/{running.pid}/status")

    def listening() -> bool:
        caught = int(status.read_text().split("SigCgt:")[1].split()[0], 16)
        return bool(caught >> (signal.SIGTERM - 1) & 1)

    wait_for(listening)


@pytest.mark.crash
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to look into")
@pytest.mark.parametrize(
    ("start", "seconds"),
    [
        # While it imports, and soon after.
        *(("new_process", seconds) for seconds in (0, 0.05, 0.2, 0.4, 0.7, 1.1, 1.6)),
        # While it simulates.
        *(("process", seconds) for seconds in (0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)),
    ],
)
def test_a_run_can_be_stopped_at_every_moment(
    request, place, long_scenario, start, seconds
) -> None:
    running = request.getfixturevalue(start)("run", long_scenario, "--sending-log")
    wait_until_listening(running)
    time.sleep(seconds)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=600)
    assert (running.returncode, out, err) == (130, "", "error: interrupted\n")
    assert {path.name for path in place.iterdir()} == {"small.toml", "long.toml"}


@pytest.mark.crash
def test_being_stopped_again_and_again_changes_nothing(process, place, long_scenario) -> None:
    running = process("run", long_scenario, "--sending-log")
    wait_for(lambda: list(place.glob("runs/.sendcap-*/new/sending-log.parquet")))
    while running.poll() is None:
        running.send_signal(signal.SIGTERM)
    assert running.communicate() == ("", "error: terminated\n")
    assert running.returncode == 143
    assert {path.name for path in place.iterdir()} == {"small.toml", "long.toml"}


@pytest.mark.crash
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_at_the_end_does_not_kill(new_process, number) -> None:
    for _ in range(5):
        running = new_process("--version")
        assert running.stdout.readline().startswith("sendcap ")
        running.send_signal(number)
        _, err = running.communicate(timeout=600)
        assert running.returncode in (0, 128 + number)
        assert err.count("\n") == (running.returncode != 0)


def test_a_signal_that_is_ignored_stays_ignored(process, place) -> None:
    # As nohup and a shell's background jobs have it.
    running = process("run", "small.toml", ignore=[signal.SIGINT])
    wait_for(lambda: list(place.glob("runs/*")) or running.poll() is not None)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=600)
    assert (running.returncode, err) == (0, "")


@pytest.mark.crash
def test_a_run_that_was_killed_is_cleared_away_by_the_next(
    process, place, sendcap, long_scenario
) -> None:
    killed, alive = process("run", long_scenario), process("run", long_scenario)
    wait_for(lambda: len(list(place.glob("runs/.sendcap-*"))) == 2)
    killed.kill()
    killed.communicate(timeout=600)
    assert sendcap("run", "small.toml").exit_code == 0
    assert len(list(place.glob("runs/.sendcap-*"))) == 1
    alive.terminate()
    alive.communicate(timeout=600)
    assert {path.name for path in (place / "runs").iterdir()} == {"small"}


@pytest.mark.crash
def test_a_forced_run_that_is_stopped_keeps_the_old_one(
    process, place, sendcap, long_scenario
) -> None:
    assert sendcap("run", "small.toml", "--out", "here").exit_code == 0
    before = (place / "here" / "ledger.parquet").read_bytes()
    running = process("run", long_scenario, "--out", "here", "--force")
    wait_for(lambda: list(place.glob(".sendcap-*")))
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=600)
    assert running.returncode == 130
    assert (place / "here" / "ledger.parquet").read_bytes() == before
    assert not list(place.glob(".sendcap-*"))


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["scenario", "schema"], ["scenario", "show", "small.toml"], ["run", "small.toml"]],
)
def test_a_closed_pipe_is_no_failure(process, arguments) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    running = process(*arguments, stdout=writing)
    os.close(writing)
    _, err = running.communicate(timeout=600)
    assert (running.returncode, err) == (0, "")


@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell")
@pytest.mark.parametrize("arguments", ["--help", "scenario schema"])
def test_output_that_cannot_be_written_is_told_in_one_line(place, arguments) -> None:
    # No file may be larger than nothing: as on a full disk.
    command = f'ulimit -f 0; exec "$0" -m sendcap {arguments} > out'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "error: standard output: a file would be larger than the file system allows\n",
    )


def test_a_terminal_that_lacks_characters_is_no_failure(place, sendcap) -> None:
    text = (place / "small.toml").read_text().replace('name = "news"', 'name = "nëws中"')
    (place / "other.toml").write_text(text, encoding="utf-8")
    assert sendcap("run", "other.toml", "--out", "other").exit_code == 0
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "sendcap", "dashboard", "other", "--report", "alerts"],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "n\\xebws\\u4e2d" in done.stdout


def test_progress_is_shown_on_a_terminal_and_nowhere_else(process, long_scenario) -> None:
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    running = process(
        "run", long_scenario, stdout=subprocess.DEVNULL, stderr=slave, env=environment
    )
    os.close(slave)
    seen = ""
    until = time.monotonic() + 600
    while "messages/s" not in seen and time.monotonic() < until:
        seen += os.read(master, 4096).decode(errors="replace")
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=600) == 130
    os.close(master)
    assert "simulated" in seen
    assert "messages final" in seen


def test_a_terminal_without_escape_codes_is_written_none(process, place, long_scenario) -> None:
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "dumb"}
    running = process(
        *("run", long_scenario, "--sending-log"),
        stdout=subprocess.DEVNULL,
        stderr=slave,
        env=environment,
    )
    os.close(slave)
    wait_for(lambda: list(place.glob("runs/.sendcap-*/new/sending-log.parquet")))
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=600) == 130
    seen = os.read(master, 4096)
    os.close(master)
    assert seen == b"error: interrupted\r\n"
