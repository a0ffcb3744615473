"""The files of a calendar: the times, the verdicts, and the chart."""

from pathlib import Path
from typing import Final

from sendcap.charts.style import save_png
from sendcap.files.directory import Contents
from sendcap.files.single import write_text
from sendcap.files.tables import write_csv
from sendcap.scenario import dumps
from sendcap.scenario.files import SCENARIO
from sendcap.study.calendar.calendar import Calendar

CALENDAR: Final = "calendar.csv"
DEADLINE: Final = "deadline.csv"
CHART: Final = "calendar.png"
CALENDAR_OF_A_SCENARIO: Final = Contents(
    "what sendcap calendar has saved",
    frozenset({CALENDAR, SCENARIO}),
    frozenset({SCENARIO, CALENDAR, DEADLINE, CHART}),
)


def write_calendar(calendar: Calendar, folder: Path) -> None:
    """Write a calendar into a directory that exists."""
    write_text(folder / SCENARIO, dumps(calendar.scenario))
    write_csv(folder / CALENDAR, calendar.table())
    if calendar.verdicts:
        write_csv(folder / DEADLINE, calendar.deadlines())
    save_png(calendar.plot(), folder / CHART)
