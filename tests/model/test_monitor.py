"""What the monitor sees: exact, the same in every window, and by the laws of queueing.

References: J. D. C. Little, "A proof for the queuing formula L = λW", Operations Research 9 (1961);
P. J. Denning and J. P. Buzen, "The operational analysis of queueing network models", ACM Computing
Surveys 10 (1978): the utilisation law.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize
from small_scenarios import EVERYTHING, REACTING, SUSPENDED, scenario_of, shorter

from sendcap.errors import SendcapWarning
from sendcap.model.engine import simulate_ledger
from sendcap.model.monitor import Monitor, Presence, StageMonitor, Waits
from sendcap.scenario import Scenario, from_dict, load, updated

# --- What is counted ------------------------------------------------------------------------------

milliseconds = st.integers(0, 400_000).map(lambda number: number / 1000)
stays = st.lists(st.tuples(milliseconds, milliseconds, st.integers(1, 5)), max_size=40)


@given(stays, st.sampled_from([1.0, 7.5, 60.0, 1000.0]), st.data())
def test_presence_is_exact_at_the_edges_and_on_average(stays, bin_s, data) -> None:
    presence = Presence(bin_s)
    enters_s = np.array([enter for enter, _, _ in stays])
    leaves_s = np.array([enter + stay for enter, stay, _ in stays])
    weights = np.array([weight for _, _, weight in stays], np.int64)
    cut = data.draw(st.integers(0, len(stays)))
    for part in (slice(None, cut), slice(cut, None)):
        presence.leave(leaves_s[part], weights[part])
        presence.enter(enters_s[part], weights[part])
    bins = math.ceil(801.0 / bin_s)
    edges_s = np.arange(bins + 1) * bin_s
    present = (enters_s[:, None] <= edges_s) & (leaves_s[:, None] > edges_s)
    assert presence.at_edges(bins).tolist() == (weights @ present).tolist()
    within_s = np.minimum(leaves_s[:, None], edges_s[1:]) - np.maximum(
        enters_s[:, None], edges_s[:-1]
    )
    average = weights @ np.maximum(within_s, 0.0) / bin_s
    np.testing.assert_allclose(presence.on_average(bins), average, atol=1e-3)
    assert presence.entered(bins).sum() == presence.left(bins).sum() == weights.sum()


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=200), st.sampled_from([0.1, 0.5, 0.95]))
def test_quantiles_of_waits_are_within_half_a_percent(waits_s, share) -> None:
    waits = Waits()
    for some in np.array_split(np.array(waits_s), 3):
        waits.add(some)
    ranked = sorted(waits_s)
    expected_s = ranked[math.ceil(share * len(ranked)) - 1]
    assert waits.quantile_s(share) == pytest.approx(expected_s, rel=0.00501, abs=1.001e-3)
    assert waits.quantile_s(1.0) <= waits.longest_s == ranked[-1]
    assert waits.mean_s == pytest.approx(np.mean(waits_s), abs=1e-4)


def test_a_wait_counts_for_all_the_messages_that_it_stands_for() -> None:
    waits = Waits()
    waits.add(np.array([0.0, 1.0, 10.0]), np.array([5, 4, 1]))
    assert (waits.count, waits.mean_s) == (10, 1.4)
    assert waits.quantile_s(0.5) == 0.0
    assert waits.quantile_s(0.9) == pytest.approx(1.0, rel=0.005)
    assert waits.quantile_s(0.91) == pytest.approx(10.0, rel=0.005)


def test_nothing_has_waited_yet() -> None:
    assert math.isnan(Waits().mean_s)
    assert math.isnan(Waits().quantile_s(0.5))
    assert Monitor(60.0).bins == 1


# --- What a simulation shows ----------------------------------------------------------------------


def readings(monitor: Monitor, scenario: Scenario) -> list[Any]:
    """All that can be read off a monitor."""
    stages = [monitor.relay, monitor.ingress, *map(monitor.queue, scenario.providers)]
    bins = monitor.bins
    return [
        value
        for stage in stages
        for value in (
            *(each.at_edges(bins).tolist() for each in (stage.waiting, stage.busy)),
            *(entry.on_average(bins).tolist() for entry in (stage.waiting, stage.busy)),
            stage.started(bins).tolist(),
            stage.given_up(bins).tolist(),
            stage.waits.count,
            str(stage.waits.mean_s),
            stage.waits.longest_s,
            *(str(stage.waits.quantile_s(share)) for share in (0.1, 0.5, 0.9, 0.99)),
        )
    ]


def watched(scenario: Scenario, window_s: float | None = None) -> tuple[Any, Monitor]:
    monitor = Monitor(scenario.time.bin, scenario.time.horizon or math.inf)
    return simulate_ledger(scenario, window_s=window_s, monitor=monitor), monitor


def cut_off(sections: dict[str, Any]) -> Scenario:
    with pytest.warns(SendcapWarning, match="cuts off"):
        return from_dict(copy.deepcopy(sections) | {"time": {"horizon": "10m"}})


SCENARIOS = {
    "everything": lambda: from_dict(shorter(EVERYTHING)),
    "reacting": lambda: from_dict(shorter(REACTING)),
    "suspended": lambda: from_dict(shorter(SUSPENDED)),
    "everything, cut off": lambda: cut_off(EVERYTHING),
    "reacting, cut off": lambda: cut_off(REACTING),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_sees_the_same_in_every_window_and_changes_no_ledger(name: str) -> None:
    scenario = SCENARIOS[name]()
    ledger, monitor = watched(scenario)
    assert ledger == simulate_ledger(scenario)
    for window_s in (5.0, 60.0):
        other_ledger, other = watched(scenario, window_s)
        assert other_ledger == ledger
        assert readings(other, scenario) == readings(monitor, scenario)


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_counts_what_the_ledger_counts(name: str) -> None:
    scenario = SCENARIOS[name]()
    ledger, monitor = watched(scenario)
    bins = monitor.bins

    def total(event: str, provider: str | None = None) -> int:
        return ledger.total(event, clock="happened", provider=provider)

    assert monitor.relay.started(bins).sum() == total("relayed") + total("relay_failed")
    assert monitor.ingress.waiting.entered(bins).sum() == total("relayed")
    for name in scenario.providers:
        stage = monitor.queue(name)
        assert stage.started(bins).sum() == stage.waits.count == total("attempted", name)
        waiting = stage.waiting.at_edges(bins)[-1]
        assert stage.waiting.entered(bins).sum() == (
            stage.started(bins).sum() + stage.given_up(bins).sum() + waiting
        )
        if scenario.time.horizon is None:
            assert waiting == 0
            assert stage.busy.at_edges(bins)[-1] == 0


def test_those_that_still_wait_at_the_horizon_are_seen() -> None:
    with pytest.warns(SendcapWarning, match="cuts off"):
        scenario = scenario_of(time={"horizon": "10m"}, delivery={"messages": 5000})
    _, monitor = watched(scenario)
    # All are relayed at once, and one goes each second; the first at 0 s.
    assert monitor.queue("p").waiting.at_edges(10).tolist() == [
        4999 - 60 * minute for minute in range(10)
    ] + [4400]


# --- Laws -----------------------------------------------------------------------------------------


def poisson(messages: int, per_s: float, **sections: Any) -> Scenario:
    """Messages that come by themselves at exponential intervals, as the relay's worker hands over.

    So the ingress, or a provider behind none, sees Poisson arrivals.
    """
    batch_time = {"dist": "exponential", "mean": f"{1 / per_s}s"}
    relay = {"batch": 1, "workers": 1, "batch_time": batch_time}
    return scenario_of(delivery={"messages": messages}, relay=relay, **sections)


MMC = poisson(
    400_000,
    8.0,
    provider={
        "connections_per_ip": 10,
        "messages_per_connection": "unlimited",
        "idle_timeout": "1h",
        "transaction_time": {"dist": "exponential", "mean": "1s"},
    },
)
THROTTLED = poisson(
    200_000,
    9.0,
    provider={
        "connections_per_ip": 30,
        "messages_per_connection": 10,
        "idle_timeout": "1h",
        "connect_time": {"dist": "exponential", "mean": "2s"},
        "transaction_time": {"dist": "gamma", "mean": "1s", "cv": 0.5},
        "rate": "10/s,max_burst=5",
    },
)
BLACK_FRIDAY = updated(
    load("black-friday"), {"deliveries[0].messages": 500_000, "engagement.open_rate": 0.0}
)


@pytest.fixture(scope="module", params=["mmc", "throttled", "black-friday"])
def seen(request: pytest.FixtureRequest) -> tuple[Scenario, Any, Monitor]:
    scenario = {"mmc": MMC, "throttled": THROTTLED, "black-friday": BLACK_FRIDAY}[request.param]
    return scenario, *watched(scenario)


def test_the_utilisation_law_holds(seen) -> None:
    """Connections at work are throughput times how long an attempt takes one."""
    scenario, _, monitor = seen
    for name in ("gmail", "icloud") if "gmail" in scenario.providers else ("p",):
        provider, stage = scenario.providers[name], monitor.queue(name)
        started = stage.started(monitor.bins)
        # While there is work for connections all the time: they are not idle for long.
        busy = np.cumsum(started < 0.5 * np.median(started[started > 0])) == 0
        holding_s = provider.transaction_time.mean_s
        if provider.messages_per_connection != "unlimited":
            holding_s += provider.connect_time.mean_s / provider.messages_per_connection
        throughput_per_s = started[busy].mean() / monitor.bin_s
        at_work = stage.busy.on_average(monitor.bins)[busy].mean()
        assert at_work == pytest.approx(throughput_per_s * holding_s, rel=0.01)
        assert at_work <= provider.connections_per_ip * scenario.mta.ips + 1e-9


def test_littles_law_holds_at_every_stage(seen) -> None:
    """The mean number that waits is throughput times the mean wait."""
    scenario, ledger, monitor = seen
    assert ledger.total("expired_untried") == 0
    stages = {"relay": monitor.relay, "ingress": monitor.ingress}
    stages |= {name: monitor.queue(name) for name in scenario.providers}
    waited = 0
    for stage in stages.values():
        bins = monitor.bins
        throughput_per_s = stage.waits.count / (bins * monitor.bin_s)
        if stage.waits.count and stage.given_up(bins).sum() == 0:
            mean = stage.waiting.on_average(bins).mean()
            assert mean == pytest.approx(throughput_per_s * stage.waits.mean_s, rel=0.01, abs=1e-9)
            waited += mean > 0.0
    assert waited >= 2


def test_waits_are_those_of_an_m_m_c_queue() -> None:
    """Erlang's C formula, at 10 connections of which 7 are needed."""
    servers, load_ = 10, 7.0
    last = load_**servers / math.factorial(servers) * servers / (servers - load_)
    all_busy = last / (sum(load_**k / math.factorial(k) for k in range(servers)) + last)
    scenario = updated(MMC, {"relay.batch_time.mean": f"{1 / 7.0}s"})
    waits = watched(scenario)[1].queue("p").waits
    assert waits.mean_s == pytest.approx(all_busy / (servers - load_), rel=0.05)
    # A message that waits does so exponentially.
    p95_s = math.log(all_busy / 0.05) / (servers - load_)
    assert waits.quantile_s(0.95) == pytest.approx(p95_s, rel=0.05)


