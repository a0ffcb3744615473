"""``sendcap people`` shows whom deliveries went to; other runs say what they lack."""

from __future__ import annotations

import pytest

import sendcap as package
from sendcap.readings.people import people_sentences

# Of 100 people 20 are dead; a hard bounce is known at once, and fatigue holds the third one up.
PEOPLE = """
title = "A club"
start = 2026-11-02T09:00:00
[population]
size = 100
providers = { gmail = 1.0 }
fatigue = { max = 1, period = "2d" }
[[deliveries]]
name = "letter"
every = "7d"
times = 2
[[deliveries]]
name = "[bold]again[/bold]"
at = "8d"
[relay]
batch_time = "1s"
[providers.gmail]
connect_time = "100ms"
transaction_time = "200ms"
hard = [{ reason = "user unknown", share = 0.2 }]
"""


@pytest.fixture(scope="module")
def run_of_people(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    (folder / "people.toml").write_text(PEOPLE)
    return package.simulate(folder / "people.toml").save(folder / "run")


def lines(result) -> list[str]:
    assert result.exit_code == 0, result.stderr
    return [" ".join(line.split()) for line in result.stdout.splitlines()]


def test_the_tables_are_those_of_the_api(sendcap, run_of_people) -> None:
    shown = lines(sendcap("people", str(run_of_people)))
    run = package.open_run(run_of_people)
    one, two, three = run.preparations().to_dict("records")
    dead = two["quarantined"]
    assert dead > 10
    assert shown[0] == "Preparations: people targeted, excluded, and to deliver"
    assert "letter 1 Mon 2 Nov 09:00 100 0 0" in shown
    assert f"letter 2 Mon 9 Nov 09:00 100 0 {dead}" in shown
    assert f"[bold]again[/bold] Tue 10 Nov 09:00 100 0 {dead}" in shown
    assert "letter 1 0 0 100" in shown
    assert f"letter 2 0 0 {100 - dead}" in shown
    assert f"[bold]again[/bold] 0 {100 - dead} 0" in shown
    assert (one["to_deliver"], three["to_deliver"]) == (100, 0)
    assert "The list" in shown
    assert f"Mon 9 Nov 09:00 100 {100 - dead} 0 {dead}" in shown
    assert "People by the messages that they got in a week" in shown
    assert f"Mon 2 Nov 09:00 {dead} {100 - dead}" in shown
    text = " ".join(shown)
    for sentence in people_sentences(run):
        assert sentence in text


def test_no_line_is_wider_than_a_terminal(sendcap, run_of_people) -> None:
    out = sendcap("people", str(run_of_people)).stdout
    assert max(map(len, out.splitlines())) <= 80


def test_of_very_many_rows_the_last_are_shown(sendcap, place) -> None:
    (place / "daily.toml").write_text(
        PEOPLE.replace('every = "7d"\ntimes = 2', 'every = "1d"\ntimes = 50')
    )
    shown = lines(sendcap("run", "daily.toml", "--out", "out"))
    assert "The last 12 of 51 rows." in shown
    assert not any(line.startswith("letter 38 ") for line in shown)
    shown = lines(sendcap("people", "out"))
    assert "The last 40 of 51 rows." in shown
    assert sum(line.startswith("letter 50 ") for line in shown) == 2


def test_a_horizon_may_come_before_all_preparations(sendcap, place) -> None:
    late = PEOPLE.replace('name = "letter"', 'name = "letter"\nat = "2d"')
    (place / "late.toml").write_text(f'{late}\n[time]\nhorizon = "1d"\n')
    result = sendcap("run", "late.toml", "--out", "out")
    assert "Nothing was prepared before the horizon." in lines(result)
    shown = lines(sendcap("people", "out"))
    assert "Nothing was prepared before the horizon." in shown
    assert sendcap("plot", "out", "people").exit_code == 0


def test_a_run_shows_its_people_below_the_dashboard(sendcap, place) -> None:
    (place / "people.toml").write_text(PEOPLE)
    shown = lines(sendcap("run", "people.toml", "--out", "out"))
    dashboard = shown.index("Preparations: people targeted, excluded, and to deliver")
    assert shown.index("The dashboard, and the truth") < dashboard
    assert dashboard < shown.index("Deliveries: messages at the MTA")
    text = " ".join(shown)
    for sentence in people_sentences(package.open_run("out")):
        assert text.count(sentence) == 1


def test_a_run_without_a_population_shows_no_people(sendcap, place) -> None:
    shown = lines(sendcap("run", "small.toml", "--out", "out"))
    assert not any(line.startswith("Preparations") for line in shown)
    result = sendcap("people", "out")
    assert result.exit_code == 2
    assert result.stderr == (
        "error: the scenario has no [population]; give it one to follow its people\n"
    )


@pytest.mark.parametrize(
    ("directory", "message"),
    [
        ("none", "error: none: no such directory\n"),
        ("small.toml", "error: small.toml: is a file; give the directory of a saved run\n"),
        (".", "error: .: is not a saved run: it has no ledger.parquet\n"),
    ],
)
def test_another_directory_is_refused(sendcap, place, directory, message) -> None:
    result = sendcap("people", directory)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == message


def test_damaged_people_are_refused(sendcap, place, run_of_people) -> None:
    run = package.open_run(run_of_people).save(place / "here")
    (run / "people.json").write_text("{}")
    result = sendcap("people", "here")
    assert result.exit_code == 2
    assert "here/people.json: has changed since it was saved" in result.stderr
    result = sendcap("check", "here")
    assert "here/people.json: has changed since it was saved" in result.stderr


def test_a_check_tells_messages_before_exclusions(sendcap, place) -> None:
    (place / "people.toml").write_text(PEOPLE)
    (line,) = lines(sendcap("scenario", "check", "people.toml"))
    assert line.startswith("ok: A club: 300 messages before exclusions, 3 deliveries, 1 provider")
