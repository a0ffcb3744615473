"""Whom deliveries went to, in tables and sentences, of runs that are made by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from sendcap.errors import SendcapError
from sendcap.ledger.people import EXCLUSIONS, WEEK_S, Health, People, Preparation
from sendcap.readings.people import (
    Losses,
    health_table,
    people_sentences,
    preparations_table,
    weeks_table,
)
from sendcap.run import Run, simulate
from sendcap.scenario import Scenario, from_dict
from sendcap.scenario.disturbance import Refusal

DAY_S = 86_400.0


def prepared(
    sending: str, day: float, targeted: int, *excluded: int, mistaken: int = 0
) -> Preparation:
    """People who are denylisted, quarantined, in the control group and over fatigue are out."""
    reasons = dict(zip(EXCLUSIONS, [*excluded, 0, 0, 0, 0], strict=False))
    to_deliver = targeted - sum(excluded)
    return Preparation(sending, day * DAY_S, targeted, reasons, mistaken, to_deliver)


HEALTH = Health(9 * DAY_S, 130, 113, 4, 11, 2, 3, 1)
PREPARATIONS = (
    prepared("first", 0, 100),
    prepared("weekly 1", 4, 120, 1, 5, 4, mistaken=1),
    prepared("weekly 2", 8, 130, 2, 8, 4, 6, mistaken=2),
)


def scenario(**population: Any) -> Scenario:
    return from_dict(
        {
            "population": {"size": 100, "providers": {"gmail": 1.0}} | population,
            "deliveries": [
                {"name": "first"},
                {
                    "name": "weekly",
                    "at": "4d",
                    "every": "4d",
                    "times": 2,
                    "waves": {"size": 0.5, "every": "1h"},
                },
            ],
            "relay": {"batch_time": "1s"},
            "providers": {"gmail": {"connect_time": "1s", "transaction_time": "1s"}},
        }
    )


@pytest.fixture
def run(made):
    """A run: of 100, 110 and 110 messages, 90, 101 and 99 are accepted, and 8, 5 and 2 dead."""

    def make(
        preparations: tuple[Preparation, ...] = PREPARATIONS,
        of_each: dict[str, tuple[int, int]] | None = None,
        health: Health = HEALTH,
        accepted: dict[int, dict[int, int]] | None = None,
        not_sent: tuple[str, ...] = (),
        **population: Any,
    ) -> Run:
        counts = of_each or {
            "first": (90, 8),
            "weekly 1 wave 1": (60, 5),
            "weekly 1 wave 2": (41, 0),
            "weekly 2 wave 1": (99, 2),
        }
        of_sending = {each.sending: each.to_deliver for each in preparations}
        more = []
        for name, (got, dead) in counts.items():
            whole = of_sending.get(name.split(" wave")[0], 0) if "wave 2" not in name else 0
            relayed = 0 if name in not_sent else whole
            rows = [("relayed", 0.0, relayed), ("accepted", 60.0, got), ("hard", 60.0, dead)]
            more.append((name, "gmail", whole, rows))
        ledger = made(to_deliver=0, more=more)
        people = People(preparations, (health,), accepted or {})
        return Run(scenario(**population), replace(ledger, people=people))

    return make


def sentence(run: Run, beginning: str) -> str | None:
    """Return the sentence that begins so."""
    found = [each for each in people_sentences(run) if each.startswith(beginning)]
    assert len(found) <= 1
    return found[0] if found else None


def test_a_row_for_each_preparation(run) -> None:
    table = preparations_table(run().ledger)
    assert list(table.columns) == [
        *("sending", "time_s", "targeted"),
        *("denylisted", "quarantined", "control_group", "fatigue"),
        *("quarantined_by_mistake", "to_deliver"),
    ]
    assert table.to_numpy().tolist() == [
        ["first", 0.0, 100, 0, 0, 0, 0, 0, 100],
        ["weekly 1", 4 * DAY_S, 120, 1, 5, 4, 0, 1, 110],
        ["weekly 2", 8 * DAY_S, 130, 2, 8, 4, 6, 2, 110],
    ]


def test_a_row_for_each_state_of_the_list(run) -> None:
    table = health_table(run().ledger)
    assert table.to_dict("records") == [
        {
            "time_s": 9 * DAY_S,
            "people": 130,
            "good": 113,
            "erroneous": 4,
            "quarantined": 11,
            "denylisted": 2,
            "dead_unknown": 3,
            "quarantined_by_mistake": 1,
        }
    ]


def test_who_got_nothing_in_a_week_is_the_rest_of_its_list(run) -> None:
    """At the end of week 0 there were 105 people, and 130 in the end."""
    one = run(accepted={0: {1: 80, 2: 5}, 1: {3: 7}})
    assert one.ledger.people is not None
    after_a_week = HEALTH._replace(at_s=WEEK_S, people=105)
    people = one.ledger.people._replace(health=(after_a_week, HEALTH))
    table = weeks_table(replace(one.ledger, people=people))
    assert table.to_numpy().tolist() == [
        [0.0, 0, 20],
        [0.0, 1, 80],
        [0.0, 2, 5],
        [WEEK_S, 0, 123],
        [WEEK_S, 3, 7],
    ]


def test_a_week_without_messages_has_no_row(run) -> None:
    assert weeks_table(run().ledger).empty


def test_losses_are_those_of_all_parts_of_a_sending(run) -> None:
    losses = Losses(run(), PREPARATIONS[1])
    assert (losses.accepted, losses.hard) == (101, 5)
    assert losses.accepted_share == 101 / 110
    assert losses.hard_share == 5 / 110
    # One of the five in quarantine is good, and accepts as the others do.
    assert losses.share_without_quarantine == (101 + 101 / 110) / 115


def test_exclusions_are_summed_up(run) -> None:
    assert sentence(run(), "In 3 sendings") == (
        "In 3 sendings people were targeted 350 times and excluded 30 times (3 on the denylist, "
        "13 in quarantine, 8 in the control group and 6 over the limit of fatigue): 320 messages "
        "to deliver."
    )


def test_nobody_is_excluded(run) -> None:
    text = "In 1 sending nobody was excluded: 100 messages to deliver."
    assert sentence(run(PREPARATIONS[:1]), "In 1 sending") == text


def test_what_is_lost_and_how_much_of_it_to_dead_addresses(run) -> None:
    """30 of 320 are not accepted; 15 bounce hard."""
    assert sentence(run(), "9.38 %") == (
        "9.38 % of the messages sent were not accepted; 4.69 points of that are hard bounces, of "
        "dead addresses that Campaign did not know of."
    )


def test_a_refusal_by_mistake_is_no_dead_address(run) -> None:
    one = run()
    gmail = one.scenario.providers["gmail"]
    refusing = gmail.model_copy(update={"refusals": (Refusal(at="1d", lasts="1d"),)})
    changed = one.scenario.model_copy(update={"providers": {"gmail": refusing}})
    text = sentence(Run(changed, one.ledger), "9.38 %")
    assert text is not None
    assert text.endswith(
        "of dead addresses that Campaign did not know of, or of good ones that a provider refused "
        "by mistake."
    )


def test_nothing_is_lost(run) -> None:
    one = run(PREPARATIONS[:1], {"first": (100, 0)})
    assert sentence(one, "All messages") == "All messages sent were accepted."


def test_what_is_stopped_or_never_confirmed_is_no_loss_of_people(run) -> None:
    """10 of the first 100 are not accepted, 8 of them bounce hard; nothing else is relayed."""
    never = ("weekly 1 wave 1", "weekly 2 wave 1")
    counts = {"first": (90, 8)} | dict.fromkeys(never, (0, 0))
    one = run(of_each=counts, not_sent=never)
    assert sentence(one, "10.00 %") == (
        "10.00 % of the messages sent were not accepted; 8.00 points of that are hard bounces, of "
        "dead addresses that Campaign did not know of."
    )
    # Nobody was in quarantine when the first was prepared.
    assert sentence(one, 'In "') is None


def test_what_quarantine_saves(run) -> None:
    """Of 110, 99 are accepted. Of 118 it would be 99 and 90 % of the two who are good."""
    assert sentence(run(), 'In "weekly 2"') == (
        'In "weekly 2", 90.00 % were accepted; had the 8 people in quarantine been written to, it '
        "would be 85.42 %. 2 of them are there by mistake: the address is good."
    )


def test_one_person_is_no_people(run) -> None:
    one = run((prepared("first", 0, 101, 0, 1, mistaken=1),), {"first": (90, 10)})
    assert sentence(one, 'In "first"') == (
        'In "first", 90.00 % were accepted; had the 1 person in quarantine been written to, it '
        "would be 90.00 %. 1 of them is there by mistake: the address is good."
    )


def test_without_quarantine_nothing_is_saved(run) -> None:
    assert sentence(run(PREPARATIONS[:1]), 'In "') is None


def test_an_import_shows_in_the_next_sendings(run) -> None:
    """Of those after it 5 and 2 of 110 bounce hard, before it 8 of 100."""
    one = run(imports=[{"at": "2d", "size": 30, "dead": 0.2}])
    assert sentence(one, "After the import") == (
        "After the import of 30 addresses at t = 2d, 4.55 % and 1.82 % of the messages bounced "
        "hard in the next 2 sendings, 8.00 % in the one before."
    )


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (
            "5d",
            (
                "After the import of 1 address at t = 5d, 1.82 % of the messages bounced hard in "
                "the next sending, 4.55 % in the one before."
            ),
        ),
        (
            "0s",
            (
                "After the import of 1 address at t = 0s, 8.00 %, 4.55 % and 1.82 % of the "
                "messages bounced hard in the next 3 sendings."
            ),
        ),
        ("8d 1h", None),
    ],
)
def test_an_import_before_the_first_or_after_the_last_sending(run, at, text) -> None:
    one = run(imports=[{"at": at, "size": 1, "dead": 1.0}])
    assert sentence(one, "After the import") == text


def test_the_state_of_the_list_in_the_end(run) -> None:
    assert sentence(run(), "At the end") == (
        "At the end of the run the list has 130 people: 113 good, 4 with errors, 11 in quarantine "
        "and 2 on the denylist. 3 of them are dead without Campaign knowing."
    )


def test_a_sending_to_nobody_says_why(run) -> None:
    """Fatigue excludes 5 of 7, and 2 are in the control group."""
    one = run((*PREPARATIONS[:1], prepared("weekly 1", 4, 7, 0, 0, 2, 5)), {"first": (90, 8)})
    assert sentence(one, '"weekly 1"') == (
        '"weekly 1" went to nobody: of 7 people targeted, 2 in the control group and 5 over the '
        "limit of fatigue."
    )


def test_a_segment_without_people_targets_nobody(run) -> None:
    one = run((*PREPARATIONS[:1], prepared("weekly 1", 4, 0)), {"first": (90, 8)})
    assert sentence(one, '"weekly 1"') == '"weekly 1" went to nobody: it targeted nobody.'


def test_nothing_at_all_is_sent(run) -> None:
    """What excludes all of them is said, and how the list is."""
    one = run((prepared("first", 0, 100, 0, 0, 0, 100),), {"first": (0, 0)})
    assert list(people_sentences(one)) == [
        (
            "In 1 sending people were targeted 100 times and excluded 100 times "
            "(100 over the limit "
            "of fatigue): 0 messages to deliver."
        ),
        (
            "At the end of the run the list has 130 people: 113 good, 4 with errors, 11 in "
            "quarantine and 2 on "
            "the denylist. 3 of them are dead without Campaign knowing."
        ),
        '"first" went to nobody: of 100 people targeted, 100 over the limit of fatigue.',
    ]


def test_the_sentences_of_a_run_begin_with_its_people(run) -> None:
    one = run()
    first = list(people_sentences(one))
    assert one.sentences()[: len(first)] == first


def test_a_run_without_a_population_says_so(made) -> None:
    for table in (preparations_table, health_table, weeks_table):
        with pytest.raises(SendcapError, match=r"the scenario has no \[population\]; give it one"):
            table(made())


def test_as_sent_a_delivery_has_the_messages_that_were_prepared(run) -> None:
    """Of the second wave of weekly 1 nothing is to deliver in this ledger."""
    sent = {each.name: each.messages for each in run().as_sent.deliveries}
    assert sent == {
        "first": 100,
        "weekly 1 wave 1": 110,
        "weekly 1 wave 2": 0,
        "weekly 2 wave 1": 110,
        "weekly 2 wave 2": 0,
    }


def test_what_classes_of_people_open_shows_where_nobody_else_opens() -> None:
    classes = {
        "readers": {"share": 0.5, "open_rate": 0.6},
        "others": {"share": 0.5, "open_rate": 0.0},
    }
    run = simulate(scenario(size=2_000, classes=classes))
    shown = run.dashboard(run.ledger.end_s, "efs", compute_stats=True)
    opened = run.ledger.total("opened", clock="known")
    assert shown.open_rate_pct == pytest.approx(100.0 * opened / shown.sent)
    assert 25.0 < shown.open_rate_pct < 35.0
    assert any("are opened in the end" in sentence for sentence in run.sentences())
    nobody = classes | {"readers": classes["readers"] | {"open_rate": 0.0}}
    silent = simulate(scenario(size=20, classes=nobody)).dashboard("9d", "efs")
    assert math.isnan(silent.open_rate_pct)
