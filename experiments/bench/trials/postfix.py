"""The experiments with Postfix."""

from __future__ import annotations

from typing import Final

from bench.receivers import Receiver
from bench.trial import Second, Trial

QUICK: Final = Receiver()
_TLS: Final = "tlsmgr unix - - n 1000? 1 tlsmgr\ntlsproxy unix - - n - 0 tlsproxy\n"

_SHORT_RETRIES: Final = """\
minimal_backoff_time = {least}s
maximal_backoff_time = {most}s
queue_run_delay = {run}s
"""


def _retries(least: int, most: int, run: int) -> str:
    return _SHORT_RETRIES.format(least=least, most=most, run=run)


def _connections(count: int) -> Trial:
    return Trial(
        f"{count} connections",
        f"default_destination_concurrency_limit = {count}\n",
        {"one.test": QUICK},
        messages=60 * count,
        per_s=200.0,
    )


TRIALS: Final = (
    *map(_connections, (5, 10, 20)),
    Trial(
        "a rate delay of 1 s",
        "default_destination_rate_delay = 1s\n",
        {"one.test": QUICK, "two.test": QUICK},
        messages=80,
        per_s=100.0,
    ),
    Trial(
        "no connection is reused",
        "smtp_connection_cache_on_demand = no\ndefault_destination_concurrency_limit = 10\n",
        {"one.test": Receiver(transaction_s=0.1, banner_s=0.3)},
        messages=600,
        per_s=200.0,
    ),
    Trial(
        "connections are reused",
        "default_destination_concurrency_limit = 10\n",
        {"one.test": Receiver(transaction_s=0.1, banner_s=0.3)},
        messages=1500,
        per_s=200.0,
    ),
    Trial(
        "connections are reused for 5 messages",
        "smtp_connection_reuse_count_limit = 5\ndefault_destination_concurrency_limit = 10\n",
        {"one.test": Receiver(transaction_s=0.1, banner_s=0.3)},
        messages=1500,
        per_s=200.0,
    ),
    Trial(
        "TLS, and no connection is reused",
        "smtp_tls_security_level = may\ndefault_destination_concurrency_limit = 10\n",
        {"one.test": Receiver(transaction_s=0.1, banner_s=0.3, tls=True)},
        messages=600,
        per_s=200.0,
        parts={"master.cf": _TLS},
    ),
    Trial(
        "TLS, and connections are reused",
        "smtp_tls_security_level = may\nsmtp_tls_connection_reuse = yes\n"
        "default_destination_concurrency_limit = 10\n",
        {"one.test": Receiver(transaction_s=0.1, banner_s=0.3, tls=True)},
        messages=1500,
        per_s=200.0,
        parts={"master.cf": _TLS},
    ),
    Trial(
        "the provider closes after 5 messages",
        "default_destination_concurrency_limit = 10\n",
        {"one.test": Receiver(transaction_s=0.1, banner_s=0.3, closes_after=5)},
        messages=1000,
        per_s=200.0,
        changes={'providers."one.test".messages_per_connection': 5},
    ),
    Trial(
        "retries of 10 to 40 s",
        _retries(10, 40, 5),
        {"one.test": Receiver(transaction_s=0.1, defers=0.3, refuses=0.02)},
        messages=1000,
        per_s=100.0,
        most_s=200.0,
    ),
    Trial(
        "retries of 20 to 160 s",
        _retries(20, 160, 10),
        {"one.test": Receiver(transaction_s=0.2, defers=0.05, refuses=0.01)},
        messages=2000,
        per_s=200.0,
        most_s=240.0,
    ),
    Trial(
        "greylisting for 35 s",
        _retries(20, 80, 10),
        {"one.test": Receiver(transaction_s=0.1, greylists_s=35.0)},
        messages=400,
        per_s=20.0,
    ),
    Trial(
        "the provider accepts 5 connections",
        _retries(10, 40, 5) + "default_destination_concurrency_limit = 20\n",
        {"one.test": Receiver(transaction_s=0.2, connections=5)},
        messages=800,
        per_s=100.0,
        most_s=240.0,
    ),
    Trial(
        "the provider is away for 30 s",
        _retries(13, 52, 5),
        {"one.test": Receiver(transaction_s=0.1, away_s=(2.0, 32.0))},
        messages=600,
        per_s=50.0,
    ),
    Trial(
        "a slow and a quick destination, 100 active",
        "qmgr_message_active_limit = 100\ndefault_destination_concurrency_limit = 5\n",
        {"slow.test": Receiver(transaction_s=1.0), "quick.test": Receiver(transaction_s=0.05)},
        messages=600,
        per_s=200.0,
    ),
    Trial(
        "the relay is the bottleneck",
        "default_destination_concurrency_limit = 20\n",
        {"one.test": QUICK},
        messages=600,
        per_s=20.0,
    ),
    Trial(
        "two destinations, 8 processes of their transport",
        "default_destination_concurrency_limit = 20\n",
        {"one.test": QUICK, "two.test": QUICK},
        messages=600,
        per_s=200.0,
        parts={"master.cf": "few unix - - n - 8 smtp\n"},
        transports={"one.test": "few", "two.test": "few"},
    ),
    Trial(
        "two domains at one host",
        "default_destination_concurrency_limit = 8\n",
        {"one.test": QUICK, "two.test": QUICK},
        messages=600,
        per_s=200.0,
        hops={"two.test": "one.test"},
    ),
    Trial(
        "a stream beside a blast",
        "default_destination_concurrency_limit = 5\n",
        {"one.test": QUICK},
        messages=500,
        per_s=200.0,
        second=Second(messages=80, per_s=4.0, at_s=1.0),
    ),
)
