from __future__ import annotations

import re


def test_calendar_shows_and_saves_a_programme(sendcap, place) -> None:
    result = sendcap("calendar", "small.toml")
    assert result.exit_code == 0
    assert result.stderr == ""
    for text in ("99 % accepted", "Settled", "Beside: deliveries that use the relay or a queue"):
        assert text in result.stdout
    saved = {path.name for path in (place / "runs" / "small-calendar").iterdir()}
    assert {"scenario.toml", "calendar.csv", "calendar.png"} <= saved
    assert "deadline.csv" not in saved


def test_the_share_that_is_asked_for_has_a_column(sendcap) -> None:
    for share in ("50 %", "90 %", "75 %"):
        result = sendcap("calendar", "small.toml", "--share", share, "--out", share)
        found = set(re.findall(r"\d+ % accepted", " ".join(result.stdout.split())))
        assert found == {f"{share} accepted"}


def test_with_a_deadline_it_says_who_is_late(sendcap) -> None:
    result = sendcap(
        *("calendar", "small.toml", "--deadline", "21m", "--replications", "3", "--out", "found"),
        *("--set", 'mta.retry.first="30m"', "--workers", "1"),
    )
    assert result.exit_code == 0
    assert "Deadline 21m: 99 % accepted by then, in 3 simulations" in result.stdout
    assert "100 % (29 to 100 %)" not in result.stdout
    assert "news: nothing that was tried makes it hold." in result.stdout


def test_it_shows_the_dashboard_of_each_delivery_at_a_moment(sendcap) -> None:
    result = sendcap("calendar", "small.toml", "--at", "10m", "--out", "found")
    assert result.exit_code == 0
    assert "The dashboard at t = 10m" in result.stdout
    _, _, dashboards = result.stdout.partition("The dashboard at")
    assert re.search(r"^news +400 +9\d\.\d\d  finished$", dashboards, re.MULTILINE)
    assert re.search(r"^\[bold\]loyalty\[/bold\] +0 +–  start pending$", dashboards, re.MULTILINE)


def test_a_time_by_the_clock_needs_a_start(sendcap) -> None:
    result = sendcap("calendar", "small.toml", "--at", "17:00", "--out", "found")
    assert result.exit_code == 2
    assert "--at:" in result.stderr
    assert "has no start" in result.stderr


def test_many_deliveries_are_a_row_for_each_parent(sendcap) -> None:
    result = sendcap(
        *("calendar", "small.toml", "--set", 'deliveries[0].every="1d"'),
        *("--set", "deliveries[0].times=40", "--out", "found"),
    )
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["news", "40", "16,000", "0s"] in [row[:4] for row in rows]


def test_options_of_many_simulations_need_a_deadline(sendcap) -> None:
    result = sendcap("calendar", "small.toml", "--replications", "3")
    assert result.exit_code == 2
    assert "--replications goes with --deadline" in result.stderr


def test_it_says_which_day_was_understood_and_who_is_left_out(sendcap) -> None:
    result = sendcap(
        *("calendar", "small.toml", "--set", "start=2026-11-27T08:00:00"),
        *("--set", "deliveries[1].at=07:50", "--deadline", "Fri 08:30"),
        *("--replications", "2", "--workers", "1", "--out", "found"),
    )
    assert result.exit_code == 0, result.stderr
    assert "Deadline Fri 27 Nov 08:30: 99 % accepted by then" in result.stdout
    shown = " ".join(result.stdout.split())
    assert "Left out, as they are not all ready before the deadline: [bold]loyalty" in shown
    assert 'at = "07:50" is Sat 28 Nov 07:50, the first after the start, Fri 27 Nov' in shown
    late = sendcap(
        *("calendar", "found/scenario.toml", "--deadline", "Thu 12:00", "--replications", "2"),
        *("--workers", "1", "--out", "late"),
    )
    assert "Deadline Thu 3 Dec 12:00" in late.stdout
    assert "Left out" not in late.stdout
