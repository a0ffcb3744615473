"""Study files: a sweep as a TOML file, checked as scenario files are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from sendcap.errors import ScenarioError, SendcapError
from sendcap.scenario import Scenario
from sendcap.scenario.section import Count, Section, Whole, refuse
from sendcap.study.replication.measures import Measure
from sendcap.study.sweeps.designs import Design
from sendcap.study.sweeps.plan import Plan, planned
from sendcap.study.sweeps.points import Over, point_problems, points_of
from sendcap.study.sweeps.study_head import (
    EXAMPLE,
    StudyHead,
    range_of,
    read_study,
    refused,
    scenario_of,
)
from sendcap.text.quoting import shown, visible


def _values_by_path(value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"must be a table, not {shown(value)}")  # noqa: TRY004 (pydantic)
    for path, values in value.items():
        if not isinstance(values, list):
            raise ValueError(  # noqa: TRY004 (pydantic)
                f"{visible(path)}: must be a list of values, not {shown(values)}; "
                + EXAMPLE.format("[4, 8]")
            )
        if not values:
            raise ValueError(f"{visible(path)}: needs at least one value")
    return value


def _file_or_rows(value: Any) -> Any:
    rows = isinstance(value, list) and all(isinstance(row, dict) for row in value)
    if not (rows or isinstance(value, str)) or not value:
        raise ValueError(f"must be the path of a CSV file, or tables, not {shown(value)}")
    return value


class _DesignTable(Section):
    """Points spread over ranges."""

    kind: Literal["latin-hypercube", "sobol"] = "latin-hypercube"
    points: Count
    seed: Annotated[Whole, Field(ge=0)] = 0
    ranges: Annotated[dict[str, Annotated[Any, BeforeValidator(range_of)]], Field(min_length=1)]

    @model_validator(mode="after")
    def _possible(self) -> _DesignTable:
        try:
            self.design()
        except SendcapError as error:
            refuse("design", [(("points",), str(error).removeprefix("design: "))])
        return self

    def design(self) -> Design:
        return Design(self.kind, self.ranges, self.points, self.seed)


class _StudyTable(StudyHead):
    """The keys of a sweep's study file."""

    over: Annotated[dict[str, Any], BeforeValidator(_values_by_path)] = Field(default_factory=dict)
    """A grid: lists of values by dotted path."""
    points: Annotated[Any, BeforeValidator(_file_or_rows)] = None
    """A table: the path of a CSV file, or values by dotted path for each point."""
    design: _DesignTable | None = None
    """Points spread over ranges."""

    @model_validator(mode="after")
    def _one_way(self) -> _StudyTable:
        ways = [name for name in ("over", "points", "design") if getattr(self, name)]
        if len(ways) > 1:
            message = f"{ways[0]} is set too; give one of over, points and design"
            refuse("study", [((ways[1],), message)])
        if not ways:
            message = 'nothing varies; for example [over] with "mta.ips" = [4, 8, 16]'
            refuse("study", [(("over",), message)])
        return self


@dataclass(frozen=True, eq=False)
class Study:
    """A sweep to carry out."""

    name: str  # of the file, in error messages
    text: str
    title: str
    scenario: Scenario
    over: Over
    replications: int  # of each point
    measures: tuple[Measure, ...]
    plan: Plan


def load_study(source: str | Path, changes: Mapping[str, Any] | None = None) -> Study:
    """Read a study file and plan the runs; nothing is simulated.

    Paths in the file are relative to the folder. Changes, values by path, override the file's.
    """
    name, folder, text, table = read_study(source, _StudyTable)
    scenario = scenario_of(table, name, folder, changes)
    over = _over(table, folder)
    plan = _plan(table, name, scenario, over)
    return Study(name, text, table.title, scenario, over, table.replications, plan.measures, plan)


def _plan(table: _StudyTable, name: str, scenario: Scenario, over: Over) -> Plan:
    wrong: list[str] = []
    try:
        points = points_of(over)
        plan = planned(scenario, over, table.replications, table.measures)
        if any(isinstance(each, str) for each in plan.scenarios):
            wrong = point_problems(scenario, over, points)
    except ScenarioError as error:  # there is not one point
        wrong = point_problems(scenario, over, points) or str(error).split("\n")
    except SendcapError as error:
        wrong = str(error).removeprefix(f"{name}: ").split("\n")
    if wrong:
        raise refused(name, wrong)
    return plan


def _over(table: _StudyTable, folder: Path) -> Over:
    if table.design is not None:
        return table.design.design()
    if isinstance(table.points, str):
        return folder / table.points
    if table.points:
        return list(table.points)
    return table.over
