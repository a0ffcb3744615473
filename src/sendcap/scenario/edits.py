"""Changes of a scenario: values by path."""

import copy
import re
from collections.abc import Mapping
from typing import Any, Final, get_origin

from sendcap.errors import ScenarioError
from sendcap.scenario import problems
from sendcap.scenario.files import from_dict, to_dict
from sendcap.scenario.scenario import Scenario
from sendcap.scenario.section import Place
from sendcap.text.quantities import counted
from sendcap.text.quoting import did_you_mean, dotted, first_few, shown, visible

_PIECE: Final = re.compile(r'(?:^|\.)(?:([A-Za-z0-9_-]+)|"([^"]*)")|\[(\d{1,9})\]')


_LONGEST_PATH: Final = 500


def updated(scenario: Scenario, values: Mapping[str, Any]) -> Scenario:
    """Return a scenario with new values at some paths, checked like a file.

    Parameters
    ----------
    scenario
        The original, which is not changed.
    values
        New values by path, written as in a scenario file: ``{"mta.retry.first": "10m",
        "deliveries[0].messages": 1000, 'providers."comcast.net".rate': "none"}``. None restores
        the default. With another policy, distribution or kind, ``{"mta.retry.policy":
        "kumomta"}``, what only the former one has is left out.

    Raises
    ------
    ScenarioError
        For an unknown path, or if the result is not a valid scenario.
    """
    return Edits(scenario).updated(values)


class Edits:
    """Many variants of one scenario; see `updated`."""

    def __init__(self, scenario: Scenario) -> None:
        self._data = to_dict(scenario)

    def updated(self, values: Mapping[str, Any]) -> Scenario:
        """Return a scenario with new values at some paths; see `updated`."""
        data = copy.deepcopy(self._data)
        given = {place_of(path) for path in values}
        for path, value in values.items():
            # A copy: a path after it may lead into it.
            _replace(data, path, copy.deepcopy(value), given)
        return from_dict(data, name="")


def _replace(data: dict[str, Any], path: str, value: Any, given: set[Place]) -> None:
    place = place_of(path)
    path = visible(path)
    table: Any = data
    for depth, piece in enumerate(place[:-1]):
        table = _within(table, piece, path, place[:depth])
    last = place[-1]
    # Where the keys are the author's names, a new one is a slip.
    named = get_origin(problems.annotation_at(place[:-1])) is dict
    if isinstance(last, int) or not isinstance(table, dict) or named:
        _within(table, last, path, place[:-1])
    if value is None and isinstance(table, dict):
        table.pop(last, None)
    else:
        table[last] = value
        # What only the former policy, distribution or kind has, nobody has asked for.
        if known := problems.keys_of_kind(place[:-1], last, value):
            for key in [key for key in table if key not in known]:
                if (*place[:-1], key) not in given:
                    del table[key]


def _within(table: Any, piece: str | int, path: str, place: Place) -> Any:
    """Return the value of a table or list at a key or number."""
    where = dotted(place) or "the scenario"
    if isinstance(piece, int) and isinstance(table, list):
        if piece >= len(table):
            entries = counted(len(table), "entry", "entries")
            raise ScenarioError(f"{path}: unknown path; {where} has {entries}, from [0]")
        return table[piece]
    if isinstance(piece, str) and isinstance(table, dict):
        if piece not in table:
            hint = did_you_mean(piece, table) or f"; {where} has {first_few(table)}"
            raise ScenarioError(f"{path}: unknown path, no {shown(piece)} in {where}{hint}")
        return table[piece]
    if isinstance(table, list):
        raise ScenarioError(f"{path}: unknown path; {where} is a list, write {where}[0]")
    raise ScenarioError(f"{path}: unknown path; {where} is {shown(table)}, replace it as a whole")


def place_of(path: str) -> Place:
    """Return the keys and numbers of a path."""
    if len(path) > _LONGEST_PATH:
        raise ScenarioError(
            f"{shown(path)}: has {len(path):,} characters; a path has at most {_LONGEST_PATH}"
        )
    place: list[str | int] = []
    position = 0
    while position < len(path):
        match = _PIECE.match(path, position)
        if match is None or path.startswith("."):
            break
        bare, quoted, number = match.groups()
        place.append(int(number) if number else bare or quoted or "")
        position = match.end()
    if not place or position < len(path):
        raise ScenarioError(
            f"{visible(path)}: not a path; "
            f'write one like "mta.retry.first" or "deliveries[0].messages"'
        )
    return tuple(place)
