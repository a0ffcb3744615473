"""The guide's tables of settings say what the importers do."""

from __future__ import annotations

import re

import pytest

from sendcap.importers import import_kumomta, import_powermta
from sendcap.importers.kumomta.settings import PATH_TABLE, QUEUE_TABLE
from sendcap.importers.powermta.settings import NOT_KNOWN, TABLE

PATH = re.findall(
    r"\w+",
    """
    connection_limit additional_connection_limits enable_tls enable_mta_sts enable_dane
    enable_pipelining enable_rset tls_prefer_openssl tls_certificate tls_private_key
    openssl_cipher_list openssl_cipher_suites openssl_options rustls_cipher_suites
    connect_timeout banner_timeout ehlo_timeout mail_from_timeout rcpt_to_timeout data_timeout
    data_dot_timeout rset_timeout idle_timeout starttls_timeout auth_timeout
    system_shutdown_timeout max_ready consecutive_connection_failures_before_delay smtp_port
    smtp_auth_plain_username smtp_auth_plain_password allow_smtp_auth_plain_without_tls
    allow_smtp_auth_plain_without_valid_certificate max_message_rate
    additional_message_rate_throttles source_selection_rate additional_source_selection_rates
    max_connection_rate max_deliveries_per_connection max_recipients_per_batch prohibited_hosts
    skip_hosts ip_lookup_strategy ehlo_domain aggressive_connection_opening refresh_interval
    refresh_strategy dispatcher_wakeup_strategy maintainer_wakeup_strategy provider_name
    remember_broken_tls opportunistic_tls_reconnect_on_failed_handshake use_lmtp
    reconnect_strategy readyq_pool_name low_memory_reduction_policy no_memory_reduction_policy
    try_next_host_on_transport_error ignore_8bit_checks dispatcher_progress_watchdog_timeout
    """,
)
"""KumoMTA, crates/kumo-api-types/src/egress_path.rs: the fields of EgressPathConfig."""

QUEUE = re.findall(
    r"\w+",
    """
    egress_pool max_age max_message_rate max_retry_interval protocol reap_interval
    refresh_interval refresh_strategy retry_interval shrink_policy strategy
    timerwheel_tick_interval provider_name
    """,
)
"""KumoMTA, docs/reference/kumo/make_queue_config, and crates/kumod/src/queue/config.rs."""

LINES = {
    "connection_limit": "connection_limit = 7",
    "additional_connection_limits": "additional_connection_limits = { a = 7 }",
    "provider_connection_limit": "provider_connection_limit = 7",
    "max_message_rate": 'max_message_rate = "7/s"',
    "source_selection_rate": 'source_selection_rate = "7/s"',
    "additional_message_rate_throttles": 'additional_message_rate_throttles = { a = "7/s" }',
    "additional_source_selection_rates": 'additional_source_selection_rates = { a = "7/s" }',
    "provider_max_message_rate": 'provider_max_message_rate = "7/s"',
    "provider_source_selection_rate": 'sources.a.provider_source_selection_rate = "7/s"',
    "max_connection_rate": 'max_connection_rate = "7/s"',
    "max_deliveries_per_connection": "max_deliveries_per_connection = 7",
    "idle_timeout": 'idle_timeout = "7s"',
    "aggressive_connection_opening": "aggressive_connection_opening = true",
    "automation": 'automation = [{ regex = "4", action = "Suspend", duration = "1h" }]',
}
"""A use of each setting in the block of a provider."""

DIRECTIVES = {
    "max-smtp-out": "max-smtp-out 7",
    "source-ip-max-smtp-out": "source-ip-max-smtp-out 0/0 7",
    "max-smtp-out-per-source-ip": "max-smtp-out-per-source-ip 7",
    "max-msg-rate": "max-msg-rate 7/m",
    "max-msg-per-hour": "max-msg-per-hour 7",
    "source-ip-max-msg-rate": "source-ip-max-msg-rate 0/0 7/m",
    "max-connect-rate": "max-connect-rate 7/m",
    "smtp-out-rampup-interval": "smtp-out-rampup-interval 7s",
    "source-ip-max-connect-rate": "source-ip-max-connect-rate 0/0 7/m",
    "max-msg-per-connection": "max-msg-per-connection 7",
    "connection-idle-timeout": "connection-idle-timeout 7s",
    "retry-after": "retry-after 7m",
    "retry-recipients-after": "retry-recipients-after 7m",
    "bounce-after": "bounce-after 7h",
    "backoff-max-msg-rate": "backoff-max-msg-rate 7/h",
    "backoff-max-msg-per-hour": "backoff-max-msg-per-hour 7",
    "backoff-max-smtp-out": "backoff-max-smtp-out 7",
    "backoff-max-connect-rate": "backoff-max-connect-rate 7/h\nmax-msg-per-connection 7",
    "backoff-to-normal-after": "backoff-to-normal-after 7m\nbackoff-max-smtp-out 7",
}
"""A use of each directive in a domain."""
BACKOFF = "<smtp-pattern-list p>\nreply /4/ mode=backoff\n</smtp-pattern-list>\n"


