"""Every directive of PowerMTA's queues and virtual MTAs that is not used, and why.

The guide's page on importers is made from it. Source: PowerMTA 5.0 User's Guide, 3.3,
"Configuration directives".
"""

from typing import Final

from sendcap.importers.imported import reason_unused
from sendcap.importers.table import Setting, not_used

NOT_KNOWN: Final = "this importer does not know it; look it up in PowerMTA's guide"

_MAIL: Final = "part of the transaction time"
_MX: Final = "the model has one MX, and no hosts"
_REPLIES: Final = "replies of the provider are shares in the model"
_LOGS: Final = "about logs"
_QUEUE: Final = "decides which queue it is"
_BYTES: Final = "messages in the model have no size"
_LOCAL: Final = "about mail that is not delivered over SMTP"
_WHO: Final = "decides how and where mail is sent, not how fast"
_SIGNING: Final = "signing is part of mta.ingress_rate"
_COLD: Final = "the rest goes out by another virtual MTA; see the rate of kind warm-up"
_OTHER_WAY: Final = "goes out by another virtual MTA then; see mta.pools"

UNUSED: Final = {
    "queue-to": _QUEUE,
    "disable-mx-rollup": _QUEUE,
    "domain-macro": "stands for domains in other lines",
    "dkim": _SIGNING,
    "dk-": _SIGNING,
    "domain-key": _SIGNING,
    "data-volume": _BYTES,
    "cold-virtual-mta": _COLD,
    "reroute-to-virtual-mta": _OTHER_WAY,
    "backoff-retry-after": "a provider of the model has one retry policy, in backoff mode too",
    "backoff-upon-all-sources-disabled": "source addresses of the model are never disabled",
    "reenable-source-ip-after": "no reply of the pattern list disables a source address",
    "rcpt-per": "each message has one recipient",
    "max-errors-per-connection": "connections of the model do not break",
    "retry-upon-new-mail": "messages of the model are tried again one by one",
    "notify": "the model sends no notices",
    "dsn": "the model sends no notices",
    "bounce-upon": _REPLIES,
    "smtp-553": _REPLIES,
    "assume-delivery": _REPLIES,
    "check-spf": _REPLIES,
    "421": _MX,
    "smtp-hosts": _MX,
    "mx-connection-attempts": _MX,
    "route": _MX,
    "priority": "every message of a delivery has the same priority; see mta.order",
    "ignore-": _MAIL,
    "pix-bug": _MAIL,
    "auth-": _WHO,
    "plain-auth": _WHO,
    "use-proxy": _WHO,
    "default-smtp-port": _WHO,
    "default-virtual-mta": "decides which virtual MTA sends; choose it with --source",
    "host-name": "a name only",
    "rewrite-list": "changes addresses only",
    "header": "changes the message only",
    "cancel": "nobody cancels messages during a run of the model",
    "ssl": "TLS takes no time of its own in the model; it is part of the connect time",
    "dane": "TLS takes no time of its own in the model; it is part of the connect time",
    "acct": _LOGS,
    "event": _LOGS,
    "log": _LOGS,
    "bcc-upon": "the model sends no copies",
    "type": _LOCAL,
    "discard": _LOCAL,
    "file-": _LOCAL,
    "http-delivery": _LOCAL,
    "http-": "about access to PowerMTA",
    "command": _LOCAL,
    "macro-variables": _LOCAL,
    "sparkpost": _LOCAL,
    "total-max-smtp-in": "the relay has the connections that it needs",
    "spool": "see mta.spool; the guide's limits are of disks",
    "thread": "the model's MTA has enough threads",
    "name-server": "names take no time of their own in the model; it is part of the connect time",
    "smtp-listener": "about incoming mail",
    "smtp-server": "about incoming mail",
    "smtp-ip": "about incoming mail",
    "smtp-port": "about incoming mail",
    "smtp-await-slot": "about incoming mail",
    "relay": "about incoming mail",
    "edns": "names take no time of their own in the model; it is part of the connect time",
    "postmaster": "a name only",
    "host-id": "a name only",
    "alias": "a name only",
    "domain-suffix": "a name only",
    "run-as-root": "about the machine",
    "pmc-": _LOGS,
    "mailmerge": "about incoming mail",
    "license": "about the machine",
    "sync-msg": "writing to the disk is part of mta.ingress_rate",
    "smtp-user": "about incoming mail",
}
"""Directives, or parts of their names, and why they are not used."""

_OF_BACKOFF: Final = (
    "smtp-pattern-list",
    "backoff-max-msg-rate",
    "backoff-max-msg-per-hour",
    "backoff-max-smtp-out",
    "backoff-max-connect-rate",
    "backoff-to-normal-after",
    "backoff-to-normal-after-delivery",
    "reenable-source-ip-after",
)
OF_QUEUES: Final = (
    "max-smtp-out",
    "max-msg-per-connection",
    "connection-idle-timeout",
    "retry-after",
    "retry-recipients-after",
    "bounce-after",
    "max-msg-rate",
    "max-msg-per-hour",
    "max-connect-rate",
    "smtp-out-rampup-interval",
    "source-ip-max-smtp-out",
    "max-smtp-out-per-source-ip",
    "source-ip-max-msg-rate",
    "source-ip-max-connect-rate",
    *_OF_BACKOFF,
)
"""Directives of a ``<domain>`` that decide a limit, a retry or the backoff mode in the scenario."""

