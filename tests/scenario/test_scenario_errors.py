"""Every slip is named with its field, its value and what would be right."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
from breaking import FIRST, GMAIL, Break, put
from hypothesis import given, settings
from hypothesis import strategies as st
from scenarios import small
from slips_of_queues import SLIPS_OF_QUEUES
from slips_of_values import SLIPS_OF_VALUES

from sendcap.errors import ScenarioError
from sendcap.scenario import dumps, from_dict, load, loads, to_dict, updated

CASES = [*SLIPS_OF_QUEUES, *SLIPS_OF_VALUES]


@pytest.mark.parametrize(("change", "line"), CASES, ids=[line for _, line in CASES])
def test_a_slip_is_named_with_its_field(change: Break, line: str) -> None:
    data = small()
    change(data)
    with pytest.raises(ScenarioError) as caught:
        from_dict(data, name="x.toml")
    lines = str(caught.value).splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("x.toml: ")
    assert line in lines[0]
    for jargon in ("Value error", "Input should", "pydantic", "constant.", "lognormal."):
        assert jargon not in lines[0]


def places(table: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    keys = (
        table if isinstance(table, dict) else range(len(table)) if isinstance(table, list) else ()
    )
    for key in keys:
        yield (*place, key)
        yield from places(table[key], (*place, key))


QUICKSTART = to_dict(load("quickstart"))
JUNK: list[Any] = [
    *(None, True, -1, 5, 10**400, float("nan"), "x", "é", "5m", [], [1], [[]], date(2026, 1, 1)),
    *({}, {"a": 1}, {"dist": 5}, {"dist": {}}, {"policy": [1]}, {1: 2}),
]


@pytest.mark.filterwarnings("ignore:.* are never exceeded")
@pytest.mark.filterwarnings("ignore:.* is longer than mta.longest_validity")
@settings(max_examples=300)
@given(
    place=st.sampled_from(list(places(QUICKSTART))),
    junk=st.sampled_from(JUNK),
)
def test_whatever_stands_anywhere_it_is_taken_or_explained(
    place: tuple[Any, ...], junk: Any
) -> None:
    data = deepcopy(QUICKSTART)
    put(*place, value=junk)(data)
    try:
        made = from_dict(data)
    except ScenarioError as problem:
        for line in str(problem).splitlines():
            assert line.startswith("<scenario>: ")
            assert "Input should" not in line
            assert len(line) < 400
    else:
        assert loads(dumps(made)) == made


def test_all_slips_are_named_at_once() -> None:
    data = small()
    put(*FIRST, "messages", value=0)(data)
    put(*GMAIL, "rate", value="0/s")(data)
    put("mta", "ipss", value=3)(data)
    with pytest.raises(ScenarioError) as caught:
        from_dict(data)
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("place", "bad"),
    [
        (("deliveries", 0, "messages"), -1),
        (("deliveries", 0, "audience", "gmail"), -1),
        (("providers", "gmail", "connections_per_ip"), 0),
        (("providers", "gmail", "hard", 0, "share"), 2),
        (("providers", "gmail", "faults", 0, "share"), 2),
        (("relay", "batch_time", "values", 0), 5),
        (("mta", "retry", "delays", 0), "x"),
        (("reporting", "modes", 0), "x"),
    ],
    ids=str,
)
def test_the_only_entry_of_a_list_fails_alone(place: tuple[Any, ...], bad: Any) -> None:
    data = small()
    data["deliveries"][0]["audience"] = {"gmail": 1}
    data["providers"] = {"gmail": data["providers"]["other"]}
    data["providers"]["gmail"]["hard"] = [{"reason": "user unknown", "share": 0.01}]
    data["relay"]["batch_time"] = {"dist": "empirical", "values": ["1s"]}
    data["mta"] = {"retry": {"policy": "schedule", "delays": ["5m"]}}
    data["reporting"] = {"modes": ["efs"]}
    from_dict(data)
    put(*place, value=bad)(data)
    with pytest.raises(ScenarioError) as caught:
        from_dict(data)
    assert len(str(caught.value).splitlines()) == 1, str(caught.value)


def test_a_slip_beside_the_measured_times_hints_at_a_file() -> None:
    data = small()
    put("relay", "batch_time", value={"dist": "empirical", "filename": "x.csv"})(data)
    with pytest.raises(ScenarioError) as caught:
        from_dict(data)
    missing, unknown = sorted(str(caught.value).splitlines(), key=lambda line: "unknown" in line)
    assert "relay.batch_time.values: missing; give a list of durations" in missing
    assert 'relay.batch_time.filename: unknown key; did you mean "file"?' in unknown


def test_the_largest_sizes_are_taken() -> None:
    data = small()
    put("relay", "workers", value=10**6)(data)
    put("mta", "ips", value=1000)(data)
    put(*GMAIL, "connections_per_ip", value=1000)(data)
    put("time", value={"window": "100ms", "horizon": "366d"})(data)
    put("mta", "retry", value={"first": "1s", "max": "1s", "jitter": 0.9})(data)
    assert from_dict(data).relay.workers == 10**6


def test_a_title_may_be_empty() -> None:
    assert from_dict(small() | {"title": ""}).title == ""


def test_a_long_value_is_shortened() -> None:
    data = small()
    put(*FIRST, "messages", value="x" * 5000)(data)
    with pytest.raises(ScenarioError) as caught:
        from_dict(data)
    assert len(str(caught.value)) < 150


def test_a_whole_number_may_be_written_with_an_exponent() -> None:
    data = small()
    put(*FIRST, "messages", value=1e6)(data)
    assert from_dict(data).deliveries[0].messages == 1_000_000


def test_a_fault_that_never_clears_needs_no_time() -> None:
    data = small()
    del data["providers"]["other"]["faults"][0]["clears_after"]
    data["providers"]["other"]["faults"][0]["never"] = 1
    assert from_dict(data).providers["other"].faults[0].never == 1


def test_a_date_is_a_start() -> None:
    data = small() | {"start": date(2026, 11, 27)}
    start = from_dict(data).start
    assert start is not None
    assert start.date() == date(2026, 11, 27)


def test_a_key_of_an_mta_leads_to_that_of_a_scenario() -> None:
    data = small()
    put(*GMAIL, "connection_limit", value=5)(data)
    put(*GMAIL, "max-msg-rate", value="5/s")(data)
    with pytest.raises(ScenarioError) as caught:
        from_dict(data)
    limit, rate = str(caught.value).splitlines()
    assert "connection_limit: unknown key; a scenario calls it connections_per_ip" in limit
    assert "max-msg-rate: unknown key; a scenario calls it rate" in rate


def test_a_share_may_be_written_with_a_percent_sign() -> None:
    data = small()
    put(*GMAIL, "transient", value="0.4%")(data)
    put(*FIRST, "audience", value={"gmail": "62 %", "other": "38%"})(data)
    scenario = from_dict(data)
    assert scenario.providers["gmail"].transient == 0.004
    assert scenario.deliveries[0].audience == {"gmail": 0.62, "other": 0.38}


def test_counts_as_an_audience_suggest_shares() -> None:
    data = small()
    put(*FIRST, "audience", value={"gmail": 62, "other": 38})(data)
    with pytest.raises(ScenarioError) as caught:
        from_dict(data)
    assert str(caught.value).endswith(
        'audience: "gmail" = 62 is more than 1; write shares that sum to 1, such as 0.62 or "62%"'
    )


def test_of_very_many_slips_the_first_are_shown() -> None:
    data = small()
    data["relay"] |= {f"key{number}": 1 for number in range(3000)}
    with pytest.raises(ScenarioError) as caught:
        from_dict(data)
    assert len(str(caught.value).splitlines()) == 21
    assert str(caught.value).endswith("and 2,980 problems more")


def test_a_path_has_a_longest_length() -> None:
    with pytest.raises(ScenarioError, match="has 8,999 characters; a path has at most 500"):
        updated(from_dict(small()), {".".join(["abc"] * 2250): 1})
