"""The bench: receivers answer as they say, and a real MTA does what its configuration predicts."""

from __future__ import annotations

import importlib
import socket
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SHORT = {
    "postfix": {
        "20 connections": 600,
        "connections are reused for 5 messages": 300,
        "two destinations, 8 processes of their transport": 200,
    },
    "exim": {"each message is sent at once": 80},
    "opensmtpd": {"a new connection every second": 200},
}
"""Trials of the gate, with fewer messages than by hand."""


@pytest.fixture
def bench(monkeypatch) -> SimpleNamespace:
    monkeypatch.syspath_prepend(str(EXPERIMENTS))
    names = ("comparing", "injecting", "measuring", "mtas", "predicting", "receivers", "trials")
    return SimpleNamespace(**{name: importlib.import_module(f"bench.{name}") for name in names})


def test_receivers_answer_as_they_say(bench, tmp_path) -> None:
    how = bench.receivers.Receiver(transaction_s=0.0, refuses=0.3, closes_after=500)
    log, where = tmp_path / "log.jsonl", {"p": ("127.0.0.9", 2699)}
    messages = [bench.injecting.Addressed("a@b.test", f"u{number}@p") for number in range(100)]
    with bench.receivers.Receivers({"p": how}, where, log, time.time()):
        refusals = []
        for each in messages:
            try:
                bench.injecting.hand_over(2699, [each], 1000.0, 1, "127.0.0.9")
            except RuntimeError as problem:
                refusals.append(str(problem))
    refused = len(refusals)
    assert 10 < refused < 50
    assert all("550 5.1.1" in each for each in refusals)
    rows = [line for line in log.read_text().splitlines() if line]
    assert len(rows) == 100
    assert sum('"hard"' in row for row in rows) == refused


def test_a_port_that_is_taken_is_told(bench, tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        mta = SimpleNamespace(port=port)
        with pytest.raises(RuntimeError, match=f"port {port} is taken already"):
            bench.mtas.mta.Mta.__enter__(mta)


@pytest.mark.mta
@pytest.mark.parametrize("mta", SHORT)
def test_an_mta_does_what_its_configuration_predicts(bench, mta) -> None:
    """All trials of an MTA in one test, since only one at a time can have its port."""
    if reason := bench.mtas.MTAS[mta].missing():
        pytest.skip(reason)
    port = 2600 + 10 * list(SHORT).index(mta)
    trials = {each.name: each for each in bench.trials.TRIALS if each.mta == mta}
    for name, messages in SHORT[mta].items():
        with tempfile.TemporaryDirectory(prefix="sendcap-bench-") as folder:
            # The user postfix has to reach it, too.
            Path(folder).chmod(0o755)
            trial = replace(trials[name], messages=messages, most_s=60.0)
            assert differences(bench, trial, Path(folder), port) == []


def differences(bench: SimpleNamespace, trial: Any, folder: Path, port: int) -> list[str]:
    """Return what is not as predicted."""
    mta = bench.mtas.MTAS[trial.mta](trial, folder / trial.mta, port)
    predicted = bench.predicting.Predicted(bench.predicting.scenario_of(mta, folder))
    found = bench.measuring.measured(mta, folder)
    assert found.left == 0
    assert (found.attempts["event"] == "accepted").sum() == trial.messages
    assert not Path(f"/proc/{mta.pid}").exists()
    row = bench.comparing.row_of(trial, predicted, found)
    assert row["predicted attempts"] == pytest.approx(row["measured attempts"], abs=0.1)
    return [
        f"{trial.name}, {pct} %: {row[f'predicted {pct} %']:.1f} s, not {measured_s:.1f} s"
        for pct, measured_s in ((pct, row[f"measured {pct} %"]) for pct in (50, 90, 99))
        # A busy machine is slower by a second or so; a wrong mechanism is off by half.
        if abs(row[f"predicted {pct} %"] - measured_s) >= 1.5 + 0.15 * measured_s
    ]
