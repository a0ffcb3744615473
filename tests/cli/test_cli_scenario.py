from __future__ import annotations

import json

import sendcap as package
from sendcap import scenario as scenarios


def test_list_names_each_preset_with_a_line(sendcap) -> None:
    lines = sendcap("scenario", "list").stdout.splitlines()
    first = [line for line in lines if not line.startswith(" ")]
    assert [line.split()[0] for line in first] == list(scenarios.presets())
    assert all(len(line.split()) > 2 for line in first)
    assert max(map(len, lines)) <= 80


def test_show_prints_a_scenario_that_is_the_same(sendcap) -> None:
    for source in ("small.toml", "quickstart"):
        text = sendcap("scenario", "show", source).stdout
        assert scenarios.loads(text) == package.load(source)


def test_check_tells_the_facts_of_a_good_scenario(sendcap) -> None:
    result = sendcap("scenario", "check", "small.toml")
    assert result.exit_code == 0
    assert result.stdout.startswith("ok: ")
    assert "500 messages, 2 deliveries, 2 providers, seed 3, modes without-efs" in result.stdout
    assert result.stdout.count("\n") == 1


def test_check_fails_on_a_bad_scenario(sendcap, place) -> None:
    (place / "bad.toml").write_text("title = 3")
    result = sendcap("scenario", "check", "bad.toml")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert all(line.startswith("error: bad.toml: ") for line in result.stderr.splitlines())


def test_schema_is_the_json_schema(sendcap) -> None:
    assert json.loads(sendcap("scenario", "schema").stdout) == scenarios.schema()


def test_without_a_command_the_help_is_shown(sendcap) -> None:
    result = sendcap("scenario")
    assert result.exit_code == 0
    assert "schema" in result.stdout


def test_show_prints_a_preset_with_its_comments(sendcap) -> None:
    text = sendcap("scenario", "show", "quickstart").stdout
    assert text.startswith("# ")
    assert text == scenarios.preset_text("quickstart")
    resolved = sendcap("scenario", "show", "quickstart", "--resolved").stdout
    assert "#" not in resolved
    assert scenarios.loads(resolved) == package.load("quickstart")


def test_show_effective_says_settings_in_lines_of_80_letters(sendcap) -> None:
    text = sendcap("scenario", "show", "black-friday", "--effective", "--set", "mta.ips=2").stdout
    assert max(map(len, text.splitlines())) <= 80
    every, *groups = text.split("\n\n")
    assert every.startswith("Every queue\n  Rate          100/s each IP = 200/s (200 at once)\n")
    assert [group.partition(":")[0] for group in groups] == [
        "gmail and outlook",
        "yahoo",
        "icloud",
        "comcast",
        "other",
    ]
    assert groups[0].splitlines()[1:] == [
        "  Connections   5 each IP = 10, opened as needed; closed when idle for 1m or",
        "                after 50 attempts",
    ]


def test_show_effective_of_one_queue_says_all_of_it(sendcap) -> None:
    change = "deliveries[0].audience={ gmail = 1.0 }"
    text = sendcap("scenario", "show", "quickstart", "--effective", "--set", change).stdout
    assert text.startswith("gmail: 8 IPs together\n  Connections ")
    assert "\n\n" not in text


def test_show_takes_either_resolved_or_effective(sendcap) -> None:
    result = sendcap("scenario", "show", "quickstart", "--resolved", "--effective")
    assert result.exit_code == 2
    assert "--resolved and --effective: give one, not both" in result.stderr
