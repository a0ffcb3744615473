"""Same seed, same bytes; and what one part draws does not disturb the others."""

from __future__ import annotations

import copy
import hashlib
import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from small_scenarios import EVERYTHING

from sendcap.model.engine import simulate_ledger
from sendcap.model.streams import Draws, Streams, Trials
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
    its = from_dict(EVERYTHING)
    printed = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=dumps(its),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.strip() == fingerprint(simulate_ledger(its))


def test_another_seed_gives_another_ledger() -> None:
    its = from_dict(EVERYTHING)
    assert simulate_ledger(its) != simulate_ledger(its.with_seed(its.seed + 1))


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


@given(st.lists(st.integers(0, 5000), max_size=20))
def test_draws_do_not_depend_on_how_many_are_taken_at_a_time(sizes: list[int]) -> None:
    def draws() -> Draws:
        return Draws(Streams(3).generator("some purpose").standard_exponential)

    at_once, piecewise = draws(), draws()
    expected = at_once.take(sum(sizes))
    got = np.concatenate([np.zeros(0), *(piecewise.take(size) for size in sizes)])
    np.testing.assert_array_equal(got, expected)


@given(
    st.lists(st.integers(0, 5000), max_size=20),
    st.sampled_from([0.0, 5e-324, 1e-20, 1e-12, 0.003, 0.4, 1.0]),
)
def test_trials_do_not_depend_on_how_many_are_taken_at_a_time(
    sizes: list[int], probability: float
) -> None:
    def trials() -> Trials:
        return Trials(probability, Streams(3).generator("some purpose"))

    at_once, piecewise = trials(), trials()
    expected = at_once.take(sum(sizes))
    done = np.cumsum([0, *sizes])
    got = [piecewise.take(size) + begin for size, begin in zip(sizes, done, strict=False)]
    np.testing.assert_array_equal(np.concatenate([np.zeros(0, int), *got]), expected)


def test_trials_succeed_independently_with_their_probability() -> None:
    count = 1_000_000
    for probability in (0.001, 0.05, 0.3, 0.9):
        hits = np.zeros(count)
        hits[Trials(probability, Streams(5).generator("p")).take(count)] = 1.0
        error = np.sqrt(probability * (1 - probability) / count)
        assert abs(hits.mean() - probability) < 4 * error
        pairs = (hits[1:] * hits[:-1]).mean()
        assert abs(pairs - probability**2) < 5 * probability / np.sqrt(count)


def test_streams_differ_by_seed_purpose_delivery_and_provider() -> None:
    firsts = {
        Streams(seed).generator(purpose, delivery=delivery, provider=provider).random()
        for seed in (1, 2)
        for purpose in ("x", "y")
        for delivery in ("", "a")
        for provider in ("", "a")
    }
    assert len(firsts) == 16
