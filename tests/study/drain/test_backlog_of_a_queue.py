"""The backlog that a queue is in a scenario, without a simulation."""

from __future__ import annotations

from typing import Any

import pytest

from sendcap.errors import SendcapError
from sendcap.importers.queue_files import Queued, QueueFile
from sendcap.scenario import from_dict
from sendcap.study.drain.held import Backlog, backlog_of

PROVIDER = {"connect_time": "0s", "transaction_time": "1s"}


def made(*groups: Queued, pool: str | None = None, pools: tuple[str, ...] = ()) -> Backlog:
    delivery: dict[str, Any] = {"messages": 9, "audience": {"gmail": 1.0}}
    mta: dict[str, Any] = {"pools": {name: {"ips": 1} for name in pools}} if pools else {}
    scenario = from_dict(
        {
            "deliveries": [
                delivery | {"name": name or "d"} | ({"pool": name} if name else {})
                for name in pools or ("",)
            ],
            "mta": mta,
            "relay": {"batch_time": "0s"},
            "providers": {"gmail": PROVIDER, "other": PROVIDER},
        }
    )
    return backlog_of(QueueFile("csv", groups, ()), scenario, pool=pool)


def test_messages_of_at_least_an_age_have_that_age() -> None:
    # The last column of qshape, 1280+ minutes, has no end: it has the oldest messages.
    found = made(Queued("", "gmail", 5, 76_800.0, None))
    assert found.entries == [{"provider": "gmail", "age": "1280m", "messages": 5}]
    assert found.notes == (
        "5 messages are at least as old as the file says, up to no limit: they count as that old.",
    )


def test_messages_of_unknown_age_are_new() -> None:
    found = made(Queued("", "gmail", 5))
    assert found.entries == [{"provider": "gmail", "age": "0s", "messages": 5}]
    assert found.notes == ("The age of 5 messages is not known: they count as new.",)


def test_a_pool_that_the_scenario_lacks_is_the_one_given() -> None:
    # A virtual MTA of PowerMTA or a binding group of Momentum is a pool by another name.
    groups = Queued("", "gmail", 5, pool="vmta1"), Queued("", "gmail", 7, pool="b")
    pools = [each["pool"] for each in made(*groups, pool="a", pools=("a", "b")).entries]
    assert pools == ["a", "b"]
    with pytest.raises(SendcapError) as caught:
        made(*groups, pools=("a", "b"))
    assert str(caught.value) == (
        'no pool of the scenario has this name, "vmta1"; defined: a, b; or name one for such '
        "messages with --pool"
    )


def test_a_pool_of_a_scenario_without_pools_is_refused() -> None:
    with pytest.raises(SendcapError, match='pool "a": the scenario has no pools; leave it out'):
        made(Queued("", "gmail", 5), pool="a")


@pytest.mark.parametrize("name", ["gmail", "google", "gmail.com", "GMail.com"])
def test_a_site_goes_to_its_provider_by_any_of_the_names(name: str) -> None:
    # A ready queue of KumoMTA has the name of a site; a table may name the provider alone.
    scenario = from_dict(
        {
            "deliveries": [{"name": "d", "messages": 9, "audience": {name: 1.0}}],
            "relay": {"batch_time": "0s"},
            "providers": {"other": PROVIDER, "yahoo": PROVIDER, name: PROVIDER},
        }
    )
    site = "(alt1|alt2)?.gmail-smtp-in.l.google.com"
    groups = Queued(site, "gmail", 1), Queued("", "gmail", 1), Queued("gmail.com", "gmail", 1)
    found = backlog_of(QueueFile("csv", groups, ()), scenario)
    assert {each["provider"] for each in found.entries} == {name}
