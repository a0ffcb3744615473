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
    from sendcap.calibration.calibrate import Calibration, calibrate
    from sendcap.ledger import Ledger
    from sendcap.reporting.dashboard import Dashboard
    from sendcap.run import Run, open_run, simulate
    from sendcap.scenario import Scenario, load
    from sendcap.study.capacity import Capacity, largest_within
    from sendcap.study.compare import Comparison, compare
    from sendcap.study.converge import ConvergenceStudy, converge
    from sendcap.study.designs import Range, latin_hypercube, sobol
    from sendcap.study.kept import Replications
    from sendcap.study.levers import Levers, levers
    from sendcap.study.replicate import replicate
    from sendcap.study.sensitivity import Sensitivity, sensitivity
    from sendcap.study.sustained import Sustained, sustained
    from sendcap.study.sweep import sweep

    __version__: str

__all__ = [
    "Calibration",
    "Capacity",
    "Comparison",
    "ConvergenceStudy",
    "Dashboard",
    "Ledger",
    "Levers",
    "Limits",
    "Range",
    "Replications",
    "Run",
    "RunError",
    "Scenario",
    "ScenarioError",
    "SendcapError",
    "SendcapWarning",
    "Sensitivity",
    "Sustained",
    "__version__",
    "calibrate",
    "compare",
    "converge",
    "largest_within",
    "latin_hypercube",
    "levers",
    "limits",
    "load",
    "open_run",
    "replicate",
    "sensitivity",
    "simulate",
    "sobol",
    "sustained",
    "sweep",
]

# Imported when first asked for: NumPy, pandas and pydantic would take the command line longer
# to load than to answer.
_HOMES = {
    "Calibration": "sendcap.calibration.calibrate",
    "Capacity": "sendcap.study.capacity",
    "Comparison": "sendcap.study.compare",
    "ConvergenceStudy": "sendcap.study.converge",
    "Dashboard": "sendcap.reporting.dashboard",
    "Ledger": "sendcap.ledger",
    "Levers": "sendcap.study.levers",
    "Limits": "sendcap.analysis.limits",
    "Range": "sendcap.study.designs",
    "Replications": "sendcap.study.kept",
    "Run": "sendcap.run",
    "Scenario": "sendcap.scenario",
    "Sensitivity": "sendcap.study.sensitivity",
    "Sustained": "sendcap.study.sustained",
    "calibrate": "sendcap.calibration.calibrate",
    "compare": "sendcap.study.compare",
    "converge": "sendcap.study.converge",
    "largest_within": "sendcap.study.capacity",
    "latin_hypercube": "sendcap.study.designs",
    "levers": "sendcap.study.levers",
    "limits": "sendcap.analysis.limits",
    "load": "sendcap.scenario",
    "open_run": "sendcap.run",
    "replicate": "sendcap.study.replicate",
    "sensitivity": "sendcap.study.sensitivity",
    "simulate": "sendcap.run",
    "sobol": "sendcap.study.designs",
    "sustained": "sendcap.study.sustained",
    "sweep": "sendcap.study.sweep",
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
