"""Charts of capacity: stages over time, and the answers of the searches."""

from __future__ import annotations

from typing import Final

from sendcap.charts.drawing import Chart

CHARTS: Final = {
    "Limits": (
        Chart(
            "backlog",
            "how many messages wait at each stage over time",
            "sendcap.study.capacity.charts.backlog:backlog",
        ),
        Chart(
            "throughput",
            "what each stage carries over time, against its ceiling",
            "sendcap.study.capacity.charts.throughput:throughput",
        ),
        Chart(
            "utilisation",
            "how much of each stage is in use over time",
            "sendcap.study.capacity.charts.utilisation:utilisation",
        ),
        Chart(
            "queue-age",
            "how long the messages in the queues have waited, when there are most",
            "sendcap.study.capacity.charts.queue_age:queue_age",
        ),
    ),
    "Levers": (
        Chart(
            "levers",
            "time saved by one more unit of each lever",
            "sendcap.study.capacity.charts.levers:levers_chart",
        ),
    ),
    "Capacity": (
        Chart(
            "capacity",
            "the largest delivery within the time, beside the scenario's own",
            "sendcap.study.capacity.charts.answers:capacity",
        ),
    ),
    "Sustained": (
        Chart(
            "sustained",
            "the highest steady rate, and how fast each stage falls behind above it",
            "sendcap.study.capacity.charts.answers:sustained",
        ),
    ),
}
"""The charts of each result, the usual one first."""
