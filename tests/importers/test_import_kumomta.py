"""KumoMTA's traffic shaping: the grammar, the merge, the order in which settings hold."""

from __future__ import annotations

import json
import re

import pytest

import sendcap
from sendcap.errors import SendcapError
from sendcap.importers import import_kumomta
from sendcap.scenario import KumomtaRetry, Suspend

GOOGLE = """
["default"]
connection_limit = 10
max_message_rate = "100/s"
[provider."google"]
match = [{MXSuffix = ".google.com"}]
"""


@pytest.fixture
def provider(put):
    """The provider that files make of a domain, by its MX host in google.com."""

    def make(*texts: str, name: str = "gmail", **options):
        paths = [put(text, f"{number}.toml") for number, text in enumerate(texts)]
        return import_kumomta(paths, {name: 1.0}, **options).scenario.providers[name]

    return make


def test_without_any_settings_kumomtas_compiled_defaults_hold(provider) -> None:
    found = provider('["default"]')
    limits = (found.connections_per_ip, found.messages_per_connection, found.idle_timeout)
    assert limits == (32, 1024, 5)
    assert found.rate is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10", 10),
        ('"10"', 10),
        ('"1,000"', 1000),
        ('"1_000"', 1000),
        ('"local:5"', 5),
    ],
)
def test_limits_are_numbers_or_text(provider, text, expected) -> None:
    assert provider(f'["default"]\nconnection_limit = {text}').connections_per_ip == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100/s", "100/s"),
        ("local:100/15m", "100/900s"),
        ("1,000/hr,max_burst=1", "1000/h,max_burst=1"),
        ("2_000/day", "2000/d"),
        ("3/minute", "3/m"),
    ],
)
def test_throttles_are_kumomtas(provider, text, expected) -> None:
    assert str(provider(f'["default"]\nmax_message_rate = "{text}"').rate) == expected


ORDER = [
    ('["default"]', "default", 1),
    ('[provider."google"]\nconnection_limit = 2', "provider", 2),
    ('[provider."google".sources."a"]\nconnection_limit = 3', "its source", 3),
    ('["gmail.com"]\nconnection_limit = 4', "site", 4),
    ('["gmail.com".sources."a"]\nconnection_limit = 5', "site's source", 5),
]


@pytest.mark.parametrize("depth", range(1, len(ORDER) + 1), ids=[each[1] for each in ORDER])
def test_later_levels_hold_whatever_their_order_in_the_files(provider, depth) -> None:
    base = '["default"]\nconnection_limit = 1'
    match = '[provider."google"]\nmatch = [{MXSuffix = ".google.com"}]'
    parts = [text for text, *_ in ORDER[:depth]]
    assert provider(*reversed(parts), base, match, source="a").connections_per_ip == depth


def test_a_domain_by_itself_comes_after_its_site_and_before_their_sources(provider) -> None:
    site = '["googlemail.com"]\nconnection_limit = 4'
    domain = '["gmail.com"]\nmx_rollup = false\nconnection_limit = 6'
    source = '["googlemail.com".sources."a"]\nconnection_limit = 7'
    own = '["gmail.com"]\nmx_rollup = false\n["gmail.com".sources."a"]\nconnection_limit = 8'
    assert provider(GOOGLE, domain, site).connections_per_ip == 6
    assert provider(GOOGLE, domain, site, source, source="a").connections_per_ip == 7
    assert provider(GOOGLE, own, site, source, source="a").connections_per_ip == 8
    assert provider(GOOGLE, own, site, source, source="b").connections_per_ip == 4


def test_sources_are_left_out_unless_they_are_asked_for(put) -> None:
    path = put(f'{GOOGLE}[provider."google".sources."a"]\nconnection_limit = 3')
    made = import_kumomta(path, {"gmail": 1.0})
    assert made.scenario.providers["gmail"].connections_per_ip == 10
    assert any('source "a"' in setting for setting in made.report["setting"])
    wrong = import_kumomta(path, {"gmail": 1.0}, source="aa").report
    assert "no block has settings for it" in " ".join(wrong["why"])


