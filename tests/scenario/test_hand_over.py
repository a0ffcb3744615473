"""Workers and a rate that nearly match, against their starts one after the other."""

from __future__ import annotations

import math
from heapq import heapreplace
from typing import Any

import numpy as np
import pytest

from sendcap.scenario import from_dict, hand_over
from sendcap.scenario.distributions import Exponential, Uniform
from sendcap.scenario.hand_over import Limit, together
from sendcap.scenario.shared_constraints import WORKERS_AND_RATE
from sendcap.scenario.stages import Stage, stages

LOGNORMAL = {"dist": "lognormal", "mean": "1s", "cv": 0.5}
EXPONENTIAL = {"dist": "exponential", "mean": "1s"}
EVEN = Uniform(dist="uniform", low="2.9s", high="3.1s")
WIDE = Exponential(dist="exponential", mean="3s")


def relay_of(batches: tuple[int, ...] = (10,), **relay: Any) -> Stage:
    deliveries = [
        {"name": f"d{size}", "messages": 1000 * size, "batch": size, "audience": {"p": 1.0}}
        for size in batches
    ]
    provider = {"connect_time": "0s", "transaction_time": "0s"}
    plain = {"deliveries": deliveries, "relay": relay, "providers": {"p": provider}}
    return stages(from_dict(plain))[0]


def started_per_s(times_s: Any, sizes: Any, workers: int, per_s: float, burst: int) -> float:
    free_s, due_s, start_s = [0.0] * workers, -math.inf, 0.0
    for size, time_s in zip(sizes.tolist(), times_s.tolist(), strict=True):
        start_s = max(start_s, free_s[0], due_s - max(burst - size, 0) / per_s)
        due_s = max(due_s, start_s) + size / per_s
        heapreplace(free_s, start_s + time_s)
    return float(sizes.sum()) / start_s


@pytest.mark.parametrize("cv", [0.5, 1.0])
@pytest.mark.parametrize(
    ("workers", "per_s", "burst", "batches"),
    [
        (1, 10, 10, (10,)),
        (1, 14, 10, (10,)),
        (1, 10, 40, (10,)),
        (3, 30, 10, (10,)),
        (8, 70, 20, (10,)),
        (20, 200, 10, (10,)),
        (2, 40, 30, (10, 30)),
    ],
)
def test_they_are_slower_together_than_either(cv, workers, per_s, burst, batches) -> None:
    rng = np.random.default_rng(3)
    sigma = math.sqrt(math.log1p(cv * cv))
    times_s = rng.lognormal(-sigma * sigma / 2, sigma, 100_000)
    sizes = rng.choice(batches, 100_000)
    relay = relay_of(
        batches,
        workers=workers,
        batch_time=LOGNORMAL | {"cv": cv},
        rate=f"{per_s}/s,max_burst={burst}",
    )
    assert relay.binding.name == WORKERS_AND_RATE
    either_per_s = min(per_s, workers * sum(batches) / len(batches))
    assert 0.5 * either_per_s < relay.per_s < 0.98 * either_per_s
    should = started_per_s(times_s, sizes, workers, per_s, burst)
    assert relay.per_s == pytest.approx(should, rel=0.01)


def test_one_worker_takes_the_longer_of_both_times() -> None:
    relay = relay_of(batch_time=EXPONENTIAL, rate="8/s,max_burst=10")
    # The mean of max(c, T) for an exponential T with mean 1 is c + exp(-c).
    assert relay.per_s == pytest.approx(10 / (1.25 + math.exp(-1.25)), rel=1e-5)


@pytest.mark.parametrize(
    "relay",
    [
        {"batch_time": "1s", "rate": "10/s,max_burst=10"},
        {"batch_time": EXPONENTIAL, "rate": "10/s,max_burst=10000"},
        {"batch_time": EXPONENTIAL, "rate": "1/s,max_burst=10"},
        {"batch_time": EXPONENTIAL, "workers": 500, "rate": "5000/s,max_burst=10"},
        {"batch_time": "0s", "rate": "10/s"},
    ],
)
def test_where_nobody_waits_for_the_other_both_limits_are_as_they_are(relay) -> None:
    limits = {limit.name: limit.per_s for limit in relay_of(**relay).constraints}
    assert limits.keys() == {"workers", "rate"}


def test_a_schedule_has_a_limit_for_both_in_each_step() -> None:
    steps = [{"at": "0s", "rate": "1/s,max_burst=10"}, {"at": "1h", "rate": "10/s,max_burst=10"}]
    relay = relay_of(batch_time=EXPONENTIAL, rate={"kind": "schedule", "steps": steps})
    (both,) = (limit for limit in relay.constraints if limit.name == WORKERS_AND_RATE)
    per_s = [pace.per_s for pace in both.paces]
    assert per_s == pytest.approx([1.0, 10 / (1 + math.exp(-1))], rel=1e-4)


@pytest.mark.parametrize(("ips", "queues"), [(1, "pooled"), (3, "pooled"), (3, "per-ip")])
def test_connections_and_a_rate_of_a_queue_get_in_each_others_way(ips, queues) -> None:
    provider = {
        "connections_per_ip": 4,
        "connect_time": "0s",
        "messages_per_connection": "unlimited",
        "transaction_time": LOGNORMAL | {"cv": 1.0},
        "rate": "4/s,max_burst=2",
    }
    queue = stages(
        from_dict(
            {
                "deliveries": [{"name": "a", "messages": 1000, "audience": {"p": 1.0}}],
                "mta": {"ips": ips, "queues": queues},
                "relay": {"batch_time": "0s"},
                "providers": {"p": provider},
            }
        )
    )[-1]
    assert queue.binding.name == "connections and rate"
    each = 1 if queues == "per-ip" else ips
    rng = np.random.default_rng(4)
    times_s = rng.lognormal(-math.log(2.0) / 2, math.sqrt(math.log(2.0)), 200_000)
    should = started_per_s(times_s, np.ones(200_000), 4 * each, 4 * each, 2 * each)
    assert queue.per_s == pytest.approx(should * ips / each, rel=0.01)


@pytest.mark.parametrize("sizes", [(1,), (4, 6)])
@pytest.mark.parametrize(("servers", "takes"), [(2, WIDE), (6, WIDE), (6, EVEN), (20, WIDE)])
def test_only_limits_without_a_loss_are_not_worked_out(monkeypatch, servers, takes, sizes) -> None:
    size = sum(sizes) / len(sizes)
    most_per_s = servers * size / 3.0
    shares = (0.001, 0.3, 0.5, 0.7, 0.9, 0.97, 1.0)
    limits = tuple(
        Limit(share * most_per_s, size * burst) for share in shares for burst in (2, servers)
    )
    in_turn, worked_out = hand_over._in_turn, []

    def noting(*arguments):
        worked_out.extend(arguments[3])
        return in_turn(*arguments)

    every = in_turn(servers, takes, sizes, limits)
    monkeypatch.setattr(hand_over, "_in_turn", noting)
    together.cache_clear()
    found = together(servers, takes, sizes, limits)
    losing = {
        limit for limit in limits if every[limit].per_s < 0.998 * min(limit.per_s, most_per_s)
    }
    assert losing or takes is EVEN
    assert found == {limit: every[limit] for limit in losing}
    assert servers == 2 or len(worked_out) < len(limits)
