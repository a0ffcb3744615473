"""``sendcap plot``: a chart of a saved run or of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sendcap.cli import options
from sendcap.files.single import require_free, whole_file
from sendcap.plot import CHARTS, Chart

if TYPE_CHECKING:
    from sendcap.charts.style import Drawn, Format

_FORMATS: Final = ("png", "svg", "pdf")
_SCALES: Final = ("log", "symlog", "linear")
_KINDS: Final = {"run": "Charts of a saved run:", "sweep": "Charts of a sweep:"}


def _list(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        width = max(map(len, CHARTS))
        for kind, heading in _KINDS.items():
            click.echo(heading)
            for chart in CHARTS.values():
                if (chart.source == "sweep") == (kind == "sweep"):
                    click.echo(f"  {chart.name:<{width}}  {chart.about}")
        context.exit()


def _chart(_context: click.Context, parameter: click.Parameter, name: str) -> Chart:
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

    output = out or Path(f"{directory.resolve().name}-{chart.name}.png")
    form = format_of(output)
    wanted: dict[str, Any] = {**asked, "modes": tuple(dict.fromkeys(modes)) or None}
    require_options(chart, wanted)
    require_free(output, force=force)
    drawn = drawn_from(directory, chart, wanted)
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

    known = {"modes": "--mode"}
    for option, value in wanted.items():
        # The convergence is computed for the modes that are asked for.
        is_known = chart.takes(option) or (option == "modes" and chart.source == "convergence")
        if value is not None and not is_known:
            flag = known.get(option, f"--{option}")
            raise SendcapError(f"{flag}: not supported by chart {chart.name}")


def drawn_from(directory: Path, chart: Chart, wanted: dict[str, Any]) -> Drawn:
    """Draw a chart of the run or sweep in a directory."""
    if chart.source == "sweep":
        title, results = _sweep(directory)
        return chart.draw(results, title=title, **wanted)
    from sendcap.run import open_run
    from sendcap.saved import SENDING_LOG

    run = open_run(directory)
    if chart.source == "stages":
        from sendcap.study.capacity.from_ledger import limits_from_ledger

        return chart.draw(limits_from_ledger(run), **wanted)
    if chart.source == "convergence":
        from sendcap.study.convergence.converge import convergence_of

        study = convergence_of(run, modes=wanted.pop("modes"))
        return chart.draw(study, **wanted)
    if chart.source == "sending log":
        return chart.draw(run, directory / SENDING_LOG, **wanted)
    return chart.draw(run, **wanted)


def _sweep(directory: Path) -> tuple[str, Any]:
    """Return the title and the results of a sweep."""
    import tomllib

    import pandas as pd

    from sendcap.errors import SendcapError
    from sendcap.study.sweeps.files import RESULTS_CSV, STUDY

    path = directory / RESULTS_CSV
    if not directory.exists():
        raise SendcapError(f"{directory}: no such directory")
    if not path.is_file():
        raise SendcapError(
            f"{directory}: is not a finished sweep: it has no {RESULTS_CSV}; "
            "sendcap sweep writes it when all runs are done"
        )
    try:
        results = pd.read_csv(path, dtype={"seed": str, "error": str})
        title = tomllib.loads((directory / STUDY).read_text(encoding="utf-8")).get("title", "")
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise SendcapError(f"{directory}: cannot be read, it may be damaged: {reason}") from error
    return str(title), results
