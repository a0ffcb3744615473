"""Draw a result, or what is saved in a directory: `sendcap.plot`."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sendcap.charts.drawing import Chart, Drawable, chart_called
from sendcap.errors import SendcapError
from sendcap.files.checksums import require_unchanged
from sendcap.files.tables import read_table
from sendcap.run import Run, open_run
from sendcap.saved import SENDING_LOG
from sendcap.saved_charts import CONVERGENCE_CHARTS, RUN_CHARTS, STAGE_CHARTS, SWEEP_CHARTS
from sendcap.study.capacity.limits import limits_from_ledger
from sendcap.study.convergence.converge import convergence_of
from sendcap.study.sweeps.files import RESULTS_CSV, STUDY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot(
    result: Drawable | pd.DataFrame | str | os.PathLike[str],
    name: str | None = None,
    ax: Axes | Sequence[Axes] | None = None,
    **options: Any,
) -> Figure:
    """Draw a chart of a result.

    Parameters
    ----------
    result
        A result, the table of a sweep, or the directory of a saved run or sweep.
    name
        The chart's name, by default the result's usual one. A run has the charts of its stages
        and of its convergence, too.
    ax
        Draw on these axes. By default a new figure gets them, which is not attached to pyplot.
    **options
        Options of the chart, such as ``delivery`` or ``scale``; see `sendcap.charts`.

    Returns
    -------
    Figure
        The figure, which a notebook shows; ``figure.axes`` are the panels.

    Raises
    ------
    SendcapError
        If there is no such chart, option or directory.

    Examples
    --------
    >>> import sendcap
    >>> figure = sendcap.plot(sendcap.simulate("quickstart"), "backlog")
    >>> figure.savefig("backlog.svg")  # doctest: +SKIP
    """
    if isinstance(result, str | os.PathLike):
        directory = Path(result)
        if name in {chart.name for chart in SWEEP_CHARTS} or (directory / RESULTS_CSV).is_file():
            title, result = _open_sweep(directory)
            options.setdefault("title", title)
        else:
            result = open_run(directory)
            if name == "attempts":
                options.setdefault("sending_log", directory / SENDING_LOG)
    if isinstance(result, pd.DataFrame):
        return chart_called(name, SWEEP_CHARTS).draw(result, ax=ax, **options)
    if not isinstance(result, Run):
        return result.plot(name, ax, **options)
    chart = chart_called(name, RUN_CHARTS)
    source: Any = result
    if chart in STAGE_CHARTS:
        source = limits_from_ledger(result)
    elif chart in CONVERGENCE_CHARTS:
        source = convergence_of(result, modes=options.pop("modes", None))
    return chart.draw(source, ax=ax, **options)


def supports(chart: Chart, option: str) -> bool:
    """Tell whether `plot` of a run or a sweep takes an option."""
    return chart.takes(option) or (option == "modes" and chart in CONVERGENCE_CHARTS)


def _open_sweep(directory: Path) -> tuple[str, pd.DataFrame]:
    """Return the title and the results of a saved sweep."""
    path = directory / RESULTS_CSV
    if not directory.exists():
        raise SendcapError(f"{directory}: no such directory")
    if not path.is_file():
        raise SendcapError(
            f"{directory}: is not a finished sweep: it has no {RESULTS_CSV}; "
            "sendcap sweep writes it when all runs are done"
        )
    require_unchanged(path)
    try:
        results = read_table(path, ("seed", "error"))
        title = tomllib.loads((directory / STUDY).read_text(encoding="utf-8")).get("title", "")
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise SendcapError(f"{directory}: cannot be read, it may be damaged: {reason}") from error
    return str(title), results
