"""The files of a scenario's limits: tables, charts and the answers of the searches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sendcap.charts.listed import CHARTS
from sendcap.charts.style import save_png
from sendcap.files.checksums import SUMMARY
from sendcap.files.directory import Contents
from sendcap.files.figures import write_json
from sendcap.files.single import write_text
from sendcap.files.tables import write_csv
from sendcap.scenario import dumps
from sendcap.scenario.files import SCENARIO
from sendcap.study.capacity.limits import Limits

if TYPE_CHECKING:
    from sendcap.study.capacity.searches.levers import Levers
    from sendcap.study.capacity.searches.sustained import Sustained
    from sendcap.study.capacity.searches.within import Capacity

LIMITS: Final = "limits.csv"
OVER_TIME: Final = "over-time.csv"
HOLD_UPS: Final = "hold-ups.csv"
CAPACITY: Final = "capacity.json"
LEVERS: Final = "levers.csv"
LEVERS_CHART: Final = "levers.png"

LIMITS_OF_A_SCENARIO: Final = Contents(
    "what sendcap limits has saved",
    frozenset({LIMITS, SUMMARY}),
    frozenset({SCENARIO, LIMITS, OVER_TIME, HOLD_UPS, SUMMARY, CAPACITY, LEVERS, LEVERS_CHART})
    | frozenset(f"{chart.name}.png" for chart in CHARTS["Limits"]),
)


def write_limits(limits: Limits, folder: Path) -> None:
    """Write the tables and charts of limits into a directory that exists."""
    write_text(folder / SCENARIO, dumps(limits.scenario))
    write_json(folder / SUMMARY, limits.summary())
    write_csv(folder / LIMITS, limits.table())
    write_csv(folder / OVER_TIME, limits.over_time())
    write_csv(folder / HOLD_UPS, limits.hold_ups())
    limits.save_charts(folder)


def write_capacity(answers: Mapping[str, Capacity | Sustained], folder: Path) -> None:
    """Write the answers of the searches for capacity into a directory that exists."""
    figures = {name: asdict(answer) for name, answer in answers.items()}
    for columns in figures.values():
        columns.pop("scenario", None)
    write_json(folder / CAPACITY, figures)


def write_levers(levers: Levers, title: str, folder: Path) -> None:
    """Write the table and the chart of levers into a directory that exists."""
    write_csv(folder / LEVERS, levers.frame())
    save_png(levers.plot(title=title), folder / LEVERS_CHART)
