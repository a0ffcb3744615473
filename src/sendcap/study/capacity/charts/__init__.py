"""Charts of capacity: stages over time, and the answers of the searches."""

from typing import Final

from sendcap.charts.drawing import charts_in

_HERE: Final = "sendcap.study.capacity.charts"
_AGES: Final = "how long the messages in the queues have waited, when there are most"
_ABOVE: Final = "the highest steady rate, and how fast each stage falls behind above it"
CHARTS: Final = {
    "Limits": charts_in(
        _HERE,
        {
            "waiting.backlog": "how many messages wait at each stage over time",
            "stages.throughput": "what each stage carries over time, against its ceiling",
            "stages.utilisation": "how much of each stage is in use over time",
            "waiting.queue_age": _AGES,
        },
    ),
    "Levers": charts_in(
        _HERE, {"answers.levers_chart": "time saved by one more unit of each lever"}
    ),
    "Capacity": charts_in(
        _HERE,
        {"answers.capacity": "the largest delivery within the time, beside the scenario's own"},
    ),
    "Sustained": charts_in(_HERE, {"answers.sustained": _ABOVE}),
}
"""The charts of each result, the usual one first."""
