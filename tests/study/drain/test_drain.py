"""When a queue that exists is gone, what of it expires, and what helps."""

from __future__ import annotations

from typing import Any

import pytest

import sendcap
from sendcap.errors import SendcapError
from sendcap.importers.queue_files import Queued, QueueFile
from sendcap.importers.queue_files.queued import domain_named
from sendcap.scenario import Scenario, from_dict

PROVIDER = {"connect_time": "0s", "transaction_time": "1s", "connections_per_ip": 1}
FULL = {"reason": "mailbox full", "share": 0.1, "clears_after": "1h", "never": 1.0}


def small(**sections: Any) -> Scenario:
    """Two providers, each of which takes a message a second."""
    return from_dict(
        {
            "time": {"bin": "1s"},
            "deliveries": [{"name": "d", "messages": 100, "audience": {"gmail": 1.0}}],
            "relay": {"batch_time": "0s"},
            "providers": {"gmail": PROVIDER, "other": PROVIDER},
        }
        | sections
    )


def queue(*groups: Queued, notes: tuple[str, ...] = ()) -> QueueFile:
    return QueueFile("csv", groups, notes)


def due(messages: int, provider: str = "gmail", **more: Any) -> Queued:
    """Messages that are tried now."""
    return Queued("", provider, messages, 60.0, 60.0, due_s=0.0, **more)


def test_the_times_are_those_of_a_pencil() -> None:
    found = sendcap.drain(small(), queue(due(100), due(50, "other")))
    table = found.table().set_index("provider")
    assert table.loc["gmail", ["gone_50_pct_s", "gone_90_pct_s", "gone_s"]].tolist() == [
        51,
        91,
        101,
    ]
    assert table.loc["other", ["gone_50_pct_s", "gone_99_pct_s"]].tolist() == [26, 51]
    assert table.loc["all", "messages"] == table.loc["all", "accepted"] == 150
    assert list(table.index) == ["gmail", "other", "all"]
    times_s, left = found.left("gmail")
    assert (times_s[0], left[0], left[-1]) == (0.0, 100, 0)


def test_what_helps_is_simulated() -> None:
    later = Queued("", "gmail", 100, 60.0, 60.0, due_s=3600.0)
    limits = [{"name": "all", "rate": "1/s,max_burst=1"}]
    found = sendcap.drain(small(limits=limits), queue(later, due(20, "other")))
    changes = found.remedies().set_index("change")
    assert set(changes.index) == {
        *("as it is", "a flush", "twice the limit all"),
        *("twice the connections at gmail", "twice the connections at other"),
    }
    gone = changes["gone_s"]
    assert gone["as it is"] == pytest.approx(3700, abs=2)
    assert gone["a flush"] == pytest.approx(120, abs=2)
    assert gone["twice the connections at gmail"] == pytest.approx(3700, abs=2)
    assert any("with a flush, half are gone after 1m" in text for text in found.sentences())


def test_a_higher_limit_helps_where_it_binds() -> None:
    found = sendcap.drain(small(), queue(due(100)))
    gone = found.remedies().set_index("change")["gone_s"]
    assert gone["twice the connections at gmail"] == pytest.approx(51, abs=1)
    assert "a flush" not in gone


def test_another_pool_helps_with_more_addresses() -> None:
    pools = {"pools": {"small": {"ips": 1}, "large": {"ips": 4}}}
    delivery = {"name": "d", "messages": 9, "audience": {"gmail": 1.0}}
    both = [delivery | {"pool": "small"}, delivery | {"name": "e", "pool": "large"}]
    found = sendcap.drain(small(mta=pools, deliveries=both), queue(due(200)), pool="small")
    gone = found.remedies().set_index("change")["gone_s"]
    assert gone["as it is"] == pytest.approx(201, abs=1)
    assert gone["gmail from the pool large"] == pytest.approx(51, abs=1)


