"""The people whom deliveries go to, in scenarios whose outcome can be worked out by hand.

Unless an example says otherwise, an attempt takes a second, all connections are free, and a message
that bounces softly once expires at once. Campaign knows of everything as it happens.
"""

from __future__ import annotations

import tomllib
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import pytest
from oracle_reports import counts_of
from test_orders_by_hand import times

from sendcap.errors import SendcapWarning
from sendcap.ledger import Ledger
from sendcap.ledger.people import WEEK_S
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario, from_dict
from sendcap.textbook import Textbook

MINUTE, HOUR, DAY = 60, 3600, 86_400
BASE = """
relay.batch_time = "0s"
population.size = 4
population.providers.p = 1.0
mta.expire = "on-failure"
mta.retry = { policy = "schedule", delays = ["30d"] }
providers.p = { connect_time = "0s", transaction_time = "1s", connections_per_ip = 99 }
"""
ONE = "population.size = 1\n"
A_AND_B = """
deliveries = [{ name = "a" }, { name = "b", at = "1d" }]
"""
GONE = """
providers.p.hard = [{ reason = "gone", share = 1.0 }]
"""
FULL = """
providers.p.faults = [{ reason = "Mailbox Full", share = 1.0, never = 1.0 }]
"""
REFUSED = """
providers.p.faults = [{ reason = "refused", share = 1.0, never = 1.0 }]
"""
GREYLISTED = """
providers.p.faults = [{ reason = "greylisted", share = 1.0, clears_after = "1h" }]
"""
DYING = "population.decay = 0.9999999999999999\n"
"""Whoever lives at t = 0 is dead after a year."""
COMPLAINING = """
engagement.open_rate = 1.0
population.complaints = 1.0
"""
CLASSES = """
population.classes.usual = { share = 0.9999999999, open_rate = 0.1 }
population.classes.strange = { share = 0.0000000001, open_rate = 0.1 }
population.segments.many = { share = 1.0, classes = ["usual"] }
population.segments.now = { share = 1.0, classes = ["usual"], drawn = "each-time" }
population.segments.rare = { share = 1.0, classes = ["strange"] }
"""
"""Everybody is in one of two classes."""
FATIGUE = """
population.fatigue = { max = 1, period = "2d" }
"""
THRESHOLD_1, THRESHOLD_2 = (f"population.quarantine.threshold = {errors}\n" for errors in (1, 2))
DAYS = [f'"{day}d"' for day in range(9)]
P_AND_Q = """
population.providers = { p = 0.6, q = 0.4 }
providers.q.connect_time = "0s"
providers.q.transaction_time = "1s"
"""


def at(*moments: str) -> str:
    """Return deliveries a, b, c ... at these moments, each of which may have other keys after."""
    rows = (
        f'{{ name = "{chr(97 + number)}", at = {moment} }}' for number, moment in enumerate(moments)
    )
    return f"deliveries = [{', '.join(rows)}]\n"


@dataclass
class Outcome:
    """What a model says."""

    ledger: Ledger
    prepared: list[tuple[str, float, int, dict[str, int], dict[str, int]]]
    """Sending, moment, people targeted, excluded by reason, to deliver by provider."""
    mistaken: dict[str, int]
    """Good addresses that a preparation excluded as quarantined, by sending."""
    health: dict[int, dict[str, float]]
    """How many there are of each state, by the number of the preparation; -1 is the end."""
    weekly: list[dict[str, float]]
    """The same at the end of each week."""
    weeks: dict[int, dict[int, int]]


def by_the_textbook(scenario: Scenario) -> Outcome:
    model = Textbook(scenario)
    ledger = model.run()
    people = model.people
    prepared = [
        (each.sending, each.at_s, each.targeted, dict(each.excluded), dict(each.to_deliver))
        for each in people.preparations
    ]
    states = [asdict(health) for health in people.health]
    weekly = [asdict(health) for health in people.weekly]
    weeks = {week: dict(counts) for week, counts in people.accepted_by_week().items()}
    mistaken = {each.sending: each.mistaken for each in people.preparations}
    health = dict(enumerate(states)) | {-1: states[-1]}
    return Outcome(ledger, prepared, mistaken, health, weekly, weeks)


def by_the_engine(scenario: Scenario) -> Outcome:
    """Without the state at each preparation, which it does not tell."""
    ledger = simulate_ledger(scenario)
    people = ledger.people
    assert people is not None
    parts = {}
    for delivery in scenario.deliveries:
        sending = delivery.name if delivery.origin is None else delivery.origin.sending
        parts.setdefault(sending, []).append(delivery.name)
    prepared = []
    for each in people.preparations:
        excluded = {reason: count for reason, count in each.excluded.items() if count}
        to_deliver: Counter[str] = Counter()
        for (name, provider), count in ledger.to_deliver.items():
            if name in parts[each.sending] and count:
                to_deliver[provider] += count
        assert to_deliver.total() == each.to_deliver
        row = (each.sending, each.at_s, each.targeted, excluded, dict(to_deliver))
        prepared.append(row)
    states = [health._asdict() for health in people.health]
    for state in states:
        kinds = ("good", "erroneous", "quarantined", "denylisted")
        assert state.pop("people") == sum(state[kind] for kind in kinds)
    weekly = [state for state in states if state["at_s"] % WEEK_S == 0.0]
    weeks = {week: dict(counts) for week, counts in people.accepted.items()}
    mistaken = {each.sending: each.mistaken for each in people.preparations}
    return Outcome(ledger, prepared, mistaken, {-1: states[-1]}, weekly, weeks)


MODELS: dict[str, Callable[[Scenario], Outcome]] = {
    "textbook": by_the_textbook,
    "engine": by_the_engine,
}

Row = tuple[str, float, int, int, dict[str, int]]
"""Sending, moment of its preparation, people targeted, to deliver, and excluded by reason."""


