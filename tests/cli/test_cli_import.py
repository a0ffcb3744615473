from __future__ import annotations

import csv
import io

import pytest

import sendcap as package

SHAPING = """
["default"]
connection_limit = 10
max_deliveries_per_connection = 50
max_message_rate = "100/s"
enable_tls = "Required"
[["default".automation]]
regex = "temporarily deferred"
action = "Suspend"
duration = "2 hours"
[provider."google"]
match = [{MXSuffix = ".google.com"}]
provider_connection_limit = 5
[provider."gmail"]
max_deliveries_per_connection = 7
"""


@pytest.fixture
def shaping(place) -> str:
    (place / "shaping.toml").write_text(SHAPING)
    return "shaping.toml"


def test_a_configuration_becomes_a_scenario_that_runs(sendcap, place, shaping) -> None:
    result = sendcap(
        "import", "kumomta", shaping, "-o", "scenario.toml",
        "--audience", "gmail=0.6,yahoo=0.3,other=0.1", "--messages", "500", "--ips", "2",
    )  # fmt: skip
    assert result.exit_code == 0
    assert result.stderr == ""
    scenario = package.load(place / "scenario.toml")
    assert scenario.deliveries[0].messages == 500
    assert scenario.mta.ips == 2
    assert scenario.providers["gmail"].connections_per_ip == 5
    assert "500 messages" in sendcap("scenario", "check", "scenario.toml").stdout
    assert sendcap("run", "scenario.toml", "--out", "my-run").exit_code == 0
    assert sendcap("limits", "scenario.toml", "--out", "my-limits").exit_code == 0


def test_the_report_tells_limits_warnings_and_reasons(sendcap, shaping) -> None:
    text = sendcap("import", "kumomta", shaping).stdout
    limits = next(line for line in text.splitlines() if line.startswith("gmail"))
    assert limits.split()[:5] == ["gmail", "5", "50", "5s", "100/s"]
    assert "1 in 1m: pause for 2h" in limits
    assert 'provider "gmail": has no match list' in text
    assert 'times and bounces from provider "gmail" of quickstart' in text
    assert "- enable_tls: TLS takes no time" in text
    assert "--report DIR saves every setting" in text


def test_without_a_place_nothing_is_written(sendcap, place, shaping) -> None:
    before = sorted(place.iterdir())
    assert sendcap("import", "kumomta", shaping).exit_code == 0
    assert sorted(place.iterdir()) == before


def test_the_whole_report_is_a_table(sendcap, place, shaping) -> None:
    result = sendcap("import", "kumomta", shaping, "--report", "report")
    assert "Saved in report: settings.csv" in result.stdout
    rows = list(csv.DictReader(io.StringIO((place / "report" / "settings.csv").read_text())))
    found = {row["setting"]: row for row in rows}
    assert found["enable_tls"]["where"] == "shaping.toml:6"
    assert found["enable_tls"]["status"] == "not used"


def test_a_file_is_replaced_only_if_forced_and_nothing_is_half_written(
    sendcap, place, shaping
) -> None:
    (place / "there").write_text("mine")
    arguments = ("import", "kumomta", shaping, "--out", "there", "--report", "other")
    result = sendcap(*arguments)
    assert result.exit_code == 2
    assert "there: already exists" in result.stderr
    assert (place / "there").read_text() == "mine"
    assert not (place / "other").exists()
    assert sendcap(*arguments, "--force").exit_code == 0
    assert (place / "there").read_text() != "mine"
    assert (place / "other").exists()


def test_a_report_is_replaced_only_if_forced_and_nothing_is_half_written(
    sendcap, place, shaping
) -> None:
    (place / "there").mkdir()
    (place / "there" / "settings.csv").write_text("mine")
    arguments = ("import", "kumomta", shaping, "--report", "there", "--out", "other")
    result = sendcap(*arguments)
    assert result.exit_code == 2
    assert "there: already exists" in result.stderr
    assert (place / "there" / "settings.csv").read_text() == "mine"
    assert not (place / "other").exists()
    assert sendcap(*arguments, "--force").exit_code == 0
    assert (place / "there" / "settings.csv").read_text() != "mine"
    assert (place / "other").exists()


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_report_replaces_nothing_but_a_report(sendcap, place, shaping, force) -> None:
    (place / "file").write_text("mine")
    (place / "folder").mkdir()
    (place / "folder" / "notes").write_text("mine")
    for name in ("file", "folder"):
        arguments = ("import", "kumomta", shaping, "--report", name, "--out", "other", *force)
        assert sendcap(*arguments).exit_code == 2
    assert (place / "file").read_text() == (place / "folder" / "notes").read_text() == "mine"
    assert not (place / "other").exists()


def test_a_report_is_not_a_file_any_more(sendcap, place, shaping) -> None:
    result = sendcap("import", "kumomta", shaping, "--report", "report.csv")
    assert result.exit_code == 2
    assert "--report: report.csv looks like a file; name a directory" in result.stderr
    assert not (place / "report.csv").exists()


