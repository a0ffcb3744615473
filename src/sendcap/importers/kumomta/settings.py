"""Every setting of KumoMTA's egress paths and queues: how the importer uses it, or why it does not.

The guide's page on importers has the same table. Sources: KumoMTA,
``crates/kumo-api-types/src/egress_path.rs`` (``EgressPathConfig``), ``shaping.rs``,
``crates/kumod/src/queue/config.rs`` (``QueueConfig``) and ``assets/policy-extras/queue.lua``.
"""

from __future__ import annotations

from typing import Final

NOT_KNOWN: Final = "this importer does not know it; look it up in KumoMTA's reference"

_TLS: Final = "TLS takes no time of its own in the model; it is part of the connect time"
_TIMEOUT: Final = "the model's servers always answer; outages are a key of the provider"
_WHERE: Final = "decides how and where mail is sent, not how fast"
_MEMORY: Final = "the model's MTA has enough memory"
_AWAKE: Final = "the queues of the model wake up at once"
_REFRESH: Final = "limits do not change during a run"

PATH: Final = {
    "max_ready": "the queues of the model have no limit; KumoMTA puts off what is above it by up "
    "to a minute, as often as it takes",
    "consecutive_connection_failures_before_delay": "connections of the scenario fail only in "
    'outages and disturbances; suspend = "kumomta" has a rule for them',
    "max_recipients_per_batch": "each message has one recipient",
    "reconnect_strategy": "connections of the model do not break",
    "try_next_host_on_transport_error": "connections of the model do not break",
    "refresh_interval": _REFRESH,
    "refresh_strategy": _REFRESH,
    "dispatcher_wakeup_strategy": _AWAKE,
    "maintainer_wakeup_strategy": _AWAKE,
    "low_memory_reduction_policy": _MEMORY,
    "no_memory_reduction_policy": _MEMORY,
    "system_shutdown_timeout": "the model's MTA does not shut down",
    "dispatcher_progress_watchdog_timeout": _TIMEOUT,
    "readyq_pool_name": "the model's MTA has enough threads",
    "enable_rset": "part of the transaction time",
    "enable_pipelining": "part of the transaction time",
    "ignore_8bit_checks": "part of the transaction time",
    "use_lmtp": _WHERE,
    "prohibited_hosts": _WHERE,
    "skip_hosts": _WHERE,
    "ip_lookup_strategy": _WHERE,
    "ehlo_domain": _WHERE,
    "smtp_port": _WHERE,
    "smtp_auth": _WHERE,
    "provider_name": "a name for reports",
    "dane": _TLS,
    "mta_sts": _TLS,
    "openssl": _TLS,
    "rustls": _TLS,
    "tls": _TLS,
    "timeout": _TIMEOUT,
    "provider_connection_limit": "KumoMTA has it in the block of a provider only",
    "provider_max_message_rate": "KumoMTA has it in the block of a provider only",
    "provider_source_selection_rate": "KumoMTA has it in the sources of a provider only",
}
"""Settings of an egress path, or parts of their names, that are not used, and why."""

QUEUE: Final = {
    "egress_pool": "decides which sources send; their number is --ips",
    "protocol": _WHERE,
    "routing_domain": "decides where mail is sent; give the audience the domain that it is sent to",
    "require_authz": "the model's senders are all admitted",
    "strategy": "the model tries a message when it is due; KumoMTA up to 3 s later",
    "timerwheel_tick_interval": "the model tries a message when it is due; KumoMTA up to 3 s later",
    "reap_interval": _MEMORY,
    "shrink_policy": _MEMORY,
    "refresh": _REFRESH,
    "provider_name": "a name for reports",
}
"""The same for the settings of a scheduled queue."""
