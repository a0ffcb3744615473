from typing import Any

import numpy as np
import pytest
from scenarios import small

from sendcap.errors import ScenarioError
from sendcap.scenario import ExponentialRetry, Gap, from_dict, load, to_dict, updated


def test_values_are_replaced_and_the_original_stays() -> None:
    before = load("quickstart")
    copy = to_dict(before)
    after = updated(before, {"mta.retry.first": "10m", "deliveries[0].messages": 1000})
    assert isinstance(after.mta.retry, ExponentialRetry)
    assert after.mta.retry.first == 600
    assert after.deliveries[0].messages == 1000
    assert to_dict(before) == copy
    assert to_dict(after) == copy | {
        "mta": copy["mta"] | {"retry": copy["mta"]["retry"] | {"first": "10m"}},
        "deliveries": [copy["deliveries"][0] | {"messages": 1000}],
    }


def test_one_throttle_of_a_list_is_replaced() -> None:
    scenario = updated(load("quickstart"), {"providers.gmail.rate": ["50/s", "9/s,max_burst=99"]})
    changed = updated(scenario, {"providers.gmail.rate[1]": {"kind": "gap", "pause": "10ms"}})
    first, second = changed.providers["gmail"].throttles
    assert (str(first), second) == ("50/s", Gap(pause="10ms"))
    with pytest.raises(ScenarioError, match=r"gmail\.rate has 2 entries, from \[0\]"):
        updated(scenario, {"providers.gmail.rate[2]": "1/s"})


def test_nothing_replaced_is_the_same_scenario() -> None:
    assert updated(load("black-friday"), {}) == load("black-friday")


def test_numbers_of_numpy_are_numbers() -> None:
    after = updated(
        from_dict(small()),
        {"deliveries[0].messages": np.int64(7), "providers.gmail.transient": np.float64(0.5)},
    )
    assert after.deliveries[0].messages == 7
    assert after.providers["gmail"].transient == 0.5


def test_whole_tables_can_be_replaced() -> None:
    after = updated(
        from_dict(small()),
        {
            "mta.retry": {"policy": "postfix"},
            "mta.retry.queue_run_delay": "1m",
            "providers.gmail.connect_time": {"dist": "exponential", "mean": "1s"},
            "deliveries[0].audience": {"gmail": 1},
        },
    )
    assert to_dict(after)["mta"]["retry"]["queue_run_delay"] == "1m"
    assert after.providers["gmail"].connect_time.mean_s == 1


@pytest.mark.parametrize(
    ("change", "now"),
    [
        ({"mta.retry.policy": "kumomta"}, {"policy": "kumomta", "retry_interval": "20m"}),
        (
            {"mta.retry.max_age": "2d", "mta.retry.policy": "kumomta"},
            {"policy": "kumomta", "max_age": "2d"},
        ),
        ({"mta.retry.policy": "exponential"}, {"policy": "exponential", "first": "7m"}),
    ],
)
def test_another_policy_is_chosen_by_its_name(change: dict[str, Any], now: dict[str, Any]) -> None:
    before = updated(load("quickstart"), {"mta.retry.first": "7m"})
    after = to_dict(updated(before, change))["mta"]["retry"]
    assert now.items() <= after.items()


def test_another_distribution_keeps_what_both_have() -> None:
    path = "providers.gmail.transaction_time"
    before = updated(load("quickstart"), {path: {"dist": "lognormal", "mean": "3s", "cv": 2}})
    after = updated(before, {f"{path}.dist": "exponential"})
    assert after.providers["gmail"].transaction_time.mean_s == 3
    with pytest.raises(ScenarioError, match=r"transaction_time\.shape: required, but missing$"):
        updated(before, {f"{path}.dist": "weibull"})


def test_a_key_that_is_given_with_another_policy_must_be_one_of_it() -> None:
    change = {"mta.retry.first": "10m", "mta.retry.policy": "kumomta"}
    with pytest.raises(ScenarioError) as caught:
        updated(load("quickstart"), change)
    assert str(caught.value).startswith("mta.retry.first: unknown key; known: policy, ")
    assert "\n" not in str(caught.value)


def test_a_key_without_a_value_can_be_given_one_and_lose_it() -> None:
    with_horizon = updated(from_dict(small()), {"time.horizon": "30d"})
    assert with_horizon.time.horizon == 30 * 86_400
    assert updated(with_horizon, {"time.horizon": None}) == from_dict(small())
    assert updated(with_horizon, {"seed": None}).seed == 0


def test_names_with_dots_are_quoted() -> None:
    data = small()
    data["providers"]["comcast.net"] = data["providers"]["gmail"]
    after = updated(from_dict(data), {'providers."comcast.net".rate': "5/s"})
    assert str(after.providers["comcast.net"].rate) == "5/s"


@pytest.mark.parametrize(
    ("path", "value", "part"),
    [
        ("mta.retry.frist", "10m", 'mta.retry.frist: unknown key; did you mean "first"?'),
        ("mta.retri.first", "10m", 'no "retri" in mta; did you mean "retry"?'),
        ("xyz", 1, "xyz: unknown key"),
        ("deliveries.messages", 5, "deliveries is a list, write deliveries[0]"),
        ("deliveries[3].messages", 5, "deliveries has 1 entry, from [0]"),
        ("deliveries[1]", {}, "deliveries has 1 entry, from [0]"),
        ("providers.gmial.rate", "5/s", 'did you mean "gmail"?'),
        ("providers.new", {}, 'no "new" in providers'),
        ("deliveries[0].audience.gmial", 0.5, 'did you mean "gmail"?'),
        ("providers.gmail.connect_time.mean", "1s", 'is "250ms", replace it as a whole'),
        ("mta.retry.first.x", "1s", 'is "20m", replace it as a whole'),
        ("mta[0]", 5, "unknown path"),
        ("mta.retry.first", "10", 'mta.retry.first: "10" is not a duration'),
        ("deliveries[0].audience.gmail", 0.5, "shares sum to 0.75, must sum to 1"),
        ("", 1, "not a path"),
        ("a\u202e b", 1, r"a\u202e b: not a path"),
        ('mta."a\u202eb".x', 1, r'no "a\u202eb" in mta'),
        ("mta..ips", 1, "not a path"),
        ("mta.ips.", 1, "not a path"),
        (".mta.ips", 1, "not a path"),
        ("deliveries[-1].messages", 1, "not a path"),
        ("[0]", 1, "unknown path"),
    ],
)
def test_a_wrong_path_or_value_is_explained(path: str, value: Any, part: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        updated(from_dict(small()), {path: value})
    assert part in str(caught.value)


def test_only_the_seed_changes_with_the_seed() -> None:
    before = load("quickstart")
    assert before.with_seed(7) == updated(before, {"seed": 7})
    for bad in (-1, 1.5, "7", True):
        with pytest.raises(ScenarioError, match="seed: must be a whole number"):
            before.with_seed(bad)  # type: ignore[arg-type]
    with pytest.raises(ScenarioError, match=r"from 0 to 2\^128 - 1, not 340282366920938463"):
        before.with_seed(2**128)


def test_a_table_that_is_given_stays_as_it_is() -> None:
    table = {"policy": "schedule", "delays": ["5m"]}
    values = {"mta.retry": table, "mta.retry.delays": ["1m"]}
    assert updated(load("quickstart"), values).mta.retry.delays == (60.0,)
    assert table == {"policy": "schedule", "delays": ["5m"]}
