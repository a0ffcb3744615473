from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest

import sendcap
from sendcap.errors import SendcapError
from sendcap.scenario import Scenario, from_dict, load, updated
from sendcap.scenario.stages import bottleneck, stages
from sendcap.study.capacity.searches import within as capacity
from sendcap.study.capacity.searches.acceptance import bare, resized
from sendcap.study.capacity.searches.within import certain_digits, largest_within
from sendcap.study.replication.estimates import Estimate
from sendcap.study.replication.measures import accepted_share_s
from sendcap.text.shares import parse_share

EXPONENTIAL = {"dist": "exponential", "mean": "1s"}


def scenario_of(**sections) -> Scenario:
    """One delivery to one provider with 10 connections of a second each: 10 messages/s."""
    provider = {"connect_time": "0s", "transaction_time": "1s", "connections_per_ip": 10}
    plain = {
        "seed": 1,
        "deliveries": [{"name": "a", "messages": 100, "validity": "2h", "audience": {"p": 1.0}}],
        "relay": {"batch_time": "0s", "batch": 1},
        "providers": {"p": provider | sections.pop("provider", {})},
    }
    for name, section in sections.items():
        plain[name] = plain.get(name, {}) | section if isinstance(section, dict) else section
    return from_dict(plain)


def within(scenario: Scenario, time: float | str, share: float | str = 0.9, **keywords):
    return largest_within(scenario, time, share, **({"workers": 1} | keywords))


# Few messages


def slow(*messages: int) -> Scenario:
    """Deliveries through a provider that takes a message a minute."""
    deliveries = [
        {"name": f"d{number}", "messages": count, "audience": {"p": 1.0}}
        for number, count in enumerate(messages)
    ]
    return scenario_of(deliveries=deliveries, provider={"rate": "1/min,max_burst=1"})


@pytest.mark.parametrize(
    ("messages", "time", "fit"),
    [((200,), "30s", 1), ((200,), "90s", 2), ((2000, 2), "90s", 2), ((2000, 2), "6m", 6)],
)
def test_where_few_messages_fit_they_are_counted_exactly(messages, time, fit) -> None:
    found = within(slow(*messages), time, 1.0)
    assert found.messages == fit
    assert found.size == Estimate(fit, fit, fit, found.size.n)
    assert f"({fit} to {fit} with 95 % confidence" in found.sentences()[0]


def test_the_figure_lies_in_the_interval_that_is_shown() -> None:
    # Replications that differ: 4 messages fit in most, 5 in some.
    few = slow(9)
    found = within(few, "5m", 1.0)
    for mean, low, high in ((4.98, 4.94, 5.02), (1.72, 1.719, 1.721), (5.5, 4.6, 6.4)):
        size = Estimate(mean, low, high, 40)
        answer = replace(found, size=size, messages=certain_digits(size))
        text = answer.sentences()[0]
        said, least, most = re.search(r"at most (\d+) \((\d+) to (\d+) with", text).groups()
        assert int(least) <= int(said) <= int(most), text
        assert int(least) <= low
        assert int(most) >= high


def test_not_even_one_message_of_each_delivery_is_said_so() -> None:
    with pytest.raises(SendcapError, match="not even a single message of each delivery is always"):
        within(slow(2000, 2), "30s", 1.0)


def test_a_changed_size_is_kept_to_the_message() -> None:
    scenario = slow(2000, 2, 1)
    for size in (3, 5, 17, 2003, 99_999):
        sized = resized(scenario, size)
        assert sum(delivery.messages for delivery in sized.deliveries) == size
        assert min(delivery.messages for delivery in sized.deliveries) >= 1


# Against the closed form


@pytest.mark.parametrize(
    ("sections", "per_s"),
    [
        ({}, 10.0),
        ({"provider": {"connect_time": "2s", "messages_per_connection": 4}}, 10 / 1.5),
        ({"provider": {"rate": "4/s,max_burst=1"}}, 4.0),
        ({"provider": {"rate": {"kind": "gap", "pause": "1s"}}}, 0.5),
        ({"provider": {"rate": {"kind": "fixed-window", "limit": 60, "window": "10s"}}}, 6.0),
        ({"relay": {"rate": "5/s,max_burst=1"}}, 5.0),
        ({"mta": {"ingress_rate": "3/s"}}, 3.0),
        ({"provider": {"connections_per_ip": 4}, "mta": {"ips": 3}}, 12.0),
    ],
)
def test_without_chance_it_is_the_ceiling_times_the_time(sections, per_s) -> None:
    scenario = scenario_of(**sections)
    assert bottleneck(stages(scenario)).delivery_per_s == pytest.approx(per_s)
    found = within(scenario, "20m", 0.9)
    # A share of the messages has to be there in time, the rest may come later.
    assert found.size.mean == pytest.approx(per_s * 1200 / 0.9, rel=0.005)
    assert found.precise
    assert found.share == 0.9
    assert found.within_s == 1200.0


