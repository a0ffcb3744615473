"""OpenSMTPD's settings of connections, retries and lifetimes: used how, or why not."""

from typing import Final

from sendcap.importers.table import Setting, not_used

DEFAULTS: Final = {
    "max-conn-per-host": 10,
    "max-conn-per-route": 5,
    "max-conn-per-source": 100,
    "max-conn-per-connector": 20,
    "max-conn-per-relay": 100,
    "max-conn-per-domain": 100,
    "conn-delay-host": 0,
    "conn-delay-route": 5,
    "conn-delay-source": 0,
    "conn-delay-connector": 0,
    "conn-delay-relay": 2,
    "conn-delay-domain": 0,
    "reconn-delay-route": 3,
    "session-mail-max": 100,
    "session-transaction-delay": 0,
    "session-keepalive": 10,
    "max-failures-per-session": 25,
    "task-hiwat": 50,
    "task-lowat": 30,
    "task-release": 10,
}
"""Limits of ``mta limit``, with their values in ``limit_mta_set_defaults`` of ``limit.c``."""

CONNECTIONS: Final = (
    "max-conn-per-route",
    "max-conn-per-host",
    "max-conn-per-connector",
    "max-conn-per-relay",
    "max-conn-per-domain",
)
"""Limits of the connections to a destination."""
OF_AN_ADDRESS: Final = ("max-conn-per-route", "max-conn-per-connector")
"""Those of each source address."""
DELAYS: Final = (
    "conn-delay-route",
    "conn-delay-connector",
    "conn-delay-host",
    "conn-delay-relay",
    "conn-delay-domain",
)
"""Times between two connections to a destination, in seconds; the first two for each address."""

_ORDER: Final = "which messages wait where before a connection takes them, not how fast they go"
REASONS: Final = {
    "task-": _ORDER,
    "scheduler": _ORDER,
    "max-failures-per-session": "a session is closed after 10 failures in a row, whatever this is",
    "max-deferred": "the model remembers no messages for the end of an outage",
    "smtp limit": "about incoming mail",
    "conn-delay-source": "between connections of an address to whatever destination",
    "inet": "which addresses a connection takes, not how many there are",
}
"""Reasons by a part of the name."""
WARNED: Final = {
    "session-transaction-delay": "a pause after each message of a connection: add it to the "
    "transaction time",
}
"""Limits that decide how fast mail is sent, and are not in the scenario."""

_MTA: Final = "mta limit "
_ALL: Final = tuple(f"{_MTA}{name}" for name in CONNECTIONS)
_UNUSED: Final = (
    f"{_MTA}conn-delay-source",
    f"{_MTA}max-failures-per-session",
    f"{_MTA}task-hiwat",
    f"{_MTA}task-lowat",
    f"{_MTA}task-release",
    f"{_MTA}inet4",
    f"{_MTA}inet6",
    "mta max-deferred",
    "scheduler limit max-inflight",
    "scheduler limit max-schedule",
    "smtp limit max-mails",
    "smtp limit max-rcpt",
)

TABLE: Final = (
    Setting(
        _ALL,
        ("providers.NAME.connections_per_ip", "limits[].connections"),
        "the lowest of them, the provider taken to have one host; a limit over all addresses or "
        "providers where they share it",
    ),
    Setting(
        (f"{_MTA}max-conn-per-source",),
        ("limits[].connections",),
        "of each source address over all providers, where they have more together",
    ),
    Setting(
        tuple(f"{_MTA}{name}" for name in DELAYS),
        ("providers.NAME.connection_rate",),
        "the longest of them; those over all source addresses a share for each",
    ),
    Setting(
        (f"{_MTA}session-mail-max",),
        ("providers.NAME.messages_per_connection",),
        "as it is; OpenSMTPD counts the accepted ones only",
    ),
    Setting(
        (f"{_MTA}session-keepalive",),
        ("providers.NAME.idle_timeout",),
        "as it is; OpenSMTPD keeps the last connection to a destination only",
    ),
    Setting(
        (f"{_MTA}reconn-delay-route",),
        ("providers.NAME.connect_time",),
        "added to it: after a connection has ended, no other is made for so long; in the scenario "
        "the first ones take as long",
    ),
    Setting(("queue ttl", "ttl"), ("mta.longest_validity",), "the longest of them"),
    Setting(
        ("retry",),
        ("mta.retry",),
        "no setting: the policy opensmtpd, with the 400 s that OpenSMTPD is built with",
    ),
    Setting(("src",), ("mta.ips",), "the addresses of the list or table"),
    *(Setting((f"{_MTA}{name}",), (), f"with a warning: {why}") for name, why in WARNED.items()),
    *not_used(_UNUSED, REASONS),
)
"""What the guide says of each setting; tests hold it and the importer together."""
