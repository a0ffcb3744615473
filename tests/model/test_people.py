"""A population in the engine: what always holds, and agreement with closed forms."""

import math

import numpy as np
import pytest

from sendcap.ledger.people import EXCLUSIONS, WEEK_S
from sendcap.model.engine import simulate_ledger
from sendcap.scenario import Scenario, from_dict, to_dict

DAY_S = 86_400.0
QUICK = {"connect_time": "0s", "transaction_time": "10ms", "connections_per_ip": 100}


def scenario(
    population: dict, deliveries: list[dict], seed: int = 1, **changes: object
) -> Scenario:
    """Return a scenario in which nothing waits for long."""
    providers = changes.pop("providers", None) or dict.fromkeys(
        population.get("providers", {"inbox": 1.0}), QUICK
    )
    data = {
        "seed": seed,
        "population": {"providers": {"inbox": 1.0}} | population,
        "deliveries": deliveries,
        "relay": {"batch_time": "1ms"},
        "providers": providers,
    }
    return from_dict(data | changes)


def weekly(times: int, **changes: object) -> dict:
    return {"name": "weekly", "every": "7d", "times": times} | changes


BUSY = scenario(
    {
        "size": 3_000,
        "providers": {"one": 0.7, "two": 0.3},
        "decay": "40%",
        "new_per_day": 40,
        "dead_among_new": 0.1,
        "imports": [{"at": "9d", "size": 500, "dead": 0.3}],
        "classes": {
            "keen": {"share": 0.3, "open_rate": 0.9},
            "rest": {"share": 0.7, "open_rate": 0.1},
        },
        "segments": {
            "half": {"share": 0.5},
            "keen": {"classes": ["keen"]},
            "some": {"share": 0.2, "drawn": "each-time"},
        },
        "control_group": 0.05,
        "fatigue": {"max": 3, "period": "3d"},
        "quarantine": {"threshold": 2, "mailbox_full": "10d"},
        "complaints": 0.02,
    },
    [
        {"name": "daily", "every": "1d", "times": 20, "segment": "half"},
        {"name": "news", "every": "7d", "times": 3, "waves": {"size": 0.4, "every": "1h"}},
        {"name": "offer", "every": "5d", "times": 4, "segment": "some", "prepare": "30m"},
        {"name": "keen", "at": "6d", "segment": "keen", "messages": 300},
    ],
    providers={
        "one": QUICK
        | {
            "hard": [{"reason": "user unknown", "share": 0.01}],
            "faults": [
                {"reason": "mailbox full", "share": 0.05, "clears_after": "5h", "never": 0.5}
            ],
            "transient": 0.05,
            "async_bounce": 0.005,
        },
        "two": QUICK | {"transient": 0.1},
    },
    feedback={"synchronous": {"dist": "exponential", "mean": "20m"}},
    engagement={"open_delay": {"dist": "exponential", "mean": "3h"}},
)


@pytest.fixture(scope="module")
def busy():
    return simulate_ledger(BUSY)


def test_threads_change_nothing(busy) -> None:
    assert simulate_ledger(BUSY, threads=2) == busy


def test_in_threads_the_relay_does_not_go_ahead_of_a_sending_that_goes_first() -> None:
    """What is to be sent is known only when it is prepared."""
    first = scenario(
        {"size": 2_000},
        [
            {"name": "news", "priority": "low"},
            {"name": "alert", "priority": "high", "at": "90s", "messages": 200},
        ],
        relay={"workers": 1, "batch": 10, "batch_time": "1s", "rate": "none"},
        mta={"order": "priority"},
    )
    ledger = simulate_ledger(first, window_s=60.0)
    assert simulate_ledger(first, window_s=60.0, threads=2) == ledger


def test_targeted_less_excluded_is_to_deliver(busy) -> None:
    assert busy.people is not None
    for each in busy.people.preparations:
        assert each.targeted - sum(each.excluded.values()) == each.to_deliver
        assert 0 <= each.mistaken <= each.excluded["quarantined"]
    found = {
        reason: sum(p.excluded[reason] for p in busy.people.preparations) for reason in EXCLUSIONS
    }
    assert all(found.values()), found


def test_what_is_prepared_is_what_is_delivered(busy) -> None:
    prepared = {each.sending: each.to_deliver for each in busy.people.preparations}
    delivered: dict[str, int] = {}
    for delivery in BUSY.deliveries:
        sending = delivery.name if delivery.origin is None else delivery.origin.sending
        messages = busy.messages(delivery=delivery.name)
        delivered[sending] = delivered.get(sending, 0) + messages
        assert busy.total("relayed", delivery=delivery.name) == messages
    assert delivered == prepared


