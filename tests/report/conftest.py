from __future__ import annotations

from pathlib import Path

import pytest
from names_like_markup import TEXT

import sendcap
from sendcap import scenario


@pytest.fixture(scope="session")
def run() -> sendcap.Run:
    return sendcap.simulate(scenario.loads(TEXT))


@pytest.fixture(scope="session")
def other(run) -> sendcap.Run:
    edits = {"mta.retry.first": "5m", "title": "Sooner", "mta.ips": 2}
    return sendcap.simulate(scenario.updated(run.scenario, edits))


@pytest.fixture(scope="session")
def page(run, tmp_path_factory) -> Path:
    return sendcap.write_report(run, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="session")
def slow() -> sendcap.Run:
    """Five messages, each accepted and opened in the first second; Campaign hears of it later."""
    text = """
    start = 2026-11-27T06:10:30-05:00
    time.bin = "7m"
    relay.batch_time = "0s"
    deliveries = [{ name = "d", messages = 5, audience = { p = 1.0 } }]
    providers.p = { connect_time = "0s", transaction_time = "100ms" }
    feedback = { synchronous = { dist = "uniform", low = "0s", high = "3h" } }
    engagement = { open_rate = 1.0 }
    """
    return sendcap.simulate(scenario.loads(text))