def test_a_longer_lifetime_lets_less_expire() -> None:
    faults = [FULL | {"never": 0.0, "clears_after": "90h"}]
    old = Queued("", "gmail", 30, 3600.0, 3600.0, attempts=2, reason="mailbox full")
    found = sendcap.drain(small(providers={"gmail": PROVIDER | {"faults": faults}}), queue(old))
    changes = found.remedies().set_index("change")
    assert changes.loc["as it is", "expired"] == 30
    assert changes.loc["a lifetime of 7d", "expired"] == 0
    assert "With a lifetime of 7d, 0 expire in place of 30." in found.sentences()
    first = "30 of them (100 %) expire, the first after 3d 11h"
    assert any(text.startswith(first) for text in found.sentences())


def test_domains_go_to_the_provider_that_has_them() -> None:
    providers = {"google": PROVIDER, "yahoo.co.jp": PROVIDER, "other": PROVIDER}
    entry = ENTRY | {"provider": "other"}
    scenario = small(providers=providers, deliveries=[], backlog=[entry])
    groups = [
        Queued("gmail.com", "gmail", 3, 0.0, 0.0),
        Queued("yahoo.co.jp", "other", 4, 0.0, 0.0),
        Queued("example.org", "other", 5, 0.0, 0.0),
    ]
    found = sendcap.drain(scenario, queue(*groups))
    table = found.table().set_index("provider")["messages"]
    assert table.to_dict() == {"google": 3, "yahoo.co.jp": 4, "other": 5, "all": 12}


@pytest.mark.parametrize("name", ["bücher.example", "xn--bcher-kva.example"])
@pytest.mark.parametrize("domain", ["Bücher.example", "xn--bcher-kva.example."])
def test_an_international_domain_may_be_spelt_either_way(name: str, domain: str) -> None:
    providers = {name: PROVIDER, "other": PROVIDER}
    scenario = small(providers=providers, deliveries=[], backlog=[ENTRY | {"provider": "other"}])
    found = sendcap.drain(scenario, queue(Queued(domain_named(domain), "other", 3, 0.0, 0.0)))
    assert [(each.provider, each.messages) for each in found.gone[:-1]] == [(name, 3)]


ENTRY: dict[str, Any] = {"provider": "gmail", "messages": 7, "age": "1h", "due": "0s"}


def test_a_scenario_may_bring_its_own() -> None:
    found = sendcap.drain(small(backlog=[ENTRY]))
    assert found.gone[-1].messages == 7
    assert [each.name for each in found.scenario.deliveries] == ["backlog"]
    with pytest.raises(SendcapError, match=r"no queue; give the file of one, or a scenario with"):
        sendcap.drain(small())


def test_what_is_saved_can_be_drained_again(tmp_path) -> None:
    limits = [
        {"name": "of d", "rate": "1/s", "deliveries": ["d"]},
        {"name": "other", "rate": "9/s", "providers": ["other"]},
        {"name": "gmail", "rate": "1/2s,max_burst=1", "providers": ["gmail"]},
    ]
    deliveries = [{"name": "d", "messages": 9, "audience": {"gmail": 0.5, "other": 0.5}}]
    start = {"start": "2026-11-27T09:00:00+01:00"}
    found = sendcap.drain(small(limits=limits, deliveries=deliveries, **start), queue(due(100)))
    assert [limit.name for limit in found.scenario.limits] == ["gmail"]
    assert found.gone[-1].gone_s == pytest.approx(199, abs=1)
    again = sendcap.drain(sendcap.loads(sendcap.dumps(found.scenario)))
    assert again.table().equals(found.table())


@pytest.mark.parametrize("beside", [False, True])
def test_whom_a_population_has_is_left_out(beside: bool) -> None:
    people = {"size": 100, "providers": {"gmail": 1.0}, "segments": {"half": {"share": 0.5}}}
    scenario = small(population=people, deliveries=[{"name": "d", "segment": "half"}])
    found = sendcap.drain(scenario, queue(due(40)), beside=beside)
    assert found.gone[-1].messages == found.gone[-1].accepted == 40
    assert found.run.ledger.messages() == (90 if beside else 40)


