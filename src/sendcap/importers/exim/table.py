"""Exim's options of connections, rates, retries and lifetimes: used how, or why not."""

from typing import Final

from sendcap.importers.table import Setting, by_name, not_used, used, with_warning

FALLBACK: Final = (
    "mail not accepted at first goes to these hosts; the scenario retries it at the provider"
)
UNUSED: Final = by_name(
    {
        "for recipients of one message; here each message has one": "remote_max_parallel",
        "messages that are due are taken in the order in which they became "
        "so": "queue_run_in_order",
        "the model remembers the retries of a message until it leaves": "retry_data_expire "
        "retry_include_ip_address address_retry_include_sender retry_use_local_part",
        "the failing time is that of a message, not of a host": "delay_after_cutoff",
        "a host that answers is the first one; the model's always answer": "hosts_max_try",
        "each message has one recipient": "max_rcpt",
        "about bounces that cannot be delivered": "timeout_frozen_after ignore_bounce_errors_after",
        "no message of the model is frozen": "auto_thaw",
        "about incoming mail": "smtp_accept smtp_ratelimit",
        "the connection is used again either way": "hosts_noproxy_tls",
        "the model sends no mail about delays": "delay_warning",
        "how many addresses there are decides, not which": "interface",
    }
)
"""Reasons by a part of the name: options that limit connections, rates and retries."""

WARNED: Final = by_name(
    {
        "such mail waits for a queue runner; the scenario sends it at once": "queue_only "
        "queue_only_file queue_only_load queue_domains queue_smtp_domains",
        "more messages of one connection wait for a queue runner (10 by default); the scenario "
        "sends them at once": "smtp_accept_queue_per_connection",
        "no mail is sent while the load is higher; the scenario sends it": "deliver_queue_load_max",
        "no mail is sent to these domains; the scenario sends it": "hold_domains",
    }
)
"""Options that decide when mail is sent, which the scenario does not have."""

WARNED_OF_TRANSPORTS: Final = {
    "max_parallel": "is no whole number here, and not in the scenario: add a limit of connections",
    "serialize_hosts": "one connection at a time to these hosts; the scenario has the base's limit",
    "hosts_nopass_tls": "connections to these hosts carry one message; the scenario has more",
    "interface": "the source address depends on the message; set their number with --ips",
    "fallback_hosts": FALLBACK,
}
"""Options of a transport that decide something which the scenario does not have."""

_REST: Final = """
    remote_max_parallel queue_run_in_order retry_data_expire retry_include_ip_address
    address_retry_include_sender delay_after_cutoff hosts_max_try hosts_max_try_hardlimit max_rcpt
    hosts_noproxy_tls timeout_frozen_after ignore_bounce_errors_after auto_thaw delay_warning
    smtp_accept_max connect_timeout command_timeout data_timeout final_timeout
"""
"""Options that no scenario has."""

TABLE: Final = (
    Setting(
        ("retry rule",),
        ("mta.retry", "providers.NAME.retry", "mta.longest_validity"),
        "the first one that matches a temporary reply to RCPT from the provider; its last cutoff "
        "is the lifetime, and a delay longer; others are not used: for single senders, addresses, "
        "hosts and errors",
    ),
    used("retry_interval_max", "mta.retry providers.NAME.retry", "as it is, 24h by default"),
    used(
        "connection_max_messages",
        "providers.NAME.messages_per_connection",
        "of the transport that a router leads to, 500 by default",
    ),
    used(
        "hosts_nopass_tls",
        "providers.NAME.messages_per_connection",
        "one message if it is *; a list of hosts is not read, with a warning",
    ),
    used(
        "serialize_hosts",
        "providers.NAME.connections_per_ip",
        "one connection if it is *; a list of hosts is not read, with a warning",
    ),
    used(
        "queue_run_max",
        "limits[].connections",
        "5 by default, where --queue-interval is given or queue_only is set: each queue runner "
        "sends one message at a time, and each run starts one more",
    ),
    used("max_parallel", "limits[].connections", "over all providers of the transport"),
    used(
        "interface",
        "",
        "how many addresses there are decides, not which; one that depends on the message is told "
        "with a warning",
    ),
    *not_used(_REST.split(), UNUSED),
    used("fallback_hosts", "", f"with a warning: {FALLBACK}"),
    *with_warning(WARNED),
)
"""What the guide says of each option; tests hold it and the importer together."""
