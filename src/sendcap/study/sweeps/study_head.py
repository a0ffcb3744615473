"""The head of every study file: a scenario, replications and measures; and the reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import BeforeValidator, Field, ValidationError

from sendcap.errors import ScenarioError, SendcapError
from sendcap.files.single import plain_words
from sendcap.scenario import Range, Scenario, from_dict, load, problems, updated
from sendcap.scenario.files import parsed, read_text
from sendcap.scenario.section import Count, Section
from sendcap.study.replication.measures import DEFAULT_MEASURES, measures_of
from sendcap.text.quoting import shown, visible

EXAMPLE: Final = 'write a path in quotes, such as "mta.ips" = {}'
_MOST_LINES: Final = 20


def _value_by_path(value: Any) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"must be a table, not {shown(value)}")  # noqa: TRY004 (pydantic)
    for path, each in value.items():
        if isinstance(each, dict) and "." not in path:
            raise ValueError(f"{visible(path)}: would replace all of it; " + EXAMPLE.format(4))
    return value


def range_of(value: Any) -> Range:
    """Return the range of two ends, or of a table with ends and scale."""
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


class StudyHead(Section):
    """The keys of every study file."""

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
    data = parsed(text, name)
    try:
        table = kind.model_validate(data)
    except ValidationError as error:
        raise refused(name, problems.lines(error, data, kind)) from None
    return name, path.parent, text, table


def refused(name: str, lines: Iterable[str]) -> ScenarioError:
    """Return the error of a study file, a line for each problem."""
    problems = list(dict.fromkeys(lines))
    shown_lines = problems[:_MOST_LINES]
    if len(problems) > _MOST_LINES:
        shown_lines.append(f"and {len(problems) - _MOST_LINES:,} problems more")
    return ScenarioError("\n".join(f"{name}: {line}" for line in shown_lines))


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
        lines = (line.replace("<updated>: ", "") for line in str(error).split("\n"))
        raise refused(name, (f"set: {line}" for line in lines)) from None
