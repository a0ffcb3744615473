"""``sendcap plot``: a chart of a saved run or of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sendcap.cli import options
from sendcap.files.single import require_free, whole_file

if TYPE_CHECKING:
    from sendcap.charts.drawing import Chart
    from sendcap.charts.style import Format

_FORMATS: Final = ("png", "svg", "pdf")
_SCALES: Final = ("log", "symlog", "linear")


def _list(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from sendcap.saved_charts import CHARTS, RUN_CHARTS, SWEEP_CHARTS

        width = max(map(len, CHARTS))
        for heading, charts in (
            ("Charts of a saved run:", RUN_CHARTS),
            ("Charts of a sweep:", SWEEP_CHARTS),
        ):
            click.echo(heading)
            for chart in charts:
                click.echo(f"  {chart.name:<{width}}  {chart.about}")
        context.exit()


def _chart(_context: click.Context, parameter: click.Parameter, name: str) -> Chart:
    from sendcap.saved_charts import CHARTS

    if name not in CHARTS:
        raise click.BadParameter(
            f"no chart is called {name!r}; sendcap plot --list lists the charts", param=parameter
        )
    return CHARTS[name]


@click.command()
@options.saved
@click.argument("chart", metavar="CHART", callback=_chart)
@options.out_file("A .png, .svg or .pdf file (default: DIR-CHART.png in the working directory).")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list,
    help="List the charts and exit.",
)
@options.mode()
@options.delivery
@click.option(
    "--start",
    metavar="WHEN",
    help="Label the time axis with clock time starting at WHEN, e.g. 2026-11-27T09:00, or at "
    "the scenario's start: scenario.",
)
@click.option(
    "--scale",
    type=click.Choice(_SCALES),
    help="Scale of the time axis; symlog is linear for 15 minutes, then logarithmic.",
)
@click.option("--measure", metavar="NAME", help="Sweep: the column to draw.")
@click.option("--over", metavar="PATH", help="Sweep: the parameter on the x-axis.")
@click.option("--by", metavar="PATH", help="Sweep: the parameter of the lines, or on the y-axis.")
def plot(
    directory: Path,
    chart: Chart,
    out: Path | None,
    force: bool,
    modes: tuple[str, ...],
    **asked: str | None,
) -> None:
    """Draw a CHART of the run or sweep saved in DIR.

    `sendcap plot --list` lists the charts.
    """
    from sendcap.charts.style import save
    from sendcap.plotting import plot as drawn_from

    output = out or Path(f"{directory.resolve().name}-{chart.name}.png")
    form = format_of(output)
    wanted: dict[str, Any] = {**asked, "modes": tuple(dict.fromkeys(modes)) or None}
    require_options(chart, wanted)
    require_free(output, force=force)
    drawn = drawn_from(directory, chart.name, **wanted)
    with whole_file(output) as temporary:
        save(drawn, temporary, form)
    click.echo(f"Saved in {output}")


def format_of(path: Path) -> Format:
    """Return the format that a file's name asks for."""
    from sendcap.errors import SendcapError

    ending = path.suffix.lower().removeprefix(".")
    if ending not in _FORMATS:
        raise SendcapError(f"--out: {path}: must end in .png, .svg or .pdf")
    return ending  # type: ignore[return-value]


def require_options(chart: Chart, wanted: dict[str, Any]) -> None:
    """Refuse options that a chart does not support; none is ignored."""
    from sendcap.errors import SendcapError
    from sendcap.plotting import supports

    for option, value in wanted.items():
        if value is not None and not supports(chart, option):
            flag = "--mode" if option == "modes" else f"--{option}"
            raise SendcapError(f"{flag}: not supported by chart {chart.name}")
