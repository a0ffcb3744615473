"""The engine and the textbook model say the same of people, over many seeds.

They draw in different orders, so they agree in distribution: the means over seeds must lie within
four standard errors of each other.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from test_people_by_hand import MODELS, Outcome

from sendcap.ledger import EVENTS
from sendcap.scenario import Scenario, loads

SEEDS = 24
LARGEST = 4.0
"""Standard errors; among a thousand figures that are normal, one in 16 runs exceeds them."""

LIST = """
[population]
size = 900
providers = { p = 0.7, q = 0.3 }
decay = 0.4
new_per_day = 6.0
dead_among_new = 0.1
imports = [{ at = "20d", size = 150, dead = 0.3 }]
control_group = 0.05
fatigue = { max = 2, period = "3d" }
quarantine = { threshold = 3, mailbox_full = "12d" }
complaints = 0.02
complaint_delay = { dist = "exponential", mean = "1d" }

[population.classes]
keen = { share = 0.2, open_rate = 0.6 }
idle = { share = 0.8, open_rate = 0.1 }

[population.segments]
some = { share = 0.5 }
keen = { share = 0.9, classes = ["keen"] }
any = { share = 0.3, drawn = "each-time" }

[relay]
batch = 64
batch_time = "1s"

[providers.p]
connect_time = "0s"
transaction_time = { dist = "exponential", mean = "1s" }
async_bounce = 0.01
transient = 0.05
hard = [{ reason = "user unknown", share = 0.02 }, { reason = "disabled", share = 0.01 }]
faults = [
    { reason = "mailbox full", share = 0.08, clears_after = "30h", never = 0.5 },
    { reason = "greylisted", share = 0.2, clears_after = "5m" },
]

[providers.q]
connect_time = "0s"
transaction_time = "1s"
faults = [{ reason = "refused", share = 0.1, clears_after = "2d", never = 0.7 }]

[feedback]
synchronous = { dist = "exponential", mean = "10m" }
asynchronous = { dist = "exponential", mean = "1d" }

[engagement]
open_delay = { dist = "exponential", mean = "5h" }
"""
SENDINGS = """
[[deliveries]]
name = "weekly"
every = "7d"
times = 8
waves = { size = 0.4, every = "3h" }
prepare = "6h"

[[deliveries]]
name = "daily"
at = "9h"
segment = "some"
every = "1d"
times = 50
validity = "2d"

[[deliveries]]
name = "sample"
at = "3d"
segment = "any"
messages = 100
every = "5d"
times = 9
confirm = { within = { dist = "exponential", mean = "2h" }, ahead = "1h", give_up = "4h" }

[[deliveries]]
name = "offer"
at = "11d"
segment = "keen"
spread = "4h"
every = "9d"
times = 4
"""
TOML: dict[str, str] = {
    "a list and its programme": SENDINGS + LIST,
    "the same with a clock, polling and a rate": (
        'start = "2026-10-20T07:30:00"\nzone = "Europe/Berlin"\n'
        + SENDINGS
        + LIST.replace("[feedback]", '[feedback]\npolling = "30m"\nrate = "30/m"')
    ),
    "thresholds of one, and errors that are soon forgotten": SENDINGS
    + LIST.replace("threshold = 3", 'threshold = 1, significant = "2h", reset = "3d"'),
}


def figures(outcome: Outcome) -> Iterator[tuple[tuple[object, ...], float]]:
    """Yield everything that a model says of a scenario, by name."""
    for sending, at_s, targeted, excluded, to_deliver in outcome.prepared:
        yield (sending, "at"), at_s
        yield (sending, "targeted"), targeted
        for reason in ("denylisted", "quarantined", "control group", "fatigue"):
            yield (sending, reason), excluded.get(reason, 0)
        for provider in ("p", "q"):
            yield (sending, "to deliver", provider), to_deliver.get(provider, 0)
    # The engine does not tell of the state at each preparation.
    for number, health in enumerate(outcome.weekly[:7]):
        for state, people in health.items():
            yield ("health", number, state), people
    for week in range(12):
        got = outcome.weeks.get(week, {})
        for messages in range(1, 9):
            yield ("week", week, messages), got.get(messages, 0)
    ledger = outcome.ledger
    reasons = ("", "user unknown", "disabled", "mailbox full", "greylisted", "refused", "transient")
    for delivery in ledger.written:
        for event in EVENTS:
            for reason in reasons:
                count = ledger.total(event, delivery=delivery, reason=reason)
                yield (delivery, event, reason), count


def over_seeds(scenario: Scenario, model: str, first: int = 0) -> dict[tuple[object, ...], list]:
    rows = [
        dict(figures(MODELS[model](scenario.with_seed(seed))))
        for seed in range(first, first + SEEDS)
    ]
    keys = dict.fromkeys(key for row in rows for key in row)
    return {key: [row.get(key, 0.0) for row in rows] for key in keys}


def disagreements(one: dict, other: dict) -> list[str]:
    """Tell the figures whose means differ by more than sampling explains."""
    found = []
    for key in one.keys() | other.keys():
        ours, theirs = (np.array(each.get(key, [0.0] * SEEDS), float) for each in (one, other))
        # At least the variance of one person: a figure may be the same in every run.
        error = np.sqrt(max(ours.var(ddof=1) + theirs.var(ddof=1), 1.0) / SEEDS)
        if abs(ours.mean() - theirs.mean()) > LARGEST * error:
            found.append(f"{key}: {ours.mean():.4g} and {theirs.mean():.4g}, error {error:.3g}")
    return sorted(found)


@pytest.mark.slow
@pytest.mark.parametrize("name", TOML)
def test_the_engine_and_the_textbook_say_the_same_of_people(name: str) -> None:
    scenario = loads(TOML[name])
    engine, book = over_seeds(scenario, "engine"), over_seeds(scenario, "textbook", first=1000)
    assert disagreements(engine, book) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("decay = 0.4", "decay = 0.6"),
        ("threshold = 3", "threshold = 4"),
        ("period = \"3d\"", "period = \"4d\""),
        ('mailbox_full = "12d"', 'mailbox_full = "13d"'),
        ("complaints = 0.02", "complaints = 0.06"),
        ('prepare = "6h"', 'prepare = "2d"'),
    ],
)
def test_a_small_difference_would_be_noticed(old: str, new: str) -> None:
    """The comparison has teeth: the textbook against itself with a slightly other list."""
    toml = TOML["a list and its programme"]
    one = over_seeds(loads(toml), "textbook")
    other = over_seeds(loads(toml.replace(old, new)), "textbook", first=1000)
    assert disagreements(one, other) != []
