"""Each stage and each constraint in turn is the bottleneck, and is found to be it.

By the closed form, and confirmed by simulation: when the constraint that was named is eased, the
delivery is through earlier, and when any other is, it is not.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import sendcap
from sendcap.readings.summary import accepted_at_s
from sendcap.scenario import Scenario, from_dict
from sendcap.scenario.stages import bottleneck, stages

PROVIDER: dict[str, Any] = {
    "connections_per_ip": 200,
    "messages_per_connection": 50,
    "connect_time": {"dist": "exponential", "mean": "100ms"},
    "transaction_time": {"dist": "lognormal", "mean": "200ms", "cv": 0.7},
    "rate": "900/s,max_burst=1",
}
FAST: dict[str, Any] = {
    "seed": 5,
    "time": {"bin": "1s"},
    "deliveries": [{"name": "a", "messages": 20_000, "audience": {"p": 0.6, "q": 0.4}}],
    "relay": {
        "workers": 4,
        "batch": 50,
        "batch_time": {"dist": "exponential", "mean": "100ms"},
        "rate": "1500/s,max_burst=50",
    },
    "mta": {
        "ingress_rate": "1200/s",
        "retry": {"policy": "exponential", "first": "10s", "factor": 1.0},
    },
    "providers": {"p": PROVIDER, "q": PROVIDER},
}
"""Every stage has more than one limit, and all of them let it through within half a minute."""

STEPS = [
    {"at": "0s", "rate": "40/s,max_burst=1"},
    {"at": "1m", "rate": "closed"},
    {"at": "2m", "rate": "100/s,max_burst=1"},
]
CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "relay workers": ({"relay": {"batch_time": "1s"}}, "relay", "workers"),
    "relay rate": ({"relay": {"rate": "200/s,max_burst=50"}}, "relay", "rate"),
    "ingress": ({"mta": {"ingress_rate": "200/s"}}, "ingress", "rate"),
    "connections": ({"p": {"connections_per_ip": 20}}, "p", "connections"),
    "connection rate": (
        {"p": {"connection_rate": "2/s,max_burst=1"}},
        "p",
        "connection rate",
    ),
    "one rate of two": ({"p": {"rate": ["900/s,max_burst=1", "100/s"]}}, "p", "rate[1]"),
    "slow server": ({"q": {"transaction_time": "4s"}}, "q", "connections"),
    "reconnect cycling": (
        {"p": {"messages_per_connection": 1, "connect_time": "2s"}},
        "p",
        "reconnect cycling",
    ),
    "rate": ({"p": {"rate": "100/s,max_burst=1"}}, "p", "rate"),
    "fixed window": (
        {"q": {"rate": {"kind": "fixed-window", "limit": 900, "window": "15s"}}},
        "q",
        "rate",
    ),
    "gap": (
        {"p": {"rate": {"kind": "gap", "pause": "15ms"}, "transaction_time": "1ms"}},
        "p",
        "gap",
    ),
    "schedule": ({"p": {"rate": {"kind": "schedule", "steps": STEPS}}}, "p", "schedule"),
    "warm-up": (
        {
            "p": {"rate": {"kind": "warm-up", "per_day": [8000, 9000]}},
            "time": {"bin": "10m"},
            "mta": {"retry": {"policy": "exponential"}},
        },
        "p",
        "warm-up",
    ),
    "outage": ({"p": {"outages": [{"at": "5s", "lasts": "5m"}]}}, "p", "outage"),
    "tolerance": ({"p": {"tolerance": "100/s,max_burst=50"}}, "p", "tolerance"),
    "suspension": (
        {
            "p": {
                "transaction_time": "200ms",
                "tolerance": "200/s,max_burst=200",
                "suspend": {"after": 50, "within": "10s", "lasts": "10s"},
            }
        },
        "p",
        "suspension",
    ),
}


def plain(changes: dict[str, Any]) -> dict[str, Any]:
    sections = copy.deepcopy(FAST)
    for name, keys in changes.items():
        table = sections["providers"] if name in sections["providers"] else sections
        table[name] = table.get(name, {}) | copy.deepcopy(keys)
    return sections


def doubled(rate: str) -> str:
    limit, period = rate.split("/", 1)
    return f"{2 * int(limit)}/{period}"


def ease_throttle(provider: dict[str, Any]) -> None:
    rate = provider["rate"]
    if isinstance(rate, str):
        provider["rate"] = doubled(rate)
        return
    if rate["kind"] == "gap":
        rate["pause"] = "7ms"
    elif rate["kind"] == "fixed-window":
        rate["limit"] *= 2
    elif rate["kind"] == "warm-up":
        rate["per_day"] = [2 * count for count in rate["per_day"]]
    else:
        for step in rate["steps"]:
            step["rate"] = step["rate"] if step["rate"] == "closed" else doubled(step["rate"])


def eases(sections: dict[str, Any]) -> Iterator[tuple[str, str, Callable[[dict[str, Any]], None]]]:
    """Yield each constraint that there is, by stage and name, and how to make it half as tight."""
    relay, mta = sections["relay"], sections["mta"]
    yield (
        "relay",
        "workers",
        lambda sections: sections["relay"].update(workers=2 * relay["workers"]),
    )
    yield "relay", "rate", lambda sections: sections["relay"].update(rate=doubled(relay["rate"]))
    yield (
        "ingress",
        "rate",
        lambda sections: sections["mta"].update(ingress_rate=doubled(mta["ingress_rate"])),
    )
    for name, provider in sections["providers"].items():

        def change(name: str = name, **keys: Any) -> Callable[[dict[str, Any]], None]:
            return lambda sections: sections["providers"][name].update(keys)

        yield (
            name,
            "connections",
            change(connections_per_ip=2 * provider["connections_per_ip"]),
        )
        yield (
            name,
            "reconnect cycling",
            change(messages_per_connection=2 * provider["messages_per_connection"]),
        )
        if isinstance(provider["rate"], list):
            for number, rate in enumerate(provider["rate"]):
                rates = provider["rate"].copy()
                rates[number] = doubled(rate)
                yield name, f"rate[{number}]", change(rate=rates)
            continue
        throttle = "rate" if isinstance(provider["rate"], str) else provider["rate"]["kind"]
        yield (
            name,
            "rate" if throttle == "fixed-window" else throttle,
            lambda sections, name=name: ease_throttle(sections["providers"][name]),
        )
        if "connection_rate" in provider:
            yield (
                name,
                "connection rate",
                change(connection_rate=doubled(provider["connection_rate"])),
            )
        if "outages" in provider:
            yield name, "outage", change(outages=[{"at": "5s", "lasts": "150s"}])
        if "tolerance" in provider:
            yield name, "tolerance", change(tolerance=doubled(provider["tolerance"]))
        if "suspend" in provider:
            yield name, "suspension", change(suspend=provider["suspend"] | {"lasts": "5s"})


def completed_s(sections: Scenario) -> float:
    ledger = sendcap.simulate(sections).ledger
    assert ledger.total("accepted") == 20_000
    seconds = accepted_at_s(ledger, 99)
    assert seconds is not None
    return seconds


@pytest.mark.parametrize("case", CASES)
def test_the_bottleneck_is_named_and_only_easing_it_helps(case: str) -> None:
    changes, stage, constraint = CASES[case]
    sections = plain(changes)
    scenario = from_dict(sections)
    slowest = bottleneck(stages(scenario))
    assert slowest.binding is not None
    assert (slowest.name, slowest.binding.name) == (stage, constraint)

    before_s = completed_s(scenario)
    assert slowest.needs_s == pytest.approx(before_s, rel=0.15)
    eased = []
    for other_stage, other_constraint, ease in eases(sections):
        # More tolerance makes a suspension rarer, and more connections reconnect more often.
        related = {
            ("tolerance", "suspension"),
            ("connections", "reconnect cycling"),
            ("reconnect cycling", "connection rate"),
        }
        if other_stage == stage and (other_constraint, constraint) in related:
            continue
        changed = copy.deepcopy(sections)
        ease(changed)
        after_s = completed_s(from_dict(changed))
        eased.append((other_stage, other_constraint))
        if (other_stage, other_constraint) == (stage, constraint):
            assert after_s < 0.85 * before_s
        else:
            assert after_s > 0.97 * before_s - scenario.time.bin, (other_stage, other_constraint)
    assert (stage, constraint) in eased


@pytest.mark.parametrize("case", CASES)
def test_limits_names_the_same_bottleneck_and_its_backlog_is_there(case: str) -> None:
    changes, stage, constraint = CASES[case]
    found = sendcap.limits(from_dict(plain(changes)))
    assert found.bottleneck == stage
    table = found.table().set_index("stage")
    assert table.loc[stage, "binding"] == constraint
    # A suspended queue and one in an outage are idle, or try in vain, most of the time. Where
    # connections are opened at a rate, each of the last messages waits for one of its own.
    if constraint not in ("suspension", "outage", "connection rate"):
        assert table.loc[stage, "utilisation_pct"] > 90.0
    waited = table["mean_wait_s"] * (table["peak_backlog"] > 1000)
    # Throttled messages do not wait in the queue, they back off.
    if constraint not in ("tolerance", "outage"):
        assert waited.idxmax() == stage
    name = {"relay": "the relay", "ingress": "the MTA's ingress"}.get(stage, stage)
    assert found.sentence.startswith(f"Bottleneck: {name}. ")
