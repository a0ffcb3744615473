"""OpenSMTPD: each a configuration, receivers, and a delivery."""

from __future__ import annotations

from functools import partial
from typing import Final

from bench.receivers import Receiver
from bench.trial import Trial

QUICK: Final = Receiver()
_Trial: Final = partial(Trial, mta="opensmtpd")
_AT_ONCE: Final = "mta limit conn-delay-route 0 conn-delay-relay 0 reconn-delay-route 0\n"
"""Connections are made without a delay between them."""


def _connections(count: int) -> str:
    limits = ("route", "host", "connector")
    named = " ".join(f"max-conn-per-{name} {count}" for name in limits)
    return f"{_AT_ONCE}mta limit {named} session-mail-max 100000\n"


TRIALS: Final = (
    _Trial("limits by default", "", {"one.test": QUICK}, messages=800, per_s=100.0),
    _Trial("5 connections", _connections(5), {"one.test": QUICK}, messages=300, per_s=100.0),
    _Trial("20 connections", _connections(20), {"one.test": QUICK}, messages=1200, per_s=200.0),
    _Trial(
        "a new connection every second",
        _connections(10) + "mta limit conn-delay-route 1\n",
        {"one.test": QUICK},
        messages=800,
        per_s=100.0,
    ),
    _Trial(
        "sessions of 10 messages",
        _connections(10) + "mta limit session-mail-max 10\n",
        {"one.test": Receiver(transaction_s=0.1, banner_s=0.3)},
        messages=1000,
        per_s=100.0,
    ),
    _Trial(
        "sessions of 20 messages, 3 s between them",
        _connections(5) + "mta limit session-mail-max 20 reconn-delay-route 3\n",
        {"one.test": QUICK},
        messages=500,
        per_s=100.0,
    ),
    _Trial(
        "the provider closes after 5 messages",
        _connections(10),
        {"one.test": Receiver(transaction_s=0.1, banner_s=0.3, closes_after=5)},
        messages=600,
        per_s=100.0,
        # The next message is on its way when the connection closes, and that is its bounce.
        changes={
            'providers."one.test".messages_per_connection': 6,
            'providers."one.test".transient': 1.0 / 6.0,
        },
        most_s=480.0,
    ),
    _Trial(
        "the relay is the bottleneck",
        _connections(20),
        {"one.test": QUICK},
        messages=600,
        per_s=20.0,
    ),
    _Trial(
        "two domains at one host",
        _connections(8),
        {"one.test": QUICK, "two.test": QUICK},
        messages=600,
        per_s=100.0,
        hops={"two.test": "one.test"},
    ),
    _Trial(
        "the provider accepts 5 connections",
        _connections(20) + "mta limit conn-delay-route 1\n",
        {"one.test": Receiver(transaction_s=0.2, connections=5)},
        messages=600,
        per_s=100.0,
        most_s=90.0,
    ),
    _Trial(
        "greylisting for 35 s",
        _connections(10),
        {"one.test": Receiver(transaction_s=0.1, greylists_s=35.0)},
        messages=300,
        per_s=50.0,
        most_s=480.0,
    ),
)