_REST: Final = (
    "max-errors-per-connection",
    "check-spf-outbound",
    "dsn-format",
    "log-resolution",
    "log-transfer-failures",
    "log-disabled-ips",
    "max-events-recorded",
    "disable-acct-records",
    "deliver-local-dsn",
    "bcc-upon-delivery",
    "allow-priority-interruption",
    "allow-priority-interruption-during-transfer",
    "queue-priority",
    "track-recipient-events",
    "delivery-priority",
    "notify-of-delay-every",
    "dkim-sign",
    "dkim-add-body-limit",
    "dkim-add-timestamp",
    "dkim-algorithm",
    "dkim-body-canon",
    "dkim-headers-canon",
    "dkim-expire-after",
    "dkim-query-method",
    "dkim-headers",
    "dkim-identity",
    "dkim-identity-fallback",
    "dkim-disallow-adding-headers",
    "max-data-volume-rate",
    "backoff-max-data-volume-rate",
    "backoff-retry-after",
    "backoff-notify",
    "disabled-source-ip-notify",
    "backoff-upon-all-sources-disabled",
    "max-cold-virtual-mta-msg",
    "reroute-to-virtual-mta",
    "backoff-reroute-to-virtual-mta",
    "type",
    "allow-cancel-during-transfer",
    "auth-username",
    "smtp-data-termination-timeout",
    "auth-password",
    "use-unencrypted-plain-auth",
    "smtp-553-means-invalid-mailbox",
    "smtp-421-means-mx-unavailable",
    "replace-smtp-421-service-response",
    "bounce-upon-no-mx",
    "bounce-upon-5xx-greeting",
    "bounce-upon-pix-transfer-failure",
    "bounce-upon-transfer-failure",
    "connect-timeout",
    "smtp-greeting-timeout",
    "data-send-timeout",
    "ignore-8bitmime",
    "ignore-chunking",
    "ignore-pipelining",
    "ignore-dsn",
    "max-rcpt-per-transaction",
    "max-rcpt-per-message",
    "source-ip-max-data-volume-rate",
    "retry-upon-new-mail",
    "pix-bug-workaround",
    "route",
    "default-smtp-port",
    "smtp-hosts",
    "assume-delivery-upon-data-termination-timeout",
    "use-starttls",
    "require-starttls",
    "use-dane",
    "reuse-ssl-session",
    "smtp-tls-allow-tlsv1",
    "smtp-tls-allow-tlsv1.1",
    "smtp-tls-allow-tlsv1.2",
    "smtp-tls-allow-sslv3",
    "smtp-tls-ca-file",
    "smtp-tls-ciphers",
    "log-tls",
    "discard-as-bounce",
    "file-format",
    "file-destination",
    "command",
    "macro-variables-preserve-case",
    "http-delivery-url",
    "http-delivery-extra-headers",
    "add-x-msys-api-header",
    "sparkpost-sandbox",
    "sparkpost-ip-pool",
    "use-proxy",
    "max-smtp-data-volume-rate",
    "cold-virtual-mta",
    "host-name",
    "domain-key",
    "include-headers-from",
    "rewrite-list",
)
"""The other directives of ``<domain>``, ``<virtual-mta>`` and ``<virtual-mta-pool>``."""

_QUEUES: Final = "for each queue of a virtual MTA; times the number of queues; of several the mean"
_ADDRESSES: Final = "of all addresses of a virtual MTA together, if each has such a limit"
_CONNECTIONS: Final = ("providers.NAME.connections_per_ip",)
_OPENED: Final = ("providers.NAME.connection_rate",)
_RETRY: Final = ("mta.retry", "providers.NAME.retry")
_SUSPEND: Final = ("providers.NAME.suspend",)

TABLE: Final = (
    Setting(("max-smtp-out",), _CONNECTIONS, _QUEUES),
    Setting(
        ("source-ip-max-smtp-out", "max-smtp-out-per-source-ip"),
        _CONNECTIONS,
        f"{_ADDRESSES}; the lower one counts",
    ),
    Setting(
        ("max-smtp-out", "max-smtp-msg-rate"),
        ("limits[].connections", "limits[].rate"),
        "of a virtual MTA or its pool: over all queues of all virtual MTAs together",
    ),
    Setting(
        ("total-max-smtp-out",),
        ("limits[].connections",),
        "over all queues, where theirs are not lower; the licence's own limit is not taken",
    ),
    Setting(
        ("max-msg-rate", "max-msg-per-hour"),
        ("providers.NAME.rate",),
        f"as a number per window; {_QUEUES}",
    ),
    Setting(("source-ip-max-msg-rate",), ("providers.NAME.rate",), _ADDRESSES),
    Setting(("max-connect-rate", "smtp-out-rampup-interval"), _OPENED, f"the lowest; {_QUEUES}"),
    Setting(("source-ip-max-connect-rate",), _OPENED, _ADDRESSES),
    Setting(("max-msg-per-connection",), ("providers.NAME.messages_per_connection",), "as it is"),
    Setting(("connection-idle-timeout",), ("providers.NAME.idle_timeout",), "as it is"),
    Setting(
        ("retry-after", "retry-recipients-after"),
        _RETRY,
        "the list, for messages and not for the queue; no interval below retry-recipients-after",
    ),
    Setting(("bounce-after",), _RETRY, "the lifetime, too"),
    Setting(
        _OF_BACKOFF,
        _SUSPEND,
        "of the first reply with mode=backoff, or else with disable-source-ip or defer-queue; of "
        "several limits the lowest",
    ),
    Setting(
        ("smtp-source-host",),
        (),
        "the addresses of a virtual MTA, which take turns, for the limits of addresses; the limits "
        "of a queue are over all of them, so that mta.ips is the number of virtual MTAs",
    ),
    Setting(("queue-to", "disable-mx-rollup", "mx-rollup-list"), (), "decide which queue it is"),
    *not_used(_REST, {name: reason_unused(name, UNUSED, NOT_KNOWN) for name in _REST}),
)
"""The directives of queues and virtual MTAs."""
