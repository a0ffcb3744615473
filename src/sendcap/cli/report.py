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
@options.out_file("The HTML file to write (default: report.html).", default="report.html")
def report(directories: tuple[Path, ...], out: Path, force: bool) -> None:
    """Write a report on the run saved in DIR, or a comparison of several runs.

    The report is one HTML file for any browser, for mail and for print: a summary, the dashboard
    over time with a slider, the charts, the scenario and the steps to reproduce the results.
    """
    from sendcap.report.page import write_report
    from sendcap.run import open_run
    from sendcap.saved import SENDING_LOG

    require_free(out, force=force)
    names = _names(directories)
    runs = {name: open_run(directory) for name, directory in names.items()}
    logs = {
        name: directory / SENDING_LOG
        for name, directory in names.items()
        if (directory / SENDING_LOG).is_file()
    }
    with whole_file(out) as temporary:
        write_report(runs, temporary, logs)
    click.echo(f"Saved in {out}")


def _names(directories: tuple[Path, ...]) -> dict[str, Path]:
    """Return the directories by display name: the last part where it is unique."""
    from sendcap.errors import SendcapError

    seen: set[Path] = set()
    for directory in directories:
        if directory.resolve() in seen:
            raise SendcapError(f"{directory}: appears twice; name each run once")
        seen.add(directory.resolve())
    last = Counter(directory.resolve().name for directory in directories)
    return {
        directory.resolve().name
        if last[directory.resolve().name] == 1
        else str(directory): directory
        for directory in directories
    }
