"""The traffic shaping that KumoMTA ships: every provider's value, every slip in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sendcap
from sendcap.importers import import_kumomta
from sendcap.scenario import Rate, Suspend, loads, to_dict

BASE, COMMUNITY = "policy-extras-shaping", "community-shaping"
ALL = (BASE, COMMUNITY, "community-bounces", "bounce_classifier-iana")


@pytest.fixture
def imported(shipped):
    def make(audience: str | None, *names: str, **options):
        return import_kumomta(shipped(*(names or (BASE, COMMUNITY))), audience, **options)

    return make


@pytest.mark.parametrize(
    ("name", "connections", "deliveries", "idle_s", "ceiling_per_s"),
    [
        # The default block, and the ceilings that KumoMTA works out: min(100/s, K × 100/min).
        ("other", 10, 100, 60, 100),
        ("google", 5, 50, 60, 50 * 100 / 60),
        ("yahoo", 10, 20, 60, 20 * 100 / 60),
        ("outlook", 5, 50, 60, 50 * 100 / 60),
        ("office365", 5, 50, 60, 50 * 100 / 60),
        ("office365-dane", 5, 50, 60, 50 * 100 / 60),
        ("apple", 10, 5, 60, 5 * 100 / 60),
        ("comcast.net", 25, 1000, 30, 100),
        ("mimecast", 10, 100, 60, 100),
        ("orange", 2, 100, 60, 100),
        ("mail.com", 10, 100, 60, 100),
        ("gmx.net_web.de", 4, 20, 60, 20 * 100 / 60),
        ("yahoo.co.jp", 2, 20, 60, 10),
        ("qq.com", 4, 8, 60, 8 * 100 / 60),
        ("163.com", 4, 7, 60, 7 * 100 / 60),
        ("barracuda", 10, 15, 60, 15 * 100 / 60),
        ("netvigator", 5, 10, 60, 10 * 100 / 60),
        ("kpn", 10, 10, 60, 10 * 100 / 60),
        ("smtp.mailgun.com", 7000, 3, 60, 3 * 100 / 60),
        ("example.com", 3, 100, 60, 100),
    ],
)
def test_each_providers_limits_are_those_of_its_block(
    imported, name, connections, deliveries, idle_s, ceiling_per_s
) -> None:
    made = imported({name: 1.0}, other_domains=1).scenario
    provider = made.providers[name]
    assert provider.connections_per_ip == connections
    assert provider.messages_per_connection == deliveries
    assert provider.idle_timeout == idle_s
    assert isinstance(provider.rate, Rate)
    connects = provider.connection_rate
    assert min(provider.rate.per_s, connects.per_s * deliveries) == pytest.approx(ceiling_per_s)
    # Each throttle has a burst of its own.
    assert provider.rate.burst_or_limit <= 100
    assert connects.burst_or_limit == 100
    assert provider.connection_scaling == "kumomta"


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("gmail", "google"),
        ("gmail.com", "google"),
        ("googlemail.com", "google"),
        ("aol", "yahoo"),
        ("hotmail", "outlook"),
        ("icloud", "apple"),
        ("wanadoo.fr", "orange"),
        ("gmx.de", "gmx.net_web.de"),
        ("web.de", "gmx.net_web.de"),
        ("comcast", "comcast.net"),
    ],
)
def test_a_well_known_name_finds_its_block_by_the_mx_hosts(imported, name, block) -> None:
    limits = [
        (
            each.connections_per_ip,
            each.messages_per_connection,
            each.rate,
            each.connection_rate,
            each.idle_timeout,
        )
        for each in imported({name: 0.5, block: 0.5}).scenario.providers.values()
    ]
    assert limits[0] == limits[1]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("google", Suspend(after=1, within="1m", lasts="90m", rate="1/m")),
        ("yahoo", Suspend(after=1, within="1m", lasts="2h", meanwhile="retry")),
        ("outlook", Suspend(after=3, within="1h", lasts="30m", meanwhile="retry")),
        ("apple", Suspend(after=5, within="1h", lasts="15m", meanwhile="retry")),
        ("yahoo.co.jp", Suspend(after=2, within="1h", lasts="1h", meanwhile="retry")),
        ("comcast.net", Suspend(after=1, within="1m", lasts="5m", meanwhile="retry")),
        ("qq.com", Suspend(after=5, within="1h", lasts="1h", meanwhile="retry")),
        ("netvigator", Suspend(after=3, within="1h", lasts="30m", meanwhile="retry")),
    ],
)
def test_each_providers_rule_is_the_most_specific_about_sending_too_much(
    imported, name, rule
) -> None:
    assert imported({name: 1.0}).scenario.suspend_of(name) == (rule,)


def test_a_rule_for_connections_is_the_rate_that_they_carry(imported) -> None:
    # Orange: "Trop de connexions" leaves one connection for an hour. An attempt of the base's
    # "other" takes 0.7 s, and 0.9 s for a connection every 100 attempts.
    (rule,) = imported({"orange": 1.0}).scenario.suspend_of("orange")
    assert (rule.after, rule.within, rule.lasts) == (2, 3600, 3600)
    assert rule.rate.per_s == pytest.approx(1 / (0.7 + 0.9 / 100), rel=1e-3)


def test_without_the_community_file_the_default_rule_holds_for_all_but_yahoo(imported) -> None:
    made = imported(None, BASE).scenario
    assert made.mta.suspend == Suspend(after=1, within="1m", lasts="90m", rate="1/m")
    own = [name for name, each in made.providers.items() if each.suspend != "mta"]
    assert own == ["yahoo"]


def test_all_four_files_import_together_and_the_scenario_loads(imported, tmp_path) -> None:
    made = imported(None, *ALL)
    path = made.save(tmp_path / "scenario.toml")
    assert sendcap.load(path) == made.scenario == loads(made.text)
    assert len(made.report[made.report["setting"].str.startswith("rules ")]) > 10


@pytest.mark.parametrize("name", ALL)
def test_each_file_imports_by_itself(imported, name) -> None:
    assert imported(None, name).scenario.providers


def test_the_slips_in_the_shipped_files_are_told(imported) -> None:
    report = imported(None).report
    warnings = report[report["status"] == "warning"].set_index("setting")["why"]
    assert "never apply" in warnings['provider "gmail"']
    assert '"google"' in warnings['provider "gmail"']
    for name in ("barracuda", "netvigator", "kpn"):
        assert "ends with a dot" in warnings[f'provider "{name}" MXSuffix']
    assert "backslash" in warnings['provider "apple" automation']
    assert "tolerance" in warnings["suspend"]
    assert len(warnings) == 6


def test_the_report_names_the_line_of_each_setting(imported) -> None:
    report = imported(None).report
    assert {"enable_tls", "data_timeout", "remember_broken_tls"} <= set(report["setting"])
    checked = 0
    for row in report[report["where"] != ""].to_dict("records"):
        path, _, line = row["where"].rpartition(":")
        text = Path(path).read_text().splitlines()[int(line) - 1]
        key = row["setting"].split()[-1]
        if "×" in row["setting"]:
            assert text.startswith("max_connection_rate"), row
        elif key.isidentifier() and key not in ("automation", "MXSuffix"):
            assert text.startswith(key), row
            checked += 1
        elif key == "automation":
            assert text.startswith("[["), row
            assert row["setting"].split('"')[-2] in text if '"' in row["setting"] else True
            checked += 1
    assert checked > 50


def test_what_the_files_do_not_hold_is_the_bases(imported) -> None:
    made = imported("gmail=0.5,orange=0.5").scenario
    base = sendcap.load("quickstart")
    for name, like in (("gmail", "gmail"), ("orange", "other")):
        for key in ("connect_time", "transaction_time", "hard", "faults", "transient"):
            assert getattr(made.providers[name], key) == getattr(base.providers[like], key)
    for key in ("relay", "feedback", "engagement", "reporting"):
        assert getattr(made, key) == getattr(base, key)
    assert made.mta.ips == base.mta.ips


def test_saturated_throughput_stays_below_kumomtas_own_ceiling(imported) -> None:
    base = to_dict(sendcap.load("quickstart"))
    made = imported({"icloud": 1.0}, messages=5000, ips=1).scenario
    data = to_dict(made)
    data["providers"]["icloud"] |= {"transaction_time": "1ms", "connect_time": "0s"}
    data["relay"], data["mta"]["ingress_rate"] = base["relay"], "none"
    scenario = sendcap.scenario.from_dict(json.loads(json.dumps(data, default=str)))
    run = sendcap.simulate(scenario)
    seconds = run.summary()["providers"]["icloud"]["accepted_99_pct_s"]
    # A hundred connections may be opened at once, each for five messages.
    assert (0.99 * 5000 - 100 * 5) / seconds <= 5 * 100 / 60
