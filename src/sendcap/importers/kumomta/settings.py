"""Every setting of KumoMTA's egress paths and queues: how the importer uses it, or why it does not.

The guide's page on importers is made from it. Sources: KumoMTA,
``crates/kumo-api-types/src/egress_path.rs`` (``EgressPathConfig``), ``shaping.rs``,
``crates/kumod/src/queue/config.rs`` (``QueueConfig``) and ``assets/policy-extras/queue.lua``.
"""

from typing import Final

from sendcap.importers.table import by_name, not_used, used

NOT_KNOWN: Final = "this importer does not know it; look it up in KumoMTA's reference"

_WHERE: Final = "decides how and where mail is sent, not how fast"
_MEMORY: Final = "the model's MTA has enough memory and threads"
_REFRESH: Final = "limits do not change during a run"
_NAME: Final = "a name for reports"

PATH: Final = by_name(
    {
        "the queues of the model have no limit; KumoMTA puts off what is above it by up to a "
        "minute, as often as it takes": "max_ready",
        "connections of the scenario fail only in outages and disturbances; "
        'suspend = "kumomta" has a rule for them': "consecutive_connection_failures_before_delay",
        "each message has one recipient": "max_recipients_per_batch",
        "connections of the model do not break": "reconnect_strategy "
        "try_next_host_on_transport_error",
        _REFRESH: "refresh_interval refresh_strategy",
        "the queues of the model wake up at once": "dispatcher_wakeup_strategy "
        "maintainer_wakeup_strategy",
        _MEMORY: "low_memory_reduction_policy no_memory_reduction_policy readyq_pool_name",
        "the model's MTA does not shut down": "system_shutdown_timeout",
        "the model's servers always answer; outages are a key of the provider": "connect_timeout "
        "banner_timeout ehlo_timeout mail_from_timeout rcpt_to_timeout data_timeout "
        "data_dot_timeout rset_timeout starttls_timeout auth_timeout "
        "dispatcher_progress_watchdog_timeout",
        "part of the transaction time": "enable_rset enable_pipelining ignore_8bit_checks",
        _WHERE: "use_lmtp prohibited_hosts skip_hosts ip_lookup_strategy ehlo_domain smtp_port "
        "smtp_auth_plain_username smtp_auth_plain_password allow_smtp_auth_plain_without_tls "
        "allow_smtp_auth_plain_without_valid_certificate",
        _NAME: "provider_name",
        "TLS takes no time of its own in the model; it is part of the connect time": "enable_tls "
        "enable_dane enable_mta_sts remember_broken_tls "
        "opportunistic_tls_reconnect_on_failed_handshake tls_prefer_openssl tls_certificate "
        "tls_private_key openssl_cipher_list openssl_cipher_suites openssl_options "
        "rustls_cipher_suites",
    }
)
"""Settings of an egress path that are not used, and why."""

MISPLACED: Final = by_name(
    {
        "KumoMTA has it in the block of a provider only": "provider_connection_limit "
        "provider_max_message_rate provider_source_selection_rate",
    }
)
"""Settings of a provider, where they are in another block."""

QUEUE: Final = by_name(
    {
        "a delivery of the model leaves from one pool for all providers, that of its tenant, where "
        "--pools gives the sources": "egress_pool",
        _WHERE: "protocol",
        "decides where mail is sent; give the audience the domain that it is sent "
        "to": "routing_domain",
        "the model's senders are all admitted": "require_authz",
        "the model tries a message when it is due; KumoMTA up to 3 s later": "strategy "
        "timerwheel_tick_interval",
        _MEMORY: "reap_interval shrink_policy",
        _REFRESH: "refresh_interval refresh_strategy",
        _NAME: "provider_name",
    }
)
"""The same for the settings of a scheduled queue."""

_RATE: Final = "providers.NAME.rate"
_CONNECTIONS: Final = "providers.NAME.connections_per_ip"
_SITES: Final = "for each source and site; times the number of sites"
_NAMED: Final = "over all paths with the name, from all sources together"
_OF_PROVIDER: Final = (
    "for each source over all sites; a limit over several providers if they share it"
)

PATH_TABLE: Final = (
    used("connection_limit", _CONNECTIONS, _SITES),
    used("additional_connection_limits", "limits[].connections", _NAMED),
    used("provider_connection_limit", f"{_CONNECTIONS} limits[].connections", _OF_PROVIDER),
    used("max_message_rate source_selection_rate", _RATE, _SITES),
    used(
        "additional_message_rate_throttles additional_source_selection_rates",
        "limits[].rate",
        f"{_NAMED}; one name with two rates is two limits",
    ),
    used(
        "provider_max_message_rate provider_source_selection_rate",
        f"{_RATE} limits[].rate",
        _OF_PROVIDER,
    ),
    used("max_connection_rate", "providers.NAME.connection_rate", _SITES),
    used("max_deliveries_per_connection", "providers.NAME.messages_per_connection", "as it is"),
    used("idle_timeout", "providers.NAME.idle_timeout", "as it is"),
    used(
        "aggressive_connection_opening",
        "providers.NAME.connection_scaling",
        "connections are opened by the length of the queue unless it is true",
    ),
    used(
        "automation",
        "mta.suspend providers.NAME.suspend",
        "the rule of the most special block about sending too much, with all that the same "
        "answers start; Suspend closes the queue and messages follow the retry schedule; "
        "SetConfig of a rate or of connections slows it; Bounce is left out",
    ),
    *not_used(PATH, PATH),
)
"""The settings of shaping files."""

QUEUE_TABLE: Final = (
    used(
        "retry_interval max_retry_interval max_age",
        "mta.retry providers.NAME.retry",
        "of the first delivery's tenant; max_age is the lifetime, too",
    ),
    used(
        "max_message_rate",
        "limits[].rate",
        "over the queue of a domain, from all sources; of a tenant's or campaign's deliveries",
    ),
    used(
        "overall_max_message_rate",
        "limits[].rate",
        "over all mail of the tenant or campaign; KumoMTA reads it in a tenant's table only",
    ),
    used(
        "egress_pool",
        "mta.ips mta.pools deliveries[].pool",
        "with --pools: the sources of the pool, by their weights; one pool for all domains",
    ),
    *not_used([name for name in QUEUE if name != "egress_pool"], QUEUE),
)
"""The settings of the queue helper's files."""