@pytest.mark.parametrize(
    ("sections", "per_s"),
    [
        ({"limits": [{"name": "all", "rate": "5/s,max_burst=1"}]}, 5.0),
        ({"limits": [{"name": "all", "connections": 2}]}, 2.0),
        ({"mta": {"active": 3}}, 3.0),
    ],
)
def test_limits_over_queues_are_held_against_the_time(sections, per_s) -> None:
    # They hold up a large delivery, and not one that is small enough.
    found = within(scenario_of(**sections), "20m", 0.9)
    assert found.size.mean == pytest.approx(per_s * 1200 / 0.9, rel=0.01)


def test_with_chance_the_interval_covers_the_ceiling() -> None:
    scenario = scenario_of(provider={"transaction_time": EXPONENTIAL}).with_seed(4)
    found = within(scenario, "20m", 0.9, replications=12, precision=0.01)
    assert found.size.low < 12_000 / 0.9 < found.size.high
    assert found.size.half_width <= 0.01 * found.size.mean
    # Shorter than what chance makes of so many services: 1/sqrt(12,000).
    assert 0.0 < found.size.half_width < 200


def test_one_message_is_not_several() -> None:
    scenario = scenario_of(deliveries=[{"name": "a", "messages": 1, "audience": {"p": 1.0}}])
    (sentence,) = within(scenario, "20s").sentences()
    assert sentence.endswith(" times the delivery as it is, 1 message.")


def test_retries_take_their_part_of_the_connections() -> None:
    # A third of the messages is tried again after 20 minutes: in 20 minutes there are only first
    # attempts, later the connections carry 4/3 attempts for each message.
    def with_connections(connections: int) -> Scenario:
        faults = [{"reason": "greylisted", "share": 1 / 3, "clears_after": "5m"}]
        return scenario_of(
            deliveries=[{"name": "a", "messages": 9, "audience": {"p": 1.0}}],
            provider={"faults": faults, "connections_per_ip": connections},
        )

    roughly = {"precision": 0.01}
    assert within(with_connections(5), "20m", 0.6, **roughly).size.mean == pytest.approx(
        6_000 * 2 / 3 / 0.6, rel=0.02
    )
    assert within(with_connections(1), "10h", 0.99, **roughly).size.mean == pytest.approx(
        36_000 * 0.75 / 0.99, rel=0.02
    )


def test_messages_that_expire_before_their_turn_are_not_accepted_in_time() -> None:
    # Otherwise any size would do: after two hours there is nothing left to be accepted.
    found = within(scenario_of(provider={"connections_per_ip": 2}), "6h", 0.9)
    assert found.size.mean == pytest.approx(2 * 7200 / 0.9, rel=0.005)


def test_a_burst_counts_once() -> None:
    scenario = scenario_of(provider={"rate": "1,000/h,max_burst=500", "connections_per_ip": 500})
    found = within(scenario, "30m", 1.0)
    assert found.messages == pytest.approx(500 + 500, rel=0.01)


def test_several_deliveries_grow_by_one_factor() -> None:
    scenario = scenario_of(
        deliveries=[
            {"name": "a", "messages": 300, "audience": {"p": 1.0}, "at": "1h"},
            {"name": "b", "messages": 100, "audience": {"p": 1.0}, "at": "70m"},
        ]
    )
    found = within(scenario, "30m", 0.9)
    # The time counts from the first one's start; the provider is never idle.
    assert found.size.mean == pytest.approx(18_000 / 0.9, rel=0.005)
    assert found.factor == pytest.approx(found.size.mean / 400)


def test_a_delivery_of_that_size_is_accepted_in_time() -> None:
    scenario = scenario_of(
        provider={
            "connections_per_ip": 5,
            "transaction_time": EXPONENTIAL,
            "transient": 0.05,
            "hard": [{"reason": "user unknown", "share": 0.1}],
        }
    )
    found = within(scenario, "20m", 0.9, precision=0.01)
    takes_s = []
    for seed in range(5):
        sized = scenario.deliveries[0].model_copy(update={"messages": found.messages})
        run = sendcap.simulate(scenario.model_copy(update={"deliveries": (sized,)}), seed=seed)
        takes_s.append(accepted_share_s(run.ledger, 0.9))
    assert sum(takes_s) / 5 == pytest.approx(1200, rel=0.02)


# The same answer


def test_the_number_of_workers_changes_nothing() -> None:
    scenario = scenario_of(provider={"transaction_time": EXPONENTIAL})
    told: list[int] = []
    one = within(scenario, 300, 0.9, replications=6, progress=told.append)
    assert one == within(scenario, 300.0, "90%", replications=6, workers=2)
    assert one == within(scenario, "5m", "0.9", replications=6)
    assert told == list(range(1, one.simulations + 1))
    assert one != within(scenario.with_seed(2), "5m", 0.9, replications=6)


def test_what_is_left_out_has_no_bearing_on_what_is_accepted() -> None:
    # It has opens, clicks, asynchronous bounces and feedback that takes its time.
    scenario = updated(
        load("quickstart"), {"deliveries[0].messages": 20_000, "time.horizon": "30d"}
    )
    whole, less = sendcap.simulate(scenario).ledger, sendcap.simulate(bare(scenario)).ledger
    assert less.bins < whole.bins
    for event in ("relayed", "attempted", "accepted", "recovered", "hard", "soft", "expired"):
        for provider in whole.providers:
            counts = [
                ledger.counts(event, clock="happened", provider=provider)[: less.bins]
                for ledger in (whole, less)
            ]
            assert (counts[0] == counts[1]).all()
            assert counts[1].sum() == whole.total(event, clock="happened", provider=provider)