def test_waits_at_the_ingress_are_those_of_an_m_d_1_queue() -> None:
    scenario = poisson(
        400_000, 7.0, mta={"ingress_rate": "10/s"}, provider={"transaction_time": "0s"}
    )
    _, monitor = watched(scenario)
    # Pollaczek and Khinchine.
    assert monitor.ingress.waits.mean_s == pytest.approx(0.7 * 0.1 / (2 * 0.3), rel=0.03)
    assert monitor.ingress.busy.on_average(monitor.bins - 1)[10:].mean() == pytest.approx(
        0.7, rel=0.01
    )


def test_a_throttle_makes_a_d_m_1_queue_behind_it_wait_as_it_should() -> None:
    """One message every 1/7 s, spread by the delivery, to one exponential connection of 0.1 s."""
    count, every_s, mean_s = 300_000, 1 / 7.0, 0.1
    scenario = scenario_of(
        delivery={"messages": count, "spread": f"{count * every_s}s"},
        relay={"batch": 1},
        provider={
            "messages_per_connection": "unlimited",
            "idle_timeout": "1h",
            "transaction_time": {"dist": "exponential", "mean": f"{mean_s}s"},
        },
    )
    sigma = optimize.brentq(lambda s: s - math.exp(-(1 - s) * every_s / mean_s), 1e-9, 1 - 1e-6)
    waits = watched(scenario)[1].queue("p").waits
    assert waits.mean_s == pytest.approx(sigma / (1 - sigma) * mean_s, rel=0.03)


def test_a_connection_that_the_throttle_holds_is_not_at_work() -> None:
    """Ten connections at 1 message/s of 100 ms: a tenth of one is at work, and all have one."""
    scenario = scenario_of(
        delivery={"messages": 2000},
        provider={"connections_per_ip": 10, "transaction_time": "100ms", "rate": "1/s,max_burst=1"},
    )
    stage = watched(scenario)[1].queue("p")
    assert stage.busy.on_average(30) == pytest.approx(np.full(30, 0.1), abs=1e-4)
    assert stage.waits.longest_s == pytest.approx(1999.0)


def test_a_stage_monitor_keeps_no_more_for_more_messages() -> None:
    def size(messages: int) -> int:
        stage = StageMonitor(60.0)
        times_s = np.linspace(0.0, 86_400.0, messages)
        stage.arrived(times_s)
        stage.waited(times_s, times_s + 30.0)
        stage.worked(times_s + 30.0, times_s + 31.0)
        arrays = [
            *vars(stage.waiting).values(),
            *vars(stage.busy).values(),
        ]
        kept = sum(array._values.nbytes for array in arrays if hasattr(array, "_values"))
        return kept + stage.waits._histogram.nbytes

    assert size(1_000_000) == size(10_000) < 200_000
