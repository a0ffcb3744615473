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
_KINDS: Final = {"run": "Of a saved run:", "sweep": "Of a sweep:"}


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
            f"there is no {name!r}; sendcap plot --list names the charts", param=parameter
        )
    return CHARTS[name]


@click.command()
@click.argument("directory", metavar="DIR", callback=options.directory)
@click.argument("chart", metavar="CHART", callback=_chart)
@click.option(
    "-o",
    "--output",
    callback=options.directory,
    metavar="FILE",
    help="A .png, .svg or .pdf; by default DIR-CHART.png in the working directory.",
)
@click.option("--force", is_flag=True, help="Replace FILE.")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list,
    help="List the charts, and exit.",
)
@options.mode_option("Draw this mode and not the scenario's; may be repeated.")
@click.option("--delivery", metavar="NAME", help="Of this delivery only.")
@click.option(
    "--start",
    metavar="WHEN",
    help="Tell the time by the clock, from this moment on, such as 2026-11-27T09:00; "
    "'scenario' takes the scenario's.",
)
@click.option(
    "--scale",
    type=click.Choice(_SCALES),
    help="Of the time axis; symlog is linear for 15 minutes and logarithmic after them.",
)
@click.option("--measure", metavar="NAME", help="Of a sweep: the column to draw.")
@click.option("--over", metavar="PATH", help="Of a sweep: the parameter across.")
@click.option("--by", metavar="PATH", help="Of a sweep: the parameter of the lines or up.")
def plot(
    directory: Path,
    chart: Chart,
    output: Path | None,
    force: bool,
    modes: tuple[str, ...],
    **asked: str | None,
) -> None:
    """Draw a CHART of what is saved in DIR: a run, or a sweep.

    `sendcap plot --list` names the charts, and what each shows.
    """
    from sendcap.charts.style import save

    output = Path(f"{directory.resolve().name}-{chart.name}.png") if output is None else output
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
        raise SendcapError(f"--output: {path}: must end on .png, .svg or .pdf")
    return ending  # type: ignore[return-value]


def require_options(chart: Chart, wanted: dict[str, Any]) -> None:
    """Refuse options that a chart has no use for; nothing is ignored."""
    from sendcap.errors import SendcapError

    known = {"modes": "--mode"}
    for option, value in wanted.items():
        # The convergence is computed for the modes that are asked for.
        is_known = chart.takes(option) or (option == "modes" and chart.source == "convergence")
        if value is not None and not is_known:
            flag = known.get(option, f"--{option}")
            raise SendcapError(f"{flag}: the chart {chart.name} has no use for it")


def drawn_from(directory: Path, chart: Chart, wanted: dict[str, Any]) -> Drawn:
    """Draw a chart of what is saved in a directory."""
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
    from sendcap.study.sweeps.results import RESULTS_CSV, STUDY

    path = directory / RESULTS_CSV
    if not directory.exists():
        raise SendcapError(f"{directory}: no such directory")
    if not path.is_file():
        raise SendcapError(
            f"{directory}: is not a finished sweep: there is no {RESULTS_CSV} in it; "
            "sendcap sweep writes it when all runs are done"
        )
    try:
        results = pd.read_csv(path, dtype={"seed": str, "error": str})
        title = tomllib.loads((directory / STUDY).read_text(encoding="utf-8")).get("title", "")
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise SendcapError(f"{directory}: cannot be read, it may be damaged: {reason}") from error
    return str(title), results
