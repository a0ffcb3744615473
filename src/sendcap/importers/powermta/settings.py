"""Every directive of PowerMTA's queues and virtual MTAs that is not used, and why.

The guide's page on importers is made from it. Source: PowerMTA 5.0 User's Guide, 3.3,
"Configuration directives".
"""

from typing import Final

from sendcap.importers.table import by_name, not_used, used

NOT_KNOWN: Final = "this importer does not know it; look it up in PowerMTA's guide"

UNUSED: Final = by_name(
    {
        "decides which queue it is": "queue-to disable-mx-rollup",
        "stands for domains in other lines": "domain-macro",
        "signing is part of mta.ingress_rate": "dkim dk- domain-key",
        "messages in the model have no size": "data-volume",
        "the rest goes out by another virtual MTA; see the rate of kind "
        "warm-up": "cold-virtual-mta",
        "goes out by another virtual MTA then; see mta.pools": "reroute-to-virtual-mta",
        "a provider of the model has one retry policy, in backoff mode too": "backoff-retry-after",
        "source addresses of the model are never disabled": "backoff-upon-all-sources-disabled",
        "no reply of the pattern list disables a source address": "reenable-source-ip-after",
        "each message has one recipient": "rcpt-per",
        "connections of the model do not break": "max-errors-per-connection",
        "messages of the model are tried again one by one": "retry-upon-new-mail",
        "the model sends no notices": "notify dsn",
        "replies of the provider are shares in the model": "bounce-upon smtp-553 assume-delivery "
        "check-spf",
        "the model has one MX, and no hosts": "421 smtp-hosts mx-connection-attempts route",
        "every message of a delivery has the same priority; see mta.order": "priority",
        "part of the transaction time": "ignore- pix-bug",
        "decides how and where mail is sent, not how fast": "auth- plain-auth use-proxy "
        "default-smtp-port",
        "decides which virtual MTA sends; choose it with --source": "default-virtual-mta",
        "a name only": "host-name postmaster host-id alias domain-suffix",
        "changes addresses only": "rewrite-list",
        "changes the message only": "header",
        "nobody cancels messages during a run of the model": "cancel",
        "TLS takes no time of its own in the model; it is part of the connect time": "ssl dane",
        "about logs": "acct event log pmc-",
        "the model sends no copies": "bcc-upon",
        "about mail that is not delivered over SMTP": "type discard file- http-delivery command "
        "macro-variables sparkpost",
        "about access to PowerMTA": "http-",
        "the relay has the connections that it needs": "total-max-smtp-in",
        "see mta.spool; the guide's limits are of disks": "spool",
        "the model's MTA has enough threads": "thread",
        "names take no time of their own in the model; it is part of the connect "
        "time": "name-server edns",
        "about incoming mail": "smtp-listener smtp-server smtp-ip smtp-port smtp-await-slot relay "
        "mailmerge smtp-user",
        "about the machine": "run-as-root license",
        "writing to the disk is part of mta.ingress_rate": "sync-msg",
    }
)
"""Directives, or parts of their names, and why they are not used."""

_OF_BACKOFF: Final = (
    "smtp-pattern-list backoff-max-msg-rate backoff-max-msg-per-hour backoff-max-smtp-out "
    "backoff-max-connect-rate backoff-to-normal-after backoff-to-normal-after-delivery "
    "reenable-source-ip-after"
)
OF_QUEUES: Final = tuple(
    f"""
    max-smtp-out max-msg-per-connection connection-idle-timeout retry-after retry-recipients-after
    bounce-after max-msg-rate max-msg-per-hour max-connect-rate smtp-out-rampup-interval
    source-ip-max-smtp-out max-smtp-out-per-source-ip source-ip-max-msg-rate
    source-ip-max-connect-rate {_OF_BACKOFF}
    """.split()
)
"""Directives of a ``<domain>`` that decide a limit, a retry or the backoff mode in the scenario."""

