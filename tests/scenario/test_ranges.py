from __future__ import annotations

import pytest

from sendcap.errors import ScenarioError, SendcapError, SendcapWarning
from sendcap.scenario import Range, load, load_uncertain
from sendcap.scenario.ranges import split

TEXT = """
[[deliveries]]
name = "news"
messages = 100
audience = { "comcast.net" = 1.0 }
[relay]
batch_time = "1s"
[mta.retry]
first = { low = "10m", high = "30m" }
[providers."comcast.net"]
connections_per_ip = { low = 3, high = 8 }
connect_time = { dist = "uniform", low = "100ms", high = "300ms" }
transaction_time = { dist = "exponential", mean = { low = "200ms", high = "400ms" } }
transient = { low = 0, high = 1 }
rate = [
    { low = "10/s", high = "30/s" },
    { kind = "fixed-window", limit = { low = 500, high = 900 }, window = "1h" },
]
hard = [{ reason = "user unknown", share = { low = 0.002, high = 0.02 } }]
"""

PROVIDER = 'providers."comcast.net"'
VALUES = {
    "mta.retry.first": "700.5s",
    f"{PROVIDER}.connections_per_ip": 5,
    f"{PROVIDER}.transaction_time.mean": "300ms",
    f"{PROVIDER}.transient": 0.25,
    f"{PROVIDER}.rate[0]": "20/s",
    f"{PROVIDER}.rate[1].limit": 700,
    f"{PROVIDER}.hard[0].share": 0.01,
}


@pytest.fixture
def file(tmp_path):
    def write(text: str) -> str:
        path = tmp_path / "given.toml"
        path.write_text(text)
        return str(path)

    return write


def test_ranges_are_found_wherever_a_value_may_be(file) -> None:
    uncertain = load_uncertain(file(TEXT))
    assert uncertain.ranges == {
        "mta.retry.first": Range("10m", "30m"),
        f"{PROVIDER}.connections_per_ip": Range(3, 8),
        f"{PROVIDER}.rate[0]": Range("10/s", "30/s"),
        f"{PROVIDER}.rate[1].limit": Range(500, 900),
        f"{PROVIDER}.transaction_time.mean": Range("200ms", "400ms"),
        f"{PROVIDER}.transient": Range(0.0, 1.0),
        f"{PROVIDER}.hard[0].share": Range(0.002, 0.02),
    }
    # A share is any number, though both of its ends are whole.
    assert uncertain.scenario.providers["comcast.net"].transient == 0.5
    assert uncertain.scenario.mta.retry.first == 1200.0
    assert uncertain.scenario.providers["comcast.net"].connections_per_ip == 6


def test_a_value_in_each_range_makes_a_scenario(file) -> None:
    scenario = load_uncertain(file(TEXT)).at(VALUES)
    provider = scenario.providers["comcast.net"]
    assert scenario.mta.retry.first == 700.5
    assert provider.connections_per_ip == 5
    assert (provider.transaction_time.mean_s, provider.transient) == (0.3, 0.25)
    assert provider.hard[0].share == 0.01
    # A distribution between two ends is a value and not a range.
    assert (provider.connect_time.low, provider.connect_time.high) == (0.1, 0.3)


def test_a_range_can_be_given_to_any_scenario() -> None:
    uncertain = load_uncertain("quickstart", {"providers.gmail.transient": (0.0, 0.5)})
    assert uncertain.scenario.providers["gmail"].transient == 0.25
    again = load_uncertain(uncertain, {"providers.gmail.transient": (0.0, 0.1), "mta.ips": (2, 9)})
    assert again.ranges == {
        "providers.gmail.transient": Range(0.0, 0.1),
        "mta.ips": Range(2, 9),
    }


