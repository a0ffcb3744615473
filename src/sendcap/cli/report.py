"""``sendcap report``: one HTML file about saved runs."""

import gc
from collections import Counter
from pathlib import Path

import click

import sendcap
from sendcap.cli import options
from sendcap.errors import SendcapError
from sendcap.files.single import require_free
from sendcap.text.quantities import listed
from sendcap.text.quoting import visible


@click.command()
@click.argument(
    "directories", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@options.out_file("The HTML file to write (default: report.html).", default="report.html")
@options.text(
    "--title", "TEXT", "Title of the report (default: the scenario's or the directory's)."
)
@click.option(
    "--comments",
    metavar="FILE",
    callback=options.path,
    help="The scenario file that was run: its comments say where figures are from.",
)
@options.excel
def report(
    directories: tuple[Path, ...],
    out: Path,
    title: str | None,
    comments: Path | None,
    *,
    force: bool,
    excel: bool,
) -> None:
    """Write a report on one or several saved runs.

    The report is one HTML file for any browser, for mail and for print: a summary, the dashboard
    over time with a slider, the charts, the scenario and the steps to reproduce the results. A
    workbook is written beside it.
    """
    from sendcap.saved import SENDING_LOG, WORKBOOK

    names = _names(directories)
    workbook = out.parent / WORKBOOK
    if excel:
        if len(names) > 1:
            raise SendcapError(f"--excel: a workbook is of one run, not {len(names)}; name one DIR")
        require_free(workbook, force=force)
    runs = {name: sendcap.open_run(directory) for name, directory in names.items()}
    logs = {name: directory / SENDING_LOG for name, directory in names.items()}
    logs = {name: log for name, log in logs.items() if log.is_file()}
    write = sendcap.write_report
    # Charts leave much to collect. What the imports have made stays, and is not searched each time.
    gc.freeze()
    try:
        write(runs, out, logs, title and visible(title), comments)
        if excel:
            sendcap.write_workbook(next(iter(runs.values())), workbook)
    finally:
        gc.unfreeze()
    click.echo(f"Saved in {listed([str(out), str(workbook)]) if excel else out}")


def _names(directories: tuple[Path, ...]) -> dict[str, Path]:
    """Return the directories by display name: the last part where it is unique."""
    places = [directory.resolve() for directory in directories]
    for position, place in enumerate(places):
        if place in places[:position]:
            raise SendcapError(f"{directories[position]}: appears twice; name each run once")
    last = Counter(place.name for place in places)
    return {
        place.name if last[place.name] == 1 else str(directory): directory
        for place, directory in zip(places, directories, strict=True)
    }
