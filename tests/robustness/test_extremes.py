"""Extremes of every field of a scenario: it is simulated, or one clear error names the field."""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any, Final

import pytest
from schema_fields import NAME, Field, example, fields, type_of

from sendcap.errors import SendcapError, SendcapWarning
from sendcap.model.feasibility import require_feasible
from sendcap.run import simulate
from sendcap.scenario import Scenario, dumps, from_dict, loads

EVERYTHING: Final = os.environ.get("SENDCAP_TEST_CAMPAIGN") == "all"
"""Whether to simulate all that is taken, and tables at each place where they may stand."""
MOST_SIMULATED: Final = 1000
"""Messages; more take long for a good reason."""
MOST_PEOPLE: Final = 10**8 if EVERYTHING else 10**6
"""On the list; the memory of eight million is measured in `test_memory_estimate`."""

ANYWHERE: Final[tuple[Any, ...]] = (
    *(10**400, -1, 1e308, math.nan, True, None),
    *("a" * 10_000, "\0", "\u202e", [[[[1]]]], [], {"a": {}}, {}),
    *(datetime(9999, 12, 31, 23), date(1, 1, 1)),
)
NUMBERS: Final = (
    *(-1e30, -0.0, 0, 5e-324, 1e-320, 1e-12, 1e-6, 0.5, 1 - 1e-16, 1, 10**6, 10**9, 2**31),
    *(10**12, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 2**128, 1e30, 10**5000, math.inf),
)
NEAR: Final[tuple[Callable[[float], float], ...]] = (
    *(lambda bound: bound, lambda bound: bound + 1, lambda bound: bound - 1),
    *(lambda bound: bound * (1 + 1e-9), lambda bound: bound * (1 - 1e-9)),
)
DURATIONS: Final = (
    *("0s", "1e-300s", "1e-9s", "0.001ms", "1ms", "1s", "366d", "36525d", "36526d"),
    *("1e300d", "1e999d", "1" * 90 + "d", "-5s", "1d" * 60, "0.4%"),
)
MOMENTS: Final = (
    *("00:00", "24:00", "Sat 08:00", "Fri 09:00:00", "2026-11-27T09:00:00", "9999-12-31T23:59"),
    *("2026-11-27T09:00:00+14:00", "0001-01-01", "noon"),
)
RATES: Final = (
    *("1/d", "1/s", "1/366d", "1/367d", "1/99999999999d", "9" * 90 + "/s", "0/s", "1/0s"),
    *("1000000000000/s", "1000000000001/s", "1/s,max_burst=" + "9" * 80),
    *("1000/s,max_burst=1000000000000", "999999999999/31622400s"),
)
TEXTS: Final = (
    *("", "a" * 200, "a" * 201, "a\nb", "9" * 5000, "*", "../x", "/dev/zero", "100%", "1e5%"),
    *("9999-12-31T23:00:00", "0001-01-01T00:00:00Z", "2200-12-31T23:59:59"),
)


def extremes(about: Mapping[str, Any]) -> Iterator[Any]:
    kind = type_of(about)
    if kind in ("integer", "number"):
        keys = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
        bounds = [about[key] for key in keys if key in about]
        near = [change(bound) for bound in bounds for change in NEAR]
        yield from sorted([*NUMBERS, *near])
    if kind == "string" or "pattern" in about:
        titled = {"Duration": DURATIONS, "Moment": DURATIONS + MOMENTS, "Rate": RATES}
        yield from titled.get(about.get("title", ""), TEXTS)
    if kind == "array":
        entry = example(about["items"])
        yield from ([entry] * 2, [entry] * 2000)
    if kind == "object" and about.get("additionalProperties"):
        entry = example(about["additionalProperties"], NAME)
        yield from ({"a" * 1000: entry}, {f"p{number}": entry for number in range(300)})
    yield from ANYWHERE


def distinct(everywhere: bool) -> list[Field]:
    seen: dict[str, Field] = {}
    for field in fields():
        place = field.path if everywhere else field.owner
        seen.setdefault(f"{place} {json.dumps(field.about, sort_keys=True)}", field)
    return list(seen.values())


def read(data: dict[str, Any]) -> tuple[Scenario | None, str]:
    """Return the scenario and its text, or the error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SendcapWarning)
        try:
            scenario = from_dict(data)
            text = dumps(scenario)
            assert loads(text) == scenario
        except SendcapError as error:
            return None, str(error)
    return scenario, text


def is_small(scenario: Scenario) -> bool:
    people = scenario.population.size if scenario.population else 0
    messages = sum(delivery.messages for delivery in scenario.deliveries)
    return messages <= MOST_SIMULATED and people <= MOST_PEOPLE


def simulated(scenario: Scenario) -> None:
    with suppress(SendcapError):  # too large, or too long
        require_feasible(scenario)
        if is_small(scenario):
            run = simulate(scenario)
            run.summary()
            run.sentences()
            run.kpis("efs")


@pytest.mark.parametrize("field", distinct(EVERYTHING), ids=lambda field: field.path or "all")
def test_every_extreme_of_a_field_is_simulated_or_refused_in_short_lines(field: Field) -> None:
    taken: dict[str, Scenario] = {}
    for value in extremes(field.about):
        scenario, text = read(field.scenario(value))
        if scenario is not None:
            taken.setdefault(text, scenario)
        else:
            lines = text.splitlines()
            assert len(lines) <= 21
            assert all(line.startswith("<scenario>: ") and len(line) < 500 for line in lines)
    scenarios = list(taken.values())
    for scenario in scenarios if EVERYTHING else [*scenarios[:1], *scenarios[1:][-1:]]:
        simulated(scenario)
