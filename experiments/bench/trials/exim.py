"""The experiments with Exim."""

from __future__ import annotations

from typing import Final

from bench.receivers import Receiver
from bench.trial import Trial

QUICK: Final = Receiver()

TRIALS: Final = (
    Trial(
        "each message is sent at once",
        "",
        {"one.test": Receiver(transaction_s=0.5, banner_s=0.3)},
        messages=300,
        per_s=10.0,
        mta="exim",
    ),
    Trial(
        "queue runners alone, 4 at most",
        "queue_only\nqueue_run_max = 4\n",
        {"one.test": QUICK},
        messages=600,
        per_s=100.0,
        mta="exim",
        parts={"every": "5s"},
    ),
    Trial(
        "F: retries after 10 s, then 20 s",
        "",
        {"one.test": Receiver(transaction_s=0.1, defers=0.25, refuses=0.02)},
        messages=500,
        per_s=25.0,
        mta="exim",
        parts={"every": "5s", "retry": "* * F,30s,10s; F,10m,20s"},
        most_s=200.0,
    ),
    Trial(
        "G: retries after 7 s, then 1.5 times as long",
        "",
        {"one.test": Receiver(transaction_s=0.1, defers=0.25, refuses=0.02)},
        messages=500,
        per_s=25.0,
        mta="exim",
        parts={"every": "5s", "retry": "* * G,10m,7s,1.5"},
        most_s=200.0,
    ),
    Trial(
        "greylisting for 35 s",
        "",
        {"one.test": Receiver(transaction_s=0.1, greylists_s=35.0)},
        messages=300,
        per_s=20.0,
        mta="exim",
        parts={"every": "10s", "retry": "* * F,10m,15s"},
    ),
    Trial(
        "the provider accepts 5 connections",
        "",
        {"one.test": Receiver(transaction_s=0.2, connections=5)},
        messages=400,
        per_s=50.0,
        mta="exim",
        parts={"every": "5s", "retry": "* * F,10m,10s"},
        most_s=200.0,
    ),
    Trial(
        "the provider is away for 30 s",
        "",
        {"one.test": Receiver(transaction_s=0.1, away_s=(2.0, 32.0))},
        messages=400,
        per_s=25.0,
        mta="exim",
        parts={"every": "5s", "retry": "* * F,10m,10s"},
        # What the guide says to add with outages: Exim holds a host back until the next attempt.
        changes={
            "mta.suspend": {"counts": ["unreachable"], "lasts": "10s", "meanwhile": "retry"},
        },
        most_s=150.0,
    ),
)
