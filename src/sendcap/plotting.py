"""Draw a result, or what is saved in a directory: `sendcap.plot`."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from sendcap.charts.drawing import Drawable
from sendcap.charts.listed import RUN_CHARTS, SWEEP_CHARTS, chart_called
from sendcap.errors import SendcapError
from sendcap.files.checksums import require_unchanged
from sendcap.files.tables import read_table
from sendcap.run import open_run
from sendcap.saved import LEDGER, SENDING_LOG
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
        The chart's name, by default the result's usual one.
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
        return _plot_saved(Path(result), name, ax=ax, **options)
    if isinstance(result, pd.DataFrame):
        return chart_called(name, SWEEP_CHARTS, "a sweep").draw(result, ax=ax, **options)
    return result.plot(name, ax, **options)


def _plot_saved(directory: Path, name: str | None, **options: Any) -> Figure:
    is_sweep = _is_sweep(directory, name)
    charts, whose = (SWEEP_CHARTS, "a sweep") if is_sweep else (RUN_CHARTS, "a run")
    chart = chart_called(name, charts, f"{directory}: {whose}")
    if is_sweep:
        title, results = _open_sweep(directory)
        return chart.draw(results, **{"title": title, **options})
    run = open_run(directory)
    if name == "attempts":
        options.setdefault("sending_log", directory / SENDING_LOG)
    return chart.draw(run, **options)


def _is_sweep(directory: Path, name: str | None) -> bool:
    """Tell whether a directory is that of a sweep; one of neither is what the chart asks for."""
    if (directory / RESULTS_CSV).is_file() or (directory / STUDY).is_file():
        return True
    is_run = (directory / LEDGER).is_file()
    return not is_run and name in {chart.name for chart in SWEEP_CHARTS}


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
