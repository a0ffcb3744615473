"""sendcap: simulate large email deliveries and see what the dashboard will show.

>>> import sendcap
>>> sorted(name for name in dir(sendcap) if name in ("load", "simulate", "open_run"))
['load', 'open_run', 'simulate']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sendcap.errors import RunError, ScenarioError, SendcapError, SendcapWarning

if TYPE_CHECKING:
    from sendcap.analysis.limits import Limits, limits
    from sendcap.ledger import Ledger
    from sendcap.reporting.dashboard import Dashboard
    from sendcap.run import Run, open_run, simulate
    from sendcap.scenario import Scenario, load
    from sendcap.study.compare import Comparison, compare
    from sendcap.study.converge import ConvergenceStudy, converge
    from sendcap.study.forecast import forecast
    from sendcap.study.kept import Replications
    from sendcap.study.outlook import Forecast
    from sendcap.study.replicate import replicate

    __version__: str

__all__ = [
    "Comparison",
    "ConvergenceStudy",
    "Dashboard",
    "Forecast",
    "Ledger",
    "Limits",
    "Replications",
    "Run",
    "RunError",
    "Scenario",
    "ScenarioError",
    "SendcapError",
    "SendcapWarning",
    "__version__",
    "compare",
    "converge",
    "forecast",
    "limits",
    "load",
    "open_run",
    "replicate",
    "simulate",
]

# Imported when first asked for: NumPy, pandas and pydantic would take the command line longer
# to load than to answer.
_HOMES = {
    "Comparison": "sendcap.study.compare",
    "ConvergenceStudy": "sendcap.study.converge",
    "Dashboard": "sendcap.reporting.dashboard",
    "Forecast": "sendcap.study.outlook",
    "Ledger": "sendcap.ledger",
    "Limits": "sendcap.analysis.limits",
    "Replications": "sendcap.study.kept",
    "Run": "sendcap.run",
    "Scenario": "sendcap.scenario",
    "compare": "sendcap.study.compare",
    "converge": "sendcap.study.converge",
    "forecast": "sendcap.study.forecast",
    "limits": "sendcap.analysis.limits",
    "load": "sendcap.scenario",
    "open_run": "sendcap.run",
    "replicate": "sendcap.study.replicate",
    "simulate": "sendcap.run",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = importlib.import_module("importlib.metadata").version("sendcap")
    elif name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
