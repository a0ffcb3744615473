"""The charts of saved runs and sweeps, by name; listing them imports no chart."""

from __future__ import annotations

from typing import Final

from sendcap.charts import CHARTS as OF_A_RUN
from sendcap.charts.drawing import Chart
from sendcap.study.capacity.charts import CHARTS as OF_CAPACITY
from sendcap.study.convergence.charts import CHARTS as OF_CONVERGENCE
from sendcap.study.sweeps.charts import CHARTS as OF_SWEEPS

STAGE_CHARTS: Final = tuple(
    chart for chart in OF_CAPACITY["Limits"] if chart.name in ("backlog", "throughput")
)
"""A ledger tells how much waits at each stage, not how much of it is in use."""
CONVERGENCE_CHARTS: Final = OF_CONVERGENCE["ConvergenceStudy"]
RUN_CHARTS: Final[tuple[Chart, ...]] = (*OF_A_RUN["Run"], *STAGE_CHARTS, *CONVERGENCE_CHARTS)
SWEEP_CHARTS: Final[tuple[Chart, ...]] = OF_SWEEPS["DataFrame"]
CHARTS: Final = {chart.name: chart for chart in (*RUN_CHARTS, *SWEEP_CHARTS)}
