from __future__ import annotations

import numpy as np
import pytest

import sendcap
from sendcap.scenario import from_dict, updated
from sendcap.study.forecasts.reference import sliced

PLAIN = {
    "seed": 3,
    "deliveries": [
        {"name": "news", "messages": 32_000, "validity": "4h", "audience": {"p": 0.8, "q": 0.2}}
    ],
    "relay": {"workers": 3, "batch": 64, "batch_time": "700ms", "rate": "80/s"},
    "mta": {"ips": 8, "ingress_rate": "70/s"},
    "providers": {
        "p": {
            "connections_per_ip": 2,
            "connect_time": "300ms",
            "transaction_time": {"dist": "lognormal", "mean": "400ms", "cv": 0.7},
            "hard": [{"reason": "user unknown", "share": 0.01}],
            "faults": [
                {"reason": "mailbox full", "share": 0.02, "clears_after": "1h", "never": 0.5}
            ],
        },
        "q": {"connections_per_ip": 2, "connect_time": "1s", "transaction_time": "2s"},
    },
}


def test_a_slice_has_its_share_of_all_that_is_shared() -> None:
    slices = sliced(from_dict(PLAIN), fewest=8_000)
    assert slices.deliveries[0].messages == 8_000
    assert slices.mta.ips == 2
    assert (slices.relay.workers, slices.relay.batch) == (3, 16)
    assert str(slices.relay.rate) == "80/4s,max_burst=20"
    assert str(slices.mta.ingress_rate) == "70/4s"
    assert slices.providers == from_dict(PLAIN).providers
    assert slices.seed == 3


def test_a_slice_takes_the_same_course() -> None:
    scenario = from_dict(PLAIN)
    part = sliced(scenario, fewest=4_000)
    assert part.mta.ips == 1

    def delivered(of: sendcap.Scenario, seed: int) -> np.ndarray:
        table = sendcap.simulate(of, seed=seed).kpis("efs").set_index("time_s")["delivered_pct"]
        return table.loc[[120.0, 300.0, 600.0, 1200.0, 3600.0, 10_800.0]].to_numpy()

    whole = np.array([delivered(scenario, seed) for seed in range(3)])
    slices = np.array([delivered(part, 100 + seed) for seed in range(16)])
    error = np.sqrt(whole.var(axis=0, ddof=1) / 3 + slices.var(axis=0, ddof=1) / 16)
    assert (np.abs(slices.mean(axis=0) - whole.mean(axis=0)) < 4.0 * error + 0.1).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"deliveries[0].messages": 15_999},
        {"mta.ips": 7},
        {"relay.batch": 63},
        {"mta.spool": 10_000},
        {"mta.active": 1000},
        {"mta.order": "fifo", "mta.queues": "per-ip"},
        {"limits": [{"name": "all", "rate": "100/s"}]},
        {"providers.p.connection_scaling": "kumomta"},
        {"feedback.rate": "100/s"},
        {"deliveries[0].pause": "10m", "deliveries[0].resume": "20m"},
        {"mta.suspend": "momentum"},
    ],
)
def test_where_absolute_numbers_count_there_is_no_slice(changes) -> None:
    assert sliced(from_dict(PLAIN), fewest=8_000).mta.ips == 2
    scenario = updated(from_dict(PLAIN), changes)
    assert sliced(scenario, fewest=8_000) is scenario
