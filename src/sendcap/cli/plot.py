"""``sendcap plot``: a chart of a saved run or of a sweep."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

import sendcap
from sendcap.cli import options
from sendcap.cli.tables import show_list
from sendcap.errors import SendcapError
from sendcap.files.single import require_free, whole_file

if TYPE_CHECKING:
    from sendcap.charts.listed import Chart
    from sendcap.charts.style import Format


def _list() -> None:
    from sendcap.charts.listed import RUN_CHARTS, SWEEP_CHARTS

    width = max(len(chart.name) for chart in (*RUN_CHARTS, *SWEEP_CHARTS))
    for heading, charts in (("saved run", RUN_CHARTS), ("sweep", SWEEP_CHARTS)):
        click.echo(f"Charts of a {heading}:")
        show_list({chart.name: chart.about for chart in charts}, width, margin="  ")


def _chart(_context: click.Context, parameter: click.Parameter, name: str) -> Chart:
    from sendcap.charts.listed import RUN_CHARTS, SWEEP_CHARTS

    charts = {chart.name: chart for chart in (*RUN_CHARTS, *SWEEP_CHARTS)}
    if name not in charts:
        raise click.BadParameter(
            f"no chart is called {name!r}; sendcap plot --list lists the charts", param=parameter
        )
    return charts[name]


_FLAGS: Final = {"modes": "--mode", "since": "--from", "until": "--to"}
"""Options that are not called as their argument in Python."""


@click.command()
@options.saved
@click.argument("chart", metavar="CHART", callback=_chart)
@options.out_file("A .png, .svg or .pdf file (default: DIR-CHART.png in the working directory).")
@options.shown("--list", _list, "List the charts and exit.")
@options.mode("the run's")
@options.delivery()
@click.option(
    "--start",
    metavar="WHEN",
    help="Label the time axis with clock time starting at WHEN, e.g. 2026-11-27T09:00, or at "
    "the scenario's start: scenario; of several deliveries that is usual, and elapsed is without.",
)
@options.moment("--from", "since", "Begin the time axis at T: 3h, or 17:00 by the clock.")
@options.moment("--to", "until", "End the time axis at T.")
@click.option(
    "--scale",
    type=click.Choice(["log", "symlog", "linear"]),
    help="Scale of the time axis; symlog is linear for 15 minutes, then logarithmic.",
)
@click.option("--measure", metavar="NAME", help="Sweep: the column to draw.")
@click.option("--over", metavar="PATH", help="Sweep: the parameter on the x-axis.")
@click.option("--by", metavar="PATH", help="Sweep: the parameter of the lines, or on the y-axis.")
def plot(directory: Path, chart: Chart, out: Path | None, force: bool, **asked: Any) -> None:
    """Draw a CHART of the run or sweep saved in DIR.

    `sendcap plot --list` lists the charts.
    """
    from sendcap.charts.style import save

    output = out or Path(f"{directory.resolve().name}-{chart.name}.png")
    form = _format_of(output)
    _require_options(chart, asked)
    require_free(output, force=force)
    try:
        drawn = sendcap.plot(directory, chart.name, **asked)
    except SendcapError as error:
        if not (problem := str(error)).startswith(("since: ", "until: ")):
            raise
        flagged = re.sub(r"\b(since|until)\b", lambda name: _FLAGS[name[0]], problem)
        raise SendcapError(flagged) from None
    with whole_file(output) as temporary:
        save(drawn, temporary, form)
    click.echo(f"Saved in {output}")


def _format_of(path: Path) -> Format:
    ending = path.suffix.lower().removeprefix(".")
    if ending not in ("png", "svg", "pdf"):
        raise SendcapError(f"--out: {path}: must end in .png, .svg or .pdf")
    return ending  # type: ignore[return-value]


def _require_options(chart: Chart, asked: dict[str, Any]) -> None:
    """Refuse options that a chart does not support; none is ignored."""
    for option, value in asked.items():
        if value is not None and not chart.takes(option):
            flag = _FLAGS.get(option, f"--{option}")
            raise SendcapError(f"{flag}: not supported by chart {chart.name}")
