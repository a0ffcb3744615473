"""KumoMTA's sources helper: egress pools and the weights of their sources."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

import sendcap
from sendcap.cli.commands import commands
from sendcap.errors import SendcapError
from sendcap.importers import import_kumomta

# The example of assets/policy-extras/sources.lua.
SOURCES = """
[source."ip-1"]
source_address = "10.0.0.1"
[source."ip-2"]
source_address = "10.0.0.2"
[source."ip-3"]
source_address = "10.0.0.3"
[pool."BestReputation"]
[pool."BestReputation"."ip-1"]
[pool."MediumReputation"."ip-2"]
weight = 4
[pool."MediumReputation"."ip-3"]
weight = 2
"""
QUEUE = """
default_tenant = "a"
[tenant.a]
egress_pool = "{a}"
[tenant.b]
egress_pool = "{b}"
"""
BASE = """
[[deliveries]]
name = "b"
messages = 300
audience = { other = 1 }
[[deliveries]]
name = "else"
messages = 300
audience = { other = 1 }
[relay]
batch_time = "1s"
[mta]
ips = 7
[providers.other]
connect_time = "1s"
transaction_time = "1s"
"""
SHAPING = '["default"]\nconnection_limit = 10'


@pytest.fixture
def imported(put):
    def make(pools: str = SOURCES, queue: str = "", base: str = "", **options):
        if queue:
            options["queue"] = put(queue, "queue.toml")
        if base:
            options["base"] = put(base, "base.toml")
        shaping = put(options.pop("shaping", SHAPING), "shaping.toml")
        return import_kumomta(shaping, {"other": 1.0}, pools=put(pools, "sources.toml"), **options)

    return make


def warned(made) -> str:
    return " ".join(made.report[made.report["status"] == "warning"]["why"])


def test_the_sources_of_the_only_pool_are_the_addresses(imported) -> None:
    made = imported("[pool.main.one]\n[pool.main.two]\n[pool.main.three]\nweight = 1\n")
    assert (made.scenario.mta.ips, made.scenario.mta.pools) == (3, {})
    row = made.report.set_index("setting").loc['pool "main"']
    assert (row["status"], row["scenario"]) == ("used", "mta.ips = 3")
    # A weight of zero is that of no source (docs/reference/kumo/make_egress_pool/entries.md).
    assert imported("[pool.main.a]\n[pool.main.b]\nweight = 0").scenario.mta.ips == 1


def test_sources_take_turns_by_their_weights(imported) -> None:
    made = imported(queue=QUEUE.format(a="MediumReputation", b="BestReputation"))
    mta = made.scenario.mta
    assert {name: (pool.ips, pool.weights) for name, pool in mta.pools.items()} == {
        "MediumReputation": (2, (2, 1))
    }
    assert (mta.queues, made.scenario.deliveries[0].pool) == ("per-ip", "MediumReputation")
    unused = made.report.set_index("setting").loc['pool "BestReputation"']
    assert unused["why"] == "no delivery leaves from it"


def test_weights_that_are_too_large_keep_their_proportion(imported) -> None:
    made = imported("[pool.main.a]\nweight = 30000\n[pool.main.b]\nweight = 7501\n")
    assert made.scenario.mta.pools["main"].weights == (1000, 250)


def test_deliveries_of_several_tenants_leave_from_their_pools(imported) -> None:
    queue = QUEUE.format(a="MediumReputation", b="BestReputation")
    made = imported(queue=queue, base=BASE, other_domains=1)
    assert [each.pool for each in made.scenario.deliveries] == [
        "BestReputation",
        "MediumReputation",
    ]
    assert made.scenario.pools() == {"BestReputation": 1, "MediumReputation": 2}
    assert sendcap.simulate(made.scenario).summary()


def test_a_limit_for_each_source_is_that_of_all_pools_sources(put, imported) -> None:
    shaping = '[provider.p]\nmatch = [{DomainSuffix = ".org"}]\nprovider_connection_limit = 5'
    made = import_kumomta(
        put(shaping, "shaping.toml"),
        {"a.org": 0.5, "b.org": 0.5},
        pools=put(SOURCES, "sources.toml"),
        queue=put(QUEUE.format(a="MediumReputation", b="BestReputation"), "queue.toml"),
        base=put(BASE, "base.toml"),
    )
    (limit,) = made.scenario.limits
    assert limit.connections == 15


def test_what_says_the_pool_is_used_and_a_domains_own_pool_is_told(imported) -> None:
    queue = QUEUE.format(a="MediumReputation", b="BestReputation")
    made = imported(queue=f"{queue}[queue.'gmail.com']\negress_pool = 'BestReputation'\n")
    rows = made.report.set_index("setting")
    assert rows.loc["egress_pool"]["scenario"] == 'deliveries[0].pool = "MediumReputation"'
    assert "one pool for all providers" in rows.loc['queue "gmail.com" egress_pool']["why"]


def test_the_options_number_comes_first(imported) -> None:
    made = imported(queue=QUEUE.format(a="BestReputation", b="BestReputation"), ips=5)
    assert made.scenario.mta.ips == 5
    row = made.report.set_index("setting").loc['pool "BestReputation"']
    assert row["why"] == "replaced by --ips"


def test_a_pool_that_is_not_known_is_told(imported) -> None:
    assert "no egress_pool says which" in warned(imported())
    made = imported(queue=QUEUE.format(a="BestReputaton", b="MediumReputation"))
    assert 'no pool "BestReputaton"; did you mean "BestReputation"?' in warned(made)
    empty = imported('[pool.none]\n[source.a]\nsource_address = "10.0.0.1"')
    assert "no source that sends" in warned(empty)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[queue.a]\nmax_age = '1h'", "sources.toml:1: queue: is neither pool nor source"),
        ("[pool]\na = 3", "sources.toml:2: pool.a: must be a table, not a number"),
        ("[pool.a.b]\nweight = -1", "sources.toml:2: pool.a.b.weight: must be a whole number"),
        ("[pool.a.b]\nweight = 'x'", "must be a whole number"),
        ("[pool.a]\nb = 1", "pool.a.b: must be a table, not a number"),
        ("", "nothing was read"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(imported, text, message) -> None:
    with pytest.raises(SendcapError, match=re.escape(message)):
        imported(text)


def test_the_command_shows_the_pools(put) -> None:
    shaping, sources = put(SHAPING, "shaping.toml"), put(SOURCES, "sources.toml")
    queue = put(QUEUE.format(a="MediumReputation", b="BestReputation"), "queue.toml")
    options = ["--pools", str(sources), "--queue", str(queue), "--audience", "other=1"]
    result = CliRunner().invoke(commands, ["import", "kumomta", str(shaping), *options])
    assert "Source addresses: 2" in result.output
    assert "Pool MediumReputation: 2, by the weights 2, 1" in result.output


def test_a_bases_pools_are_replaced(imported) -> None:
    pools = "[mta.pools.old]\nips = 3\n[mta.pools.older]\nips = 2\n"
    base = (
        BASE.replace("[mta]\nips = 7\n", pools)
        .replace("messages = 300", 'messages = 300\npool = "old"', 1)
        .replace('name = "else"', 'name = "else"\npool = "older"')
    )
    made = imported("[pool.main.one]", base=base)
    assert (made.scenario.mta.ips, made.scenario.mta.pools) == (1, {})
