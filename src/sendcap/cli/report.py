"""``sendcap report``: one HTML file about saved runs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from sendcap.cli import options
from sendcap.files.single import require_free, whole_file


@click.command()
@click.argument(
    "directories", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "-o",
    "--output",
    callback=options.directory,
    metavar="FILE",
    default="report.html",
    show_default=True,
    help="The HTML file to write.",
)
@click.option("--force", is_flag=True, help="Replace FILE.")
def report(directories: tuple[Path, ...], output: Path, force: bool) -> None:
    """Write a report about the run saved in DIR; of several, a comparison.

    It is one HTML file, to be opened in any browser, mailed or printed: a summary, the dashboard
    over time with a slider, the charts, the scenario and how to reproduce it all.
    """
    from sendcap.report.page import write_report
    from sendcap.run import open_run
    from sendcap.saved import SENDING_LOG

    require_free(output, force=force)
    names = _names(directories)
    runs = {name: open_run(directory) for name, directory in names.items()}
    logs = {
        name: directory / SENDING_LOG
        for name, directory in names.items()
        if (directory / SENDING_LOG).is_file()
    }
    with whole_file(output) as temporary:
        write_report(runs, temporary, logs)
    click.echo(f"Saved in {output}")


def _names(directories: tuple[Path, ...]) -> dict[str, Path]:
    """Return what each directory is called: by its last part where that tells them apart."""
    from sendcap.errors import SendcapError

    seen: set[Path] = set()
    for directory in directories:
        if directory.resolve() in seen:
            raise SendcapError(f"{directory}: is named twice")
        seen.add(directory.resolve())
    last = Counter(directory.resolve().name for directory in directories)
    return {
        directory.resolve().name
        if last[directory.resolve().name] == 1
        else str(directory): directory
        for directory in directories
    }
