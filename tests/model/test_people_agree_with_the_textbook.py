"""The engine and the textbook model say the same of people.

They draw in different orders, so they agree in distribution: over some seeds each, whatever they
tell of preparations, of the list and of messages must differ by no more than sampling explains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial

import numpy as np
import pytest
from agreed import COMPARISON, Remembered, written
from people_models import MODELS, Outcome
from textbook_counts import LARGEST_T, Counts, apart, reference, stacked

from sendcap.ledger import EVENTS
from sendcap.ledger.people import EXCLUSIONS
from sendcap.scenario import Scenario, loads

SEEDS = 24
WEEKS = 7
REASONS = ("", "user unknown", "disabled", "mailbox full", "greylisted", "refused", "transient")
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
    "people and a programme": SENDINGS + LIST,
    "people by the clock, with polling and a rate": (
        'start = "2026-10-20T07:30:00"\nzone = "Europe/Berlin"\n'
        + SENDINGS
        + LIST.replace("[feedback]", '[feedback]\npolling = "30m"\nrate = "30/m"')
    ),
    "people, thresholds of one, and errors that are soon forgotten": SENDINGS
    + LIST.replace("threshold = 3", 'threshold = 1, significant = "2h", reset = "3d"'),
}


COMPARED: dict[str, Callable[[], Scenario]] = {
    name: partial(loads, toml) for name, toml in TOML.items()
}


def figures(outcome: Outcome) -> Iterator[tuple[tuple[str, ...], float]]:
    """Yield everything that a model tells, with a name."""
    for sending, at_s, targeted, excluded, to_deliver in outcome.prepared:
        yield (sending, "at"), at_s
        yield (sending, "targeted"), targeted
        yield (sending, "mistaken"), outcome.mistaken[sending]
        for reason in EXCLUSIONS:
            yield (sending, reason), excluded.get(reason, 0)
        for provider in ("p", "q"):
            yield (sending, "to deliver", provider), to_deliver.get(provider, 0)
    for week in range(WEEKS):
        for state, people in outcome.weekly[week].items():
            yield (f"week {week}", state), people
        for messages in range(1, 9):
            yield (f"week {week}", f"{messages}"), outcome.weeks[week].get(messages, 0)
    for delivery in outcome.ledger.written:
        for event in EVENTS:
            for reason in REASONS:
                total = outcome.ledger.total(event, delivery=delivery, reason=reason)
                yield (delivery, event, reason), total


def counts(model: str, scenario: Scenario, seed: int) -> Counts:
    outcome = MODELS[model](scenario.with_seed(seed))
    return {key: np.array([round(figure)]) for key, figure in figures(outcome)}


def textbook_counts(scenario: Scenario, seed: int) -> Counts:
    return counts("textbook", scenario, seed)


def engine_counts(scenario: Scenario, seeds: Iterable[int]) -> Counts:
    return stacked([counts("engine", scenario, seed) for seed in seeds])


@cache
def engine_counts_of(name: str) -> Counts:
    return engine_counts(COMPARED[name](), range(SEEDS))


def disagreements(ours: Counts, theirs: Counts, largest_t: float = LARGEST_T) -> list[str]:
    """Tell the figures whose means differ by more than sampling explains."""
    return [
        f"{key}: {ours[key].mean()} and {theirs[key].mean()}, t = {t[0]:.1f}"
        for key, t in apart(ours, theirs).items()
        if abs(t[0]) > largest_t
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPARED)
def test_people_agree_within_sampling_error(name: str, remembered: Remembered) -> None:
    theirs = reference(name, COMPARED[name](), SEEDS, textbook_counts, remembered)
    assert disagreements(engine_counts_of(name), theirs) == []


CHANGES = {
    "decay = 0.4": "decay = 0.7",
    "new_per_day = 6.0": "new_per_day = 6.3",
    "dead_among_new = 0.1": "dead_among_new = 0.2",
    "dead = 0.3": "dead = 0.5",
    "control_group = 0.05": "control_group = 0.06",
    'period = "3d"': 'period = "71h"',
    "threshold = 3": "threshold = 4",
    'mailbox_full = "12d"': 'mailbox_full = "13d"',
    "complaints = 0.02": "complaints = 0.03",
    "open_rate = 0.6": "open_rate = 0.7",
    "share = 0.9, classes": "share = 0.8, classes",
    'clears_after = "30h"': 'clears_after = "10h"',
    'prepare = "6h"': 'prepare = "1h"',
    'mean = "2h"': 'mean = "4h"',
}


FIRST_OF_OTHERS = 99
"""The first seed of a changed scenario."""
LOOKS = {8: 9.0, 12: 6.0, SEEDS: LARGEST_T}
"""By seeds: the t above which a difference is noticed, larger where few seeds vary more. Each of
them is exceeded about once in 100,000 cells, or less often."""


def is_noticed(engine: Counts, scenario: Scenario) -> bool:
    """Tell whether a scenario differs; a large difference shows after a few seeds."""
    others: list[Counts] = []
    for seeds, largest_t in LOOKS.items():
        others += [
            counts("engine", scenario, FIRST_OF_OTHERS + seed) for seed in range(len(others), seeds)
        ]
        if disagreements(engine, stacked(others), largest_t):
            return True
    return False


@pytest.mark.slow
def test_a_small_difference_would_be_noticed(remembered: Remembered) -> None:
    """The comparison has teeth. It is repeated if a change's first simulation is another."""
    name = "people and a programme"
    engine = engine_counts_of(name)
    known = written(engine)
    for old, new in CHANGES.items():
        assert TOML[name].count(old) == 1, old
        other = loads(TOML[name].replace(old, new))
        first = counts("engine", other, FIRST_OF_OTHERS)
        if not remembered(COMPARISON, other, known, first):
            assert is_noticed(engine, other), new
