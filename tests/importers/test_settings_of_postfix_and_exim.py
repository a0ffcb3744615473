"""The guide's tables of Postfix and Exim say what the importers do."""

from __future__ import annotations

import re

import pytest

from sendcap.importers import import_exim, import_postfix
from sendcap.importers.exim import table as exim
from sendcap.importers.postfix import table as postfix

LINES = {
    "default_destination_rate_delay": "default_destination_rate_delay = 7s",
    "default_transport_rate_delay": "default_transport_rate_delay = 7s",
    "default_destination_concurrency_positive_feedback": (
        "default_destination_concurrency_positive_feedback = 1/concurrency"
    ),
    "default_destination_concurrency_negative_feedback": (
        "default_destination_concurrency_negative_feedback = 1"
    ),
    "default_process_limit": "default_process_limit = 7",
    "smtp_tls_security_level": "smtp_tls_security_level = may",
    "smtp_tls_connection_reuse": "smtp_tls_connection_reuse = yes\nsmtp_use_tls = yes",
    "smtp_tls_policy_maps": "smtp_tls_policy_maps = inline:{ a.org=may }",
    "smtp_connection_cache_destinations": "smtp_connection_cache_destinations = gmail.com\n"
    "smtp_connection_cache_on_demand = no",
    "smtp_connection_cache_on_demand": "smtp_connection_cache_on_demand = no",
    "smtp_connection_cache_time_limit": "smtp_connection_cache_time_limit = 1s",
    "connection_cache_ttl_limit": "connection_cache_ttl_limit = 1s",
    "compatibility_level": "compatibility_level = 3.11",
    "minimal_backoff_time": "minimal_backoff_time = 7m",
    "maximal_backoff_time": "maximal_backoff_time = 7h",
    "transport_maps": "transport_maps = randmap:{a,b}",
    "sender_dependent_default_transport_maps": (
        "sender_dependent_default_transport_maps = randmap:{a,b}"
    ),
    "sender_dependent_relayhost_maps": "sender_dependent_relayhost_maps = inline:{ a@b=c }",
    "default_transport": "default_transport = smtp",
    "relayhost": "relayhost = [mail.example.org]",
    "defer_transports": "defer_transports = smtp",
    "smtp_connection_reuse_time_limit": "smtp_connection_reuse_time_limit = 300s",
}
"""A use of each parameter; of others, a yes or a number."""


def line_of(name: str) -> str:
    name = name.replace("TRANSPORT_", "smtp_")
    default = LINES.get(name.replace("smtp_destination", "default_destination"), "")
    if default and name.startswith("smtp_destination"):
        return default.replace("default_destination", "smtp_destination")
    yes = name.endswith(("_tls", "soft_bounce"))
    return LINES.get(name, f"{name} = {'yes' if yes else 7}")


def rows(table) -> list[tuple[str, tuple[str, ...], str]]:
    return [(name, row.keys, row.how) for row in table for name in row.names]


def found(made, setting: str) -> list[tuple[str, str, str]]:
    """Return status, key and reason of each row of the report about a setting."""
    own = made.report[made.report["setting"].str.endswith(setting)]
    keys = own["scenario"].str.partition(" = ")[0]
    keys = keys.str.replace("providers.gmail", "providers.NAME").str.replace("[0]", "[]")
    return list(zip(own["status"], keys, own["why"], strict=True))


def check(made, name: str, keys: tuple[str, ...], how: str) -> None:
    """Compare the report of an import with a row of the table."""
    own = found(made, name)
    assert own
    if keys:
        used = [key for status, key, _ in own if status == "used"]
        assert used
        assert all(key.startswith(keys) for key in used)
    elif how.startswith("with a warning: "):
        assert ("warning", "", how.removeprefix("with a warning: ")) in own
    else:
        assert own == [("not used", "", how)]


