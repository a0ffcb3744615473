"""sendcap: simulate large email deliveries and see what the dashboard will show.

>>> import sendcap
>>> sorted(name for name in dir(sendcap) if name in ("load", "simulate", "open_run"))
['load', 'open_run', 'simulate']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sendcap.errors import (
    ConfigurationError,
    RunError,
    ScenarioError,
    SendcapError,
    SendcapWarning,
)

if TYPE_CHECKING:
    from sendcap.calibration.calibrate import Calibration, calibrate
    from sendcap.importers import (
        Imported,
        import_exim,
        import_kumomta,
        import_postfix,
        import_powermta,
    )
    from sendcap.ledger import Ledger
    from sendcap.readings.dashboard import Dashboard
    from sendcap.report.page import write_report
    from sendcap.run import Run, open_run, simulate
    from sendcap.scenario import Range, Scenario, load
    from sendcap.study.capacity.limits import Limits, limits
    from sendcap.study.capacity.searches.levers import Levers, levers
    from sendcap.study.capacity.searches.sustained import Sustained, sustained
    from sendcap.study.capacity.searches.within import Capacity, largest_within
    from sendcap.study.convergence.compare import Comparison, compare
    from sendcap.study.convergence.converge import ConvergenceStudy, converge
    from sendcap.study.forecasts.forecast import forecast
    from sendcap.study.forecasts.outlook import Forecast
    from sendcap.study.optimisation.optimise import optimise
    from sendcap.study.optimisation.optimum import Optimum
    from sendcap.study.optimisation.priced import Priced
    from sendcap.study.optimisation.target import Target
    from sendcap.study.replication.replicate import replicate
    from sendcap.study.replication.replications import Replications
    from sendcap.study.sweeps.designs import latin_hypercube, sobol
    from sendcap.study.sweeps.sensitivity.screening import Screening, screening
    from sendcap.study.sweeps.sensitivity.sobol import Sensitivity, sensitivity
    from sendcap.study.sweeps.sweep import sweep

    __version__: str

__all__ = [
    "Calibration",
    "Capacity",
    "Comparison",
    "ConfigurationError",
    "ConvergenceStudy",
    "Dashboard",
    "Forecast",
    "Imported",
    "Ledger",
    "Levers",
    "Limits",
    "Optimum",
    "Priced",
    "Range",
    "Replications",
    "Run",
    "RunError",
    "Scenario",
    "ScenarioError",
    "Screening",
    "SendcapError",
    "SendcapWarning",
    "Sensitivity",
    "Sustained",
    "Target",
    "__version__",
    "calibrate",
    "compare",
    "converge",
    "forecast",
    "import_exim",
    "import_kumomta",
    "import_postfix",
    "import_powermta",
    "largest_within",
    "latin_hypercube",
    "levers",
    "limits",
    "load",
    "open_run",
    "optimise",
    "replicate",
    "screening",
    "sensitivity",
    "simulate",
    "sobol",
    "sustained",
    "sweep",
    "write_report",
]

# Imported when first asked for: NumPy, pandas and pydantic would take the command line longer
# to load than to answer.
_HOMES = {
    "Calibration": "sendcap.calibration.calibrate",
    "Capacity": "sendcap.study.capacity.searches.within",
    "Comparison": "sendcap.study.convergence.compare",
    "ConvergenceStudy": "sendcap.study.convergence.converge",
    "Dashboard": "sendcap.readings.dashboard",
    "Forecast": "sendcap.study.forecasts.outlook",
    "Imported": "sendcap.importers",
    "Ledger": "sendcap.ledger",
    "Levers": "sendcap.study.capacity.searches.levers",
    "Limits": "sendcap.study.capacity.limits",
    "Optimum": "sendcap.study.optimisation.optimum",
    "Priced": "sendcap.study.optimisation.priced",
    "Range": "sendcap.scenario",
    "Replications": "sendcap.study.replication.replications",
    "Run": "sendcap.run",
    "Scenario": "sendcap.scenario",
    "Screening": "sendcap.study.sweeps.sensitivity.screening",
    "Sensitivity": "sendcap.study.sweeps.sensitivity.sobol",
    "Sustained": "sendcap.study.capacity.searches.sustained",
    "Target": "sendcap.study.optimisation.target",
    "calibrate": "sendcap.calibration.calibrate",
    "compare": "sendcap.study.convergence.compare",
    "converge": "sendcap.study.convergence.converge",
    "forecast": "sendcap.study.forecasts.forecast",
    "import_exim": "sendcap.importers",
    "import_kumomta": "sendcap.importers",
    "import_postfix": "sendcap.importers",
    "import_powermta": "sendcap.importers",
    "largest_within": "sendcap.study.capacity.searches.within",
    "latin_hypercube": "sendcap.study.sweeps.designs",
    "levers": "sendcap.study.capacity.searches.levers",
    "limits": "sendcap.study.capacity.limits",
    "load": "sendcap.scenario",
    "open_run": "sendcap.run",
    "optimise": "sendcap.study.optimisation.optimise",
    "replicate": "sendcap.study.replication.replicate",
    "screening": "sendcap.study.sweeps.sensitivity.screening",
    "sensitivity": "sendcap.study.sweeps.sensitivity.sobol",
    "simulate": "sendcap.run",
    "sobol": "sendcap.study.sweeps.designs",
    "sustained": "sendcap.study.capacity.searches.sustained",
    "sweep": "sendcap.study.sweeps.sweep",
    "write_report": "sendcap.report.page",
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
