"""Same seed, same bytes; and what one part draws does not disturb the others."""

from __future__ import annotations

import copy
import hashlib
import subprocess
import sys

import numpy as np
from small_scenarios import EVERYTHING

from sendcap.model.engine import simulate_ledger
from sendcap.model.streams import Streams
from sendcap.scenario import dumps, from_dict

SCRIPT = """
import hashlib, sys
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import loads
ledger = simulate_ledger(loads(sys.stdin.read()))
print(hashlib.sha256(ledger.frame().to_csv().encode()).hexdigest())
"""


def fingerprint(ledger) -> str:
    return hashlib.sha256(ledger.frame().to_csv().encode()).hexdigest()


def test_a_new_process_gives_the_same_ledger() -> None:
    scenario = from_dict(EVERYTHING)
    printed = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=dumps(scenario),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.strip() == fingerprint(simulate_ledger(scenario))


def test_another_seed_gives_another_ledger() -> None:
    scenario = from_dict(EVERYTHING)
    assert simulate_ledger(scenario) != simulate_ledger(scenario.with_seed(scenario.seed + 1))


def test_a_new_provider_leaves_the_others_as_they_were() -> None:
    changed = copy.deepcopy(EVERYTHING)
    new = {"new": copy.deepcopy(changed["providers"]["slow"])}
    changed["providers"] = new | changed["providers"]
    changed["deliveries"].append(
        {"name": "third", "messages": 100, "at": "3d", "audience": {"new": 1.0}}
    )
    one, two = simulate_ledger(from_dict(EVERYTHING)), simulate_ledger(from_dict(changed))
    for event in ("relayed", "accepted", "soft", "expired", "opened"):
        ours = one.cumulative(event, clock="happened", delivery="newsletter")
        theirs = two.cumulative(event, clock="happened", delivery="newsletter")
        np.testing.assert_array_equal(ours, theirs[: len(ours)])


def test_streams_differ_by_seed_purpose_delivery_and_provider() -> None:
    firsts = {
        Streams(seed).generator(purpose, delivery=delivery, provider=provider).random()
        for seed in (1, 2)
        for purpose in ("x", "y")
        for delivery in ("", "a")
        for provider in ("", "a")
    }
    assert len(firsts) == 16
