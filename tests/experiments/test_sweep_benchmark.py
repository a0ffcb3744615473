from __future__ import annotations

import re
from pathlib import Path
from subprocess import DEVNULL

import pandas as pd
import pytest


@pytest.fixture
def costs(benchmark, monkeypatch) -> list[tuple[str, int]]:
    """Sweeps of known costs, in the order in which they are carried out."""
    asked: list[tuple[str, int]] = []

    def carried_out(folder: Path, study: str, workers: int):
        asked.append((study, workers))
        # The second round is slower.
        cpu_s = (3.0 if workers == 1 else 3.3) + (0.1 if len(asked) > 2 else 0.0)
        return benchmark.Cost(cpu_s, simulations_s=1.0, wall_s=4.0 / workers, runs=100)

    monkeypatch.setattr(benchmark, "carried_out", carried_out)
    return asked


def test_the_overhead_is_what_the_simulations_did_not_take(benchmark, costs, capsys) -> None:
    benchmark.show_overhead(Path(), rounds=1)
    assert capsys.readouterr().out.splitlines() == [
        "overhead per run, 1 worker, 100 runs of 10 ms: 20.0 ms of CPU (target < 20 ms)",
        "overhead per run, 2 workers, 100 runs of 10 ms: 23.0 ms of CPU (target < 20 ms)",
    ]
    assert costs == [("short", 1), ("short", 2)]


def test_two_workers_are_compared_with_one_in_each_round(benchmark, costs, capsys) -> None:
    benchmark.show_two_workers(Path(), rounds=2)
    assert capsys.readouterr().out == (
        "CPU with two workers / one, 100 runs of 0.01 s: 1.10 times (1.10 to 1.10) "
        "(target ≤ 1.15); wall 0.50 times\n"
    )
    assert costs == [("long", 1), ("long", 2)] * 2


def test_a_sweep_is_measured_from_its_start_to_its_end(benchmark, tmp_path) -> None:
    benchmark.write_study(tmp_path / "short.toml", 2000, 3)
    cost = benchmark.carried_out(tmp_path, "short", 1)
    assert cost.runs == 3
    assert 0.0 < cost.simulations_s < cost.cpu_s
    assert cost.wall_s > 0.0
    assert list(tmp_path.iterdir()) == [tmp_path / "short.toml"]


def test_a_killed_sweep_ends_on_the_same_bytes(
    benchmark, warm, tmp_path, monkeypatch, capsys
) -> None:
    def started(folder: Path, study: str, out: Path, workers: int):
        command = ["-m", "sendcap", "sweep", f"{study}.toml", "--out", out, "--workers", workers]
        return warm.start(command, cwd=folder, stdout=DEVNULL, stderr=DEVNULL, forks=True)

    monkeypatch.setattr(benchmark, "started", started)
    benchmark.write_study(tmp_path / "short.toml", 2000, 10)
    benchmark.show_survival(tmp_path, kills=1)
    assert re.fullmatch(
        r"killed 1 times, with \d+ of 10 runs kept: the same bytes as undisturbed\n",
        capsys.readouterr().out,
    )
    table = pd.read_csv(tmp_path / "disturbed" / "results.csv")
    assert list(table["mta.ips"]) == list(range(1, 11))
