"""A scenario that is simulated in milliseconds, and measures of it that other processes import."""

from __future__ import annotations

import os
import time
from typing import Any

from sendcap.run import Run
from sendcap.scenario import Scenario, from_dict


def small(messages: int = 500, **more: Any) -> Scenario:
    return from_dict(
        {
            "seed": 5,
            "deliveries": [
                {"name": "d", "messages": messages, "validity": "2h", "audience": {"p": 1.0}}
            ],
            "relay": {"batch_time": {"dist": "exponential", "mean": "1s"}},
            "providers": {
                "p": {
                    "connect_time": "100ms",
                    "transaction_time": {"dist": "lognormal", "mean": "300ms", "cv": 1.0},
                    "transient": 0.1,
                }
            },
            **more,
        }
    )


def delivered(run: Run) -> int:
    return run.ledger.total("accepted", clock="happened")


def dies_at_13(run: Run) -> int:
    """Kill the process, as running out of memory does, at one point."""
    if run.ledger.messages() == 13:
        os._exit(9)
    return run.ledger.messages()


def slow(run: Run) -> int:
    time.sleep(0.3)
    return run.ledger.messages()
