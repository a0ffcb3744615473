"""Study files: a sweep as a TOML file, checked as scenario files are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from sendcap.errors import ScenarioError, SendcapError
from sendcap.reporting.staging import plain_words
from sendcap.scenario import Range, from_dict, load, problems
from sendcap.scenario.files import parsed, read_text
from sendcap.scenario.section import Count, Section, Whole, refuse
from sendcap.scenario.wording import shown, visible
from sendcap.study.designs import Design
from sendcap.study.measures import DEFAULT_MEASURES, measures_of
from sendcap.study.plan import Plan, planned
from sendcap.study.points import points_of
from sendcap.study.study_points import point_problems

if TYPE_CHECKING:
    from sendcap.scenario import Scenario
    from sendcap.study.measure import Measure
    from sendcap.study.points import Over

_MOST_LINES: Final = 20
_EXAMPLE: Final = 'write a path in quotes, such as "mta.ips" = {}'


def _values_by_path(value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"must be a table, not {shown(value)}")  # noqa: TRY004 (pydantic)
    for path, its in value.items():
        if not isinstance(its, list):
            raise ValueError(  # noqa: TRY004 (pydantic)
                f"{visible(path)}: must be a list of values, not {shown(its)}; "
                + _EXAMPLE.format("[4, 8]")
            )
        if not its:
            raise ValueError(f"{visible(path)}: needs at least one value")
    return value


def _value_by_path(value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"must be a table, not {shown(value)}")  # noqa: TRY004 (pydantic)
    for path, its in value.items():
        if isinstance(its, dict) and "." not in path:
            raise ValueError(f"{visible(path)}: would replace all of it; " + _EXAMPLE.format(4))
    return value


def _range(value: Any) -> Range:
    try:
        if isinstance(value, list) and len(value) == 2:
            return Range(*value)
        if isinstance(value, dict):
            unknown = set(value) - {"from", "to", "scale"}
            if not unknown and {"from", "to"} <= set(value):
                scale = value.get("scale", "linear")
                if scale not in ("linear", "log"):
                    raise ValueError(f'scale {shown(scale)} is not possible; "linear" or "log"')
                return Range(value["from"], value["to"], scale == "log")
    except SendcapError as error:
        raise ValueError(str(error)) from None
    raise ValueError(
        f'must be two ends, such as [1, 8], or {{ from = "5m", to = "2h", scale = "log" }}, '
        f"not {shown(value)}"
    )


def _names(value: Any) -> Any:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"must be a list of names, not {shown(value)}")
    try:
        measures_of(names)
    except SendcapError as error:
        raise ValueError(str(error).removeprefix("measure: ")) from None
    return names


def _preset_path_or_table(value: Any) -> Any:
    if not isinstance(value, str | dict) or value == "":
        raise ValueError(
            f"must be a preset, the path of a scenario file or a table, not {shown(value)}"
        )
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
    ranges: Annotated[dict[str, Annotated[Any, BeforeValidator(_range)]], Field(min_length=1)]

    @model_validator(mode="after")
    def _possible(self) -> _DesignTable:
        try:
            self.design()
        except SendcapError as error:
            refuse("design", [(("points",), str(error).removeprefix("design: "))])
        return self

    def design(self) -> Design:
        return Design(self.kind, self.ranges, self.points, self.seed)


class _StudyTable(Section):
    """What a study file may hold."""

    title: str = ""
    scenario: Annotated[Any, BeforeValidator(_preset_path_or_table)]
    """A preset, the path of a scenario file, or a scenario as a table."""
    set: Annotated[dict[str, Any], BeforeValidator(_value_by_path)] = Field(default_factory=dict)
    """Values by dotted path that differ from the scenario at all points."""
    replications: Count = 1
    """Runs of each point."""
    measures: Annotated[list[str], BeforeValidator(_names)] = Field(
        default_factory=lambda: list(DEFAULT_MEASURES)
    )
    """What to keep of each run."""
    over: Annotated[dict[str, Any], BeforeValidator(_values_by_path)] = Field(default_factory=dict)
    """A grid: lists of values by dotted path."""
    points: Annotated[Any, BeforeValidator(_file_or_rows)] = None
    """A table: the path of a CSV file, or values by dotted path for each point."""
    design: _DesignTable | None = None
    """Points spread over ranges."""

    @model_validator(mode="after")
    def _one_way(self) -> _StudyTable:
        given = [name for name in ("over", "points", "design") if getattr(self, name)]
        if len(given) > 1:
            message = f"there is {given[0]} too; give one of over, points and design"
            refuse("study", [((given[1],), message)])
        if not given:
            message = 'nothing varies; for example [over] with "mta.ips" = [4, 8, 16]'
            refuse("study", [(("over",), message)])
        return self


@dataclass(frozen=True, eq=False)
class Study:
    """A study that can be carried out.

    Attributes
    ----------
    name
        What error messages call its file.
    text
        The file as it was read.
    title
        A label.
    scenario
        What all points have in common.
    over
        What varies.
    replications
        Runs of each point.
    measures
        What to keep of each run.
    plan
        Its runs.
    """

    name: str
    text: str
    title: str
    scenario: Scenario
    over: Over
    replications: int
    measures: tuple[Measure, ...]
    plan: Plan


def load_study(source: str | Path) -> Study:
    """Read a study file and plan its runs; nothing is simulated.

    Parameters
    ----------
    source
        Path of a TOML file. Paths in it are relative to its folder.

    Raises
    ------
    ScenarioError
        With one line per problem, each with the file and the field.
    """
    path, name = Path(source), visible(str(source))
    try:
        text = read_text(path, name, "study")
    except FileNotFoundError:
        raise ScenarioError(f"{name}: no such file; give a study file") from None
    except OSError as error:
        raise ScenarioError(f"{name}: cannot be read: {plain_words(error)}") from None
    data = parsed(text, name)
    try:
        table = _StudyTable.model_validate(data)
    except ValidationError as error:
        raise _refused(name, problems.lines(error, data, _StudyTable)) from None
    scenario = _scenario(table, name, path.parent)
    over = _over(table, path.parent)
    plan = _plan(table, name, scenario, over)
    return Study(name, text, table.title, scenario, over, table.replications, plan.measures, plan)


def _refused(name: str, lines: Iterable[str]) -> ScenarioError:
    found = list(dict.fromkeys(lines))
    shown_lines = found[:_MOST_LINES]
    if len(found) > _MOST_LINES:
        shown_lines.append(f"and {len(found) - _MOST_LINES:,} problems more")
    return ScenarioError("\n".join(f"{name}: {line}" for line in shown_lines))


def _scenario(table: _StudyTable, name: str, folder: Path) -> Scenario:
    from sendcap.scenario import updated

    if isinstance(table.scenario, Mapping):
        try:
            scenario = from_dict(table.scenario, name="scenario", folder=folder)
        except ScenarioError as error:
            lines = (line.replace("scenario: ", "scenario.", 1) for line in str(error).split("\n"))
            raise _refused(name, lines) from None
    else:
        beside = folder / table.scenario
        scenario = load(beside if beside.is_file() else table.scenario)
    if not table.set:
        return scenario
    try:
        return updated(scenario, table.set)
    except ScenarioError as error:
        lines = (line.replace("<updated>: ", "") for line in str(error).split("\n"))
        raise _refused(name, (f"set: {line}" for line in lines)) from None


def _plan(table: _StudyTable, name: str, scenario: Scenario, over: Over) -> Plan:
    wrong: list[str] = []
    try:
        points = points_of(over)
        plan = planned(scenario, over, table.replications, table.measures)
        if any(isinstance(its, str) for its in plan.scenarios):
            wrong = point_problems(scenario, over, points)
    except ScenarioError as error:  # there is not one point
        wrong = point_problems(scenario, over, points) or str(error).split("\n")
    except SendcapError as error:
        wrong = str(error).removeprefix(f"{name}: ").split("\n")
    if wrong:
        raise _refused(name, wrong)
    return plan


def _over(table: _StudyTable, folder: Path) -> Over:
    if table.design is not None:
        return table.design.design()
    if isinstance(table.points, str):
        return folder / table.points
    if table.points:
        return list(table.points)
    return table.over
