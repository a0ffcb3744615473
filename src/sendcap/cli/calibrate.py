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
@options.out_file("The scenario file to write.", required=True)
@options.report("a new one under runs/")
@click.option(
    "--format",
    "format_name",
    metavar="F",
    help="postfix, kumomta, powermta or momentum (default: detected from each file).",
)
@click.option(
    "--providers",
    callback=options.path,
    metavar="FILE",
    help="CSV: host or domain suffix and provider; overrides the built-in list.",
)
@click.option(
    "--year",
    type=options.WholeNumber(min=1970, max=9998),
    metavar="N",
    help="Year of each file's first line, for timestamps without one (default: from the file's "
    "modification time).",
)
@click.option(
    "--feedback",
    callback=options.path,
    metavar="FILE",
    help="CSV: the time of an event and the time at which Campaign knew it.",
)
@click.option("--verify", is_flag=True, help="Simulate the scenario and compare it with the log.")
@options.overrides
def calibrate(
    logs: tuple[Path, ...],
    out: Path,
    report: Path | None,
    force: bool,
    format_name: str | None,
    providers: Path | None,
    year: int | None,
    feedback: Path | None,
    verify: bool,
    settings: tuple[str, ...],
    seed: int | None,
) -> None:
    """Fit a scenario to delivery logs.

    Reads Postfix's mail.log, KumoMTA's JSON lines, PowerMTA's accounting files and Momentum's
    mainlog and bouncelog, plain or compressed. Estimates connection and transaction times, limits,
    bounces and their duration, and the retry policy, with uncertainties. DIR gets a report with
    the estimates, the quality of the fit and the values that the log cannot show. No address is
    written anywhere.

    --set and --seed apply to the simulation of --verify.
    """
    from sendcap.calibration.files import CALIBRATION, write_calibration
    from sendcap.cli.saving import Results
    from sendcap.files.single import require_free, save_text

    if (settings or seed is not None) and not verify:
        raise click.UsageError("--set and --seed go with --verify")
    require_free(out, force=force)
    results = Results(CALIBRATION, report, out.stem, "calibration", force=force)
    with results as folder:
        found = _found(logs, format_name, providers, year, feedback)
        verified = _verified(found, settings, seed) if verify else None
        write_calibration(found, verified, folder)
        save_text(out, found.text, force=force)
    _show(found, verified)
    click.echo(f"Scenario: {out}")
    results.announce()


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


def _verified(found: Calibration, settings: tuple[str, ...], seed: int | None) -> Verification:
    from sendcap.calibration.verification import verify
    from sendcap.cli.edits import edited
    from sendcap.cli.progress import progress_bar

    scenario = edited(found.scenario, settings, seed)
    with progress_bar() as progress:
        return verify(found, progress, scenario=scenario)


def _show(found: Calibration, verified: Verification | None) -> None:
    from sendcap.calibration.report import report
    from sendcap.cli.conduct import printable

    for line in report(found, verified).splitlines():
        click.echo(printable(line))
    click.echo()