_REST: Final = """
    max-errors-per-connection check-spf-outbound dsn-format log-resolution log-transfer-failures
    log-disabled-ips max-events-recorded disable-acct-records deliver-local-dsn bcc-upon-delivery
    allow-priority-interruption allow-priority-interruption-during-transfer queue-priority
    track-recipient-events delivery-priority notify-of-delay-every dkim-sign dkim-add-body-limit
    dkim-add-timestamp dkim-algorithm dkim-body-canon dkim-headers-canon dkim-expire-after
    dkim-query-method dkim-headers dkim-identity dkim-identity-fallback dkim-disallow-adding-headers
    max-data-volume-rate backoff-max-data-volume-rate backoff-retry-after backoff-notify
    disabled-source-ip-notify backoff-upon-all-sources-disabled max-cold-virtual-mta-msg
    reroute-to-virtual-mta backoff-reroute-to-virtual-mta type allow-cancel-during-transfer
    auth-username smtp-data-termination-timeout auth-password use-unencrypted-plain-auth
    smtp-553-means-invalid-mailbox smtp-421-means-mx-unavailable replace-smtp-421-service-response
    bounce-upon-no-mx bounce-upon-5xx-greeting bounce-upon-pix-transfer-failure
    bounce-upon-transfer-failure connect-timeout smtp-greeting-timeout data-send-timeout
    ignore-8bitmime ignore-chunking ignore-pipelining ignore-dsn max-rcpt-per-transaction
    max-rcpt-per-message source-ip-max-data-volume-rate retry-upon-new-mail pix-bug-workaround route
    default-smtp-port smtp-hosts assume-delivery-upon-data-termination-timeout use-starttls
    require-starttls use-dane reuse-ssl-session smtp-tls-allow-tlsv1 smtp-tls-allow-tlsv1.1
    smtp-tls-allow-tlsv1.2 smtp-tls-allow-sslv3 smtp-tls-ca-file smtp-tls-ciphers log-tls
    discard-as-bounce file-format file-destination command macro-variables-preserve-case
    http-delivery-url http-delivery-extra-headers add-x-msys-api-header sparkpost-sandbox
    sparkpost-ip-pool use-proxy max-smtp-data-volume-rate cold-virtual-mta host-name domain-key
    include-headers-from rewrite-list
"""
"""The other directives of ``<domain>``, ``<virtual-mta>`` and ``<virtual-mta-pool>``."""

_QUEUES: Final = "for each queue of a virtual MTA; times the number of queues; of several the mean"
_ADDRESSES: Final = "of all addresses of a virtual MTA together, if each has such a limit"
_PROVIDER: Final = "providers.NAME."
_RETRY: Final = f"mta.retry {_PROVIDER}retry"

TABLE: Final = (
    used("max-smtp-out", f"{_PROVIDER}connections_per_ip", _QUEUES),
    used(
        "source-ip-max-smtp-out max-smtp-out-per-source-ip",
        f"{_PROVIDER}connections_per_ip",
        f"{_ADDRESSES}; the lower one counts",
    ),
    used(
        "max-smtp-out max-smtp-msg-rate",
        "limits[].connections limits[].rate",
        "of a virtual MTA or its pool: over all queues of all virtual MTAs together",
    ),
    used(
        "total-max-smtp-out",
        "limits[].connections",
        "over all queues, where theirs are not lower; the licence's own limit is not taken",
    ),
    used(
        "max-msg-rate max-msg-per-hour",
        f"{_PROVIDER}rate",
        f"as a number per window; {_QUEUES}",
    ),
    used("source-ip-max-msg-rate", f"{_PROVIDER}rate", _ADDRESSES),
    used(
        "max-connect-rate smtp-out-rampup-interval",
        f"{_PROVIDER}connection_rate",
        f"the lowest; {_QUEUES}",
    ),
    used("source-ip-max-connect-rate", f"{_PROVIDER}connection_rate", _ADDRESSES),
    used("max-msg-per-connection", f"{_PROVIDER}messages_per_connection", "as it is"),
    used("connection-idle-timeout", f"{_PROVIDER}idle_timeout", "as it is"),
    used(
        "retry-after retry-recipients-after",
        _RETRY,
        "the list, for messages and not for the queue; no interval below retry-recipients-after",
    ),
    used("bounce-after", _RETRY, "the lifetime, too"),
    used(
        _OF_BACKOFF,
        f"{_PROVIDER}suspend",
        "of the first reply with mode=backoff, or else with disable-source-ip or defer-queue; of "
        "several limits the lowest",
    ),
    used(
        "smtp-source-host",
        "",
        "the addresses of a virtual MTA, which take turns, for the limits of addresses; the limits "
        "of a queue are over all of them, so that mta.ips is the number of virtual MTAs",
    ),
    used("queue-to disable-mx-rollup mx-rollup-list", "", "decide which queue it is"),
    *not_used(_REST.split(), UNUSED),
)
"""The directives of queues and virtual MTAs."""
