"""Every directive of PowerMTA's queues and virtual MTAs that is not used, and why.

The guide's page on importers has the same table. Source: PowerMTA 5.0 User's Guide, 3.3,
"Configuration directives".
"""

from __future__ import annotations

from typing import Final

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
    "max-smtp-out-per-source-ip": "is the old name of source-ip-max-smtp-out; write that",
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
    "http": _LOCAL,
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
    "source-ip-max-msg-rate",
    "source-ip-max-connect-rate",
    "smtp-pattern-list",
    "backoff-max-msg-rate",
    "backoff-max-msg-per-hour",
    "backoff-max-smtp-out",
    "backoff-max-connect-rate",
    "backoff-to-normal-after",
    "backoff-to-normal-after-delivery",
    "reenable-source-ip-after",
)
"""Directives of a ``<domain>`` that decide a limit, a retry or the backoff mode in the scenario."""
