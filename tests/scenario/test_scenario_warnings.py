"""What can hardly be meant is warned of."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from breaking import FIRST, GMAIL, put
from scenarios import small

from sendcap.errors import ScenarioError, SendcapWarning
from sendcap.scenario import Rate, from_dict


def test_a_validity_beyond_the_longest_is_warned_of() -> None:
    data = small()
    put(*FIRST, "validity", value="5d")(data)
    with pytest.warns(SendcapWarning) as caught:
        from_dict(data)
    told = "deliveries[0].validity: 5d is longer than mta.longest_validity; honoured as 84h"
    assert [str(warning.message) for warning in caught] == [told]
    put("mta", "longest_validity", value="5d")(data)
    made = from_dict(data)
    assert made.honoured_validity(made.deliveries[0]) == 432_000
    put("mta", "longest_validity", value="6d")(data)
    made = from_dict(data)
    assert made.honoured_validity(made.deliveries[0]) == 432_000


def test_of_parts_the_first_one_says_that_its_validity_is_too_long() -> None:
    data = small()
    put("mta", "longest_validity", value="1d")(data)
    data["deliveries"][0] |= {"validity": "2d", "waves": {"size": 0.5, "every": "1h"}}
    data["deliveries"][0] |= {"every": "7d", "times": 2}
    with pytest.warns(SendcapWarning) as caught:
        from_dict(data)
    told = "deliveries[0].validity: 2d is longer than mta.longest_validity; honoured as 1d"
    assert [str(warning.message) for warning in caught] == [told]


def test_a_horizon_that_cuts_off_results_is_warned_of() -> None:
    data = small()
    put("time", "horizon", value="1d")(data)
    with pytest.warns(SendcapWarning, match="time.horizon: 1d cuts off results"):
        from_dict(data)


@pytest.mark.parametrize("rate", ["15,000/hr", "2/15m", "1000/d"])
@pytest.mark.parametrize("place", [("providers", "gmail"), ("relay",)], ids=str)
def test_a_slow_rate_without_a_burst_is_warned_of(place: tuple[str, ...], rate: str) -> None:
    data = small()
    put(*place, "rate", value=rate)(data)
    with pytest.warns(SendcapWarning) as caught:
        made = from_dict(data)
    limited = made.relay if place == ("relay",) else made.providers["gmail"]
    assert isinstance(limited.rate, Rate)
    at_once = f"{limited.rate.limit:,} go at once"
    if place != ("relay",):
        at_once += " from each source address"
    path, advice = ".".join(place), "add ,max_burst=1 to space them evenly"
    assert [str(warning.message) for warning in caught] == [
        f'{path}.rate: "{limited.rate}" lets {at_once}; {advice}'
    ]


HOURLY = {"kind": "fixed-window", "limit": 100, "window": "1h"}
PAUSE = {"kind": "gap", "pause": "1s"}


@pytest.mark.parametrize(
    ("throttles", "note"),
    [
        (
            ["500/s", "100/s"],
            'rate[0]: "500/s" never holds anything back, since {}rate[1], "100/s"',
        ),
        (["100/s", "100/s"], 'rate[1]: "100/s" never holds anything back, since {}rate[0]'),
        # Two windows' attempts can follow each other at once.
        (
            [HOURLY, "200/s"],
            'rate[1]: "200/s" never holds anything back, since {}rate[0], 100 per 1h',
        ),
        ([HOURLY, "199/s"], None),
        ([HOURLY, "90/h,max_burst=10"], "rate[0]: 100 per 1h never holds anything back"),
        ([HOURLY, "90/h,max_burst=11"], None),
        (
            [PAUSE, "1/s"],
            'rate[1]: "1/s" never holds anything back, since {}rate[0], a pause of 1s',
        ),
        ([PAUSE, "1/2s"], None),
        (["500/s", "1000/m,max_burst=1"], 'rate[0]: "500/s" never holds anything back'),
        (["500/s", "1000/m"], None),
        (
            ["500/s", "1,000,000/d"],
            'rate[1]: "1000000/d" lets up to 2,000,000 go in the first 1d, the burst and the rate',
        ),
    ],
)
def test_throttles_of_a_list_that_surprise_are_warned_of(
    throttles: list[Any], note: str | None
) -> None:
    data = small()
    put(*GMAIL, "rate", value=throttles)(data)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        from_dict(data)
    messages = [str(warning.message) for warning in caught]
    path = "providers.gmail."
    assert len(messages) == (note is not None)
    assert all(message.startswith(path + note.format(path)) for message in messages if note)


@pytest.mark.parametrize("accepted", [10, 12])
def test_a_provider_that_accepts_all_connections_is_warned_of(accepted: int) -> None:
    data = small()
    put(*GMAIL, "connections_per_ip", value=10)(data)
    put(*GMAIL, "accepts_connections", value=accepted)(data)
    told = f"gmail.accepts_connections: {accepted} are never exceeded, since connections_per_ip is"
    with pytest.warns(SendcapWarning, match=told):
        from_dict(data)
    put(*GMAIL, "accepts_connections", value=9)(data)
    from_dict(data)


@pytest.mark.parametrize(
    ("slower", "warned"),
    [
        ({}, True),
        ({"connection_scaling": "kumomta"}, True),
        ({"connect_time": "1ms"}, False),
        ({"connection_rate": "9/s"}, False),
        ({"connection_scaling": "postfix"}, False),
        ({"suspend": {"after": 9, "lasts": "1m", "counts": ["unreachable"]}}, False),
    ],
)
def test_a_queue_that_refusals_use_up_at_once_is_warned_of(
    slower: dict[str, Any], warned: bool
) -> None:
    data = small()
    refusing = {"connections_per_ip": 10, "accepts_connections": 4, "connect_time": "0s"} | slower
    for key, value in refusing.items():
        put(*GMAIL, key, value=value)(data)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        from_dict(data)
    told = "providers.gmail.accepts_connections: the provider accepts 4 of 10 connections, and "
    assert [str(each.message).startswith(told) for each in caught] == [True] * warned


def test_a_rule_without_end_is_one_in_the_last_step_of_a_tolerance() -> None:
    data = small()
    put(*GMAIL, "suspend", value={"after": 9, "within": "1m", "lasts": "1h", "rate": "60/m"})(data)
    steps = [{"at": "0s", "rate": "1/m"}, {"at": "1h", "rate": "60/m"}]
    put(*GMAIL, "tolerance", value={"kind": "schedule", "steps": steps})(data)
    from_dict(data)
    steps.append({"at": "2h", "rate": "5/m"})
    with pytest.raises(ScenarioError, match="never ends at gmail: meanwhile it sends 60/m, more"):
        from_dict(data)


def test_each_slow_rate_is_warned_of_once() -> None:
    data = small()
    data["providers"]["comcast.net"] = data["providers"]["gmail"] | {"rate": "10/h"}
    put("providers", "other", "rate", value="10/h")(data)
    with pytest.warns(SendcapWarning) as caught:
        from_dict(data)
    paths = [str(warning.message).split(":")[0] for warning in caught]
    assert paths == ["providers.other.rate", 'providers."comcast.net".rate']


@pytest.mark.parametrize(
    "rate", ["15,000/hr,max_burst=1", "15,000/hr,max_burst=500", "1000/14m", "100/s", "1/d", "none"]
)
def test_other_rates_are_not_warned_of(rate: str) -> None:
    data = small()
    put(*GMAIL, "rate", value=rate)(data)
    put("relay", "rate", value=rate)(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_dict(data)


def test_a_provider_that_no_delivery_uses_is_fine() -> None:
    data = small()
    data["deliveries"][0]["audience"] = {"gmail": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_dict(data)
