"""`sendcap drain`: a queue that exists, in sentences and tables."""

from __future__ import annotations

import pytest

SCENARIO = """
title = "Stuck"
[relay]
batch_time = "0s"
[[deliveries]]
name = "d"
messages = 10
audience = { gmail = 1.0 }
[providers.gmail]
connect_time = "0s"
transaction_time = "1s"
connections_per_ip = 1
[providers.other]
connect_time = "0s"
transaction_time = "1s"
connections_per_ip = 1
"""
QUEUE = """\
domain,messages,age,attempts,due
gmail.com,600,2h,3,0s
example.org,100,30m,1,0s
"""


@pytest.fixture
def stuck(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stuck.toml").write_text(SCENARIO)
    (tmp_path / "queue.csv").write_text(QUEUE)
    return tmp_path


def test_the_answer_is_told_and_saved(stuck, sendcap) -> None:
    result = sendcap("drain", "stuck.toml", "--queue", "queue.csv", "--out", "out")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "Stuck"
    assert lines[1].startswith("Of 700 messages half are gone after 5m, 90 % after 9m")
    assert "What helps most: with twice the connections at gmail" in result.stdout
    assert any(
        line.split() == ["gmail", "600", "6m", "10m", "10m", "11m", "600", "0", "0"]
        for line in lines
    )
    assert {each.name for each in (stuck / "out").iterdir()} >= {
        *("gone.csv", "remedies.csv", "left.png", "scenario.toml"),
    }
    again = sendcap("drain", "out/scenario.toml", "--out", "again")
    assert again.exit_code == 0
    gone = (stuck / "out" / "gone.csv").read_text()
    assert (stuck / "again" / "gone.csv").read_text() == gone


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "no queue; give the file of one"),
        (("--release",), "--release goes with --queue"),
        (("--as-of", "2026-11-30T08:00"), "--as-of goes with --queue"),
        (("--queue", "absent.csv"), "absent.csv: No such file or directory"),
        (("--queue", "queue.csv", "--format", "courier"), 'format: "courier" is not known'),
        (("--queue", "queue.csv", "--as-of", "noon"), '--as-of: "noon" is no date with a time'),
    ],
)
def test_what_is_wrong_is_told(stuck, sendcap, options, message) -> None:
    result = sendcap("drain", "stuck.toml", *options)
    assert result.exit_code == 2
    assert message in result.stderr