def test_the_other_mtas_are_imported_as_well(sendcap, place) -> None:
    (place / "main.cf").write_text("gmail_destination_concurrency_limit = 4\n")
    (place / "master.cf").write_text("gmail unix - - n - 3 smtp\n")
    (place / "transport").write_text("gmail.com gmail:\n")
    (place / "retry").write_text("* * F,2h,15m; F,4d,6h\n")
    (place / "pmta").write_text("<domain gmail.com>\nmax-smtp-out 6\n</domain>\n")
    (place / "audience.csv").write_text("domain,count\ngmail.com,90\nsome.org,10\n")
    audience = ("--audience", "audience.csv")
    for arguments, name, connections in (
        (("postfix", "main.cf", "--master", "master.cf", "--transport", "transport"), "gmail", 3),
        (("powermta", "pmta"), "gmail.com", 6),
        (("exim", "retry"), "gmail", 5),
    ):
        out = f"{arguments[0]}.toml"
        assert sendcap("import", *arguments, *audience, "-o", out).exit_code == 0
        scenario = package.load(place / out)
        assert scenario.providers[name].connections_per_ip == connections
        assert scenario.deliveries[0].audience == {name: 0.9, "other": 0.1}
        assert scenario.deliveries[0].messages == 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["kumomta"], "Missing argument"),
        (["kumomta", "nothing.toml"], "nothing.toml: No such file"),
        (["kumomta", "shaping.toml", "--audience", "x"], 'audience: "x"'),
        (["kumomta", "small.toml"], "small.toml: is a scenario file, not a KumoMTA shaping file; "),
        (["kumomta", "shaping.toml", "--audience", ""], "is empty"),
        (["kumomta", "shaping.toml", "--messages", "0"], "0 is not 1 or more"),
        (["kumomta", "shaping.toml", "--base", "nothing"], "nothing: no such file, and no preset"),
        (["kumomta", "shaping.toml", "-o", "."], "is a directory"),
        (["kumomta", "shaping.toml", "-o", "x", "--report", "x"], "have the same name"),
        (["kumomta", "shaping.toml", "--mx", "nothing"], "nothing: No such file"),
        (["postfix", "shaping.toml"], "is a KumoMTA shaping file, not a Postfix configuration"),
        (["powermta", "shaping.toml"], "is a KumoMTA shaping file, not a PowerMTA configuration"),
        (["exim", "shaping.toml"], "is a KumoMTA shaping file, not an Exim configuration file; "),
        (["sendmail", "x"], "No such command 'sendmail'"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(sendcap, place, shaping, arguments, message) -> None:
    before = sorted(place.iterdir())
    result = sendcap("import", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("error: ")
    assert sorted(place.iterdir()) == before


def test_without_an_mta_the_help_is_shown(sendcap) -> None:
    result = sendcap("import")
    assert result.exit_code == 0
    assert "powermta" in result.stdout


def test_kumomtas_retries_are_those_of_its_queue_file(sendcap, place, shaping) -> None:
    (place / "queue.toml").write_text("[queue.default]\nretry_interval = '17 mins'\n")
    sendcap("import", "kumomta", shaping, "--queue", "queue.toml", "-o", "scenario.toml")
    assert package.load(place / "scenario.toml").mta.retry.retry_interval == 1020


@pytest.mark.parametrize(
    ("mta", "text"),
    [
        ("kumomta", '[rules]\nQuota = ["full"]\n'),
        ("exim", "retry_interval_max = 8h\nbegin retry\n* * F,4d,1h\n"),
    ],
)
def test_a_report_with_a_part_that_is_empty_is_shown(sendcap, place, mta, text) -> None:
    (place / "config.toml").write_text(text)
    result = sendcap("import", mta, "config.toml", "-o", "scenario.toml")
    assert result.exit_code == 0
    assert result.stdout.endswith("Scenario: scenario.toml\n")


def test_limits_over_several_and_new_connections_are_shown(sendcap, place) -> None:
    (place / "shaping.toml").write_text(
        '["default"]\nmax_connection_rate = "30/m"\nadditional_connection_limits = { all = 70 }\n'
        '[provider."google"]\nmatch = [{MXSuffix = ".google.com"}]\n'
        'additional_message_rate_throttles = { "day" = "1,000,000/day" }\n'
    )
    audience = ("--audience", "gmail=0.5,googlemail.com=0.4,other=0.1")
    text = sendcap("import", "kumomta", "shaping.toml", *audience).stdout
    assert "30/m" in text
    assert "Limit all, over all together: 70 connections" in text
    assert "Limit day, over gmail, googlemail.com together: 1000000/d" in text
    plain = sendcap("import", "kumomta", "shaping.toml", "--audience", "gmail=1").stdout
    assert "Limit day, over all together" in plain