@pytest.mark.parametrize(("name", "keys", "how"), rows(postfix.TABLE))
def test_a_parameter_of_postfix_is_used_as_the_table_says(put, name, keys, how) -> None:
    main, master = line_of(name), "smtp unix - - n - 7 smtp\n"
    files = {"master_cf": put(master, "master.cf")} if name == "maxproc" else {}
    made = import_postfix(put(main, "main.cf"), {"gmail": 1.0}, **files)
    name = name.replace("TRANSPORT_", "smtp_")
    if name.endswith("_destination_recipient_limit"):
        assert found(made, name) == [("not used", "", postfix.ONE_RECIPIENT)]
        assert how.startswith(postfix.ONE_RECIPIENT)
    elif name == "smtp_connection_cache_destinations":
        # With a list the count holds; the list itself says for whom.
        assert made.scenario.providers["gmail"].messages_per_connection == "unlimited"
    elif name == "relayhost":
        assert [status for status, *_ in found(made, name)] == ["warning"]
    else:
        check(made, name, keys, how)


def test_every_parameter_of_the_queue_manager_is_in_the_table() -> None:
    """src/qmgr/qmgr.c and qmgr_transport.c: what they read, but for logs and the daemon."""
    read = """
    minimal_backoff_time maximal_backoff_time maximal_queue_lifetime bounce_queue_lifetime
    queue_run_delay transport_retry_time default_destination_concurrency_limit
    default_destination_recipient_limit default_destination_rate_delay default_transport_rate_delay
    default_destination_concurrency_positive_feedback default_recipient_limit
    default_destination_concurrency_negative_feedback initial_destination_concurrency
    default_destination_concurrency_failed_cohort_limit default_extra_recipient_limit
    default_recipient_refill_limit default_recipient_refill_delay default_delivery_slot_cost
    default_delivery_slot_loan default_delivery_slot_discount default_minimum_delivery_slots
    qmgr_message_active_limit qmgr_message_recipient_limit qmgr_message_recipient_minimum
    defer_transports
    """
    assert set(re.findall(r"\w+", read)) <= {name for name, *_ in rows(postfix.TABLE)}


EXIM = {
    "retry rule": "",
    "retry_interval_max": "retry_interval_max = 7h",
    "connection_max_messages": "connection_max_messages = 7",
    "hosts_nopass_tls": "hosts_nopass_tls = *",
    "serialize_hosts": "serialize_hosts = *",
    "max_parallel": "max_parallel = 7",
    "interface": "interface = 192.0.2.1",
    "queue_only": "queue_only",
    "queue_run_max": "queue_only\nqueue_run_max = 7",
}
OF_TRANSPORTS = (
    *("connection_max_messages", "hosts_nopass_tls", "serialize_hosts", "max_parallel"),
    *("interface", "retry_include_ip_address", "address_retry_include_sender", "max_rcpt"),
    *("delay_after_cutoff", "hosts_max_try", "hosts_max_try_hardlimit", "fallback_hosts"),
    *("hosts_noproxy_tls", "connect_timeout", "command_timeout", "data_timeout", "final_timeout"),
)
"""Options of the smtp transport: src/src/transports/smtp.c, and generic ones."""


@pytest.mark.parametrize(("name", "keys", "how"), rows(exim.TABLE))
def test_an_option_of_exim_is_used_as_the_table_says(put, name, keys, how) -> None:
    line = EXIM.get(name, f"{name} = 7")
    of_a_transport = name in OF_TRANSPORTS
    text = "" if of_a_transport else f"{line}\n"
    text += "begin transports\nout:\n  driver = smtp\n"
    text += f"  {line}\n" if of_a_transport else ""
    made = import_exim(put(f"{text}begin retry\n* * F,4d,6h\n"), {"gmail": 1.0})
    if name == "interface":
        assert how.startswith(found(made, name)[0][2])
    else:
        check(made, "retry * *" if name == "retry rule" else name, keys, how)