def test_replace_base_drops_what_came_before_in_the_block_and_below_it(provider) -> None:
    before = '["gmail.com"]\nmax_deliveries_per_connection = 7\nconnection_limit = 4'
    later = '["gmail.com"]\nreplace_base = true\nconnection_limit = 5'
    # In a later file it replaces the block; the default is still below it.
    found = provider(GOOGLE, before, later)
    assert (found.connections_per_ip, found.messages_per_connection) == (5, 1024)
    assert str(found.rate) == "100/s"
    # In the first file that has the block, it replaces the default as well.
    assert provider(GOOGLE, later).rate is None


def test_of_named_limits_the_entries_are_merged(put) -> None:
    one = put('["default"]\nadditional_connection_limits = {a = 9, c = 3}', "1.toml")
    two = put('["default"]\nadditional_connection_limits = {b = 8, c = 4}', "2.toml")
    rates = put('["default"]\nadditional_message_rate_throttles = {a = "50/s", b = "40/s"}')

    def limits(*paths):
        made = import_kumomta([put(GOOGLE, "0.toml"), *paths], {"gmail": 1.0}).scenario
        return {each.name: each.connections or str(each.rate) for each in made.limits}

    assert limits(one, two) == {"a": 9, "b": 8, "c": 4}
    assert limits(two, one) == {"a": 9, "b": 8, "c": 3}
    assert limits(rates) == {"a": "50/s", "b": "40/s"}


def test_a_providers_own_limits_hold_besides_those_of_its_sites(provider) -> None:
    own = '[provider."google"]\nprovider_connection_limit = {}\nprovider_max_message_rate = "{}"'
    found = provider(own.format(5, "7/s"), GOOGLE)
    assert (found.connections_per_ip, list(map(str, found.rate))) == (5, ["100/s", "7/s"])
    found = provider(own.format(50, "700/s"), GOOGLE)
    assert (found.connections_per_ip, list(map(str, found.rate))) == (10, ["100/s", "700/s"])


def test_a_providers_rate_in_a_later_file_is_read_in_vain_as_in_kumomta(put) -> None:
    later = put('[provider."google"]\nprovider_max_message_rate = "7/s"', "later.toml")
    made = import_kumomta([put(GOOGLE), later], {"gmail": 1.0})
    assert str(made.scenario.providers["gmail"].rate) == "100/s"
    warning = made.report.set_index("setting").loc['provider "google" provider_max_message_rate']
    assert (warning["status"], "first file" in warning["why"]) == ("warning", True)


def test_warm_up_of_a_source_is_a_rate(provider) -> None:
    text = '["default"]\nsource_selection_rate = "100/day,max_burst=1"'
    assert list(map(str, provider(GOOGLE, text).rate)) == ["100/s", "100/d,max_burst=1"]
    text = '[provider."google".sources."a"]\nprovider_source_selection_rate = "500/d,max_burst=1"'
    found = provider(GOOGLE, text, source="a").rate
    assert list(map(str, found)) == ["100/s", "500/d,max_burst=1"]


def test_rate_and_reconnects_have_a_burst_each(provider) -> None:
    text = '["default"]\nmax_deliveries_per_connection = 50\nmax_connection_rate = "100/min"'
    found = provider(GOOGLE, text)
    assert (str(found.rate), str(found.connection_rate)) == ("100/s", "100/m")
    assert found.messages_per_connection == 50


def test_connections_are_opened_at_once_if_kumomta_does(provider) -> None:
    assert provider(GOOGLE).connection_scaling == "kumomta"
    text = '["default"]\naggressive_connection_opening = true'
    assert provider(GOOGLE, text).connection_scaling == "none"


@pytest.mark.parametrize(
    ("match", "hosts", "belongs"),
    [
        ('{MXSuffix = ".example.net"}', ["mx1.example.net", "mx2.example.net"], True),
        ('{MXSuffix = ".example.net"}', ["mx1.example.net.", "mx2.example.net."], True),
        ('{MXSuffix = ".example.net"}', ["mx1.example.net", "mx.elsewhere.org"], False),
        ('{MXSuffix = ".example.net."}', ["mx1.example.net."], False),
        ('{HostName = "mx1.example.net"}', ["mx1.example.net"], True),
        ('{HostName = "example.net"}', ["mx1.example.net"], False),
        ('{HostName = "a.net"}, {MXSuffix = ".b.net"}', ["a.net", "mx.b.net"], True),
        ('{DomainSuffix = ".org"}', [], True),
        ('{DomainSuffix = ".com"}', ["mx1.example.net"], False),
        ('{DomainSuffix = ".com"}, {MXSuffix = ".example.net"}', ["mx1.example.net"], True),
        ('{MXSuffix = ".example.net"}', [], False),
    ],
)
def test_a_domain_is_a_providers_if_all_of_its_mx_hosts_are(
    provider, match, hosts, belongs
) -> None:
    text = f'[provider."p"]\nmatch = [{match}]\nconnection_limit = 3'
    found = provider(text, name="some.org", mx={"some.org": hosts})
    assert found.connections_per_ip == (3 if belongs else 32)


