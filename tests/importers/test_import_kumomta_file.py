"""A whole traffic shaping file of our own: every block, every mistake, every line."""

from __future__ import annotations

from pathlib import Path

import pytest

from sendcap.importers import import_kumomta
from sendcap.scenario import Suspend, loads

SHAPING = Path(__file__).parent / "shaping.toml"


@pytest.mark.parametrize(
    ("name", "connections", "deliveries", "idle_s", "ceiling_per_s"),
    [
        ("other", 10, 100, 60, 100),
        ("google", 5, 50, 60, 50 * 100 / 60),
        ("gmail", 5, 50, 60, 50 * 100 / 60),
        ("kpn", 10, 10, 60, 10 * 100 / 60),
        ("comcast.net", 25, 1000, 30, 100),
        ("comcast", 25, 1000, 30, 100),
    ],
)
def test_limits_are_those_of_the_block(
    name, connections, deliveries, idle_s, ceiling_per_s
) -> None:
    made = import_kumomta(SHAPING, {name: 1.0}, other_domains=1)
    provider = made.scenario.providers[name]
    assert provider.connections_per_ip == connections
    assert provider.messages_per_connection == deliveries
    assert provider.idle_timeout == idle_s
    reconnecting_per_s = provider.connection_rate.per_s * deliveries
    assert min(provider.rate.per_s, reconnecting_per_s) == pytest.approx(ceiling_per_s)
    assert loads(made.text) == made.scenario


def test_the_most_specific_rule_counts() -> None:
    made = import_kumomta(SHAPING, {"google": 0.5, "other": 0.5}).scenario
    assert made.suspend_of("google") == (Suspend(after=1, within="1m", lasts="30m", rate="1/m"),)
    assert made.suspend_of("other") == (
        Suspend(after=1, within="1m", lasts="90m", meanwhile="retry"),
    )


def test_mistakes_in_the_file_are_warnings() -> None:
    report = import_kumomta(SHAPING).report
    warnings = report[report["status"] == "warning"].set_index("setting")["why"]
    assert 'belongs to provider "google"' in warnings['provider "gmail"']
    assert "ends with a dot" in warnings['provider "kpn" MXSuffix']


def test_the_report_names_the_line_of_each_setting() -> None:
    lines = SHAPING.read_text().splitlines()
    report = import_kumomta(SHAPING).report
    rows = [row for row in report.to_dict("records") if row["where"]]
    for row in rows:
        number = int(row["where"].rpartition(":")[2])
        key = row["setting"].split()[0 if "×" in row["setting"] else -1]
        if key.isidentifier() and key not in ("automation", "MXSuffix"):
            assert lines[number - 1].startswith(key), row
    assert len(rows) > 10
