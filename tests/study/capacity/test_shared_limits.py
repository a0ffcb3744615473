"""What `sendcap.limits` shows of limits over several queues; all figures are worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sendcap
from sendcap.scenario import from_dict
from sendcap.study.capacity.limits import Limits
from sendcap.study.capacity.observed import Observed
from sendcap.study.replication.measures import MEASURES


def watched(limit: dict[str, Any], **provider: Any) -> Limits:
    """Six messages to p and four to q, all at t = 0, each attempt a second long."""
    plain = {"connect_time": "0s", "transaction_time": "1s", "connections_per_ip": 5} | provider
    return sendcap.limits(
        from_dict(
            {
                "time": {"bin": "1s"},
                "deliveries": [{"name": "a", "messages": 10, "audience": {"p": 0.6, "q": 0.4}}],
                "relay": {"batch_time": "0s"},
                "providers": {"p": plain, "q": plain},
                "limits": [limit],
            }
        )
    )


def of_limit(limits: Limits) -> Observed:
    (stage,) = (each for each in limits.observed if each.stage.kind == "limit")
    return stage


def test_for_a_rate_wait_all_that_its_queues_have_not_started() -> None:
    """One goes a second, the first at once."""
    stage = of_limit(watched({"name": "rate", "rate": "1/s,max_burst=1"}))
    assert stage.backlog[:11].tolist() == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]
    assert stage.throughput_per_s[:10].tolist() == [2, 1, 1, 1, 1, 1, 1, 1, 1, 0]
    assert stage.utilisation[:9].tolist() == pytest.approx([1.0] * 9)
    assert (stage.mean_wait_s, stage.longest_wait_s) == (4.5, 9.0)


def test_of_connections_those_are_in_use_that_carry_an_attempt() -> None:
    """Four at a time: 4, 4 and 2."""
    stage = of_limit(watched({"name": "connections", "connections": 4}))
    assert stage.backlog[:4].tolist() == [6, 2, 0, 0]
    assert stage.utilisation[:3].tolist() == [1.0, 1.0, 0.5]


def test_a_limit_counts_the_queues_that_it_covers() -> None:
    limits = watched({"name": "of p", "connections": 2, "providers": ["p"]})
    stage, p = of_limit(limits), limits.observed[1]
    assert stage.backlog[:4].tolist() == [4, 2, 0, 0] == p.backlog[:4].tolist()
    assert stage.utilisation[:3].tolist() == [1.0, 1.0, 1.0]
    # Of its queue's own connections, two of five are in use.
    assert p.utilisation[:3].tolist() == [0.4, 0.4, 0.4]


def test_an_attempt_that_is_throttled_uses_the_limit_as_well() -> None:
    limits = watched(
        {"name": "rate", "rate": "1/s,max_burst=1"},
        tolerance="1/d,max_burst=1",
        retry={"policy": "momentum", "max_retries": 0},
    )
    assert limits.run.ledger.total("soft", clock="happened") == 8
    assert of_limit(limits).utilisation[:9].tolist() == pytest.approx([1.0] * 9)


def test_a_limit_over_a_delivery_counts_the_attempts_of_that_only() -> None:
    """Of two deliveries with four messages each, a sends one a second and b all at once."""
    plain = {"connect_time": "0s", "transaction_time": "1s", "connections_per_ip": 8}
    one = {"messages": 4, "audience": {"p": 1.0}}
    limits = sendcap.limits(
        from_dict(
            {
                "time": {"bin": "1s"},
                "deliveries": [one | {"name": "a"}, one | {"name": "b"}],
                "relay": {"batch_time": "0s"},
                "providers": {"p": plain},
                "limits": [{"name": "of a", "rate": "1/s,max_burst=1", "deliveries": ["a"]}],
            }
        )
    )
    assert of_limit(limits).throughput_per_s.sum() == 4.0


def test_whoever_waits_for_a_limit_is_not_counted_twice() -> None:
    limits = watched({"name": "rate", "rate": "1/s,max_burst=1"})
    queues = [each for each in limits.observed if each.stage.kind == "provider"]
    total = np.sum([each.backlog for each in queues], axis=0)
    assert of_limit(limits).backlog.tolist() == total.tolist()
    largest = max(each.peak_backlog for each in queues)
    assert MEASURES["peak_backlog"].of(limits) == largest < total.max()


def test_the_slowest_stage_is_one_even_if_another_has_the_same_name() -> None:
    limits = watched({"name": "p", "rate": "1/s,max_burst=1"})
    assert limits.slowest is of_limit(limits).stage
    assert limits.bottleneck == "p"