def test_waves_have_the_shares_of_their_sending(busy) -> None:
    sizes = [busy.messages(delivery=f"news 1 wave {number}") for number in (1, 2, 3)]
    assert np.allclose(np.array(sizes) / sum(sizes), [0.4, 0.4, 0.2], atol=1e-3)


def test_everybody_on_the_list_has_one_state(busy) -> None:
    for health in busy.people.health:
        states = health.good + health.erroneous + health.quarantined + health.denylisted
        assert states == health.people
        assert health.dead_unknown <= health.good + health.erroneous
        assert health.mistaken <= health.quarantined


def test_accepted_messages_are_those_that_people_got(busy) -> None:
    got = sum(
        number * count
        for counts in busy.people.accepted.values()
        for number, count in counts.items()
    )
    assert got == busy.total("accepted", clock="happened")


@pytest.mark.parametrize(
    ("window_s", "changes"),
    [
        (600.0, {}),
        (86_400.0, {}),
        (7_200.0, {"mta": {"spool": 700}}),
        (7_200.0, {"mta": {"ingress_rate": "200/s"}}),
        (3_600.0, {"feedback": {"rate": "50/s", "polling": "10m"}}),
        (50_000.0, {"mta": {"ips": 3, "queues": "per-ip"}}),
        (3_000.0, {"mta": {"order": "fair", "pools": {"a": {"ips": 1}}}}),
    ],
)
def test_windows_change_nothing(window_s, changes) -> None:
    changed = from_dict(to_dict(BUSY, defaults=False) | changes)
    one, other = (simulate_ledger(changed, window_s=length) for length in ("auto", window_s))
    assert one.people == other.people
    assert one.to_deliver == other.to_deliver
    assert one.frame().equals(other.frame())


def test_a_sending_log_changes_nothing(busy, tmp_path) -> None:
    logged = simulate_ledger(BUSY, sending_log=tmp_path / "log.parquet")
    assert logged.people == busy.people
    assert logged.frame().equals(busy.frame())


def test_progress_ends_with_all_messages_that_there_are() -> None:
    seen = []
    ledger = simulate_ledger(BUSY, progress=seen.append)
    assert seen[-1].final == seen[-1].messages == ledger.messages()
    assert seen[0].messages > ledger.messages()


def test_dead_addresses_that_a_send_meets_have_their_closed_form() -> None:
    """In the long run as many are met as have died, or joined dead, since the last send."""
    decay, new, dead = 0.325, 2_000, 0.1
    ledger = simulate_ledger(
        scenario(
            {"size": 200_000, "decay": decay, "new_per_day": new, "dead_among_new": dead},
            [weekly(12)],
        )
    )
    living = 200_000.0
    for number in range(2, 13):
        week = -math.log1p(-decay) * 7 / 365
        joined = 7 * new * (1.0 - dead)
        # Those who joined within the week have been exposed to half of it.
        dying = living * -math.expm1(-week) + joined * week / 2.0
        expected = dying + 7 * new * dead
        met = ledger.total("hard", clock="happened", delivery=f"weekly {number}")
        assert abs(met - expected) < 4.5 * math.sqrt(expected)
        living += joined - dying


def test_the_drift_of_a_list_comes_out_of_its_assumptions() -> None:
    """A third of the addresses dies each year, and the list grows by half at the end of it.

    The product's example says 22 % and then 32.5 % dead, as ((1.22 * 0.33) + 0.33) / (1.5 + 0.75):
    it takes 1.22 for those who live after the first year, of whom there are 1.5 - 0.33 = 1.17.
    With these it is 32.1 %. Years of 180 days stand for whole ones here.

    Source: *Understanding quarantine management* of Adobe Campaign Classic.
    """
    size, year_s = 80_000, 180 * DAY_S
    half = [
        {"at": f"{180 * number}d", "size": round(size * 1.5 ** (number - 1) / 2), "dead": 0.0}
        for number in (1, 2)
    ]
    ledger = simulate_ledger(
        scenario(
            {
                "size": size,
                "decay": 1.0 - (2.0 / 3.0) ** (365 * DAY_S / year_s),
                "imports": half,
            },
            [{"name": "year", "at": "180d", "every": "180d", "times": 2}],
        )
    )
    met = [ledger.total("hard", clock="happened", delivery=f"year {number}") for number in (1, 2)]
    drift = np.cumsum(met) / (size * np.array([1.5, 2.25]))
    assert drift == pytest.approx([0.2222, 0.3210], abs=0.005)
    assert drift == pytest.approx([0.22, 0.325], abs=0.01)


