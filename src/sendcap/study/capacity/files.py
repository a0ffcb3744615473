"""The files of a scenario's limits: tables, charts and the answers of the searches."""

from __future__ import annotations

from typing import Final

from sendcap.files.directory import Contents
from sendcap.saved import SUMMARY
from sendcap.scenario.files import SCENARIO

LIMITS: Final = "limits.csv"
OVER_TIME: Final = "over-time.csv"
CAPACITY: Final = "capacity.json"
LEVERS: Final = "levers.csv"
LEVERS_CHART: Final = "levers.png"
CHARTS: Final = ("backlog", "queue-age", "throughput", "utilisation")

LIMITS_OF_A_SCENARIO: Final = Contents(
    "what sendcap limits has saved",
    frozenset({LIMITS, SUMMARY}),
    frozenset({SCENARIO, LIMITS, OVER_TIME, SUMMARY, CAPACITY, LEVERS, LEVERS_CHART})
    | frozenset(f"{name}.png" for name in CHARTS),
)