def test_every_wrong_range_is_told_in_a_line_with_its_path(file) -> None:
    text = TEXT.replace("low = 0.002", "low = 0.2").replace('low = "10m"', 'low = "ten"')
    text = text.replace("low = 3", "low = 3.5").replace('low = "200ms"', "low = 3")
    with pytest.raises(ScenarioError) as caught:
        load_uncertain(file(text))
    told = [line.split("given.toml: ")[1] for line in str(caught.value).splitlines()]
    assert told[0].startswith('mta.retry.first: ["ten", "30m"]: "ten" is not a duration')
    assert told[1] == f"{PROVIDER}.connections_per_ip: must be a whole number, not 3.5"
    assert 'mean: [3, "400ms"]: must be two numbers up to 1e+15, two durations or' in told[2]
    assert told[3].endswith(".share: [0.2, 0.02]: write the lower end first")
    assert len(told) == 4


def test_an_end_of_counts_is_not_written_with_a_dot(file) -> None:
    with pytest.raises(ScenarioError, match=r"per_ip: 3\.000 is 3; write 3_000 or 3$"):
        load_uncertain(file(TEXT.replace("low = 3", "low = 3.000")))


@pytest.mark.parametrize("value", [True, "5", [1], {"low": 1}])
def test_what_is_no_number_is_no_end_of_a_range(value) -> None:
    found = split({"providers": {"p": {"transient": {"low": value, "high": 2}}}})
    assert not found.ranges
    assert found.problems[0].startswith("providers.p.transient: [")
    assert found.problems[0].endswith("must be two numbers up to 1e+15, two durations or two rates")


def test_only_a_forecast_takes_ranges(file) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(file(TEXT))
    told = str(caught.value).splitlines()
    assert len(told) == 7
    assert told[0].endswith(
        "mta.retry.first: is a range, which only `sendcap forecast` accepts; give one value"
    )


def test_other_mistakes_are_told_as_in_any_scenario(file) -> None:
    with pytest.raises(ScenarioError, match=r"relay\.batch_time: required, but missing"):
        load_uncertain(file(TEXT.replace('batch_time = "1s"', "")))


def test_a_scenario_without_ranges_is_told_how_to_give_one() -> None:
    with pytest.raises(ScenarioError, match=r"no range: write an uncertain value as share = \{"):
        load_uncertain("quickstart")


def test_too_many_ranges_are_refused() -> None:
    ranges = {f"providers.{name}.transient": (0.0, 0.1) for name in ("gmail", "yahoo", "outlook")}
    ranges |= {f"providers.{name}.async_bounce": (0.0, 0.1) for name in ("gmail", "yahoo", "other")}
    ranges |= {"mta.ips": (2, 9), "relay.workers": (1, 9), "relay.error_rate": (0.0, 0.1)}
    with pytest.raises(ScenarioError, match="9 ranges: give at most 8"):
        load_uncertain("quickstart", ranges)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        (
            {"providers.gmail.transient": (0.5, 0.1)},
            "[0.5, 0.1]: write the lower end first",
        ),
        ({"providers.gmail.transient": 0.5}, "give a range as (low, high), not 0.5"),
        ({"providers.gmal.transient": (0.1, 0.5)}, "unknown path"),
        ({"mta.retry.first": (1, 2)}, "mta.retry.first: 1.5 has no unit"),
    ],
)
def test_a_wrong_range_beside_the_file_is_told(ranges, message) -> None:
    with pytest.raises(SendcapError) as caught:
        load_uncertain("quickstart", ranges)
    assert message in str(caught.value)


def test_values_that_make_no_scenario_are_named() -> None:
    uncertain = load_uncertain("quickstart", {"deliveries[0].audience.gmail": (0.61, 0.63)})
    with pytest.raises(ScenarioError) as caught:
        uncertain.at({"deliveries[0].audience.gmail": 0.61})
    assert str(caught.value).startswith(
        "within the ranges, at deliveries[0].audience.gmail = 0.61: deliveries[0].audience: "
    )


def test_warnings_are_told_once_of_the_middle(file) -> None:
    text = TEXT.replace("messages = 100", 'messages = 100\nvalidity = "9d"')
    with pytest.warns(SendcapWarning, match="longer than mta.longest_validity"):
        uncertain = load_uncertain(file(text))
    # A warning would be an error here.
    assert uncertain.at(VALUES).mta.retry.first == 700.5
