"""Postfix's parameters of connections, rates, retries and lifetimes: used how, or why not."""

from typing import Final

from sendcap.importers.imported import DECIDES_NOTHING, reason_unused
from sendcap.importers.table import Setting, not_used

REPLACED: Final = "another parameter replaces it"
DECIDES: Final = "says which limits hold for which mail"
BY_SENDER: Final = "the way of mail depends on its sender; the scenario has that of all others"
ONE_RECIPIENT: Final = "each message has one recipient"
_JOBS: Final = "about the order of recipients of one message; here each message has one"
_MEMORY: Final = "about the memory of the queue manager"
_FALLBACK: Final = (
    "mail that is not accepted at first goes to this host; the scenario retries it at the provider"
)
_FILTERED: Final = "some replies are changed, so that mail is retried or bounces that would not"
UNUSED: Final = {
    "transport_retry_time": "the model's clients never fail to start",
    "qmgr_message_recipient_limit": "a message is read whole: here each has one recipient",
    "recipient_limit": ONE_RECIPIENT,
    "recipient_refill": _JOBS,
    "delivery_slot": _JOBS,
    "bounce_queue_lifetime": "for mail without a sender only",
    "delay_warning_time": "the model sends no mail about delays",
    "smtpd": "about incoming mail",
    "reuse_time_limit": "connections of the scenario have a count of messages, no age: Postfix "
    "connects anew once in this time, which at 300s and a connect time below 3s costs a connection "
    "less than 1 %; a warning tells of more, and the count that would be as much",
    "relay_transport": "for the domains of relay_domains, which the audience is not taken to be in",
    "qmgr": _MEMORY,
    "smtp_mx_": "a host that answers is the first one; the model's always answer",
    "in_flow_delay": "how quickly Postfix takes messages is the relay's rate in the scenario",
    "feedback_debug": "about the log",
    "myhostname": DECIDES_NOTHING,
    "mydomain": DECIDES_NOTHING,
    "myorigin": DECIDES_NOTHING,
    "default_process_limit": "each transport has a number of its own, or other limits are lower",
    "bind_address": "how many addresses there are decides, not which",
}
"""Reasons by a part of the name: parameters of limits, rates and retries."""

WARNED: Final = {
    "smtp_fallback_relay": _FALLBACK,
    "fallback_relay": _FALLBACK,
    "soft_bounce": "hard bounces are tried again; in the scenario they are final",
    "default_delivery_status_filter": _FILTERED,
    "smtp_delivery_status_filter": _FILTERED,
    "smtp_reply_filter": _FILTERED,
    "defer_transports": "mail by these transports waits until it is flushed; the scenario sends it",
    "smtp_tls_per_site": "the tables are not read: the scenario has the same TLS for all providers",
    "content_filter": "all mail goes there first; the limits of the scenario are those after it",
}
"""Parameters that decide something which the scenario does not have."""


_PROVIDER: Final = "providers.NAME."
_MESSAGES: Final = f"{_PROVIDER}messages_per_connection"

_REST: Final = (
    "transport_retry_time",
    "qmgr_message_recipient_limit",
    "qmgr_message_recipient_minimum",
    "default_recipient_limit",
    "default_extra_recipient_limit",
    "default_recipient_refill_limit",
    "default_recipient_refill_delay",
    "default_delivery_slot_cost",
    "default_delivery_slot_loan",
    "default_delivery_slot_discount",
    "default_minimum_delivery_slots",
    "bounce_queue_lifetime",
    "delay_warning_time",
    "smtp_connection_reuse_time_limit",
    "smtp_mx_session_limit",
    "smtp_mx_address_limit",
    "in_flow_delay",
    "destination_concurrency_feedback_debug",
    "smtp_bind_address",
    "relay_transport",
)
"""Parameters that no scenario has."""


def _used(names: str, keys: str, how: str) -> Setting:
    return Setting(tuple(names.split()), tuple(keys.split()), how)


TABLE: Final = (
    _used(
        "default_destination_concurrency_limit TRANSPORT_destination_concurrency_limit",
        f"{_PROVIDER}connections_per_ip limits[].connections",
        "for each destination of a transport, times the number of the provider's; over several "
        "providers if one next hop serves them; from main.cf or the queue manager's own line",
    ),
    _used(
        "default_process_limit maxproc",
        f"{_PROVIDER}connections_per_ip limits[].connections",
        "of a transport, where that is lower; over all its providers",
    ),
    _used(
        "initial_destination_concurrency TRANSPORT_initial_destination_concurrency "
        "default_destination_concurrency_positive_feedback "
        "default_destination_concurrency_negative_feedback",
        f"{_PROVIDER}connection_scaling",
        "a feedback of 1, 1/concurrency or 1/sqrt_concurrency as it is; another one with a warning",
    ),
    _used(
        "default_destination_concurrency_failed_cohort_limit",
        f"{_PROVIDER}connection_scaling.failed_cohorts",
        "0 is none; the site is dead for minimal_backoff_time",
    ),
    _used(
        "default_destination_rate_delay TRANSPORT_destination_rate_delay",
        f"{_PROVIDER}rate {_PROVIDER}connections_per_ip limits[].rate",
        "one delivery at a time, then the pause; a limit if several providers have one next hop",
    ),
    _used(
        "default_transport_rate_delay TRANSPORT_transport_rate_delay",
        f"{_PROVIDER}rate {_PROVIDER}connections_per_ip limits[].rate",
        "the same for all mail of a transport; a limit if several providers share it",
    ),
    _used(
        "default_destination_recipient_limit TRANSPORT_destination_recipient_limit",
        "",
        "each message has one recipient; with 1, only the processes limit the connections, and a "
        "warning says so",
    ),
    _used(
        "smtp_tls_security_level smtp_use_tls smtp_enforce_tls smtp_connection_cache_on_demand "
        "smtp_connection_reuse_count_limit",
        _MESSAGES,
        "one message with TLS, which the provider is taken to offer, or without a cache",
    ),
    _used(
        "smtp_tls_connection_reuse smtp_connection_cache_destinations smtp_tls_policy_maps "
        "compatibility_level",
        "providers",
        "decide which of these holds; of tables only inline: and static: are read",
    ),
    _used(
        "smtp_connection_cache_time_limit connection_cache_ttl_limit",
        f"{_PROVIDER}idle_timeout",
        "the lower one",
    ),
    _used(
        "minimal_backoff_time",
        f"mta.retry {_PROVIDER}connection_scaling.dead_for",
        "as it is; a backoff and a scan are added to the lifetime",
    ),
    _used(
        "maximal_backoff_time queue_run_delay maximal_queue_lifetime",
        "mta.retry",
        "as it is; the lifetime is that of messages, too, and a backoff and a scan longer",
    ),
    _used(
        "qmgr_message_active_limit", "mta.active", "as it is; a slow provider can fill the queue"
    ),
    _used(
        "transport_maps sender_dependent_default_transport_maps",
        "mta.ips mta.pools mta.queues",
        "randmap: each transport is a source address with queues of its own, and takes messages as "
        "often as it is named; static and inline are read, other tables not, but for --transport",
    ),
    _used(
        "default_transport relayhost",
        "providers",
        "say which limits hold for which mail",
    ),
    _used("sender_dependent_relayhost_maps", "", f"with a warning: {BY_SENDER}"),
    *not_used(_REST, {name: reason_unused(name, UNUSED, "") for name in _REST}),
    *(row._replace(how=f"with a warning: {row.how}") for row in not_used(WARNED, WARNED)),
)
"""What the guide says of each parameter; tests hold it and the importer together."""
