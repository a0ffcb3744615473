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