def test_deliveries_are_sent_beside_it_if_asked() -> None:
    alone = sendcap.drain(small(), queue(due(100)))
    beside = sendcap.drain(small(), queue(due(100)), beside=True)
    assert alone.gone[-1].gone_s == pytest.approx(101, abs=1)
    # The messages of the delivery are ready at the same moment, and go first in a tie.
    assert beside.gone[-1].messages == 100
    assert beside.gone[-1].gone_s == pytest.approx(201, abs=1)


def test_messages_on_hold_are_left_out_unless_released() -> None:
    held = Queued("", "gmail", 30, 60.0, 60.0, held=True)
    found = sendcap.drain(small(), queue(due(10), held))
    assert found.gone[-1].messages == 10
    note = "30 messages on hold are left out, as no operator lets them go; --release does."
    assert note in found.sentences()
    assert sendcap.drain(small(), queue(due(10), held), release=True).gone[-1].messages == 40
    one = sendcap.drain(small(), queue(due(10), Queued("", "gmail", 1, 60.0, 60.0, held=True)))
    note = "1 message on hold is left out, as no operator lets it go; --release does."
    assert note in one.sentences()
    with pytest.raises(SendcapError, match=r"the queue is empty; 30 messages on hold \(--release"):
        sendcap.drain(small(), queue(held))


def test_what_is_not_known_of_a_queue_is_told() -> None:
    full = Queued("", "gmail", 9, 0.0, 600.0, attempts=1, reason="mailbox full")
    found = sendcap.drain(small(), queue(full, Queued("", "other", 5), notes=("A note.",)))
    text = " ".join(found.sentences())
    assert 'A note. 9 messages to gmail bounced with "mailbox full", a fault that the scen' in text
    assert "The age of 5 messages is not known: they count as new." in text


def test_an_expiry_is_told_when_it_has_happened() -> None:
    faults = [FULL | {"never": 0.0, "clears_after": "90h"}]
    old = [
        Queued("", "gmail", 3, age_s, age_s, attempts=2, reason="mailbox full")
        for age_s in (3590.0, 1790.0)
    ]
    scenario = small(providers={"gmail": PROVIDER | {"faults": faults}}, time={"bin": "1m"})
    (gmail, _) = sendcap.drain(scenario, queue(*old)).gone
    # A lifetime of 3.5 days less the ages, and within the minute that is counted.
    for found_s, due_s in ((gmail.first_expiry_s, 298_810.0), (gmail.last_expiry_s, 300_610.0)):
        assert due_s <= found_s < due_s + 60.0


def test_messages_that_may_be_younger_than_their_lifetime_are_not_told_as_older() -> None:
    found = sendcap.drain(small(), queue(Queued("", "gmail", 9, 3600.0, 2e6), due(1)))
    assert not any("older than the lifetime" in text for text in found.sentences())


def test_messages_older_than_their_lifetime_are_told() -> None:
    told = "9 messages older than the lifetime of 3d 12h expire at once"
    found = sendcap.drain(small(), queue(Queued("", "gmail", 9, 1e6, 2e6), due(1)))
    own = small(backlog=[{"provider": "gmail", "messages": 9, "age": "4d"}])
    for result in (found, sendcap.drain(own)):
        assert any(text.startswith(told) for text in result.sentences())


@pytest.mark.parametrize(
    ("sections", "pool", "message"),
    [
        ({"providers": {"gmail": PROVIDER}}, None, '5 messages to "example.org": the scenario has'),
        ({"mta": {"pools": {"a": {"ips": 1}}}}, "b", 'no pool of the scenario has this name, "b"'),
    ],
)
def test_what_does_not_fit_the_scenario_is_refused(
    sections: dict[str, Any], pool: str | None, message: str
) -> None:
    with pytest.raises(SendcapError, match=message):
        sendcap.drain(
            small(**sections), queue(Queued("example.org", "other", 5, 0.0, 0.0)), pool=pool
        )


def test_the_same_queue_drains_the_same_way() -> None:
    one, two = (sendcap.drain(small(), queue(due(30, attempts=1))) for _ in range(2))
    assert one.table().equals(two.table())
    assert one.remedies().equals(two.remedies())
