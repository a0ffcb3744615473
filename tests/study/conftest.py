from __future__ import annotations

import pytest

import sendcap
from sendcap.scenario import Scenario, from_dict

CONVERGING = {
    "title": "Two small deliveries",
    "seed": 8,
    "deliveries": [
        {"name": "news", "messages": 3000, "validity": "8h", "audience": {"p": 0.8, "q": 0.2}},
        {
            "name": "loyalty",
            "messages": 1000,
            "at": "30m",
            "validity": "8h",
            "audience": {"p": 1.0},
        },
    ],
    "relay": {"batch_time": {"dist": "exponential", "mean": "30s"}},
    "providers": {
        "p": {
            "connections_per_ip": 10,
            "connect_time": "100ms",
            "transaction_time": {"dist": "lognormal", "mean": "1s", "cv": 1.0},
            "async_bounce": 0.01,
            "hard": [{"reason": "user unknown", "share": 0.02}],
            "faults": [
                {"reason": "mailbox full", "share": 0.1, "clears_after": "1h", "never": 0.3},
                {"reason": "greylisted", "share": 0.2, "clears_after": "3m"},
            ],
        },
        "q": {"connections_per_ip": 2, "connect_time": "1s", "transaction_time": "4s"},
    },
    "feedback": {
        "synchronous": {"dist": "exponential", "mean": "1m"},
        "asynchronous": {"dist": "exponential", "mean": "2h"},
    },
}


@pytest.fixture(scope="session")
def two_deliveries() -> Scenario:
    return from_dict(CONVERGING)


@pytest.fixture(scope="session")
def converged(two_deliveries) -> sendcap.ConvergenceStudy:
    return sendcap.converge(two_deliveries, 6, workers=1)