def test_json_is_read_as_well(put) -> None:
    text = json.dumps({"default": {"connection_limit": 3, "max_message_rate": "9/s"}})
    found = import_kumomta(put(text, "shaping.json"), {"gmail": 1.0}).scenario.providers["gmail"]
    assert (found.connections_per_ip, str(found.rate)) == (3, "9/s")
    with pytest.raises(SendcapError, match=r"shaping\.json: not valid JSON: .*line 1"):
        import_kumomta(put("{", "shaping.json"))


RULE = """
[["default".automation]]
regex = "{regex}"
action = {action}
trigger = {trigger}
duration = "{duration}"
"""


@pytest.mark.parametrize(
    ("action", "trigger", "duration", "rule"),
    [
        (
            '"Suspend"',
            '"Immediate"',
            "2 hours",
            Suspend(after=1, within="1m", lasts="2h", meanwhile="retry"),
        ),
        (
            '"SuspendTenant"',
            '{Threshold="5/hr"}',
            "30m",
            Suspend(after=5, lasts="30m", meanwhile="retry"),
        ),
        (
            '{SetConfig={name="max_message_rate", value="10/minute"}}',
            '{Threshold="3/15m"}',
            "1h 30m",
            Suspend(after=3, within="15m", lasts="90m", rate="10/m"),
        ),
        (
            '["Bounce", {SetDomainConfig={name="max_message_rate", value="1/m"}}, "Suspend"]',
            '{Threshold="2/d"}',
            "1 hours",
            Suspend(after=2, within="1d", lasts="1h", meanwhile="retry"),
        ),
        # 100 deliveries on each of 6 connections a minute.
        (
            '{SetConfig={name="max_connection_rate", value="6/h"}}',
            '"Immediate"',
            "1h",
            Suspend(after=1, within="1m", lasts="1h", rate="600/h"),
        ),
        # Changes nothing, or has no counterpart.
        ('{SetConfig={name="max_message_rate", value="5000/s"}}', '"Immediate"', "1h", None),
        ('{SetConfig={name="max_deliveries_per_connection", value=2}}', '"Immediate"', "1h", None),
        ('"Bounce"', '"Immediate"', "1h", None),
    ],
)
def test_what_rules_do_in_the_model(put, action, trigger, duration, rule) -> None:
    text = RULE.format(regex="busy", action=action, trigger=trigger, duration=duration)
    more = 'max_deliveries_per_connection = 100\n[provider."google"]'
    path = put(GOOGLE.replace('[provider."google"]', more) + text)
    made = import_kumomta(path, {"gmail": 1.0})
    assert made.scenario.suspend_of("gmail") == (() if rule is None else (rule,))
    assert "default automation" in set(made.report["setting"])


def test_a_rule_that_cannot_match_is_not_taken(put) -> None:
    text = RULE.format(
        regex=r"\\\\[busy\\\\]", action='"Suspend"', trigger='"Immediate"', duration="1h"
    )
    made = import_kumomta(put(GOOGLE + text), {"gmail": 1.0})
    assert made.scenario.suspend_of("gmail") == ()
    assert "backslash" in " ".join(made.report["why"])


def test_blocks_that_hold_are_not_reported_as_unused(put) -> None:
    text = '["gmail.com"]\nconnection_limit = 4\n["googlemail.com"]\nmax_ready = 9\n["a.org"]'
    report = import_kumomta([put(GOOGLE), put(text, "more.toml")], {"gmail": 1.0}).report
    unused = set(report[report["status"] == "not used"]["setting"])
    assert 'domain "a.org"' in unused
    assert not unused & {'domain "gmail.com"', 'domain "googlemail.com"', "default"}


