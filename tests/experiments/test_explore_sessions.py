from __future__ import annotations

import re


def test_sessions_at_once_have_their_pages_numbers_and_charts(benchmark, capsys) -> None:
    with benchmark.served() as (process, session):
        benchmark.measure(process, session, 2, rests_s=0.0)

    told = capsys.readouterr().out
    assert len(re.findall(r"^\| .* \| \d+\.\d s \| \d+\.\d s \|$", told, re.MULTILINE)) == 5
    assert "MiB before" in told


def test_every_session_moves_to_a_place_of_its_own_twice(benchmark) -> None:
    first, second = benchmark.moves(20)
    assert len({str(move) for move in first + second}) == 40
