"""Every setting of KumoMTA's egress paths and queues: how the importer uses it, or why it does not.

The guide's page on importers is made from it. Sources: KumoMTA,
``crates/kumo-api-types/src/egress_path.rs`` (``EgressPathConfig``), ``shaping.rs``,
``crates/kumod/src/queue/config.rs`` (``QueueConfig``) and ``assets/policy-extras/queue.lua``.
"""

from typing import Final

from sendcap.importers.table import Setting, not_used

NOT_KNOWN: Final = "this importer does not know it; look it up in KumoMTA's reference"

_TLS: Final = "TLS takes no time of its own in the model; it is part of the connect time"
_TIMEOUT: Final = "the model's servers always answer; outages are a key of the provider"
_WHERE: Final = "decides how and where mail is sent, not how fast"
_MEMORY: Final = "the model's MTA has enough memory and threads"
_AWAKE: Final = "the queues of the model wake up at once"
_REFRESH: Final = "limits do not change during a run"
_SESSION: Final = "part of the transaction time"
_BREAK: Final = "connections of the model do not break"
_TICK: Final = "the model tries a message when it is due; KumoMTA up to 3 s later"
_IN_PROVIDERS: Final = "KumoMTA has it in the block of a provider only"

PATH: Final = {
    "max_ready": "the queues of the model have no limit; KumoMTA puts off what is above it by up "
    "to a minute, as often as it takes",
    "consecutive_connection_failures_before_delay": "connections of the scenario fail only in "
    'outages and disturbances; suspend = "kumomta" has a rule for them',
    "max_recipients_per_batch": "each message has one recipient",
    **dict.fromkeys(("reconnect_strategy", "try_next_host_on_transport_error"), _BREAK),
    **dict.fromkeys(("refresh_interval", "refresh_strategy"), _REFRESH),
    **dict.fromkeys(("dispatcher_wakeup_strategy", "maintainer_wakeup_strategy"), _AWAKE),
    **dict.fromkeys(
        ("low_memory_reduction_policy", "no_memory_reduction_policy", "readyq_pool_name"), _MEMORY
    ),
    "system_shutdown_timeout": "the model's MTA does not shut down",
    **dict.fromkeys(
        (
            "connect_timeout",
            "banner_timeout",
            "ehlo_timeout",
            "mail_from_timeout",
            "rcpt_to_timeout",
            "data_timeout",
            "data_dot_timeout",
            "rset_timeout",
            "starttls_timeout",
            "auth_timeout",
            "dispatcher_progress_watchdog_timeout",
        ),
        _TIMEOUT,
    ),
    **dict.fromkeys(("enable_rset", "enable_pipelining", "ignore_8bit_checks"), _SESSION),
    **dict.fromkeys(
        (
            "use_lmtp",
            "prohibited_hosts",
            "skip_hosts",
            "ip_lookup_strategy",
            "ehlo_domain",
            "smtp_port",
            "smtp_auth_plain_username",
            "smtp_auth_plain_password",
            "allow_smtp_auth_plain_without_tls",
            "allow_smtp_auth_plain_without_valid_certificate",
        ),
        _WHERE,
    ),
    "provider_name": "a name for reports",
    **dict.fromkeys(
        (
            "enable_tls",
            "enable_dane",
            "enable_mta_sts",
            "remember_broken_tls",
            "opportunistic_tls_reconnect_on_failed_handshake",
            "tls_prefer_openssl",
            "tls_certificate",
            "tls_private_key",
            "openssl_cipher_list",
            "openssl_cipher_suites",
            "openssl_options",
            "rustls_cipher_suites",
        ),
        _TLS,
    ),
}
"""Settings of an egress path that are not used, and why."""

MISPLACED: Final = dict.fromkeys(
    (
        "provider_connection_limit",
        "provider_max_message_rate",
        "provider_source_selection_rate",
    ),
    _IN_PROVIDERS,
)
"""Settings of a provider, where they are in another block."""

QUEUE: Final = {
    "egress_pool": "a delivery of the model leaves from one pool for all providers, that of its "
    "tenant, where --pools gives the sources",
    "protocol": _WHERE,
    "routing_domain": "decides where mail is sent; give the audience the domain that it is sent to",
    "require_authz": "the model's senders are all admitted",
    **dict.fromkeys(("strategy", "timerwheel_tick_interval"), _TICK),
    **dict.fromkeys(("reap_interval", "shrink_policy"), _MEMORY),
    **dict.fromkeys(("refresh_interval", "refresh_strategy"), _REFRESH),
    "provider_name": "a name for reports",
}
"""The same for the settings of a scheduled queue."""

_RATE: Final = ("providers.NAME.rate",)
_CONNECTIONS: Final = ("providers.NAME.connections_per_ip",)
_SITES: Final = "for each source and site; times the number of sites"
_NAMED: Final = "over all paths with the name, from all sources together"
_OF_PROVIDER: Final = (
    "for each source over all sites; a limit over several providers if they share it"
)

PATH_TABLE: Final = (
    Setting(("connection_limit",), _CONNECTIONS, _SITES),
    Setting(("additional_connection_limits",), ("limits[].connections",), _NAMED),
    Setting(("provider_connection_limit",), (*_CONNECTIONS, "limits[].connections"), _OF_PROVIDER),
    Setting(("max_message_rate", "source_selection_rate"), _RATE, _SITES),
    Setting(
        ("additional_message_rate_throttles", "additional_source_selection_rates"),
        ("limits[].rate",),
        f"{_NAMED}; one name with two rates is two limits",
    ),
    Setting(
        ("provider_max_message_rate", "provider_source_selection_rate"),
        (*_RATE, "limits[].rate"),
        _OF_PROVIDER,
    ),
    Setting(("max_connection_rate",), ("providers.NAME.connection_rate",), _SITES),
    Setting(
        ("max_deliveries_per_connection",), ("providers.NAME.messages_per_connection",), "as it is"
    ),
    Setting(("idle_timeout",), ("providers.NAME.idle_timeout",), "as it is"),
    Setting(
        ("aggressive_connection_opening",),
        ("providers.NAME.connection_scaling",),
        "connections are opened by the length of the queue unless it is true",
    ),
    Setting(
        ("automation",),
        ("mta.suspend", "providers.NAME.suspend"),
        "the rule of the most special block about sending too much, with all that the same "
        "answers start; Suspend closes the queue and messages follow the retry schedule; "
        "SetConfig of a rate or of connections slows it; Bounce is left out",
    ),
    *not_used(PATH, PATH),
)
"""The settings of shaping files."""

QUEUE_TABLE: Final = (
    Setting(
        ("retry_interval", "max_retry_interval", "max_age"),
        ("mta.retry", "providers.NAME.retry"),
        "of the first delivery's tenant; max_age is the lifetime, too",
    ),
    Setting(
        ("max_message_rate",),
        ("limits[].rate",),
        "over the queue of a domain, from all sources; of a tenant's or campaign's deliveries",
    ),
    Setting(
        ("overall_max_message_rate",),
        ("limits[].rate",),
        "over all mail of the tenant or campaign; KumoMTA reads it in a tenant's table only",
    ),
    Setting(
        ("egress_pool",),
        ("mta.ips", "mta.pools", "deliveries[].pool"),
        "with --pools: the sources of the pool, by their weights; one pool for all domains",
    ),
    *not_used([name for name in QUEUE if name != "egress_pool"], QUEUE),
)
"""The settings of the queue helper's files."""
