"""What the two modes show on a simulated delivery, from its start to its end."""

from __future__ import annotations

import numpy as np
import pytest

import sendcap
from sendcap.readings.modes import MODES
from sendcap.run import Run
from sendcap.scenario import from_dict

PROVIDER = {
    "connections_per_ip": 50,
    "connect_time": "100ms",
    "transaction_time": {"dist": "exponential", "mean": "500ms"},
    "transient": 0.05,
    "hard": [{"reason": "user unknown", "share": 0.02}],
    "faults": [{"reason": "mailbox full", "share": 0.05, "clears_after": "5h", "never": 0.4}],
}


def run_of(async_bounce: float, messages: int = 20_000, **relay: object) -> Run:
    scenario = from_dict(
        {
            "deliveries": [{"name": "a", "messages": messages, "audience": {"p": 1.0}}],
            "relay": {"batch_time": "1s", "error_rate": 0.001} | relay,
            "providers": {"p": PROVIDER | {"async_bounce": async_bounce}},
            "feedback": {
                "synchronous": {"dist": "exponential", "mean": "1m"},
                "asynchronous": {"dist": "lognormal", "mean": "9h", "cv": 1.5},
            },
        }
    )
    return sendcap.simulate(scenario)


@pytest.fixture(scope="module")
def run() -> Run:
    return run_of(0.0)


@pytest.fixture(scope="module")
def run_with_async() -> Run:
    return run_of(0.01)


def test_every_mode_ends_on_the_same_sent_and_failed(run_with_async: Run) -> None:
    ends = [run_with_async.kpis(mode).iloc[-1] for mode in MODES]
    assert len({(end.sent, end.failed, end.pending) for end in ends}) == 1
    assert ends[0].sent + ends[0].failed == 20_000
    assert ends[0].pending == 0


def test_sent_failed_and_pending_are_never_negative(run_with_async: Run) -> None:
    for mode in MODES:
        kpis = run_with_async.kpis(mode)
        assert (kpis[["sent", "failed", "pending"]] >= 0).all(axis=None)


def test_without_efs_delivered_starts_at_100_and_never_rises_once_all_is_relayed(
    run_with_async: Run,
) -> None:
    """While the relay still adds messages, their share of failures can only be diluted."""
    kpis = run_with_async.kpis("without-efs")
    relayed = kpis.relayed.to_numpy()
    over = np.flatnonzero(relayed == relayed[-1])
    falls = np.diff(kpis.delivered_pct.to_numpy()[over])
    assert (falls <= 0).all()
    assert falls.min() < 0
    assert kpis.delivered_pct.dropna().iloc[0] > 99.0


def test_without_efs_delivered_never_rises_when_all_is_relayed_at_once() -> None:
    at_once = run_of(0.01, messages=5000, batch=5000, batch_time="0s", error_rate=0.0)
    delivered = at_once.kpis("without-efs").delivered_pct.dropna().to_numpy()
    assert delivered[0] == 100.0 or delivered[0] > 98.0
    assert (np.diff(delivered) <= 0).all()


def test_with_efs_delivered_starts_at_0_and_never_falls_without_asynchronous_bounces(
    run: Run,
) -> None:
    delivered = run.kpis("efs").delivered_pct.to_numpy()
    assert delivered[0] == 0.0
    assert (np.diff(delivered) >= 0).all()


def test_with_efs_delivered_falls_by_asynchronous_bounces_only(run_with_async: Run) -> None:
    kpis, ledger = run_with_async.kpis("efs"), run_with_async.ledger
    falls = np.diff(kpis.sent.to_numpy()) < 0
    assert falls.any()
    assert (ledger.counts("async_bounced", clock="known")[falls] > 0).all()


def test_with_efs_bounces_and_errors_fall_when_retries_succeed(run: Run) -> None:
    failed = run.kpis("efs").failed.to_numpy()
    falls = np.diff(failed) < 0
    assert falls.any()
    assert (run.ledger.counts("recovered", clock="known")[falls] > 0).all()
    assert failed.max() > failed[-1]


def test_without_efs_soft_bounces_show_at_the_end_of_validity_only(run: Run) -> None:
    kpis = run.kpis("without-efs")
    expired = run.ledger.total("expired")
    before = kpis[kpis.time_s < 84 * 3600].failed.iloc[-1]
    assert expired > 100
    assert kpis.failed.iloc[-1] - before == expired
