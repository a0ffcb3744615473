"""A backlog of seconds gives the limit back that held it, from stamps of whole seconds."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from postfix_queues import Queue, calibrated, log_of

from sendcap.calibration.report import report


def _exponential(rng) -> float:
    return float(rng.exponential(0.2))


def _uniform(rng) -> float:
    return float(rng.uniform(0.1, 0.3))


def _alike(rng) -> float:
    return float(rng.uniform(0.19, 0.21))


def _slow(rng) -> float:
    return float(rng.uniform(0.5, 1.5))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 8, 10, 20])
def test_a_limit_of_connections(limit, seed, tmp_path) -> None:
    found = calibrated(log_of(Queue(limit=limit, messages=60 * limit), seed=seed), tmp_path)
    provider = found.scenario.providers["one.test"]
    assert provider.connections_per_ip == limit
    assert provider.rate is None
    assert "all in use in 1 stretch of" in found.text or limit == 1


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("takes_s", [_exponential, _alike, _slow])
def test_whatever_the_attempts_take(takes_s, seed, tmp_path) -> None:
    found = calibrated(log_of(Queue(limit=6, messages=400, takes_s=takes_s), seed=seed), tmp_path)
    assert found.scenario.providers["one.test"].connections_per_ip == 6
    assert found.scenario.providers["one.test"].rate is None


@pytest.mark.parametrize("uses", [1, 5])
def test_connections_that_are_used_again_or_not(uses, tmp_path) -> None:
    queue = Queue(limit=10, messages=1000, connect_s=0.3, uses=uses)
    found = calibrated(log_of(queue), tmp_path)
    provider = found.scenario.providers["one.test"]
    assert provider.connections_per_ip == 10
    assert provider.messages_per_connection == uses
    assert provider.connect_time.mean_s == pytest.approx(0.3, rel=0.02)


@pytest.mark.parametrize("delay_s", [0.5, 1.0, 3.0])
def test_a_rate_delay(delay_s, tmp_path) -> None:
    queue = Queue(limit=1, messages=40, delay_s=delay_s, per_s=50.0)
    found = calibrated(log_of(queue), tmp_path)
    provider = found.scenario.providers["one.test"]
    assert provider.connections_per_ip == 1
    assert provider.rate.pause == pytest.approx(delay_s, rel=0.06)


@pytest.mark.parametrize("per_s", [5.0, 20.0, 45.0])
def test_where_nothing_waits_no_limit_is_seen(per_s, tmp_path) -> None:
    found = calibrated(log_of(Queue(limit=20, messages=800, per_s=per_s)), tmp_path)
    (estimates,) = found.providers
    assert estimates.ceiling.level is None


def test_of_a_few_connections_the_mean_is_told(tmp_path) -> None:
    found = calibrated(log_of(Queue(limit=8, messages=400, connect_s=0.05)), tmp_path)
    assert found.scenario.providers["one.test"].connect_time.mean_s == pytest.approx(0.05, rel=0.1)
    (estimates,) = found.providers
    assert estimates.connect_mean.low <= 0.05 <= estimates.connect_mean.high
    assert any("too few connections" in each for each in found.missing)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_limit_that_two_destinations_share(seed, tmp_path) -> None:
    one = Queue(limit=20, per_s=100.0)
    lines = log_of(one, replace(one, domain="two.test"), seed=seed, shared=8)
    found = calibrated(lines, tmp_path)
    (limit,) = found.scenario.limits
    assert limit.connections == 8
    assert set(limit.providers) == {"one.test", "two.test"}
    # Their own were not reached.
    assert all(each.connections_per_ip >= 8 for each in found.scenario.providers.values())
    assert ".test share a limit of connections" in report(found)


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("limit", [4, 8])
def test_a_limit_that_two_destinations_have_in_turn(limit, seed, tmp_path) -> None:
    """Postfix's queue manager goes through the destinations of a transport in turn.

    So each has half of the connections in every second, but at a moment one of them has more.
    """
    one = Queue(limit=20, messages=40 * limit, per_s=400.0)
    both = (one, replace(one, domain="two.test"))
    found = calibrated(log_of(*both, seed=seed, shared=limit, in_turn=True), tmp_path)
    (shared,) = found.scenario.limits
    assert shared.connections == limit


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("takes_s", [_uniform, _exponential, _alike])
@pytest.mark.parametrize("limits", [(1, 1), (2, 5), (4, 12), (8, 8)])
def test_limits_of_their_own_of_any_number_are_not_shared(limits, takes_s, seed, tmp_path) -> None:
    queues = [
        Queue(domain=domain, limit=limit, messages=75 * limit, per_s=400.0, takes_s=takes_s)
        for domain, limit in zip(("one.test", "two.test"), limits, strict=True)
    ]
    assert calibrated(log_of(*queues, seed=seed), tmp_path).scenario.limits == ()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_limits_of_their_own_are_not_shared(seed, tmp_path) -> None:
    one = Queue(limit=4, per_s=100.0)
    found = calibrated(log_of(one, replace(one, domain="two.test"), seed=seed), tmp_path)
    assert found.scenario.limits == ()
    assert {each.connections_per_ip for each in found.scenario.providers.values()} == {4}


@pytest.mark.parametrize("accepted", [3, 5])
def test_connections_that_the_provider_refuses(accepted, tmp_path) -> None:
    lines = log_of(Queue(limit=accepted, messages=80 * accepted))
    found = calibrated([each for line in lines for each in (line, *_refused(line))], tmp_path)
    provider = found.scenario.providers["one.test"]
    assert provider.accepts_connections == accepted
    assert provider.connections_per_ip > accepted
    assert provider.connection_scaling.kind == "postfix"
    # Who refuses has not tried: neither a transaction nor a soft bounce at random.
    assert provider.transient == 0.0
    assert provider.transaction_time.mean_s == pytest.approx(0.2, rel=0.05)


def _refused(line: str) -> list[str]:
    """Return what Postfix 3.7.11 writes of a refused connection, beside a fifth of the lines."""
    if not re.search(r"conn_use=\d*[05],", line):
        return []
    head = re.sub(r": A(\d+): to=<u", r": B\1: to=<v", line).partition("conn_use=")[0]
    answer = "refused to talk to me: 421 4.7.0 Too many connections"
    how = "delay=0.3, delays=0.01/0.28/0.01/0, dsn=4.7.0, status=deferred"
    return [f"{head}{how} (host mx.one.test[192.0.2.1] {answer})"]
