"""A scenario with some values known only as ranges."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sendcap.errors import ScenarioError, SendcapError, SendcapWarning
from sendcap.scenario.edits import place_of, updated
from sendcap.scenario.files import from_dict, read
from sendcap.scenario.ranges import Range, range_at, split
from sendcap.scenario.scenario import Scenario
from sendcap.text.quoting import visible

MOST_RANGES: Final = 8
"""With more ranges, no affordable number of simulations covers the space."""

Ends = tuple[Any, Any]
"""Lower and upper end, each as in a scenario file."""


@dataclass(frozen=True)
class UncertainScenario:
    """A scenario of which some values are known only as ranges.

    Attributes
    ----------
    scenario
        The scenario with the middle of each range.
    ranges
        Ranges by path.
    """

    scenario: Scenario
    ranges: Mapping[str, Range]

    def at(self, values: Mapping[str, Any]) -> Scenario:
        """Return the scenario with a value for each range: by path, as in a scenario file.

        Raises
        ------
        ScenarioError
            If the result is not a valid scenario.
        """
        with warnings.catch_warnings():
            # The middle of the ranges has shown them.
            warnings.simplefilter("ignore", SendcapWarning)
            try:
                return updated(self.scenario, values)
            except ScenarioError as problem:
                which = ", ".join(f"{path} = {value}" for path, value in values.items())
                raise problem.within(f"within the ranges, at {which}") from None

    def updated(self, changes: Mapping[str, Any]) -> UncertainScenario:
        """Return a copy with some values by path; a value for a range's path ends the range.

        Raises
        ------
        ScenarioError
            If the result is not a valid scenario.
        """
        fixed = {place_of(path) for path in changes}
        ranges = {path: span for path, span in self.ranges.items() if place_of(path) not in fixed}
        return UncertainScenario(updated(self.scenario, changes), ranges)

    def with_seed(self, seed: int) -> UncertainScenario:
        """Return a copy with another seed."""
        return UncertainScenario(self.scenario.with_seed(seed), self.ranges)


def load_uncertain(
    source: Scenario | UncertainScenario | str | os.PathLike[str],
    ranges: Mapping[str, Ends | Range] | None = None,
    *,
    needed: bool = True,
) -> UncertainScenario:
    """Read a scenario with ranges.

    Parameters
    ----------
    source
        Path of a scenario file, the name of a preset, or a scenario.
    ranges
        Further ranges by path: ``{"providers.gmail.transient": (0.002, 0.02)}``.
    needed
        Whether there has to be a range.

    Raises
    ------
    ScenarioError
        With one line per problem; also if there is no range, and one is needed.
    """
    if isinstance(source, UncertainScenario):
        scenario, known = source.scenario, dict(source.ranges)
    elif isinstance(source, Scenario):
        scenario, known = source, {}
    else:
        data, name, folder = read(source if isinstance(source, str) else Path(source))
        parts = split(data)
        if parts.problems:
            raise ScenarioError("\n".join(f"{name}: {line}" for line in parts.problems))
        scenario, known = from_dict(parts.data, name, folder), parts.ranges
    for path, ends in (ranges or {}).items():
        known[path] = _range(path, ends)
        scenario = updated(scenario, {path: known[path].at(0.5)})
    if len(known) > MOST_RANGES and (ranges or not isinstance(source, UncertainScenario)):
        raise ScenarioError(
            f"{len(known)} ranges: give at most {MOST_RANGES}, those that matter most"
        )
    if needed and not known:
        raise ScenarioError(
            "no range: write an uncertain value as share = { low = 0.002, high = 0.02 } "
            "in the scenario, or --range providers.gmail.transient=0.002..0.02"
        )
    return UncertainScenario(scenario, known)


def _range(path: str, ends: Ends | Range) -> Range:
    if isinstance(ends, Range):
        return ends
    if not (isinstance(ends, list | tuple) and len(ends) == 2):
        raise SendcapError(f"{visible(path)}: give a range as (low, high), not {ends!r}")
    place = place_of(path)
    try:
        return range_at(place, *ends)
    except SendcapError as problem:
        raise SendcapError(f"{visible(path)}: {problem}") from None
