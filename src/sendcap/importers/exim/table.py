"""Exim's options of connections, rates, retries and lifetimes: used how, or why not."""

from typing import Final

from sendcap.importers.imported import reason_unused
from sendcap.importers.table import Setting, not_used

FALLBACK: Final = (
    "mail not accepted at first goes to these hosts; the scenario retries it at the provider"
)
_ONE_HOST: Final = "a host that answers is the first one; the model's always answer"
_OWN_RETRIES: Final = "the model remembers the retries of a message until it leaves"
UNUSED: Final = {
    "remote_max_parallel": "for recipients of one message; here each message has one",
    "queue_run_in_order": "messages that are due are taken in the order in which they became so",
    "retry_data_expire": _OWN_RETRIES,
    "retry_include_ip_address": _OWN_RETRIES,
    "address_retry_include_sender": _OWN_RETRIES,
    "retry_use_local_part": _OWN_RETRIES,
    "delay_after_cutoff": "the failing time is that of a message, not of a host",
    "hosts_max_try": _ONE_HOST,
    "max_rcpt": "each message has one recipient",
    "timeout_frozen_after": "about bounces that cannot be delivered",
    "ignore_bounce_errors_after": "about bounces that cannot be delivered",
    "auto_thaw": "no message of the model is frozen",
    "smtp_accept": "about incoming mail",
    "smtp_ratelimit": "about incoming mail",
    "hosts_noproxy_tls": "the connection is used again either way",
    "delay_warning": "the model sends no mail about delays",
    "interface": "how many addresses there are decides, not which",
}
"""Reasons by a part of the name: options that limit connections, rates and retries."""

_WAITS: Final = "such mail waits for a queue runner; the scenario sends it at once"
WARNED: Final = {
    "queue_only": _WAITS,
    "queue_only_file": _WAITS,
    "queue_only_load": _WAITS,
    "queue_domains": _WAITS,
    "queue_smtp_domains": _WAITS,
    "smtp_accept_queue_per_connection": "more messages of one connection wait for a queue runner "
    "(10 by default); the scenario sends them at once",
    "deliver_queue_load_max": "no mail is sent while the load is higher; the scenario sends it",
    "hold_domains": "no mail is sent to these domains; the scenario sends it",
}
"""Options that decide when mail is sent, which the scenario does not have."""

WARNED_OF_TRANSPORTS: Final = {
    "max_parallel": "is no whole number here, and not in the scenario: add a limit of connections",
    "serialize_hosts": "one connection at a time to these hosts; the scenario has the base's limit",
    "hosts_nopass_tls": "connections to these hosts carry one message; the scenario has more",
    "interface": "the source address depends on the message; set their number with --ips",
    "fallback_hosts": FALLBACK,
}
"""Options of a transport that decide something which the scenario does not have."""

_REST: Final = (
    "remote_max_parallel",
    "queue_run_in_order",
    "retry_data_expire",
    "retry_include_ip_address",
    "address_retry_include_sender",
    "delay_after_cutoff",
    "hosts_max_try",
    "hosts_max_try_hardlimit",
    "max_rcpt",
    "hosts_noproxy_tls",
    "timeout_frozen_after",
    "ignore_bounce_errors_after",
    "auto_thaw",
    "delay_warning",
    "smtp_accept_max",
    "connect_timeout",
    "command_timeout",
    "data_timeout",
    "final_timeout",
)
"""Options that no scenario has."""

TABLE: Final = (
    Setting(
        ("retry rule",),
        ("mta.retry", "providers.NAME.retry", "mta.longest_validity"),
        "the first one that matches a temporary reply to RCPT from the provider; its last cutoff "
        "is the lifetime, and a delay longer; others are not used: for single senders, addresses, "
        "hosts and errors",
    ),
    Setting(
        ("retry_interval_max",), ("mta.retry", "providers.NAME.retry"), "as it is, 24h by default"
    ),
    Setting(
        ("connection_max_messages",),
        ("providers.NAME.messages_per_connection",),
        "of the transport that a router leads to, 500 by default",
    ),
    Setting(
        ("hosts_nopass_tls",),
        ("providers.NAME.messages_per_connection",),
        "one message if it is *; a list of hosts is not read, with a warning",
    ),
    Setting(
        ("serialize_hosts",),
        ("providers.NAME.connections_per_ip",),
        "one connection if it is *; a list of hosts is not read, with a warning",
    ),
    Setting(
        ("queue_run_max",),
        ("limits[].connections",),
        "5 by default, where --queue-interval is given or queue_only is set: each queue runner "
        "sends one message at a time, and each run starts one more",
    ),
    Setting(("max_parallel",), ("limits[].connections",), "over all providers of the transport"),
    Setting(
        ("interface",),
        (),
        "how many addresses there are decides, not which; one that depends on the message is told "
        "with a warning",
    ),
    *not_used(_REST, {name: reason_unused(name, UNUSED, "") for name in _REST}),
    Setting(("fallback_hosts",), (), f"with a warning: {FALLBACK}"),
    *(row._replace(how=f"with a warning: {row.how}") for row in not_used(WARNED, WARNED)),
)
"""What the guide says of each option; tests hold it and the importer together."""
