"""A scenario of which some values are known only as ranges."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sendcap.errors import ScenarioError, SendcapError, SendcapWarning
from sendcap.scenario.edits import place_of, updated
from sendcap.scenario.files import from_dict, read
from sendcap.scenario.problems import annotation_at
from sendcap.scenario.ranges import Range, is_whole, range_of, split
from sendcap.scenario.scenario import Scenario

MOST_RANGES: Final = 8
"""With more, no affordable number of simulations fills the space between them."""

Ends = tuple[Any, Any]
"""Lower and upper end, each as in a scenario file."""


@dataclass(frozen=True)
class UncertainScenario:
    """A scenario of which some values are known only as ranges.

    Attributes
    ----------
    scenario
        With the middle of each range.
    ranges
        At least one.
    """

    scenario: Scenario
    ranges: tuple[Range, ...]

    def at(self, values: Sequence[float]) -> Scenario:
        """Return the scenario with a value for each range.

        Raises
        ------
        ScenarioError
            If that is no valid scenario.
        """
        edits = {
            its.path: its.written(value) for its, value in zip(self.ranges, values, strict=True)
        }
        with warnings.catch_warnings():
            # They are told of the middle.
            warnings.simplefilter("ignore", SendcapWarning)
            try:
                return updated(self.scenario, edits)
            except ScenarioError as problem:
                which = ", ".join(f"{path} = {value}" for path, value in edits.items())
                lines = str(problem).replace("<updated>: ", "").splitlines()
                raise ScenarioError(
                    "\n".join(f"within the ranges, at {which}: {line}" for line in lines)
                ) from None


def load_uncertain(
    source: Scenario | UncertainScenario | str | os.PathLike[str],
    ranges: Mapping[str, Ends] | None = None,
) -> UncertainScenario:
    """Read a scenario with ranges.

    Parameters
    ----------
    source
        Path of a scenario file, the name of a preset, or a scenario.
    ranges
        More of them, by path: ``{"providers.gmail.transient": (0.002, 0.02)}``.

    Raises
    ------
    ScenarioError
        With one line per problem; also if there is no range.
    """
    if isinstance(source, UncertainScenario):
        scenario, found = source.scenario, list(source.ranges)
    elif isinstance(source, Scenario):
        scenario, found = source, []
    else:
        data, name, folder = read(source if isinstance(source, str) else Path(source))
        parts = split(data)
        if parts.problems:
            raise ScenarioError("\n".join(f"{name}: {line}" for line in parts.problems))
        scenario, found = from_dict(parts.data, name, folder), list(parts.ranges)
    for path, ends in (ranges or {}).items():
        its = _given(path, ends)
        found = [each for each in found if each.path != path] + [its]
        scenario = updated(scenario, {path: its.written(its.middle)})
    if not found:
        raise ScenarioError(
            "no range: say what is not known, such as share = { low = 0.002, high = 0.02 } "
            "in the scenario, or --range providers.gmail.transient=0.002..0.02"
        )
    if len(found) > MOST_RANGES:
        raise ScenarioError(
            f"{len(found)} ranges: give at most {MOST_RANGES}, those that matter most"
        )
    return UncertainScenario(scenario, tuple(found))


def _given(path: str, ends: Ends) -> Range:
    try:
        low, high = ends
    except (TypeError, ValueError):
        raise SendcapError(f"{path}: give a range as (low, high), not {ends!r}") from None
    try:
        return range_of(path, low, high, whole=is_whole(annotation_at(place_of(path))))
    except ValueError as problem:
        raise SendcapError(f"{path}: {problem}") from None
