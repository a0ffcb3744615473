"""The engine and the textbook model describe the same system.

They draw in different orders, so they agree in distribution. Over 12 seeds each, the counts of
every provider and event up to a row of moments must differ by no more than sampling explains: a
Welch t statistic per cell, which is hardly ever more than 5. The scenario uses every key of a
scenario file, and fills its queues.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
import textbook_counts as textbook_counts_module
from agreed import TEXTBOOK, Remembered, Slow
from small_scenarios import (
    ACTIVE,
    DISTURBED,
    EVERYTHING,
    FAIR,
    HELD_BACK,
    HOLDING,
    OPERATED,
    ORDERED,
    PER_IP,
    POOLED,
    REACTING,
    RUNNERS,
    SUSPENDED,
    with_providers,
)
from textbook_counts import LARGEST_T, Counts, apart, reference, stacked, write

from sendcap import textbook
from sendcap.errors import SendcapWarning
from sendcap.ledger import CLOCKS, EVENTS, Ledger
from sendcap.ledger.delays import codes_of
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario, from_dict, load, updated

SEEDS = 12
MOMENTS_MIN = np.array([1, 2, 5, 10, 20, 30, 45, 60, 90, 120, 180, 360, 720, 1440, 2880, 5760])
DELAYS_S = 2.0 ** np.arange(len(MOMENTS_MIN))
"""Edges of the scale of delays, from 1 s to 9 h."""
REASONS = (
    *("", "user unknown", "account disabled", "mailbox full", "greylisted", "transient"),
    *("unreachable", "throttled", "not attempted", "invalid domain", "suspended"),
    *("too many connections", "before t = 0"),
)


def counts(ledger: Ledger) -> dict[tuple[str, ...], np.ndarray]:
    """Cumulative counts at the moments, for each delivery, provider, event and clock.

    Of each delivery and provider also the messages by their delays, from the shortest on.
    """
    nothing = np.zeros(len(MOMENTS_MIN), int)
    found = {
        (delivery, provider, event, clock, reason): nothing
        for delivery, provider in ledger.to_deliver
        for event in EVENTS
        for clock in CLOCKS
        for reason in REASONS
    }
    for series, each in ledger._counts.items():
        key = (series.delivery, series.provider, series.event, series.clock, series.reason)
        assert key in found
        found[key] = each.up_to(MOMENTS_MIN)
    assert ledger.delays is not None
    for names in ledger.to_deliver:
        found[*names, "delay"] = ledger.delays.of(*names).up_to(codes_of(DELAYS_S))
    return found


def disagreements(ours: Counts, theirs: Counts) -> Iterator[str]:
    """Tell the cells whose means differ by more than sampling explains."""
    for key, t in apart(ours, theirs).items():
        for place in np.flatnonzero(np.abs(t) > LARGEST_T):
            moment = f"{DELAYS_S[place]} s" if "delay" in key else f"{MOMENTS_MIN[place]} min"
            one, two = ours[key][:, place].mean(), theirs[key][:, place].mean()
            yield f"{key} at {moment}: {one} and {two}"


def with_everything(**changes: Any) -> Scenario:
    sections = copy.deepcopy(EVERYTHING)
    for name, section in changes.items():
        sections[name] = sections.get(name, {}) | section
    return from_dict(sections)


def changed(**changes: Any) -> Scenario:
    return from_dict(with_providers(**changes))


STEPS = [
    {"at": "0s", "rate": "20/s"},
    {"at": "1m", "rate": "closed"},
    {"at": "10m", "rate": "2/s,max_burst=5"},
    {"at": "1h", "rate": "100/m"},
]


STEPS_OF_RELAY = [
    {"at": "0s", "rate": "200/s,max_burst=300"},
    {"at": "20s", "rate": "closed"},
    {"at": "50s", "rate": "60/s,max_burst=20"},
]


def with_horizon() -> Scenario:
    with pytest.warns(SendcapWarning, match="cuts off"):
        return with_everything(time={"bin": "5m", "horizon": "52m"}, mta={"ingress_rate": "4/s"})


def _alone(sections: dict[str, Any], retry: dict[str, Any]) -> dict[str, Any]:
    """A backlog without deliveries, and another retry policy."""
    others = {name: each for name, each in sections.items() if name != "deliveries"}
    return others | {"mta": sections["mta"] | {"retry": retry}}


SCENARIOS = {
    "other throttles and an outage": changed(
        fast={
            "rate": {"kind": "schedule", "steps": STEPS},
            "outages": [{"at": "11m", "lasts": "20m"}],
        },
        slow={"rate": {"kind": "gap", "pause": "500ms"}},
        flaky={"rate": {"kind": "fixed-window", "limit": 200, "window": "5m"}},
    ),
    "tolerance, suspensions, connection scaling": from_dict(REACTING),
    "disturbances and concurrency": from_dict(DISTURBED),
    "several rules, by share and in a row, and sent back": from_dict(SUSPENDED),
    "two pools, limits over several queues": from_dict(POOLED),
    "the same, with a queue for each address": from_dict(PER_IP),
    "two pools, the higher priority first": from_dict(ORDERED),
    "turns of deliveries and of addresses by weight": from_dict(FAIR),
    "limits over deliveries hold messages back": from_dict(HELD_BACK),
    "queue runners": from_dict(RUNNERS),
    "a slow provider fills the active queue": from_dict(ACTIVE),
    "a backlog in two pools beside the deliveries": from_dict(HOLDING),
    "a backlog, Exim's rule": from_dict(_alone(HOLDING, {"policy": "exim"})),
    "a backlog, Postfix's rule": from_dict(
        _alone(HOLDING, {"policy": "postfix", "queue_run_delay": "4m"})
    ),
    "a backlog, KumoMTA's rule": from_dict(_alone(HOLDING, {"policy": "kumomta"})),
    "deliveries are paused, stopped, confirmed, and follow the clock": from_dict(OPERATED),
    "a spread delivery, a warm-up, a gap and a suspension": changed(
        fast={"rate": {"kind": "warm-up", "per_day": [500, 2000, 9000], "share": 0.8}},
        slow={
            "rate": {"kind": "gap", "pause": "200ms"},
            "tolerance": "10/m",
            "suspend": {"after": 2, "within": "1m", "lasts": "2m", "rate": "1/20s"},
        },
        flaky={
            "rate": {"kind": "fixed-window", "limit": 200, "window": "5m"},
            "tolerance": "20/m,max_burst=9",
            "suspend": {"after": 9, "within": "5m", "lasts": "20m"},
        },
        deliveries=[{"spread": "10m"}, {"spread": "1m"}],
    ),
    "lists, connections and retries of single providers": from_dict(
        with_providers(
            fast={
                "rate": ["60/s", {"kind": "fixed-window", "limit": 900, "window": "1m"}],
                "connection_rate": "1/s,max_burst=5",
                "tolerance": {
                    "kind": "schedule",
                    "steps": [{"at": "0s", "rate": "25/s"}, {"at": "2m", "rate": "5/s"}],
                },
                "retry": {"policy": "kumomta", "retry_interval": "7m"},
            },
            slow={"connections_per_ip": 4, "accepts_connections": 2, "connection_rate": "20/m"},
            flaky={
                "connection_scaling": "kumomta",
                "messages_per_connection": 2,
                "accepts_connections": 2,
                "connection_rate": {
                    "kind": "schedule",
                    "steps": [{"at": "0s", "rate": "1/10s"}, {"at": "4m", "rate": "1/s"}],
                },
                "retry": {"policy": "schedule", "delays": ["3m", "11m"]},
            },
        )
        | {"relay": EVERYTHING["relay"] | {"rate": {"kind": "schedule", "steps": STEPS_OF_RELAY}}}
    ),
    "everything": with_everything(),
    "late expiries in line for a slow feedback": with_everything(
        feedback={"rate": "2/s"},
        mta={"ingress_rate": "5/s", "clock_origin": "delivery-start"},
    ),
    "polling and feedback rate": with_everything(feedback={"polling": "5m", "rate": "3/s"}),
    "on failure, from the start, postfix": with_everything(
        mta={
            "clock_origin": "delivery-start",
            "expire": "on-failure",
            "retry": {"policy": "postfix"},
        }
    ),
    "exim": with_everything(mta={"retry": {"policy": "exim", "rule": "F,1h,15m; G,1d,1h,1.5"}}),
}


def preset() -> Scenario:
    return updated(load("black-friday"), {"deliveries[0].messages": 4000, "mta.ips": 1})


COMPARED: dict[str, Callable[[], Scenario]] = {
    **{name: partial(SCENARIOS.get, name) for name in SCENARIOS},
    "a horizon": with_horizon,
    "a preset": preset,
}


def engine_counts(scenario: Scenario, first_seed: int = 0) -> Counts:
    seeds = range(first_seed, first_seed + SEEDS)
    return stacked([counts(simulate_ledger(scenario.with_seed(seed))) for seed in seeds])


@cache
def engine_counts_of(name: str) -> Counts:
    return engine_counts(COMPARED[name]())


def textbook_counts(scenario: Scenario, seed: int) -> Counts:
    return counts(textbook.simulate_ledger(scenario.with_seed(seed)))


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPARED)
def test_counts_over_time_agree_within_sampling_error(name: str, remembered: Remembered) -> None:
    theirs = reference(name, COMPARED[name](), SEEDS, textbook_counts, remembered)
    assert list(disagreements(engine_counts_of(name), theirs)) == []


def test_a_horizon_cuts_both_at_the_same_moment() -> None:
    scenario = with_horizon()
    assert simulate_ledger(scenario).bins == textbook.simulate_ledger(scenario).bins == 11


@pytest.mark.slow
def test_a_small_difference_would_be_noticed() -> None:
    """The comparison has teeth: times 5 to 10 % longer, or a share 3 points larger, show."""
    scenario = SCENARIOS["everything"]
    engine = engine_counts_of("everything")
    for change in (
        {"providers.slow.transaction_time": {"dist": "lognormal", "median": "2.1s", "p95": "6.3s"}},
        {"providers.flaky.transient": 0.23},
        {"mta.retry.first": "11m"},
        {"feedback.synchronous": {"dist": "lognormal", "mean": "100s", "cv": 1.0}},
    ):
        other = engine_counts(updated(scenario, change), first_seed=99)
        assert list(disagreements(engine, other)) != [], change


def test_stored_counts_are_used_only_while_the_textbook_gives_them(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(textbook_counts_module, "FILE", tmp_path / "counts.bin")
    made = [{("a",): np.array([0, seed, 9]), ("b",): np.zeros(3, int)} for seed in range(4)]
    write({"name": stacked(made)})
    asked: list[int] = []

    def simulated(_: Scenario, seed: int, more: int = 0) -> Counts:
        asked.append(seed)
        return {("a",): np.array([0, seed, 9 + more]), ("b",): np.zeros(3, int)}

    scenario = SCENARIOS["everything"]
    found = reference("name", scenario, 4, simulated)
    assert len(asked) == 1
    assert {key: rows.tolist() for key, rows in found.items()} == {
        ("a",): [[0, seed, 9] for seed in range(4)],
        ("b",): [[0, 0, 0]] * 4,
    }
    found = reference("name", scenario, 4, partial(simulated, more=1))
    assert sorted(asked[1:]) == [0, 1, 2, 3]
    assert found["a",][:, 2].tolist() == [10, 10, 10, 10]


def test_stored_counts_are_used_without_a_simulation_only_if_they_are_remembered(
    tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(textbook_counts_module, "FILE", tmp_path / "counts.bin")
    made = {("a",): np.array([[0, 1, 9], [0, 2, 9]])}
    write({"name": made})
    scenario, asked = SCENARIOS["everything"], []

    def remembered(slow: Slow, *parts: Any) -> bool:
        asked.append((slow, *parts))
        return True

    def simulated(_: Scenario, seed: int) -> Counts:
        raise AssertionError

    found = reference("name", scenario, 2, simulated, remembered)
    assert found["a",].tolist() == made["a",].tolist()
    assert found["b",].tolist() == [[0, 0, 0], [0, 0, 0]]
    ((slow, whose, sample, counts),) = asked
    assert (slow, whose) == (TEXTBOOK, scenario)
    assert counts["a",].tolist() == made["a",][sample].tolist()
    with pytest.raises(AssertionError):
        reference("other", scenario, 2, simulated, remembered)
