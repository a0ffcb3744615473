"""``sendcap calibrate``: from delivery logs to a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import sendcap
from sendcap.cli import options
from sendcap.cli.edits import edited
from sendcap.cli.progress import bytes_bar, progress_bar
from sendcap.cli.saving import Results
from sendcap.files.single import whole_file, write_text
from sendcap.text.quoting import printable

if TYPE_CHECKING:
    from sendcap.calibration.verification import Verification


@click.command()
@click.argument("logs", metavar="LOG…", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.out_file("The scenario file to write.", required=True)
@options.report("a new one under runs/")
@click.option(
    "--format",
    metavar="F",
    help="postfix, exim, opensmtpd, kumomta, powermta, momentum, ses, sendgrid, mailgun or "
    "sparkpost (default: detected from each file).",
)
@options.text(
    "--providers",
    "FILE",
    "CSV: host or domain suffix and provider; overrides the built-in list.",
    callback=options.path,
)
@options.number(
    "--year",
    "Year of each file's first line, for timestamps without one (default: from the file's "
    "modification time).",
    least=1970,
    most=9998,
)
@options.text(
    "--feedback",
    "FILE",
    "CSV: the time of an event and the time at which Campaign knew it.",
    callback=options.path,
)
@options.flag("--verify", "Simulate the scenario and compare it with the log.")
@options.overrides
def calibrate(
    logs: tuple[Path, ...],
    out: Path,
    report: Path | None,
    force: bool,
    verify: bool,
    settings: tuple[str, ...],
    seed: int | None,
    **asked: Any,
) -> None:
    """Fit a scenario to delivery logs.

    Reads Postfix's and OpenSMTPD's mail.log, Exim's main log, KumoMTA's JSON lines, PowerMTA's
    accounting files, Momentum's mainlog and bouncelog, and the events of Amazon SES, SendGrid,
    Mailgun and SparkPost, plain or compressed. Estimates connection and transaction times, limits,
    bounces and their duration, and the retry policy, with uncertainties. DIR gets a report with the
    estimates, the quality of the fit and the values that the log cannot show. No address is written
    anywhere.

    --set and --seed apply to the simulation of --verify.
    """
    from sendcap.calibration.files import CALIBRATION, write_calibration
    from sendcap.calibration.report import report as report_of

    if (settings or seed is not None) and not verify:
        raise click.UsageError("--set and --seed go with --verify")
    results = Results(CALIBRATION, report, out.stem, "calibration", force=force)
    # The file gets its name last, when nothing can fail any more.
    with whole_file(out) as written, results as folder:
        with bytes_bar() as progress:
            calibration = sendcap.calibrate(logs, **asked, progress=progress)
        verified = _verified(calibration, settings, seed) if verify else None
        write_calibration(calibration, verified, folder)
        write_text(written, calibration.text)
    for line in report_of(calibration, verified).splitlines():
        click.echo(printable(line))
    click.echo(f"\nScenario: {out}")
    results.announce()


def _verified(
    calibration: sendcap.Calibration, settings: tuple[str, ...], seed: int | None
) -> Verification:
    from sendcap.calibration.verification import verify

    scenario = edited(calibration.scenario, settings, seed)
    with progress_bar() as progress:
        return verify(calibration, progress, scenario=scenario)
