"""Postfix's parameters of connections, rates, retries and lifetimes: used how, or why not."""

from typing import Final

from sendcap.importers.table import DECIDES_NOTHING, by_name, not_used, used, with_warning

REPLACED: Final = "another parameter replaces it"
DECIDES: Final = "says which limits hold for which mail"
BY_SENDER: Final = "the way of mail depends on its sender; the scenario has that of all others"
ONE_RECIPIENT: Final = "each message has one recipient"
UNUSED: Final = by_name(
    {
        "the model's clients never fail to start": "transport_retry_time",
        "a message is read whole: here each has one recipient": "qmgr_message_recipient_limit",
        ONE_RECIPIENT: "recipient_limit",
        "about the order of recipients of one message; here each message has "
        "one": "recipient_refill delivery_slot",
        "for mail without a sender only": "bounce_queue_lifetime",
        "the model sends no mail about delays": "delay_warning_time",
        "about incoming mail": "smtpd",
        "connections of the scenario have a count of messages, no age: Postfix connects anew once "
        "in this time, which at 300s and a connect time below 3s costs a connection less than 1 %; "
        "a warning tells of more, and the count that would be as much": "reuse_time_limit",
        "for the domains of relay_domains, which the audience is not taken to be "
        "in": "relay_transport",
        "about the memory of the queue manager": "qmgr",
        "a host that answers is the first one; the model's always answer": "smtp_mx_",
        "how quickly Postfix takes messages is the relay's rate in the scenario": "in_flow_delay",
        "about the log": "feedback_debug",
        DECIDES_NOTHING: "myhostname mydomain myorigin",
        "each transport has a number of its own, or other limits are "
        "lower": "default_process_limit",
        "how many addresses there are decides, not which": "bind_address",
    }
)
"""Reasons by a part of the name: parameters of limits, rates and retries."""

WARNED: Final = by_name(
    {
        "mail that is not accepted at first goes to this host; the scenario retries it at the "
        "provider": "smtp_fallback_relay fallback_relay",
        "hard bounces are tried again; in the scenario they are final": "soft_bounce",
        "some replies are changed, so that mail is retried or bounces that would "
        "not": "default_delivery_status_filter smtp_delivery_status_filter smtp_reply_filter",
        "mail by these transports waits until it is flushed; the scenario sends "
        "it": "defer_transports",
        "the tables are not read: the scenario has the same TLS for all "
        "providers": "smtp_tls_per_site",
        "all mail goes there first; the limits of the scenario are those after "
        "it": "content_filter",
    }
)
"""Parameters that decide something which the scenario does not have."""

_PROVIDER: Final = "providers.NAME."
_MESSAGES: Final = f"{_PROVIDER}messages_per_connection"

_REST: Final = """
    transport_retry_time qmgr_message_recipient_limit qmgr_message_recipient_minimum
    default_recipient_limit default_extra_recipient_limit default_recipient_refill_limit
    default_recipient_refill_delay default_delivery_slot_cost default_delivery_slot_loan
    default_delivery_slot_discount default_minimum_delivery_slots bounce_queue_lifetime
    delay_warning_time smtp_connection_reuse_time_limit smtp_mx_session_limit smtp_mx_address_limit
    in_flow_delay destination_concurrency_feedback_debug smtp_bind_address relay_transport
"""
"""Parameters that no scenario has."""

TABLE: Final = (
    used(
        "default_destination_concurrency_limit TRANSPORT_destination_concurrency_limit",
        f"{_PROVIDER}connections_per_ip limits[].connections",
        "for each destination of a transport, times the number of the provider's; over several "
        "providers if one next hop serves them; from main.cf or the queue manager's own line",
    ),
    used(
        "default_process_limit maxproc",
        f"{_PROVIDER}connections_per_ip limits[].connections",
        "of a transport, where that is lower; over all its providers",
    ),
    used(
        "initial_destination_concurrency TRANSPORT_initial_destination_concurrency "
        "default_destination_concurrency_positive_feedback "
        "default_destination_concurrency_negative_feedback",
        f"{_PROVIDER}connection_scaling",
        "a feedback of 1, 1/concurrency or 1/sqrt_concurrency as it is; another one with a warning",
    ),
    used(
        "default_destination_concurrency_failed_cohort_limit",
        f"{_PROVIDER}connection_scaling.failed_cohorts",
        "0 is none; the site is dead for minimal_backoff_time",
    ),
    used(
        "default_destination_rate_delay TRANSPORT_destination_rate_delay",
        f"{_PROVIDER}rate {_PROVIDER}connections_per_ip limits[].rate",
        "one delivery at a time, then the pause; a limit if several providers have one next hop",
    ),
    used(
        "default_transport_rate_delay TRANSPORT_transport_rate_delay",
        f"{_PROVIDER}rate {_PROVIDER}connections_per_ip limits[].rate",
        "the same for all mail of a transport; a limit if several providers share it",
    ),
    used(
        "default_destination_recipient_limit TRANSPORT_destination_recipient_limit",
        "",
        "each message has one recipient; with 1, only the processes limit the connections, and a "
        "warning says so",
    ),
    used(
        "smtp_tls_security_level smtp_use_tls smtp_enforce_tls smtp_connection_cache_on_demand "
        "smtp_connection_reuse_count_limit",
        _MESSAGES,
        "one message with TLS, which the provider is taken to offer, or without a cache",
    ),
    used(
        "smtp_tls_connection_reuse smtp_connection_cache_destinations smtp_tls_policy_maps "
        "compatibility_level",
        "providers",
        "decide which of these holds; of tables only inline: and static: are read",
    ),
    used(
        "smtp_connection_cache_time_limit connection_cache_ttl_limit",
        f"{_PROVIDER}idle_timeout",
        "the lower one",
    ),
    used(
        "minimal_backoff_time",
        f"mta.retry {_PROVIDER}connection_scaling.dead_for",
        "as it is; a backoff and a scan are added to the lifetime",
    ),
    used(
        "maximal_backoff_time queue_run_delay maximal_queue_lifetime",
        "mta.retry",
        "as it is; the lifetime is that of messages, too, and a backoff and a scan longer",
    ),
    used("qmgr_message_active_limit", "mta.active", "as it is; a slow provider can fill the queue"),
    used(
        "transport_maps sender_dependent_default_transport_maps",
        "mta.ips mta.pools mta.queues",
        "randmap: each transport is a source address with queues of its own, and takes messages as "
        "often as it is named; static and inline are read, other tables not, but for --transport",
    ),
    used(
        "default_transport relayhost",
        "providers",
        "say which limits hold for which mail",
    ),
    used("sender_dependent_relayhost_maps", "", f"with a warning: {BY_SENDER}"),
    *not_used(_REST.split(), UNUSED),
    *with_warning(WARNED),
)
"""What the guide says of each parameter; tests hold it and the importer together."""
