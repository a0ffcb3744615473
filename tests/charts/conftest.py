from __future__ import annotations

import pytest

import sendcap
from sendcap import scenario

TEXT = """
title = "A $mall delivery, 100 % 中 of_it"
seed = 3
[[deliveries]]
name = "news"
messages = 3000
validity = "8h"
audience = { gmail = 0.7, yahoo = 0.3 }
[[deliveries]]
name = "loyalty"
messages = 500
at = "30m"
audience = { gmail = 1.0 }
[relay]
batch_time = "1s"
[providers.gmail]
connect_time = "100ms"
transaction_time = "200ms"
async_bounce = 0.01
hard = [{ reason = "user unknown", share = 0.02 }]
faults = [{ reason = "greylisted", share = 0.1, clears_after = "5m" },
          { reason = "mailbox full", share = 0.02, never = 1.0 }]
[providers.yahoo]
connect_time = "100ms"
transaction_time = "200ms"
[feedback]
synchronous = "30s"
asynchronous = { dist = "exponential", mean = "2h" }
[reporting]
modes = ["without-efs", "efs", "efs-v8", "legacy"]
"""


@pytest.fixture(scope="session")
def run() -> sendcap.Run:
    return sendcap.simulate(scenario.loads(TEXT))


@pytest.fixture(scope="session")
def study() -> sendcap.ConvergenceStudy:
    return sendcap.converge(scenario.loads(TEXT), 5, workers=1)


@pytest.fixture(scope="session")
def compared() -> sendcap.Comparison:
    one = scenario.loads(TEXT)
    two = scenario.updated(one, {"mta.retry.first": "6m"})
    return sendcap.compare(one, two, 4, names=("as it is", "mta.retry.first=6m"), workers=1)
