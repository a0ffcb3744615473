"""The history of one person, by number."""

import math

import pytest
from test_people import BUSY

import sendcap
from sendcap.errors import SendcapError
from sendcap.model.engine import simulate_ledger
from sendcap.model.people.followed import Followed
from sendcap.scenario import from_dict

DAY_S = 86_400.0
QUICK = {"connect_time": "0s", "transaction_time": "1s"}


def scenario(population: dict, deliveries: list[dict], provider: dict) -> sendcap.Scenario:
    return from_dict(
        {
            "population": {"size": 1, "providers": {"inbox": 1.0}} | population,
            "deliveries": deliveries,
            "relay": {"batch_time": "0s"},
            "mta": {"expire": "on-failure", "retry": {"policy": "schedule", "delays": ["30d"]}},
            "providers": {"inbox": QUICK | provider},
            "feedback": {"synchronous": "1m"},
        }
    )


def history(of: sendcap.Scenario, number: int = 0) -> list[tuple]:
    rows = sendcap.profile(of, number).history
    return [
        (row["known_s"], row["delivery"], row["event"], row["reason"], row["state"], row["errors"])
        for row in rows.to_dict("records")
    ]


def test_a_full_mailbox_goes_into_quarantine_and_leaves_it() -> None:
    full = {"reason": "mailbox full", "share": 1.0, "clears_after": "1h", "never": 1.0}
    rules = {"quarantine": {"threshold": 2, "mailbox_full": "2d"}}
    daily = {"name": "daily", "every": "1d", "times": 6}
    rows = history(scenario(rules, [daily], {"faults": [full]}))
    what = [(delivery, event, state, errors) for _, delivery, event, _, state, errors in rows]
    assert [row for row in what if row[1] != "expired"] == [
        ("daily 1", "to deliver", "good", 0),
        ("daily 1", "soft", "good", 1),
        ("daily 2", "to deliver", "good", 1),
        ("daily 2", "soft", "quarantined", 0),
        ("daily 3", "excluded", "quarantined", 0),
        # From a minute after the third day on: the next cleanup is at the fourth.
        ("daily 4", "excluded", "quarantined", 0),
        ("daily 5", "to deliver", "good", 0),
        ("daily 5", "soft", "good", 1),
        ("daily 6", "to deliver", "good", 1),
        ("daily 6", "soft", "quarantined", 0),
    ]
    assert rows[1][0] == 61.0


def test_who_complains_is_denylisted() -> None:
    scenario_of = scenario(
        {
            "complaints": 1.0,
            "complaint_delay": "1h",
            "classes": {"all": {"share": 1.0, "open_rate": 1.0}},
        },
        [{"name": "a"}, {"name": "b", "at": "1d"}],
        {},
    )
    assert history(scenario_of) == [
        (0.0, "a", "to deliver", "", "good", 0),
        (61.0, "a", "accepted", "", "good", 0),
        (3601.0, "", "complained", "", "denylisted", 0),
        (DAY_S, "b", "excluded", "denylisted", "denylisted", 0),
    ]


def test_what_is_known_of_a_person_is_told() -> None:
    joins = {"imports": [{"at": "1h", "size": 1, "dead": 1.0}]}
    person = sendcap.profile(scenario(joins, [{"name": "a", "at": "2h"}], {}), 1)
    assert (person.number, person.provider, person.wrong) == (1, "inbox", "user unknown")
    assert (person.joined_s, person.dies_s) == (3600.0, math.inf)
    assert list(person.history["event"]) == ["to deliver", "hard"]
    assert list(person.history["state"]) == ["good", "quarantined"]


def test_whoever_is_followed_changes_nothing() -> None:
    followed = Followed(17)
    one, other = simulate_ledger(BUSY, followed=followed), simulate_ledger(BUSY)
    assert one.people == other.people
    assert one.frame().equals(other.frame())
    assert followed.moments


def test_all_people_together_are_the_run() -> None:
    """Each message is for somebody, and what is told of each person sums up."""
    data = sendcap.scenario.to_dict(BUSY, defaults=False)
    data["population"] |= {"size": 20, "imports": [], "new_per_day": 1.0}
    data["deliveries"][3].pop("messages")
    data["relay"]["error_rate"] = 0.2
    small = from_dict(data)
    ledger = simulate_ledger(small)
    people = max(each.people for each in ledger.people.health)
    events: dict[str, int] = {}
    for number in range(people):
        followed = Followed(number)
        simulate_ledger(small, followed=followed)
        for moment in followed.moments:
            events[moment.event] = events.get(moment.event, 0) + 1
        ends = [
            moment.delivery
            for moment in followed.moments
            if moment.event in ("accepted", "hard", "expired")
        ]
        assert len(ends) == len(set(ends)), "nobody gets a message twice"
    for event in ("accepted", "hard", "soft", "async_bounced", "expired"):
        assert events.get(event, 0) == ledger.total(event, clock="happened"), event
    assert events["to deliver"] == ledger.messages()
    ended = sum(events.get(event, 0) for event in ("accepted", "hard", "expired"))
    assert 0 < ledger.total("relay_failed") == ledger.messages() - ended
    excluded = sum(sum(each.excluded.values()) for each in ledger.people.preparations)
    assert events["excluded"] == excluded


@pytest.mark.parametrize("number", [-1, 1, 2.0, True, "0"])
def test_nobody_has_another_number(number) -> None:
    with pytest.raises(SendcapError, match="is nobody; give a whole number from 0 to 0"):
        sendcap.profile(scenario({}, [{"name": "a"}], {}), number)


def test_without_a_population_there_is_nobody() -> None:
    with pytest.raises(SendcapError, match=r"has no \[population\]"):
        sendcap.profile("quickstart", 0)
