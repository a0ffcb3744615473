"""The estimate of memory, beside the peak of a process that simulates and saves."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from warm import Warm

from sendcap.errors import ScenarioError, SendcapWarning
from sendcap.model import feasibility
from sendcap.model.engine import simulate_ledger
from sendcap.model.streams import Streams
from sendcap.scenario import Scenario, dumps, from_dict, load, to_dict, updated

IMPORTS = "from sendcap.run import simulate; from sendcap.scenario import load, updated"
# What a first run imports and loads late: the queues, what saves, what draws.
FIRST_RUN = f"""
import gc
import tempfile
{IMPORTS}
with tempfile.TemporaryDirectory() as folder:
    simulate(updated(load("quickstart"), {{"deliveries[0].messages": 100}})).save(folder + "/run")
# What it has loaded is looked through at the end of none of its forks.
gc.collect()
gc.freeze()
"""
# Linux counts the parent's peak in ru_maxrss of a new process; VmHWM is of the process alone.
PEAK = f"""
import sys
{IMPORTS}
simulate(load(sys.argv[1])).save(sys.argv[2])
with open("/proc/self/status") as status:
    print(next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024)
"""


def pairs(deliveries: int, providers: int, used: int, every_s: int = 0) -> Scenario:
    """Return deliveries that go to a few each of many providers, one after the other."""
    provider: dict[str, Any] = {
        "connect_time": "200ms",
        "transaction_time": "300ms",
        "transient": 0.05,
        "hard": [{"reason": "user unknown", "share": 0.01}],
        "faults": [{"reason": "greylisted", "share": 0.02, "clears_after": "1h"}],
    }
    return from_dict(
        {
            "deliveries": [
                {
                    "name": f"d{number}",
                    "at": f"{number * every_s}s",
                    "messages": 100 * used,
                    "audience": {
                        f"p{(number * used + each) % providers}": 1.0 / used for each in range(used)
                    },
                }
                for number in range(deliveries)
            ],
            "relay": {"batch_time": "100ms", "workers": 4},
            "providers": {f"p{number}": provider for number in range(providers)},
            "engagement": {"open_rate": 0.3, "open_delay": {"dist": "exponential", "mean": "10h"}},
        }
    )


def quickstart(**changes: Any) -> Scenario:
    return updated(load("quickstart"), {"deliveries[0].messages": 20_000, **changes})


def list_of_people() -> Scenario:
    """Return two small deliveries to a large list."""
    data = to_dict(quickstart(), defaults=False)
    delivery = data["deliveries"][0]
    del delivery["messages"]
    weekly = {"segment": "few", "every": "7d", "times": 2}
    population = {
        "size": 8_000_000,
        "providers": delivery.pop("audience"),
        "decay": 0.2,
        "segments": {"few": {"share": 0.002}},
    }
    return from_dict(data | {"population": population, "deliveries": [delivery | weekly]})


SCENARIOS = {
    "a large list": list_of_people(),
    "a few messages": quickstart(),
    "many messages": quickstart(**{"deliveries[0].messages": 500_000}),
    "many bins": quickstart(**{"time.bin": "2s"}),
    "many pairs in use": updated(pairs(60, 40, 10), {"time.bin": "30s"}),
    "few pairs in use": pairs(25, 50, 2),
}


def estimate(scenario: Scenario) -> float:
    return feasibility._LIBRARIES + sum(feasibility.memory_terms(scenario).values())


@pytest.fixture(scope="module")
def process() -> Iterator[Warm]:
    """Forks that have loaded what simulates and saves, and nothing else."""
    python = Warm(FIRST_RUN)
    yield python
    python.close()


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_estimate_is_within_a_factor_of_2_of_the_peak(
    name: str, process: Warm, tmp_path: Path
) -> None:
    scenario = SCENARIOS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SendcapWarning)
        text = dumps(scenario)
    file = tmp_path / "scenario.toml"
    file.write_text(text, encoding="utf-8")
    done = process.run(["-c", PEAK, file, tmp_path / "run"])
    assert (done.returncode, done.stderr) == (0, "")
    peak = json.loads(done.stdout)
    assert peak / 2 < estimate(scenario) < 2 * peak


def test_pairs_without_messages_have_no_streams(monkeypatch) -> None:
    asked = set()
    key = Streams.key

    def noting(streams: Streams, purpose: str, **names: str) -> int:
        asked.add((names.get("delivery", ""), names.get("provider", "")))
        return key(streams, purpose, **names)

    monkeypatch.setattr(Streams, "key", noting)
    scenario = pairs(4, 10, 2)
    simulate_ledger(scenario)
    in_use = {pair for pair, count in scenario.to_deliver().items() if count}
    assert {pair for pair in asked if all(pair)} == in_use


def test_only_pairs_in_use_count() -> None:
    assert estimate(pairs(100, 400, 4)) < 1 << 30


def test_a_delivery_late_in_the_year_counts_as_an_early_one() -> None:
    year = pairs(1000, 40, 10, every_s=365 * 86_400 // 1000)
    at_once, late = (
        sum(feasibility.memory_terms(each).values()) for each in (pairs(1000, 40, 10), year)
    )
    # All together are read at every bin of the year.
    assert at_once < late < at_once + 525_600 * 410 < 1.2 * 2**30


def test_a_rough_estimate_is_no_less_and_refuses_nothing(monkeypatch) -> None:
    scenario = updated(
        load("ip-warm-up"),
        {"deliveries[0].messages": 300_000_000, "mta.ips": 8},
    )
    exact, rough = (
        feasibility._LIBRARIES + sum(feasibility.memory_terms(scenario, roughly=roughly).values())
        for roughly in (False, True)
    )
    assert rough > exact
    monkeypatch.setattr(feasibility, "available_bytes", lambda: round(exact) + 1)
    feasibility.require_feasible(scenario)
    monkeypatch.setattr(feasibility, "available_bytes", lambda: round(exact) - 1)
    with pytest.raises(ScenarioError, match=f"about {exact / 2**30:,.1f} GiB"):
        feasibility.require_feasible(scenario)
