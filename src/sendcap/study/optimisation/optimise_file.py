"""Study files of optimisations: levers with their costs, and a target."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sendcap.errors import SendcapError
from sendcap.files import kinds
from sendcap.scenario import Scenario
from sendcap.scenario.problems import refused
from sendcap.scenario.section import Count, Section, Whole, refuse
from sendcap.study.optimisation.priced import Priced, levers_of
from sendcap.study.optimisation.target import Target
from sendcap.study.optimisation.trials import Effort
from sendcap.study.sweeps.points import range_problems
from sendcap.study.sweeps.study_file import (
    StudyHead,
    checked,
    range_of,
    read_study,
    scenario_of,
)
from sendcap.text.quoting import shown
from sendcap.text.shares import parse_share


@checked
def _lever(value: Any) -> Priced:
    if not isinstance(value, dict):
        raise ValueError(  # noqa: TRY004 (pydantic)
            f"must be a table, such as {{ from = 1, to = 64, cost = 40 }}, not {shown(value)}"
        )
    if "cost" not in value:
        raise ValueError("has no cost; give one, and cost = 0 where it costs nothing")
    values = range_of({key: each for key, each in value.items() if key != "cost"})
    return Priced(values.low, values.high, value["cost"], values.log)


_confidence = partial(parse_share, what="confidence", whole=False)


class _TargetTable(Section):
    """The target."""

    measure: str
    at_most: Any = None
    at_least: Any = None
    confidence: Annotated[Any, BeforeValidator(checked(_confidence, "confidence: "))] = 0.95

    @model_validator(mode="after")
    def _possible(self) -> Self:
        try:
            self.target()
        except SendcapError as error:
            text = str(error).removeprefix("target: ")
            about_measure = text.startswith("measure: ")
            location = ("measure",) if about_measure else ()
            refuse([(location, text.removeprefix("measure: "))])
        return self

    def target(self) -> Target:
        return Target(self.measure, self.at_most, self.at_least, self.confidence)


class _SearchTable(Section):
    """Effort of the search."""

    trials: Count = Effort.trials
    """Settings of the search."""
    replications: Count = Effort.trial_replications
    """Runs of each."""
    seed: Annotated[Whole, Field(ge=0)] = Effort.seed
    """Of the proposals."""


class _OptimiseTable(StudyHead):
    """The keys of an optimisation's study file."""

    kind: ClassVar[str] = kinds.OPTIMISATION

    replications: Annotated[Count, Field(ge=2)] = Effort.replications
    """Runs by which it is decided whether settings meet the target."""
    target: _TargetTable
    """The target."""
    levers: Annotated[
        dict[str, Annotated[Any, BeforeValidator(_lever)]],
        Field(min_length=1),
        AfterValidator(checked(levers_of, "levers: ")),
    ]
    """Levers with their costs."""
    search: _SearchTable = _SearchTable()
    """Effort of the search."""


@dataclass(frozen=True, eq=False)
class OptimiseStudy:
    """An optimisation to carry out."""

    text: str  # of the file
    title: str
    scenario: Scenario
    levers: Mapping[str, Priced]
    target: Target
    effort: Effort
    measures: tuple[str, ...]  # further ones of each run


def load_optimise_study(
    source: str | Path, changes: Mapping[str, Any] | None = None
) -> OptimiseStudy:
    """Read the study file of an optimisation; nothing is simulated."""
    name, folder, text, table = read_study(source, _OptimiseTable)
    scenario = scenario_of(table, name, folder, changes)
    levers: dict[str, Priced] = table.levers
    wrong = range_problems(scenario, {path: lever.range for path, lever in levers.items()})
    if wrong:
        raise refused(name, (f'levers."{path}": {line}' for path, line in wrong))
    search, target = table.search, table.target.target()
    effort = Effort(search.trials, search.replications, table.replications, search.seed)
    measures = tuple(table.measures)
    return OptimiseStudy(text, table.title, scenario, levers, target, effort, measures)
