from __future__ import annotations

import re
from subprocess import DEVNULL

QUICK = """
relay = { batch_time = "1s" }
providers.p = { connect_time = "100ms", transaction_time = "200ms", transient = 0.01 }
[[deliveries]]
name = "d"
messages = 20_000
validity = "6h"
audience = { p = 1.0 }
"""


def test_sessions_at_once_have_their_pages_numbers_and_charts(
    benchmark, warm, tmp_path, monkeypatch, capsys
) -> None:
    file = tmp_path / "quick.toml"
    file.write_text(QUICK)
    command = ["-m", "sendcap", "explore", file, "--no-open"]
    monkeypatch.setattr(benchmark, "SCENARIO", str(file))
    monkeypatch.setattr(
        benchmark,
        "started",
        lambda: warm.start(command, stderr=DEVNULL, forks=True, sketched=True),
    )
    with benchmark.served() as (process, session):
        benchmark.measure(process, session, 2, rests_s=0.0)

    told = capsys.readouterr().out
    assert len(re.findall(r"^\| .* \| \d+\.\d s \| \d+\.\d s \|$", told, re.MULTILINE)) == 5
    assert "MiB before" in told


def test_every_session_moves_to_a_place_of_its_own_twice(benchmark) -> None:
    first, second = benchmark.moves(20)
    assert len({str(move) for move in first + second}) == 40