def scenario_keys(made, setting: str) -> set[str]:
    """Return the keys of the scenario that are of a setting."""
    used = made.report[made.report["status"].isin(["used", "warning"])]
    own = used[used["setting"].str.contains(rf"(?:^|[ ,]){re.escape(setting)}(?:,|$)")]
    keys = own["scenario"].str.partition(" = ")[0]
    keys = keys.str.replace(r"providers\.(?:gmail|\"[^\"]*\")", "providers.NAME", regex=True)
    return set(keys.str.replace(r"limits\[\d+\]", "limits[]", regex=True))


def are_of(keys: set[str], expected: tuple[str, ...]) -> bool:
    return bool(keys) and all(any(key.startswith(one) for one in expected) for key in keys)


def rows(*tables) -> list[tuple[str, tuple[str, ...], str]]:
    return [(name, row.keys, row.how) for table in tables for row in table for name in row.names]


def test_every_setting_of_kumomta_is_in_the_tables() -> None:
    assert set(PATH) <= {name for name, *_ in rows(PATH_TABLE)}
    assert set(QUEUE) <= {name for name, *_ in rows(QUEUE_TABLE)}


@pytest.mark.parametrize(("name", "keys", "how"), rows(PATH_TABLE))
def test_a_setting_of_a_path_is_used_as_the_table_says(put, name, keys, how) -> None:
    line = LINES.get(name, f'{name} = "7"')
    text = f'[provider.google]\nmatch = [{{ MXSuffix = ".google.com" }}]\n{line}\n'
    made = import_kumomta(put(text, "shaping.toml"), {"gmail": 1.0}, source="a")
    if keys:
        setting = "a" if name.startswith("additional") else name
        assert are_of(scenario_keys(made, setting), keys)
    else:
        row = made.report.set_index("setting").loc[name]
        assert (row["status"], row["why"]) == ("not used", how)


@pytest.mark.parametrize(("name", "keys", "how"), rows(QUEUE_TABLE))
def test_a_setting_of_a_queue_is_used_as_the_table_says(put, name, keys, how) -> None:
    value = "7/s" if "rate" in name else "7m"
    text = f'[tenant.t]\n{name} = "{value}"\n'
    shaping, queue = put('["default"]', "shaping.toml"), put(text, "queue.toml")
    made = import_kumomta(shaping, {"gmail": 1.0}, queue=queue)
    if name == "egress_pool":
        return  # It needs another file; the tests of pools have it.
    if keys:
        assert are_of(scenario_keys(made, name), keys)
    else:
        row = made.report.set_index("setting").loc[name]
        assert (row["status"], row["why"]) == ("not used", how)


@pytest.mark.parametrize(("name", "line"), DIRECTIVES.items())
def test_a_directive_is_used_as_the_table_says(put, name, line) -> None:
    text = f"{BACKOFF}<domain *>\nsmtp-pattern-list p\n{line}\n</domain>"
    made = import_powermta(put(text), {"gmail": 1.0})
    expected = tuple(key for each, keys, _ in rows(TABLE) if each == name for key in keys)
    if name == "retry-recipients-after":
        text = text.replace("retry-recipients", "retry-after 1m\nretry-recipients")
        made = import_powermta(put(text), {"gmail": 1.0})
        assert made.scenario.mta.retry.retry_after == (420.0,)
    else:
        assert are_of(scenario_keys(made, name), expected)


@pytest.mark.parametrize(
    ("name", "how"), [(name, how) for name, keys, how in rows(TABLE) if not keys]
)
def test_a_directive_that_is_not_used_says_why_as_the_table_does(put, name, how) -> None:
    if name in ("smtp-source-host", "queue-to", "disable-mx-rollup", "mx-rollup-list"):
        return  # They decide which limits hold; the tests of these have them.
    made = import_powermta(put(f"<domain *>\n{name} 7\n</domain>"), {"gmail": 1.0})
    row = made.report.set_index("setting").loc[name]
    assert (row["status"], row["why"]) == ("not used", how)
    assert how != NOT_KNOWN