SLIPS = {
    "[gmail.com]\nconnection_limit = 5": 'write it in quotes: ["gmail.com"]',
    '[provider."p"]\nconnection_limit = 5': "has no match list",
    '[provider."googel"]\nconnection_limit = 5': 'did you mean "google"?',
    '[provider."p"]\nmatch = [{MXSuffix = ".Example.net"}]': "capital letters",
    '[provider."p"]\nmatch = [{HostName = "a.net."}]': "ends with a dot",
    '["gmail.com"]\n["googlemail.com"]': "share their MX hosts",
    '[provider."p"]\nmatch = [{DomainSuffix = "l.com"}]\n["gmail.com"]': "more than one provider",
}


@pytest.mark.parametrize("text", SLIPS)
def test_slips_are_told(put, text) -> None:
    report = import_kumomta([put(GOOGLE), put(text, "slip.toml")], {"gmail": 1.0}).report
    told = report[report["status"] == "warning"]
    assert any(SLIPS[text] in why for why in told["why"])
    assert any("slip.toml:" in where for where in told["where"])


def test_settings_without_a_counterpart_are_reported_and_secrets_are_not_shown(put) -> None:
    text = (
        '["default"]\nenable_tls = "Required"\nsmtp_auth_plain_password = "opensesame"\nfoo = 1\n'
    )
    made = import_kumomta(put(text), {"gmail": 1.0})
    unused = made.report[made.report["status"] == "not used"].set_index("setting")
    assert {"enable_tls", "smtp_auth_plain_password", "foo"} <= set(unused.index)
    assert (unused["why"] != "").all()
    assert "opensesame" not in made.report.to_csv() + made.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = ", "0.toml: not valid TOML"),
        ('["default"', "not valid TOML"),
        ("default = 3", "0.toml:1: default: must be a table, not a number"),
        ('provider = "x"', "0.toml:1: provider: must be a table"),
        ("[provider]\nx = 3", "0.toml:2: provider.x: must be a table, not a number"),
        ('["default"]\n\nconnection_limit = "ten"', "0.toml:3: connection_limit: must be a whole"),
        ('["default"]\nconnection_limit = 0', "must be a whole number from 1, not 0"),
        ('["default"]\nconnection_limit = true', "must be a whole number from 1, not true"),
        ('["default"]\nconnection_limit = 2.5', "must be a whole number from 1, not 2.5"),
        ('["default"]\nmax_message_rate = 5', "0.toml:2: max_message_rate: 5 has no period"),
        ('["default"]\nmax_message_rate = "5 / s"', "without spaces"),
        ('["default"]\nidle_timeout = "a while"', "0.toml:2: idle_timeout: "),
        (
            'title = "x"\n[[deliveries]]',
            "0.toml: is a scenario file, not a KumoMTA shaping file; `sendcap",
        ),
        ('["default"]\nautomation = 1', "0.toml:2: default.automation: must be a list"),
        ('["default"]\nautomation = [1]', "default.automation[0]: must be a table, not 1"),
        ('[["default".automation]]\nregex = "a"', "0.toml:1: default.automation[0]: has no action"),
        (
            RULE.format(regex="a", action='"Stop"', trigger='"Immediate"', duration="1h"),
            '0.toml:4: default.automation[0].action: "Stop" is not an action',
        ),
        (
            RULE.format(regex="a", action='"Suspend"', trigger='"Now"', duration="1h"),
            "0.toml:5: default.automation[0].trigger: must be",
        ),
        (
            RULE.format(regex="a", action='"Suspend"', trigger='"Immediate"', duration="1x"),
            "0.toml:6: default.automation[0].duration: ",
        ),
        ('["default"]\nadditional_connection_limits = 3', "must be a table, not a number"),
        ('["default"]\nadditional_connection_limits = {a = "x"}', "0.toml:2: a: must be a whole"),
        ('["default"]\nsources = 3', "0.toml:2: default.sources: must be a table"),
        ('["gmail.com"]\nmx_rollup = 1', "must be true or false, not 1"),
        ('[provider."p"]\nmatch = {MXSuffix = "a"}', "must be a list"),
        ('[provider."p"]\nmatch = [{Suffix = "a"}]', "must be one of MXSuffix, DomainSuffix"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(put, text, message) -> None:
    with pytest.raises(SendcapError) as caught:
        import_kumomta(put(text, "0.toml"), {"gmail": 1.0})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_that_nobody_has_is_told(put) -> None:
    with pytest.raises(SendcapError, match=r'"gmial".*did you mean "gmail"'):
        import_kumomta(put(GOOGLE), {"gmial": 1.0})
    with pytest.raises(SendcapError, match="no shaping file"):
        import_kumomta([])


def test_it_is_a_function_of_the_package() -> None:
    assert sendcap.import_kumomta is import_kumomta


QUEUE = """
tenant_header = "X-Tenant"
default_tenant = "mine"
[tenant.'mine']
egress_pool = 'pool-0'
max_age = '10 hours'
[tenant.'theirs']
max_age = '3 hours'
[queue.default]
max_age = '24 hours'
retry_interval = '17 mins'
max_retry_interval = 3600
[queue.'gmail.com']
retry_interval = '5m'
[queue.'gmail.com'.'mine']
retry_interval = '6m'
"""


def test_the_queue_helper_says_how_often_a_message_is_tried_again(put) -> None:
    shaping, queue = put('["default"]', "shaping.toml"), put(QUEUE, "queue.toml")
    made = import_kumomta(shaping, {"gmail": 1.0}, queue=queue)
    assert made.scenario.mta.retry == KumomtaRetry(
        retry_interval="17m", max_retry_interval="1h", max_age="10h"
    )
    assert made.scenario.honoured_validity(made.scenario.deliveries[0]) == 36_000
    by_setting = made.report.set_index("setting")
    used = by_setting[by_setting["status"] == "used"]
    assert used.loc["max_age"]["where"].endswith("queue.toml:6")
    unused = by_setting[by_setting["status"] == "not used"]
    assert unused.loc["queue default max_age"]["why"] == 'replaced by that of tenant "mine"'
    expected = {'queue "gmail.com" retry_interval', 'tenant "theirs" max_age', "tenant_header"}
    assert expected | {"egress_pool"} <= set(unused.index)
    # The domain has a policy of its own for the tenant's mail.
    assert 'queue "gmail.com" tenant "mine" retry_interval' in used.index
    assert made.scenario.providers["gmail"].retry == KumomtaRetry(
        retry_interval="6m", max_retry_interval="1h", max_age="10h"
    )
    # A later file holds.
    later = put("[tenant.mine]\nmax_age = '2h'\n", "later.toml")
    both = import_kumomta(shaping, {"gmail": 1.0}, queue=[queue, later]).scenario.mta.retry
    assert both.max_age == 7200
    assert import_kumomta(shaping, {"gmail": 1.0}).scenario.mta.retry == KumomtaRetry()


@pytest.mark.parametrize(
    ("shaping", "queue", "message"),
    [
        (
            QUEUE,
            None,
            "shaping.toml:9: queue: belongs to the queue helper; give this file with --queue",
        ),
        ('["default"]', "[provider.a]\n", "queue.toml:1: provider: is neither queue nor tenant"),
        (
            '["default"]',
            "[queue]\ndefault = 5\n",
            "queue.toml:2: queue.default: must be a table, not a number",
        ),
        (
            '["default"]',
            "[queue.default]\nmax_age = 'x'\n",
            'queue.toml:2: queue.default.max_age: "x" is not',
        ),
    ],
)
def test_a_queue_file_that_is_none_is_told(put, shaping, queue, message) -> None:
    paths = () if queue is None else put(queue, "queue.toml")
    with pytest.raises(SendcapError, match=re.escape(message)):
        import_kumomta(put(shaping, "shaping.toml"), {"gmail": 1.0}, queue=paths)


def test_a_misspelt_setting_is_told_with_the_one_that_is_meant(put) -> None:
    shaping = put('["default"]\nmax_mesage_rate = "5/s"\nfoo = 1\n', "shaping.toml")
    queue = put('[queue.default]\nretry_intreval = "5m"\n', "queue.toml")
    report = import_kumomta(shaping, {"gmail": 1.0}, queue=queue).report
    told = report[report["status"] == "warning"].set_index("setting")["why"]
    unknown = "this importer does not know it; did you mean"
    assert told["max_mesage_rate"] == f'{unknown} "max_message_rate"?'
    (why,) = (why for name, why in told.items() if name.endswith("retry_intreval"))
    assert why == f'{unknown} "retry_interval"?'
    assert "foo" not in told
