"""Charts of capacity: stages over time, and the answers of the searches."""

from __future__ import annotations

from typing import Final

from sendcap.charts.drawing import Chart, charts_in

_HERE: Final = "sendcap.study.capacity.charts"
CHARTS: Final = {
    "Limits": charts_in(
        _HERE,
        {
            "backlog": "how many messages wait at each stage over time",
            "throughput": "what each stage carries over time, against its ceiling",
            "utilisation": "how much of each stage is in use over time",
            "queue-age": "how long the messages in the queues have waited, when there are most",
        },
    ),
    "Levers": (
        Chart(
            "levers", "time saved by one more unit of each lever", f"{_HERE}.levers:levers_chart"
        ),
    ),
    "Capacity": (
        Chart(
            "capacity",
            "the largest delivery within the time, beside the scenario's own",
            f"{_HERE}.answers:capacity",
        ),
    ),
    "Sustained": (
        Chart(
            "sustained",
            "the highest steady rate, and how fast each stage falls behind above it",
            f"{_HERE}.answers:sustained",
        ),
    ),
}
"""The charts of each result, the usual one first."""
