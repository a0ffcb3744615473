"""``sendcap explore``: what it refuses."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from sendcap.explore.guard import is_loopback


def test_a_port_that_is_taken_is_told(sendcap):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        result = sendcap("explore", "--port", str(port))

    assert result.exit_code == 2
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in result.stderr


def test_what_is_no_host_is_told(sendcap):
    result = sendcap("explore", "--host", "a..b")

    assert result.exit_code == 2
    assert "cannot listen on a..b port 0: not a host; give another --port" in result.stderr


def test_the_token_is_on_no_command_line(sendcap, monkeypatch):
    server = SimpleNamespace(url="http://h/?token=abc", start=lambda: None, wait=lambda: None)
    launched = []

    def launch(name):
        launched.append(name)
        assert Path(name).stat().st_mode & 0o777 == 0o600
        assert server.url in Path(name).read_text()

    monkeypatch.setattr("sendcap.explore.server.Server", lambda *_: server)
    monkeypatch.setattr("sendcap.cli.explore.in_a_browser", launch)

    result = sendcap("explore")

    assert server.url in result.stdout
    (name,) = launched
    assert "abc" not in name
    assert not Path(name).exists()


@pytest.mark.skipif(os.name != "posix", reason="runs a program as a desktop of Linux does")
def test_where_there_is_no_browser_the_terminal_stays_clean(sendcap, place, monkeypatch, capfd):
    # xdg-open told the terminal of each browser that it tried.
    program, tried = place / "xdg-open", place / "tried"
    program.write_text(
        f'#!/bin/sh\necho noise; echo noise >&2; echo "$1" > {tried}.new\n'
        f"mv {tried}.new {tried}\nexit 3\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(place), prepend=os.pathsep)
    monkeypatch.setattr("sys.platform", "linux")

    def wait():
        until = time.monotonic() + 30
        while not tried.exists():
            assert time.monotonic() < until
            time.sleep(0.01)

    server = SimpleNamespace(url="http://h/?token=abc", start=lambda: None, wait=wait)
    monkeypatch.setattr("sendcap.explore.server.Server", lambda *_: server)

    result = sendcap("explore")

    assert result.exit_code == 0
    assert tried.read_text().strip().endswith(".html")
    assert capfd.readouterr() == ("", "")
    assert "noise" not in result.output


def test_without_a_program_that_opens_files_the_address_is_enough(sendcap, monkeypatch, capfd):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.platform", "linux")
    server = SimpleNamespace(url="http://h/?token=abc", start=lambda: None, wait=lambda: None)
    monkeypatch.setattr("sendcap.explore.server.Server", lambda *_: server)

    result = sendcap("explore")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"Open {server.url} in a browser; Ctrl-C stops it.\n"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("opens", [["--no-open"], []])
def test_ctrl_c_is_the_end_of_a_page_and_no_error(process, monkeypatch, opens):
    # No browser is opened, and none is missed.
    monkeypatch.setenv("PATH", "")
    running = process("explore", "small.toml", *opens)
    assert running.stdout.readline().endswith("; Ctrl-C stops it.\n")

    running.send_signal(signal.SIGINT)

    out, err = running.communicate(timeout=60)
    assert (running.returncode, out, err) == (0, "Stopped: the page is not served any more.\n", "")


def test_other_ends_of_a_page_stay_errors(process):
    running = process("explore", "small.toml", "--no-open")
    assert running.stdout.readline().endswith("; Ctrl-C stops it.\n")

    running.send_signal(signal.SIGTERM)

    out, err = running.communicate(timeout=60)
    assert (running.returncode, out, err) == (143, "", "error: terminated\n")


def test_ctrl_c_ends_a_page_where_no_signal_is_listened_to(sendcap, monkeypatch):
    def wait():
        raise KeyboardInterrupt

    server = SimpleNamespace(url="http://h/?token=abc", start=lambda: None, wait=wait)
    monkeypatch.setattr("sendcap.explore.server.Server", lambda *_: server)

    result = sendcap("explore", "--no-open")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("Stopped: the page is not served any more.\n")


def test_a_scenario_that_is_none_is_told(sendcap):
    result = sendcap("explore", "nowhere.toml")

    assert result.exit_code == 2
    assert "nowhere.toml" in result.stderr


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("example.org", False),
    ],
)
def test_it_knows_which_addresses_only_this_machine_can_reach(host, loopback):
    assert is_loopback(host) == loopback
