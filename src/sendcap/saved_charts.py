"""The charts of runs and sweeps, saved or not, by name; listing them imports no chart."""

from typing import Final

from sendcap.charts import CHARTS as OF_A_RUN
from sendcap.charts.drawing import Chart
from sendcap.study.capacity.charts import CHARTS as OF_CAPACITY
from sendcap.study.convergence.charts import CHARTS as OF_CONVERGENCE
from sendcap.study.sweeps.charts import CHARTS as OF_SWEEPS

_CALENDAR: Final = Chart(
    "calendar",
    "when each delivery waits, is relayed, is accepted and settles",
    "sendcap.study.calendar.chart:calendar",
    "sendcap.study.calendar.calendar:calendar_of",
)
_LIMITS: Final = "sendcap.study.capacity.limits:limits_from_ledger"
_CONVERGENCE: Final = "sendcap.study.convergence.converge:convergence_of"

RUN_CHARTS: Final[tuple[Chart, ...]] = (
    *OF_A_RUN["Run"],
    # A ledger tells how much waits at each stage, not how much of it is in use.
    *(
        chart._replace(source=_LIMITS)
        for chart in OF_CAPACITY["Limits"]
        if chart.name in ("backlog", "throughput")
    ),
    _CALENDAR,
    *(chart._replace(source=_CONVERGENCE) for chart in OF_CONVERGENCE["ConvergenceStudy"]),
)
SWEEP_CHARTS: Final[tuple[Chart, ...]] = OF_SWEEPS["DataFrame"]
CHARTS: Final = {"Run": RUN_CHARTS, "DataFrame": SWEEP_CHARTS}
"""The charts of each result, the usual one first."""