# What cannot be


@pytest.mark.parametrize(
    ("sections", "time", "share", "message"),
    [
        (
            {"provider": {"faults": [{"reason": "full", "share": 0.1, "clears_after": "30m"}]}},
            "10m",
            0.95,
            r"95 % within 10m is impossible, however small the delivery: of the messages that are "  # noqa: ISC004
            r"ever accepted at most (89|90)\.?\d* % are by then, because (9|10)\.?\d* % are first "
            r"bounced softly and recover only later; ask for a smaller share or give more time",
        ),
        ({}, "900ms", 0.5, r"at most 0 % are by then, because handing over, .* take about (0.9|1)"),
        (
            {"relay": {"batch_time": "30s"}},
            "20s",
            0.5,
            r"handing over, connecting and the transaction alone take about 3[01]",
        ),
        (
            {
                "deliveries": [
                    {"name": "a", "messages": 50, "audience": {"p": 1.0}},
                    {"name": "b", "messages": 50, "audience": {"p": 1.0}, "at": "1d"},
                ]
            },
            "4h",
            0.9,
            r'at most 50 % are by then, because delivery "b" is not all ready before 1d',
        ),
        (
            {
                "deliveries": [
                    {"name": "a", "messages": 50, "audience": {"p": 1.0}, "spread": "2h"}
                ]
            },
            "1h",
            0.9,
            "impossible, with more batches than one: .* before 2h; shorten the spread, ask for",
        ),
        (
            {"provider": {"hard": [{"reason": "unknown", "share": 1.0}]}},
            "4h",
            0.9,
            "no message is ever accepted: 100 % bounce hard$",
        ),
        (
            {
                "relay": {"error_rate": 0.4},
                "provider": {"outages": [{"at": "0s", "lasts": "9h"}]},
            },
            "4h",
            0.9,
            r": [34]\d % fail before the hand-over and [56]\d % expire after soft bounces$",
        ),
        (
            {"provider": {"transaction_time": "0s"}},
            "4h",
            0.9,
            "nothing holds it up: even 1,000,000,000 messages",
        ),
        ({"provider": {"connections_per_ip": 1_000_000}}, "30d", 0.9, "nothing holds it up"),
        ({"provider": {"rate": {"kind": "schedule", "steps": [
            {"at": "0s", "rate": "closed"}, {"at": "1h", "rate": "5/s"}]}}}, "30m", 0.9,
            "not even a single message is always accepted by then"),
    ],
)  # fmt: skip
def test_a_target_that_can_never_be_met_says_so_and_why(sections, time, share, message) -> None:
    with pytest.raises(SendcapError, match=message) as caught:
        within(scenario_of(**sections), time, share)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"time": "0s"}, "within: must be a time of more than 0"),
        ({"time": "4"}, 'within: "4" is not a duration'),
        ({"time": math.inf}, "within: must be"),
        ({"share": 0}, "share: must be more than 0 and at most 100%"),
        ({"share": "110%"}, "share: must be more than 0 and at most 100%"),
        ({"share": "most"}, "share: .most. is not a share"),
        ({"share": True}, "share: must be a share, not True"),
        ({"confidence": 1.0}, "confidence: must be between 0 and 1"),
        ({"precision": 0.0}, "precision: must be more than 0"),
        ({"replications": 1}, "replications: must be a whole number from 2"),
        ({"workers": 0}, "workers: must be a whole number from 1"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(keywords, message) -> None:
    with pytest.raises(SendcapError, match=message) as caught:
        within(scenario_of(), **({"time": "10s"} | keywords))
    assert "\n" not in str(caught.value)


def test_shares_are_read_as_people_write_them() -> None:
    for text, share in (("99%", 0.99), ("99 %", 0.99), ("0.99", 0.99), (".5", 0.5), ("100%", 1)):
        assert parse_share(text) == share
    for text in ("", "%", "-1%", "1e-1", "nan", "99%%", "101%", "0"):
        with pytest.raises(SendcapError):
            parse_share(text)


@pytest.mark.parametrize(
    ("mean", "half_width", "rounded"),
    [
        (9_537_412.0, 3_000.0, 9_537_000),
        (9_537_412.0, 0.0, 9_537_412),
        (1_234.9, 40.0, 1_230),
        (1_234.9, 9_999.0, 1_000),
        (1_234.9, math.inf, 1_000),
        (7.9, 0.3, 7),
        (0.9, 0.3, 0),
    ],
)
def test_only_certain_digits_are_told(mean, half_width, rounded) -> None:
    assert certain_digits(Estimate(mean, mean - half_width, mean + half_width, 4)) == rounded


def test_few_simulations_are_needed_where_there_is_little_chance() -> None:
    assert within(scenario_of(), "20m", 0.9).simulations <= 6 * 4
    assert capacity.MOST_REPLICATIONS == 40
