"""What the reference says that a key may be, where the schema alone would say too little."""

from __future__ import annotations

import pytest

from sendcap.guide.keys import scenario_keys
from sendcap.scenario.json_schema import schema
from sendcap.scenario.moments import MOMENT_SCHEMA
from sendcap.scenario.rates import RATE_SCHEMA


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("deliveries.at", "duration (ms … w) or time by the clock"),
        ("deliveries.stop", "duration (ms … w) or time by the clock"),
        ("deliveries.pause", "duration (ms … w) or time by the clock or list of these"),
        ("deliveries.pattern", "list of numbers"),
        ("deliveries.audience", "a share per provider, 0 to 1, or %"),
        ("deliveries.zones", "a share per time zone, 0 to 1, or %"),
        ("deliveries.every", "duration (ms … w)"),
        ("deliveries.batch", "whole number, messages"),
    ],
)
def test_a_key_says_what_a_file_may_write(path: str, values: str) -> None:
    assert [key.values for key in scenario_keys(path)] == [values]


@pytest.mark.parametrize("key", ["pause", "resume"])
def test_the_schema_for_editors_takes_a_moment_or_a_list(key: str) -> None:
    options = schema()["$defs"]["Delivery"]["properties"][key]["anyOf"]
    kinds = [each.get("type") for option in options for each in option.get("anyOf", [option])]
    assert kinds == ["string", "array", "null"]


def test_the_schema_is_the_same_each_time() -> None:
    assert schema() == schema()
    assert "default" not in MOMENT_SCHEMA.keys() | RATE_SCHEMA.keys()
