"""Study files: a study as a TOML file, checked as scenario files are; and those of a sweep."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from sendcap.errors import ScenarioError, SendcapError
from sendcap.files import kinds
from sendcap.files.single import plain_words
from sendcap.scenario import Range, Scenario, from_dict, load, problems, updated
from sendcap.scenario.files import parsed, read_text
from sendcap.scenario.problems import refused
from sendcap.scenario.section import Count, Section, Whole, refuse
from sendcap.study.replication.measures import DEFAULT_MEASURES, Measure, measures_of
from sendcap.study.sweeps.designs import Design
from sendcap.study.sweeps.plan import Plan, planned
from sendcap.study.sweeps.points import Over, point_problems, points_of
from sendcap.text.quoting import shown, visible

EXAMPLE: Final = 'write a path in quotes, such as "mta.ips" = {}'


def checked(function: Callable[[Any], Any], prefix: str = "") -> Callable[[Any], Any]:
    """Return a function for pydantic, which names the field itself."""

    def validate(value: Any) -> Any:
        try:
            return function(value)
        except SendcapError as error:
            raise ValueError(str(error).removeprefix(prefix)) from None

    return validate


def _value_by_path(value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"must be a table, not {shown(value)}")  # noqa: TRY004 (pydantic)
    for path, each in value.items():
        if isinstance(each, dict) and "." not in path:
            raise ValueError(f"{visible(path)}: would replace all of it; " + EXAMPLE.format(4))
    return value


@checked
def range_of(value: Any) -> Range:
    """Return the range of two ends, or of a table with ends and scale."""
    if isinstance(value, list) and len(value) == 2:
        return Range(*value)
    if isinstance(value, dict) and {"from", "to"} <= set(value) <= {"from", "to", "scale"}:
        scale = value.get("scale", "linear")
        if scale not in ("linear", "log"):
            raise ValueError(f'scale {shown(scale)} is not possible; "linear" or "log"')
        return Range(value["from"], value["to"], scale == "log")
    raise ValueError(
        f'must be two ends, such as [1, 8], or {{ from = "5m", to = "2h", scale = "log" }}, '
        f"not {shown(value)}"
    )


def _names(value: Any) -> Any:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"must be a list of names, not {shown(value)}")
    checked(measures_of, "measure: ")(names)
    return names


def _preset_path_or_table(value: Any) -> Any:
    if not isinstance(value, str | dict) or value == "":
        raise ValueError(
            f"must be a preset, the path of a scenario file or a table, not {shown(value)}"
        )
    return value


class StudyHead(Section):
    """The keys of every study file."""

    kind: ClassVar[str] = kinds.SWEEP

    title: str = ""
    scenario: Annotated[Any, BeforeValidator(_preset_path_or_table)]
    """A preset, the path of a scenario file, or a scenario as a table."""
    set: Annotated[dict[str, Any], BeforeValidator(_value_by_path)] = Field(default_factory=dict)
    """Values by dotted path that override the scenario at all points."""
    replications: Count = 1
    """Runs of each point."""
    measures: Annotated[list[str], BeforeValidator(_names)] = Field(
        default_factory=lambda: list(DEFAULT_MEASURES)
    )
    """Measures of each run."""


Table = TypeVar("Table", bound=StudyHead)


def read_study(source: str | Path, kind: type[Table]) -> tuple[str, Path, str, Table]:
    """Return the name of a study file for error messages, the folder, the text and the table."""
    path, name = Path(source), visible(str(source))
    try:
        text = read_text(path, name, "study")
    except FileNotFoundError:
        raise ScenarioError(f"{name}: no such file; give a study file") from None
    except OSError as error:
        raise ScenarioError(f"{name}: cannot be read: {plain_words(error)}") from None
    data = parsed(text, name, "study")
    try:
        table = kind.model_validate(data)
    except ValidationError as error:
        mistaken = kinds.other_kind(data, kind.kind)
        lines = [mistaken] if mistaken else problems.lines(error, data, kind)
        raise refused(name, lines) from None
    return name, path.parent, text, table


def scenario_of(
    table: StudyHead, name: str, folder: Path, changes: Mapping[str, Any] | None = None
) -> Scenario:
    """Return the scenario of a study, with the study's own values and then these changes."""
    if isinstance(table.scenario, Mapping):
        try:
            scenario = from_dict(table.scenario, name="scenario", folder=folder)
        except ScenarioError as error:
            lines = (line.replace("scenario: ", "scenario.", 1) for line in str(error).split("\n"))
            raise refused(name, lines) from None
    else:
        beside = folder / table.scenario
        scenario = load(beside if beside.is_file() else table.scenario)
    values = {**table.set, **(changes or {})}
    if not values:
        return scenario
    try:
        return updated(scenario, values)
    except ScenarioError as error:
        raise error.within(f"{name}: set") from None


# A sweep.


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
    def _possible(self) -> Self:
        try:
            self.design()
        except SendcapError as error:
            refuse([(("points",), str(error).removeprefix("design: "))])
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
    def _one_way(self) -> Self:
        ways = [name for name in ("over", "points", "design") if getattr(self, name)]
        if len(ways) > 1:
            message = f"{ways[0]} is set too; give one of over, points and design"
            refuse([((ways[1],), message)])
        if not ways:
            message = 'nothing varies; for example [over] with "mta.ips" = [4, 8, 16]'
            refuse([(("over",), message)])
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
