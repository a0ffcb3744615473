"""Shares of people, held against what probability says, within four standard errors."""

from __future__ import annotations

import math

import pytest
from agreed import TEXTBOOK, Remembered
from people_by_hand import DAY, at
from people_models import MODELS, scenario_of, total

PEOPLE = 4000
QUICK = """
providers.p.connections_per_ip = 9
providers.p.transaction_time = "1ms"
"""
MANY = f"{QUICK}population.size = {PEOPLE}\n"
SICK = """
providers.p.hard = [{ reason = "gone", share = 0.1 }, { reason = "off", share = 0.2 }]
providers.p.faults = [
    { reason = "full", share = 0.2, clears_after = "1h", never = 0.5 },
    { reason = "busy", share = 0.3, clears_after = "1h", never = 0.2 },
]
"""
IMPORTED = 'population.imports = [{ at = "1h", size = 4000, dead = 0.25 }]\n'
SHARES: dict[str, tuple[str, dict[str, tuple[float, int]]]] = {
    "the first ones are as the provider says": (
        # Never: 0.1 and 0.06. The 0.54 that are good have the others, 0.1 and 0.24.
        SICK + at('"0s"'),
        {
            "hard gone": (0.1, PEOPLE),
            "hard off": (0.2, PEOPLE),
            "soft full": (0.2, PEOPLE),
            "soft busy": (0.3, PEOPLE),
            "accepted": (0.2, PEOPLE),
        },
    ),
    "newcomers are dead by a share of their own": (
        # Of the first ones 0.7, of the others 0.75 are not dead, and they are ill alike.
        SICK + IMPORTED + at('"1h"'),
        {
            "hard gone": (0.35 / 2, 2 * PEOPLE),
            "hard off": (0.2 / 2, 2 * PEOPLE),
            "soft full": (0.2 * (1.0 + 0.75 / 0.7) / 2, 2 * PEOPLE),
            "soft busy": (0.3 * (1.0 + 0.75 / 0.7) / 2, 2 * PEOPLE),
        },
    ),
    "some die in half a year": (
        "population.decay = 0.36\n" + at('"182d12h"'),
        {"hard user unknown": (0.2, PEOPLE)},
    ),
    "those who join die from then on": (
        # A hundred a day, for 180 days.
        "population.size = 1\npopulation.decay = 0.5\npopulation.new_per_day = 100.0\n"
        + at('"180d"'),
        {
            "hard": (
                1.0 - (1.0 - 0.5 ** (180 / 365)) / (math.log(2.0) * 180 / 365),
                18_001,
            )
        },
    ),
    "people open as their class does, and some of those who open complain": (
        "population.classes.keen = { share = 0.25, open_rate = 0.8 }\n"
        "population.classes.idle = { share = 0.75, open_rate = 0.1 }\n"
        "population.complaints = 0.4\n" + at('"0s"', '"100d"'),
        # Whoever complains gets no second message.
        {"a opened": (0.275, PEOPLE), "b relayed": (1.0 - 0.4 * 0.275, PEOPLE)},
    ),
    "a segment is a share of its classes": (
        "population.classes.keen = { share = 0.25, open_rate = 0.8 }\n"
        "population.classes.idle = { share = 0.75, open_rate = 0.1 }\n"
        'population.segments.s = { share = 0.4, classes = ["keen"] }\n'
        'population.segments.t = { share = 0.4, classes = ["idle"], drawn = "each-time" }\n'
        + at('"0s", segment = "s"', '"0s", segment = "t"'),
        {"a relayed": (0.1, PEOPLE), "b relayed": (0.3, PEOPLE)},
    ),
    "newcomers are drawn a provider each, and a control group gets nothing": (
        "population.size = 1\npopulation.new_per_day = 4000.0\npopulation.control_group = 0.25\n"
        "population.providers = { p = 0.3, q = 0.7 }\n"
        'providers.q = { connect_time = "0s", transaction_time = "1s", transient = 1.0 }\n'
        + at('"1d"'),
        {"accepted": (0.75 * 0.3, PEOPLE), "relayed": (0.75, PEOPLE)},
    ),
}


@pytest.mark.parametrize("example", SHARES)
@pytest.mark.parametrize("model", MODELS)
def test_as_many_as_can_be_expected(example: str, model: str, remembered: Remembered) -> None:
    toml, expected = SHARES[example]
    scenario = scenario_of((QUICK if "population.size" in toml else MANY) + toml)
    if model == "textbook" and remembered(TEXTBOOK, scenario):
        return
    ledger = MODELS[model](scenario).ledger
    for what, (share, people) in expected.items():
        error = math.sqrt(people * share * (1.0 - share))
        assert total(ledger, what) == pytest.approx(people * share, abs=4.0 * error), what


@pytest.mark.parametrize("model", MODELS)
def test_people_who_get_a_sample_of_messages(model: str) -> None:
    """Each of ten samples of a fifth has anyone with the same probability (binomial)."""
    toml = MANY + at(f'"0s", messages = {PEOPLE // 5}, every = "1h", times = 10')
    got = MODELS[model](scenario_of(toml)).weeks[0]
    assert sum(messages * people for messages, people in got.items()) == 2 * PEOPLE
    for messages, people in got.items():
        share = math.comb(10, messages) * 0.2**messages * 0.8 ** (10 - messages)
        error = math.sqrt(PEOPLE * share * (1.0 - share))
        assert people == pytest.approx(PEOPLE * share, abs=4.0 * error + 1.0), messages


@pytest.mark.parametrize("model", MODELS)
def test_the_dead_of_a_list_that_is_not_written_to_are_not_known(model: str) -> None:
    toml = MANY + "population.decay = 0.36\n" + at('"365d", messages = 1')
    health = MODELS[model](scenario_of(toml)).health[-1]
    assert health["at_s"] == pytest.approx(365 * DAY, abs=60.0)
    assert health["good"] + health["quarantined"] == PEOPLE
    assert health["dead_unknown"] == pytest.approx(0.36 * PEOPLE, abs=4.0 * 0.48 * PEOPLE**0.5)