@pytest.mark.parametrize("sends", [1, 2])
def test_a_threshold_of_five_takes_more_than_one_delivery(sends) -> None:
    """With a day between significant errors and 3.5 d of retries there are four at most."""
    full = {"reason": "mailbox full", "share": 1.0, "clears_after": "1h", "never": 1.0}
    providers = {"inbox": QUICK | {"faults": [full]}}
    retry = {"policy": "schedule", "delays": ["1h"]}
    ledger = simulate_ledger(
        scenario(
            {"size": 50},
            [weekly(sends)],
            providers=providers,
            mta={"retry": retry},
        )
    )
    last = ledger.people.health[-1]
    assert (last.quarantined, last.good + last.erroneous) == ((0, 50) if sends == 1 else (50, 0))


def test_fatigue_counts_before_and_after_the_contact_date() -> None:
    """A delivery that is prepared early is pressed by one that is sent later."""
    ledger = simulate_ledger(
        scenario(
            {"size": 100, "fatigue": {"max": 1, "period": "2d"}},
            [
                {"name": "later", "at": "5d", "prepare": "5d"},
                {"name": "just before", "at": "3d"},
                {"name": "long before", "at": "71h"},
                {"name": "just after", "at": "7d"},
                {"name": "long after", "at": "169h"},
            ],
        )
    )
    to_deliver = {each.sending: each.to_deliver for each in ledger.people.preparations}
    # What is long before or after counts for others in its turn.
    assert to_deliver == {
        "later": 100,
        "long before": 100,
        "just before": 0,
        "just after": 0,
        "long after": 100,
    }


def test_only_what_campaign_knows_at_preparation_counts() -> None:
    dead = {"inbox": QUICK | {"hard": [{"reason": "user unknown", "share": 1.0}]}}
    for prepare, excluded in (("1h", 0), ("30m", 10)):
        ledger = simulate_ledger(
            scenario(
                {"size": 10},
                [{"name": "first"}, {"name": "second", "at": "2h", "prepare": prepare}],
                providers=dead,
                feedback={"synchronous": "75m"},
            )
        )
        assert ledger.people.preparations[1].excluded["quarantined"] == excluded


def test_a_population_without_memory_is_a_delivery_of_its_own_addresses() -> None:
    """One send to a population and one without have the same outcomes on average."""
    providers = {
        "inbox": QUICK
        | {
            "hard": [{"reason": "user unknown", "share": 0.02}],
            "faults": [
                {"reason": "mailbox full", "share": 0.1, "clears_after": "20h", "never": 0.3}
            ],
            "transient": 0.05,
        }
    }
    with_people = scenario({"size": 40_000}, [{"name": "d"}], providers=providers)
    alone = with_people.model_copy(update={"population": None})
    one, other = simulate_ledger(with_people), simulate_ledger(alone)
    for event in ("accepted", "hard", "soft", "expired", "recovered"):
        a, b = one.total(event, clock="happened"), other.total(event, clock="happened")
        assert abs(a - b) < 5.0 * math.sqrt(max(a, b) * (1.0 if event != "accepted" else 0.1) * 2)


def test_weeks_count_from_the_start(busy) -> None:
    weeks = [each.at_s / WEEK_S for each in busy.people.health[:-1]]
    assert weeks == list(range(1, len(weeks) + 1))
    assert busy.people.health[-1].at_s == busy.end_s


def test_a_person_may_be_written_to_from_two_pools() -> None:
    """What one pool learns resets what the other one has counted, whatever the windows."""
    data = to_dict(BUSY, defaults=False)
    data["mta"] = {"pools": {"first": {"ips": 1}, "second": {"ips": 1}}}
    for number, delivery in enumerate(data["deliveries"]):
        delivery["pool"] = ("second", "first")[number % 2]
    # Most people have errors of both pools, within the same hours.
    data["deliveries"][2]["at"] = "1s"
    data["population"]["quarantine"] = {"threshold": 3, "significant": "1s"}
    data["providers"]["one"]["transient"] = 0.4
    data["relay"] = {"batch_time": "20s"}
    scenario_of = from_dict(data)
    runs = [simulate_ledger(scenario_of, window_s=length) for length in ("auto", 60.0, 86_400.0)]
    assert runs[0].people == runs[1].people == runs[2].people
    assert runs[0].frame().equals(runs[2].frame())
