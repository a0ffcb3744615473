"""``sendcap calibrate``: from delivery logs to a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sendcap.cli import options

if TYPE_CHECKING:
    from sendcap.calibration.calibrate import Calibration
    from sendcap.calibration.verification import Verification


@click.command()
@click.argument("logs", metavar="LOG…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    callback=options.directory,
    metavar="FILE",
    help="The scenario file to write.",
)
@click.option(
    "--report",
    callback=options.directory,
    metavar="DIR",
    help="Where to save the report; by default a new directory under runs/.",
)
@click.option(
    "--format",
    "format_name",
    metavar="F",
    help="postfix, kumomta, powermta or momentum; by default told by each file's content.",
)
@click.option(
    "--providers",
    callback=options.directory,
    metavar="FILE",
    help="CSV: the end of an MX host or domain, and its provider; before the built-in ones.",
)
@click.option(
    "--year",
    type=options.WholeNumber(min=1970, max=9998),
    metavar="N",
    help="Of each file's first line, where stamps have none; by default from the file's own time.",
)
@click.option(
    "--feedback",
    callback=options.directory,
    metavar="FILE",
    help="CSV: the time of an event and the time when Campaign knew it.",
)
@click.option("--verify", is_flag=True, help="Simulate the scenario and compare it with the log.")
@click.option("--force", is_flag=True, help="Replace FILE, and the saved report in DIR.")
def calibrate(
    logs: tuple[Path, ...],
    output: Path,
    report: Path | None,
    format_name: str | None,
    providers: Path | None,
    year: int | None,
    feedback: Path | None,
    verify: bool,
    force: bool,
) -> None:
    """Fit a scenario to delivery logs.

    Reads Postfix's mail.log, KumoMTA's JSON lines, PowerMTA's accounting files and Momentum's
    mainlog and bouncelog, plain or compressed. It estimates how long connections and transactions
    take, limits, bounces and when they clear, and the retry policy, each with its uncertainty. DIR
    gets a report of what was found, how well it fits, and what the log does not tell. No address
    is written anywhere.
    """
    from sendcap.calibration.files import CALIBRATION, write_calibration
    from sendcap.files.directory import Staging
    from sendcap.files.single import require_free, save_text

    require_free(output, force=force)
    if report is None:
        home = options.RUNS / f"{output.stem}-calibration"
        staging = Staging(home, CALIBRATION, numbered=True)
    else:
        staging = Staging(report, CALIBRATION, force=force)
    with staging as folder:
        found = _found(logs, format_name, providers, year, feedback)
        verified = _verified(found) if verify else None
        write_calibration(found, verified, folder)
        files = sorted(entry.name for entry in folder.iterdir())
        save_text(output, found.text, force=force)
    _show(found, verified)
    click.echo(f"Scenario: {output}")
    click.echo(f"Saved in {staging.directory}: {', '.join(files)}")


def _found(
    logs: tuple[Path, ...],
    format_name: str | None,
    providers: Path | None,
    year: int | None,
    feedback: Path | None,
) -> Calibration:
    from sendcap.calibration.calibrate import calibrate as fit
    from sendcap.cli.progress import bytes_bar

    with bytes_bar() as progress:
        return fit(
            logs,
            format=format_name,
            providers=providers,
            year=year,
            feedback=feedback,
            progress=progress,
        )


def _verified(found: Calibration) -> Verification:
    from sendcap.calibration.verification import verify
    from sendcap.cli.progress import progress_bar

    with progress_bar() as progress:
        return verify(found, progress)


def _show(found: Calibration, verified: Verification | None) -> None:
    from sendcap.calibration.report import report
    from sendcap.cli.conduct import printable

    for line in report(found, verified).splitlines():
        click.echo(printable(line))
    click.echo()