@dataclass
class Example:
    toml: str
    prepared: list[Row]
    health: dict[int, dict[str, int]] | None = None
    """By the number of a preparation, -1 at the end."""
    counts: dict[str, int] | None = None
    """Of all deliveries, or of one: "accepted", or "a accepted"."""
    relayed: dict[str, list[int]] | None = None
    """Minutes, by delivery."""
    weeks: dict[int, dict[int, int]] | None = None
    weekly: list[dict[str, int]] | None = None
    to_deliver: dict[tuple[str, str], int] | None = None
    mistaken: dict[str, int] | None = None


QUARANTINED: dict[str, Any] = {"quarantined": 4}
MISTAKEN: dict[str, int] = {"quarantined": 4, "mistaken": 4}
BY_HAND: dict[str, Example] = {
    # --- What is wrong with addresses, and when they die ------------------------------------------
    "the providers of people are apportioned, and each has a count to deliver": Example(
        P_AND_Q + "population.size = 5\n" + at('"0s"'),
        [("a", 0, 5, 5, {})],
        counts={"accepted": 5},
        to_deliver={("a", "p"): 3, ("a", "q"): 2},
    ),
    "a provider without people has none to deliver": Example(
        "population.providers.q = 0.0\nproviders.q.connect_time = '0s'\n"
        "providers.q.transaction_time = '1s'\n" + at('"0s"'),
        [("a", 0, 4, 4, {})],
        to_deliver={("a", "p"): 4, ("a", "q"): 0},
    ),
    "without decay nobody dies": Example(
        at('"0s"', '"366d"'),
        [("a", 0, 4, 4, {}), ("b", 366 * DAY, 4, 4, {})],
        {-1: {"good": 4}},
        {"accepted": 8},
    ),
    "with decay all are dead after a year, which nobody knows at first": Example(
        DYING + at('"0s"', '"365d"', '"366d"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", 365 * DAY, 4, 4, {}),
            ("c", 366 * DAY, 4, 0, {"quarantined": 4}),
        ],
        {0: {"good": 4}, 1: {"good": 4, "dead_unknown": 4}, 2: {"quarantined": 4}},
        {"a accepted": 4, "b hard user unknown": 4},
    ),
    "the dead bounce with the first reason of their provider": Example(
        'providers.p.hard = [{ reason = "gone", share = 0.0 }, { reason = "off", share = 0.0 }]\n'
        + DYING
        + at('"365d"'),
        [("a", 365 * DAY, 4, 4, {})],
        counts={"hard gone": 4, "hard": 4},
    ),
    "a fault that never clears ends with death": Example(
        FULL + DYING + at('"0s"', '"365d"'),
        [("a", 0, 4, 4, {}), ("b", 365 * DAY, 4, 4, {})],
        counts={"a soft Mailbox Full": 4, "b hard user unknown": 4, "b soft": 0},
    ),
    "a message takes what is wrong at the hand-over, not at the preparation": Example(
        DYING + at('"365d", prepare = "365d"'),
        [("a", 0, 4, 4, {})],
        {0: {"good": 4}, -1: {"quarantined": 4}},
        {"hard user unknown": 4},
    ),
    "whoever joins dies by the same law from then on": Example(
        ONE
        + DYING
        + 'population.imports = [{ at = "12h", size = 2, dead = 0.0 }]\n'
        + at('"12h"', '"365d12h"'),
        [("a", DAY // 2, 3, 3, {}), ("b", 365 * DAY + DAY // 2, 3, 3, {})],
        counts={"a accepted": 3, "b hard user unknown": 3},
    ),
    "of the good ones each message has a temporary fault anew": Example(
        GREYLISTED + 'mta.retry.delays = ["2h"]\n' + at('"0s"', '"1d"'),
        [("a", 0, 4, 4, {}), ("b", DAY, 4, 4, {})],
        counts={"a soft greylisted": 4, "b soft greylisted": 4, "accepted": 8, "recovered": 8},
    ),
    "the share of a temporary fault is of the good ones, newcomers included": Example(
        # Half of the addresses at q are dead, and half have it: every good one has.
        ONE
        + P_AND_Q
        + 'providers.q.hard = [{ reason = "gone", share = 0.5 }]\n'
        + 'providers.q.faults = [{ reason = "busy", share = 0.5, clears_after = "1h" }]\n'
        + 'population.imports = [{ at = "1h", size = 2, dead = 0.0 }]\n'
        + at('"1h"', '"2h"'),
        [("a", HOUR, 3, 3, {}), ("b", 2 * HOUR, 3, 3, {})],
        counts={"a accepted": 2, "a soft busy": 1, "b accepted": 2, "b soft busy": 1, "hard": 0},
    ),
    "the share of a lasting one, among newcomers, is of those that are not dead": Example(
        ONE
        + P_AND_Q
        + 'providers.q.hard = [{ reason = "gone", share = 0.5 }]\n'
        + 'providers.q.faults = [{ reason = "busy", share = 0.5, never = 1.0 }]\n'
        + 'population.imports = [{ at = "1h", size = 2, dead = 0.0 }]\n'
        + at('"1h"', '"2h"'),
        [("a", HOUR, 3, 3, {}), ("b", 2 * HOUR, 3, 3, {})],
        counts={"a accepted": 2, "a soft busy": 1, "b accepted": 2, "b soft busy": 1, "hard": 0},
    ),
    "an import is on the list at its very moment, with those who are dead": Example(
        ONE
        + 'population.imports = [{ at = "1h", size = 3, dead = 1.0 }]\n'
        + at('"3599s"', '"1h"', '"2h"'),
        [
            ("a", HOUR - 1, 1, 1, {}),
            ("b", HOUR, 4, 4, {}),
            ("c", 2 * HOUR, 4, 1, {"quarantined": 3}),
        ],
        {0: {"good": 1}, 1: {"good": 4, "dead_unknown": 3}, 2: {"good": 1, "quarantined": 3}},
        {"hard user unknown": 3},
    ),
    "new ones join evenly over the day": Example(
        ONE
        + "population.new_per_day = 2.0\npopulation.dead_among_new = 1.0\n"
        + at('"43199s"', '"12h"', '"1d"'),
        [
            ("a", DAY // 2 - 1, 1, 1, {}),
            ("b", DAY // 2, 2, 2, {}),
            ("c", DAY, 3, 2, {"quarantined": 1}),
        ],
        {-1: {"good": 1, "quarantined": 2}},
        {"accepted": 3, "hard": 2},
    ),
    # --- Classes, segments and the control group --------------------------------------------------
    "a class has an open rate of its own": Example(
        "engagement.open_rate = 0.0\n"
        "population.classes.keen = { share = 1.0, open_rate = 1.0 }\n" + at('"0s"'),
        [("a", 0, 4, 4, {})],
        counts={"opened": 4},
    ),
    "that of engagement does not count then": Example(
        "engagement.open_rate = 1.0\n"
        "population.classes.idle = { share = 1.0, open_rate = 0.0 }\n" + at('"0s"'),
        [("a", 0, 4, 4, {})],
        counts={"opened": 0},
    ),
    "without classes that of engagement does, and those who open click as before": Example(
        "engagement = { open_rate = 1.0, click_rate = 1.0 }\n" + at('"0s"'),
        [("a", 0, 4, 4, {})],
        counts={"opened": 4, "clicked": 4},
    ),
    "a segment of a class that nobody is in targets nobody": Example(
        CLASSES + at('"0s", segment = "rare"', '"1h", segment = "many"'),
        [("a", 0, 0, 0, {}), ("b", HOUR, 4, 4, {})],
        counts={"relayed": 4, "a relayed": 0},
        to_deliver={("a", "p"): 0, ("b", "p"): 4},
    ),
    "a segment that is drawn each time, from one class": Example(
        CLASSES + at('"0s", segment = "now"', '"1h", segment = "now"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 4, 4, {})],
    ),
    "who joins later belongs to a segment as well": Example(
        "population.segments.many.share = 1.0\n"
        'population.imports = [{ at = "1h", size = 3, dead = 0.0 }]\n'
        + at('"0s", segment = "many"', '"1h", segment = "many"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 7, 7, {})],
    ),
    "nobody is in a control group of 0": Example(
        "population.control_group = 0.0\n" + at('"0s"'),
        [("a", 0, 4, 4, {})],
    ),
    "a control group gets nothing": Example(
        "population.control_group = 0.9999999999999999\n" + at('"0s"', '"1h"'),
        [("a", 0, 4, 0, {"control group": 4}), ("b", HOUR, 4, 0, {"control group": 4})],
        {-1: {"good": 4}},
        {"relayed": 0},
    ),
    # --- When a sending is prepared ---------------------------------------------------------------
    "it is prepared as it starts": Example(
        at('"3h"'), [("a", 3 * HOUR, 4, 4, {})], relayed={"a": [180] * 4}
    ),
    "or so long before, and starts at its start": Example(
        at('"3h", prepare = "2h"'), [("a", HOUR, 4, 4, {})], relayed={"a": [180] * 4}
    ),
    "but not before t = 0": Example(
        at('"3h", prepare = "4h"'), [("a", 0, 4, 4, {})], relayed={"a": [180] * 4}
    ),
    "or as it is confirmed, before its start": Example(
        at('"3h", confirm = { within = "1h", ahead = "2h" }'),
        [("a", 2 * HOUR, 4, 4, {})],
        relayed={"a": [180] * 4},
    ),
    "or after it": Example(
        at('"3h", confirm = { within = "1h" }'),
        [("a", 4 * HOUR, 4, 4, {})],
        relayed={"a": [240] * 4},
    ),
    "one that is confirmed before t = 0 is prepared then": Example(
        at('"1h", confirm = { within = "30m", ahead = "2h" }'),
        [("a", 0, 4, 4, {})],
        relayed={"a": [60] * 4},
    ),
    "with both, it is prepared before the start that was planned": Example(
        at('"3h", prepare = "2h", confirm = { within = "1h" }'),
        [("a", HOUR, 4, 4, {})],
        relayed={"a": [240] * 4},
    ),
    "one that is never confirmed is prepared as it is given up, and not sent": Example(
        at('"3h", confirm = { within = "5h", give_up = "2h" }'),
        [("a", 5 * HOUR, 4, 4, {})],
        counts={"relayed": 0},
        to_deliver={("a", "p"): 4},
    ),
    "all parts of a sending are prepared together, with shares of who is left": Example(
        # Of five waves follow 3 and 2; of four, 2.4 and 1.6.
        "population.size = 5\n" + at('"3h", waves = { size = 0.5, every = "2h" }, messages = 4'),
        [("a", 3 * HOUR, 4, 4, {})],
        relayed={"a wave 1": [180] * 2, "a wave 2": [300] * 2},
        to_deliver={("a wave 1", "p"): 2, ("a wave 2", "p"): 2},
    ),
    "what is learned between two waves changes nothing": Example(
        GONE + at('"1d", waves = { size = 0.5, every = "2h" }'),
        [("a", DAY, 4, 4, {})],
        counts={"a wave 1 hard": 2, "a wave 2 hard": 2},
    ),
    "of three who are left each cell has one, and the rest": Example(
        "population.size = 3\n"
        'population.imports = [{ at = "1h", size = 1, dead = 1.0 }]\n'
        + at('"1h"', '"3h", cells = { share = 0.25, after = "2h" }'),
        [("a", HOUR, 4, 4, {}), ("b", 3 * HOUR, 4, 3, {"quarantined": 1})],
        # Shares of 1, 1 and 2 of three people: 0.75, 0.75 and 1.5.
        to_deliver={("a", "p"): 4, ("b A", "p"): 1, ("b B", "p"): 1, ("b rest", "p"): 1},
    ),
    "each repetition is a sending": Example(
        GONE + at('"0s", every = "1d", times = 2'),
        [("a 1", 0, 4, 4, {}), ("a 2", DAY, 4, 0, QUARANTINED)],
        to_deliver={("a 1", "p"): 4, ("a 2", "p"): 0},
    ),
    "zones are prepared together, as the sending starts": Example(
        'start = "2026-11-27T08:00:00"\nzone = "Europe/Berlin"\n'
        + at(
            '"1h", local_time = "10:00", '
            'zones = { "Europe/Berlin" = 0.5, "America/New_York" = 0.5 }'
        ),
        [("a", HOUR, 4, 4, {})],
        relayed={"a Europe/Berlin": [120] * 2, "a America/New_York": [480] * 2},
    ),
    "waves that are confirmed late are prepared then, and count from then for fatigue": Example(
        FATIGUE
        + at(
            '"1h", waves = { size = 0.5, every = "2h" }, confirm = { within = "1h" }',
            '"2d2h"',
            '"4d2h1s"',
        ),
        [
            ("a", 2 * HOUR, 4, 4, {}),
            ("b", 2 * DAY + 2 * HOUR, 4, 0, {"fatigue": 4}),
            ("c", 4 * DAY + 2 * HOUR + 1, 4, 4, {}),
        ],
        relayed={"a wave 1": [120] * 2, "a wave 2": [240] * 2, "c": [4 * 1440 + 120] * 4},
    ),
    "the messages of a delivery are in batches of those who are left": Example(
        "relay.batch = 2\n"
        + P_AND_Q
        + 'population.size = 5\nproviders.q.hard = [{ reason = "gone", share = 1.0 }]\n'
        + at('"0s"', '"1h", spread = "2h"'),
        [("a", 0, 5, 5, {}), ("b", HOUR, 5, 3, {"quarantined": 2})],
        # Three messages are two batches.
        relayed={"a": [0] * 5, "b": [60, 60, 120]},
    ),
    "repetitions are prepared before each start, and at t = 0 at the earliest": Example(
        GONE + at('"1h", every = "1d", times = 2, prepare = "2h"'),
        [("a 1", 0, 4, 4, {}), ("a 2", DAY - HOUR, 4, 0, QUARANTINED)],
    ),
    "one that nobody confirms is prepared when it should be, too": Example(
        at('"3h", prepare = "1h", confirm = { within = "5h", give_up = "2h" }'),
        [("a", 2 * HOUR, 4, 4, {})],
        counts={"relayed": 0},
    ),
    "what is learned between confirmation and start changes nothing": Example(
        GONE + at('"0s"', '"2h", confirm = { within = "1s", ahead = "2h" }', '"2h"'),
        [("a", 0, 4, 4, {}), ("b", 1, 4, 4, {}), ("c", 2 * HOUR, 4, 0, QUARANTINED)],
    ),
    "who joins between preparation and start is not targeted": Example(
        'population.imports = [{ at = "2h", size = 3, dead = 0.0 }]\n'
        + at('"3h", prepare = "2h"', '"4h"'),
        [("a", HOUR, 4, 4, {}), ("b", 4 * HOUR, 7, 7, {})],
        relayed={"a": [180] * 4, "b": [240] * 7},
    ),
    # --- Whom a preparation excludes --------------------------------------------------------------
    "messages of a delivery are a sample of the people": Example(
        at('"0s", messages = 3', '"1h", messages = 4'),
        [("a", 0, 3, 3, {}), ("b", HOUR, 4, 4, {})],
        {-1: {"good": 4}},
        {"accepted": 7},
    ),
    "and of each repetition": Example(
        at('"0s", messages = 3, every = "1h", times = 2'),
        [("a 1", 0, 3, 3, {}), ("a 2", HOUR, 3, 3, {})],
    ),
    "if there are fewer, all": Example(
        CLASSES + at('"0s", segment = "rare", messages = 1'),
        [("a", 0, 0, 0, {})],
    ),
    "those who are excluded are among the sample": Example(
        GONE + at('"0s"', '"1h", messages = 3'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 3, 0, {"quarantined": 3})],
    ),
    "a denylisted address counts as that, though it is quarantined and over fatigue": Example(
        COMPLAINING
        + FATIGUE
        + 'population.complaint_delay = "1h"\nproviders.p.async_bounce = 1.0\n'
        + at('"0s"', '"30m"', '"2h"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", HOUR // 2, 4, 0, QUARANTINED),
            ("c", 2 * HOUR, 4, 0, {"denylisted": 4}),
        ],
        {-1: {"denylisted": 4}},
    ),
    "a quarantined one counts as that, though it is over fatigue": Example(
        GONE + FATIGUE + at('"0s"', '"1h"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 4, 0, QUARANTINED)],
    ),
    "of those that are prepared together, the first of the scenario goes first": Example(
        FATIGUE + at('"1h"', '"1h"'),
        [("a", HOUR, 4, 4, {}), ("b", HOUR, 4, 0, {"fatigue": 4})],
    ),
    "and else who is prepared first": Example(
        FATIGUE + at('"1h"', '"1h", prepare = "1m"'),
        [("b", HOUR - MINUTE, 4, 4, {}), ("a", HOUR, 4, 0, {"fatigue": 4})],
    ),
    # --- Fatigue ----------------------------------------------------------------------------------
    "a sending counts that is just the period before": Example(
        # b is delivered to nobody, and so does not count for c.
        FATIGUE + at('"0s"', '"2d"', '"2d1s"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", 2 * DAY, 4, 0, {"fatigue": 4}),
            ("c", 2 * DAY + 1, 4, 4, {}),
        ],
    ),
    "one counts that is just the period after, if it is prepared before": Example(
        FATIGUE + at('"3d"', '"5d", prepare = "5d"'),
        [("b", 0, 4, 4, {}), ("a", 3 * DAY, 4, 0, {"fatigue": 4})],
    ),
    "one that is later still does not": Example(
        FATIGUE + at('"259199s"', '"5d", prepare = "5d"'),
        [("b", 0, 4, 4, {}), ("a", 3 * DAY - 1, 4, 4, {})],
    ),
    "nor one that is not prepared yet": Example(
        FATIGUE + at('"3d", prepare = "2d"', '"3d", prepare = "1d"', '"4d"'),
        [
            ("a", DAY, 4, 4, {}),
            ("b", 2 * DAY, 4, 0, {"fatigue": 4}),
            ("c", 4 * DAY, 4, 0, {"fatigue": 4}),
        ],
    ),
    "up to the maximum": Example(
        "population.fatigue = { max = 2, period = '2d' }\n" + at('"0s"', '"1h"', '"2h"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 4, 4, {}), ("c", 2 * HOUR, 4, 0, {"fatigue": 4})],
    ),
    "one that nobody confirms counts as well": Example(
        FATIGUE + at('"1h", confirm = { within = "5h", give_up = "2h" }', '"4h"'),
        [("a", 3 * HOUR, 4, 4, {}), ("b", 4 * HOUR, 4, 0, {"fatigue": 4})],
        counts={"relayed": 0},
    ),
    # --- What Campaign learns, and when -----------------------------------------------------------
    "a hard bounce counts once it is known before": Example(
        GONE + at('"0s"', '"1s"', '"2s"'),
        [("a", 0, 4, 4, {}), ("b", 1, 4, 4, {}), ("c", 2, 4, 0, QUARANTINED)],
        {1: {"good": 4, "dead_unknown": 4}, 2: {"quarantined": 4}, -1: {"quarantined": 4}},
        {"hard gone": 8},
    ),
    "what is not known at an early preparation changes nothing": Example(
        GONE + at('"0s"', '"1h", prepare = "1h"', '"1h"'),
        [("a", 0, 4, 4, {}), ("b", 0, 4, 4, {}), ("c", HOUR, 4, 0, QUARANTINED)],
        counts={"a hard": 4, "b hard": 4},
    ),
    "nobody is left to deliver to, and the next one is sent": Example(
        'population.imports = [{ at = "2h", size = 1, dead = 0.0 }]\n'
        'providers.p.hard = [{ reason = "gone", share = 0.9999999999999999 }]\n'
        + at('"0s"', '"1h", spread = "10m"', '"2h"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 4, 0, QUARANTINED), ("c", 2 * HOUR, 5, 1, QUARANTINED)],
        counts={"accepted": 1, "b relayed": 0},
    ),
    "feedback takes its time": Example(
        'feedback.synchronous = "1h"\n' + GONE + at('"0s"', '"3601s"', '"3602s"'),
        [("a", 0, 4, 4, {}), ("b", HOUR + 1, 4, 4, {}), ("c", HOUR + 2, 4, 0, QUARANTINED)],
    ),
    "Campaign polls": Example(
        'feedback.polling = "1h"\n' + GONE + at('"0s"', '"1h"', '"3601s"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 4, 4, {}), ("c", HOUR + 1, 4, 0, QUARANTINED)],
    ),
    "Campaign takes reports in one by one": Example(
        # At 1:00:01, 2:00:01 and so on.
        'feedback.rate = "1/h"\n' + GONE + at('"0s"', '"9000s"'),
        [("a", 0, 4, 4, {}), ("b", 9000, 4, 2, {"quarantined": 2})],
    ),
    "a message that comes back later": Example(
        'providers.p.async_bounce = 1.0\nfeedback.asynchronous = "3h"\n'
        + at('"0s"', '"10801s"', '"10802s"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", 3 * HOUR + 1, 4, 4, {}),
            ("c", 3 * HOUR + 2, 4, 0, QUARANTINED),
        ],
        {-1: {"quarantined": 4, "mistaken": 4}},
    ),
    "soft bounces count up to the threshold": Example(
        "population.quarantine.threshold = 3\n" + REFUSED + at(*DAYS[:4]),
        [
            ("a", 0, 4, 4, {}),
            ("b", DAY, 4, 4, {}),
            ("c", 2 * DAY, 4, 4, {}),
            ("d", 3 * DAY, 4, 0, QUARANTINED),
        ],
        {0: {"good": 4}, 1: {"erroneous": 4}, 2: {"erroneous": 4}, 3: QUARANTINED},
    ),
    "and five by default": Example(
        REFUSED + at('"0s", every = "1d", times = 6'),
        [
            *((f"a {day + 1}", day * DAY, 4, 4, {}) for day in range(5)),
            ("a 6", 5 * DAY, 4, 0, QUARANTINED),
        ],
        counts={"soft refused": 20},
    ),
    "with a threshold of 1 the first one is enough": Example(
        THRESHOLD_1 + REFUSED + at('"0s"', '"1h"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 4, 0, QUARANTINED)],
        {-1: QUARANTINED},
    ),
    "one counts that is just as much later as is significant": Example(
        THRESHOLD_2 + REFUSED + at('"0s"', '"1d"', '"2d"'),
        [("a", 0, 4, 4, {}), ("b", DAY, 4, 4, {}), ("c", 2 * DAY, 4, 0, QUARANTINED)],
    ),
    "one does not that is a second too early, and starts no new day": Example(
        THRESHOLD_2 + REFUSED + at('"0s"', '"86399s"', '"1d"', '"2d"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", DAY - 1, 4, 4, {}),
            ("c", DAY, 4, 4, {}),
            ("d", 2 * DAY, 4, 0, QUARANTINED),
        ],
    ),
    "what counts is when Campaign knows it": Example(
        # A day lies between the polls at 1 h and at 25 h.
        THRESHOLD_2 + 'feedback.polling = "1h"\n' + REFUSED + at('"59m"', '"24h1m"', '"26h"'),
        [
            ("a", 59 * MINUTE, 4, 4, {}),
            ("b", DAY + MINUTE, 4, 4, {}),
            ("c", DAY + 2 * HOUR, 4, 0, QUARANTINED),
        ],
    ),
    "soft bounces of one message count, too": Example(
        THRESHOLD_2 + 'mta.retry.delays = ["1d", "30d"]\n' + REFUSED + at('"0s"', '"25h"'),
        [("a", 0, 4, 4, {}), ("b", 25 * HOUR, 4, 0, QUARANTINED)],
        counts={"soft": 8},
    ),
    "so do those that are not due to the address": Example(
        THRESHOLD_2
        + 'providers.p.outages = [{ at = "0s", lasts = "30h" }]\n'
        + at('"0s"', '"1d"', '"2d"'),
        [("a", 0, 4, 4, {}), ("b", DAY, 4, 4, {}), ("c", 2 * DAY, 4, 0, QUARANTINED)],
        {-1: MISTAKEN},
        {"soft unreachable": 8},
        mistaken={"a": 0, "b": 0, "c": 4},
    ),
    "a mailbox that is full for a while is a good address in quarantine": Example(
        THRESHOLD_1
        + 'providers.p.faults = [{ reason = "mailbox full", share = 1.0, clears_after = "1h" }]\n'
        + at('"0s"', '"2h"'),
        [("a", 0, 4, 4, {}), ("b", 2 * HOUR, 4, 0, QUARANTINED)],
        {-1: MISTAKEN},
        mistaken={"a": 0, "b": 4},
    ),
    "errors are kept just until the reset": Example(
        THRESHOLD_2 + REFUSED + at('"0s"', '"10d"', '"11d"'),
        [("a", 0, 4, 4, {}), ("b", 10 * DAY, 4, 4, {}), ("c", 11 * DAY, 4, 0, QUARANTINED)],
        {1: {"erroneous": 4}},
    ),
    "and forgotten a second later": Example(
        THRESHOLD_2 + REFUSED + at('"0s"', '"864001s"', '"11d1s"', '"12d1s"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", 10 * DAY + 1, 4, 4, {}),
            ("c", 11 * DAY + 1, 4, 4, {}),
            ("d", 12 * DAY + 1, 4, 0, QUARANTINED),
        ],
        # The error was known a second after the start.
        {1: {"erroneous": 4}, 2: {"erroneous": 4}},
    ),
    "an address is erroneous until the reset": Example(
        REFUSED + at('"0s"', '"864001s"'),
        [("a", 0, 4, 4, {}), ("b", 10 * DAY + 1, 4, 4, {})],
        {1: {"erroneous": 4}},
    ),
    "and good a second later": Example(
        REFUSED + at('"0s"', '"864002s"'),
        [("a", 0, 4, 4, {}), ("b", 10 * DAY + 2, 4, 4, {})],
        {1: {"good": 4}, -1: {"erroneous": 4}},
    ),
    "a message that is accepted sets the errors back": Example(
        THRESHOLD_2 + 'mta.retry.delays = ["2h"]\n' + GREYLISTED + at(*DAYS[:3]),
        [(name, day * DAY, 4, 4, {}) for day, name in enumerate("abc")],
        {1: {"good": 4}, -1: {"good": 4}},
        {"soft": 12, "accepted": 12},
    ),
    "what is not accepted in the end does not": Example(
        THRESHOLD_2 + GREYLISTED + at(*DAYS[:3]),
        [("a", 0, 4, 4, {}), ("b", DAY, 4, 4, {}), ("c", 2 * DAY, 4, 0, QUARANTINED)],
        {1: {"erroneous": 4}},
    ),
    "between a soft bounce and the acceptance it is erroneous": Example(
        'mta.retry.delays = ["2h"]\n' + GREYLISTED + at('"0s"', '"1h"', '"3h"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 4, 4, {}), ("c", 3 * HOUR, 4, 4, {})],
        {0: {"good": 4}, 1: {"erroneous": 4}},
    ),
    "what the relay fails to hand over, and what expires, changes nothing": Example(
        THRESHOLD_1 + GONE + "relay.error_rate = 1.0\n" + at('"0s"', '"1h"'),
        [("a", 0, 4, 4, {}), ("b", HOUR, 4, 4, {})],
        {-1: {"good": 4, "dead_unknown": 4}},
        {"relay_failed": 8},
    ),
    "nor does what is stopped; it remains to deliver": Example(
        # Two are handed over, after an hour each.
        'relay = { batch = 1, batch_time = "1h" }\n' + GONE + at('"0s", stop = "90m"', '"1d"'),
        [("a", 0, 4, 4, {}), ("b", DAY, 4, 2, {"quarantined": 2})],
        {1: {"quarantined": 2, "good": 2, "dead_unknown": 2}},
        {"a relayed": 2},
        to_deliver={("a", "p"): 4, ("b", "p"): 2},
    ),
    "what is known at once is taken in as it arrived": Example(
        # Both are known at 1 h: first the soft bounce, then that the message is accepted.
        THRESHOLD_1
        + 'feedback.polling = "1h"\nmta.retry.delays = ["20m"]\n'
        + 'providers.p.faults = [{ reason = "busy", share = 1.0, clears_after = "10m" }]\n'
        + at('"0s"', '"2h"'),
        [("a", 0, 4, 4, {}), ("b", 2 * HOUR, 4, 0, QUARANTINED)],
        counts={"accepted": 4},
    ),
    # --- Leaving quarantine -----------------------------------------------------------------------
    "a full mailbox leaves at the first cleanup after its time, once a day from t = 0": Example(
        THRESHOLD_1 + FULL + at('"0s"', '"30d"', '"2678399s"', '"31d"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", 30 * DAY, 4, 0, QUARANTINED),
            ("c", 31 * DAY - 1, 4, 0, QUARANTINED),
            ("d", 31 * DAY, 4, 4, {}),
        ],
        {1: {"quarantined": 4}, 3: {"good": 4}},
    ),
    "at a cleanup that is just then": Example(
        THRESHOLD_1
        + 'population.quarantine.mailbox_full = "86399s"\n'
        + FULL
        + at('"0s"', '"86399s"', '"1d"'),
        [("a", 0, 4, 4, {}), ("b", DAY - 1, 4, 0, QUARANTINED), ("c", DAY, 4, 4, {})],
    ),
    "with a clock at 04:00": Example(
        # The first ones after a day and a second are those of 18 hours and a day.
        'start = "2026-11-27T10:00:00"\n'
        + THRESHOLD_1
        + 'population.quarantine.mailbox_full = "1d"\n'
        + FULL
        + at('"0s"', '"151199s"', '"42h"'),
        [("a", 0, 4, 4, {}), ("b", 42 * HOUR - 1, 4, 0, QUARANTINED), ("c", 42 * HOUR, 4, 4, {})],
    ),
    "at 04:00 of a day that is an hour longer": Example(
        'start = "2026-10-24T10:00:00"\nzone = "Europe/Berlin"\n'
        + THRESHOLD_1
        + 'population.quarantine.mailbox_full = "1h"\n'
        + FULL
        + at('"0s"', '"18h"', '"19h"'),
        [("a", 0, 4, 4, {}), ("b", 18 * HOUR, 4, 0, QUARANTINED), ("c", 19 * HOUR, 4, 4, {})],
    ),
    "it counts from 0 then": Example(
        THRESHOLD_2
        + 'population.quarantine.mailbox_full = "1h"\npopulation.quarantine.significant = "1h"\n'
        + FULL
        + at('"0s"', '"2h"', '"1d"', '"26h"', '"27h"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", 2 * HOUR, 4, 4, {}),
            ("c", DAY, 4, 4, {}),
            ("d", DAY + 2 * HOUR, 4, 4, {}),
            ("e", DAY + 3 * HOUR, 4, 0, QUARANTINED),
        ],
        {2: {"good": 4}, 3: {"erroneous": 4}},
    ),
    "another reason never leaves": Example(
        THRESHOLD_1 + REFUSED + at('"0s"', '"366d"'),
        [("a", 0, 4, 4, {}), ("b", 366 * DAY, 4, 0, QUARANTINED)],
        {-1: QUARANTINED},
    ),
    "a full one that bounces hard never leaves": Example(
        # Known to be dead before it would leave.
        THRESHOLD_1
        + 'population.quarantine.mailbox_full = "365d"\n'
        + FULL
        + DYING
        + at('"0s"', '"31535900s", prepare = "31535900s"', '"366d"'),
        [("a", 0, 4, 4, {}), ("b", 0, 4, 4, {}), ("c", 366 * DAY, 4, 0, QUARANTINED)],
        {-1: {"quarantined": 4}},
        {"a soft": 4, "b hard": 4},
    ),
    "a full one that bounces softly again leaves all the same": Example(
        THRESHOLD_1
        + 'population.quarantine.mailbox_full = "1h"\npopulation.quarantine.significant = "1h"\n'
        + FULL
        + at('"0s"', '"20h", prepare = "20h"', '"1d"'),
        [("a", 0, 4, 4, {}), ("b", 0, 4, 4, {}), ("c", DAY, 4, 4, {})],
    ),
    "one that accepts a message later remains in quarantine": Example(
        THRESHOLD_1
        + 'providers.p.outages = [{ at = "0s", lasts = "1m" }]\n'
        + at('"0s"', '"1h", prepare = "1h"', '"2h"'),
        [("a", 0, 4, 4, {}), ("b", 0, 4, 4, {}), ("c", 2 * HOUR, 4, 0, QUARANTINED)],
        {-1: MISTAKEN},
        {"b accepted": 4},
    ),
    # --- Complaints -------------------------------------------------------------------------------
    "a complaint is known after its delay": Example(
        COMPLAINING + 'population.complaint_delay = "1h"\n' + at('"0s"', '"3601s"', '"3602s"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", HOUR + 1, 4, 4, {}),
            ("c", HOUR + 2, 4, 0, {"denylisted": 4}),
        ],
        {1: {"good": 4}, -1: {"denylisted": 4}},
    ),
    "of the opens that are too late to be counted, too": Example(
        COMPLAINING
        + 'population.complaint_delay = "1h"\nengagement.open_delay = "15d"\n'
        + at('"0s"', '"15d1h"', '"15d2h"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", 15 * DAY + HOUR, 4, 4, {}),
            ("c", 15 * DAY + 2 * HOUR, 4, 0, {"denylisted": 4}),
        ],
        counts={"opened": 0},
    ),
    "it does not wait for feedback": Example(
        COMPLAINING
        + 'population.complaint_delay = "1h"\nfeedback.polling = "1d"\n'
        + 'feedback.synchronous = "2d"\n'
        + at('"0s"', '"3601s"', '"3602s"'),
        [
            ("a", 0, 4, 4, {}),
            ("b", HOUR + 1, 4, 4, {}),
            ("c", HOUR + 2, 4, 0, {"denylisted": 4}),
        ],
    ),
    "nobody complains of what is not opened": Example(
        'population.complaints = 1.0\npopulation.complaint_delay = "1h"\n' + at('"0s"', '"2h"'),
        [("a", 0, 4, 4, {}), ("b", 2 * HOUR, 4, 4, {})],
    ),
    # --- Readings ---------------------------------------------------------------------------------
    "weeks are counted from t = 0, by the acceptance": Example(
        # b is accepted as the second week begins.
        at('"0s"', '"604799s"', '"8d"', '"21d", messages = 1'),
        [
            ("a", 0, 4, 4, {}),
            ("b", 7 * DAY - 1, 4, 4, {}),
            ("c", 8 * DAY, 4, 4, {}),
            ("d", 21 * DAY, 1, 1, {}),
        ],
        weeks={0: {1: 4}, 1: {2: 4}, 3: {1: 1}},
    ),
    "the state of the list is told at the end of each week": Example(
        # Of the second week one comes as it ends, and errors are told until they are forgotten.
        'population.quarantine = { reset = "5d", significant = "1d" }\n'
        "population.imports = [\n"
        '{ at = "14d", size = 1, dead = 1.0 }, { at = "22d", size = 1, dead = 0.0 }]\n'
        + REFUSED
        + at('"3d"', '"15d"', '"16d1s"', '"21d"'),
        [
            ("a", 3 * DAY, 4, 4, {}),
            ("b", 15 * DAY, 5, 5, {}),
            ("c", 16 * DAY + 1, 5, 4, {"quarantined": 1}),
            ("d", 21 * DAY, 5, 4, {"quarantined": 1}),
        ],
        {-1: {"erroneous": 4, "quarantined": 1}},
        weekly=[
            {"erroneous": 4},
            {"good": 5, "dead_unknown": 1},
            {"erroneous": 4, "quarantined": 1},
        ],
    ),
    "those who join after the last preparation do not count: nothing goes to them": Example(
        # The last soft bounce is on the second day.
        'mta.retry.delays = ["2d", "30d"]\n'
        'population.imports = [{ at = "1d", size = 3, dead = 1.0 }]\n' + REFUSED + at('"0s"'),
        [("a", 0, 4, 4, {})],
        {-1: {"erroneous": 4}},
    ),
}


def merged(one: Any, other: Any) -> Any:
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return other
    return one | {key: merged(one.get(key), value) for key, value in other.items()}


def scenario_of(toml: str) -> Scenario:
    with warnings.catch_warnings():
        # Some are given up on purpose.
        warnings.filterwarnings("ignore", message=".* is never sent", category=SendcapWarning)
        return from_dict(merged(tomllib.loads(BASE), tomllib.loads(toml)))


def total(ledger: Ledger, what: str) -> float:
    """Return the total of an event, such as "accepted", "a accepted" or "a wave 1 soft refused"."""
    name = next((name for name in ledger.deliveries if what.startswith(f"{name} ")), None)
    event, _, reason = what.removeprefix(f"{name} ").partition(" ")
    return ledger.total(event, clock="happened", delivery=name, reason=reason or None)


def without_zeros(states: dict[str, float]) -> dict[str, float]:
    return {name: count for name, count in states.items() if count and name != "at_s"}


@pytest.mark.parametrize("example", BY_HAND)
@pytest.mark.parametrize("model", MODELS)
def test_people_are_targeted_excluded_and_learned_of_as_worked_out(
    example: str, model: str
) -> None:
    expected = BY_HAND[example]
    outcome = MODELS[model](scenario_of(expected.toml))
    rows = [
        (name, at_s, targeted, sum(to_deliver.values()), excluded)
        for name, at_s, targeted, excluded, to_deliver in outcome.prepared
    ]
    assert rows == expected.prepared
    for number, states in (expected.health or {}).items():
        # Not every model tells of each preparation, but all of the end.
        if number == -1 or number in outcome.health:
            assert without_zeros(outcome.health[number]) == states, number
    if expected.weekly is not None:
        assert [without_zeros(states) for states in outcome.weekly] == expected.weekly
    for what, count in (expected.counts or {}).items():
        assert total(outcome.ledger, what) == count, what
    if expected.relayed is not None:
        assert times(counts_of(outcome.ledger), "relayed") == expected.relayed
    if expected.weeks is not None:
        assert outcome.weeks == expected.weeks
    if expected.mistaken is not None:
        assert outcome.mistaken == expected.mistaken
    if expected.to_deliver is not None:
        assert dict(outcome.ledger.to_deliver) == expected.to_deliver
    assert outcome.ledger.messages() == sum(row[3] for row in rows)


@pytest.mark.parametrize("model", MODELS)
def test_what_would_come_at_a_horizon_does_not_happen(model: str) -> None:
    toml = 'time.horizon = "90m"\n' + GONE + at('"0s"', '"1h"', '"90m"')
    with pytest.warns(SendcapWarning, match="cuts off"):
        scenario = scenario_of(toml)
    outcome = MODELS[model](scenario)
    assert [row[0] for row in outcome.prepared] == ["a", "b"]
    assert dict(outcome.ledger.to_deliver) == {("a", "p"): 4, ("b", "p"): 0, ("c", "p"): 0}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("drawn", "is_the_same"), [("once", True), ("each-time", False)])
def test_a_segment_that_is_drawn_once_has_the_same_people(
    drawn: str, is_the_same: bool, model: str
) -> None:
    """A rule against a second message tells who gets one."""
    segment = f'population.segments.s = {{ share = 0.5, drawn = "{drawn}" }}\n'
    toml = FATIGUE + segment + at('"0s", segment = "s"', '"1h", segment = "s"')
    outcome = MODELS[model](scenario_of(toml + "population.size = 200\n"))
    (_, _, first, _, _), (_, _, second, excluded, _) = outcome.prepared
    assert 60 <= first <= 140
    assert (excluded["fatigue"] == first == second) == is_the_same


@pytest.mark.parametrize("model", MODELS)
def test_a_control_group_is_the_same_people_each_time(model: str) -> None:
    toml = "population.size = 200\npopulation.control_group = 0.5\n" + at('"0s"', '"1h"')
    outcome = MODELS[model](scenario_of(FATIGUE + toml))
    (_, _, _, first, _), (_, _, _, second, _) = outcome.prepared
    assert 60 <= first["control group"] == second["control group"] <= 140
    assert second["fatigue"] == 200 - first["control group"]
