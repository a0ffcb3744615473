"""``sendcap import``: scenarios from the configurations of MTAs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sendcap.cli.options import WholeNumber, directory, not_empty

if TYPE_CHECKING:
    from sendcap.importers import Imported

_Command = TypeVar("_Command", bound=Callable[..., Any])


@click.group(name="import", invoke_without_command=True)
@click.pass_context
def importing(context: click.Context) -> None:
    """Make a scenario of your MTA's configuration.

    Limits and retries come from the configuration. What it does not hold (how long connecting
    takes, shares of bounces, the relay) comes from --base, and the report says so.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


_AUDIENCE = """NAME=SHARE,… such as gmail=0.6,yahoo=0.3,other=0.1, or a CSV file with a domain and
a count in each row; by default as the base has it."""


def _common(command: _Command) -> _Command:
    """Add the options that all importers take."""
    for option in reversed(
        (
            click.option(
                "-o",
                "--out",
                callback=directory,
                metavar="FILE",
                help="Where to write the scenario; without it, only the report is shown.",
            ),
            click.option("--force", is_flag=True, help="Replace FILE, and the report's."),
            click.option(
                "--report",
                callback=directory,
                metavar="FILE",
                help="Also write the whole report, as CSV.",
            ),
            click.option("--audience", callback=not_empty, metavar="A", help=_AUDIENCE),
            click.option(
                "--messages",
                type=WholeNumber(min=1),
                metavar="N",
                help="How many messages there are.",
            ),
            click.option(
                "--base",
                callback=not_empty,
                metavar="SCENARIO|PRESET",
                default="quickstart",
                show_default=True,
                help="What the configuration does not hold is taken from it.",
            ),
            click.option(
                "--ips", type=WholeNumber(min=1), metavar="N", help="Number of source addresses."
            ),
            click.option(
                "--other-domains",
                type=WholeNumber(min=1),
                metavar="N",
                help="How many domains' limits the provider `other` has together; by default "
                "told from the counts, or 5.",
            ),
        )
    ):
        command = option(command)
    return command


def _mx_option(command: _Command) -> _Command:
    return click.option(
        "--mx",
        callback=not_empty,
        metavar="CSV",
        help="MX hosts: a domain and a host in each row. Well-known domains need none.",
    )(command)


@importing.command()
@click.argument("shaping", nargs=-1, required=True, metavar="SHAPING.toml…")
@_common
@click.option(
    "--source", callback=not_empty, metavar="NAME", help="Egress source whose own settings hold."
)
@_mx_option
@click.option(
    "--queue",
    multiple=True,
    metavar="QUEUE.toml",
    help="The queue helper's file: how often a message is tried again. May be given again.",
)
def kumomta(shaping: tuple[str, ...], **options: Any) -> None:
    """Import KumoMTA's traffic shaping; give its files in the order that KumoMTA loads them.

    Names of an audience are those of provider blocks, domains, well-known providers (gmail), and
    `other` for all that the default block holds for.
    """
    from sendcap.importers import import_kumomta

    _import(lambda its: import_kumomta(shaping, **its), options)


@importing.command()
@click.argument("main_cf", callback=not_empty, metavar="MAIN.CF")
@_common
@click.option(
    "--master",
    "master_cf",
    callback=not_empty,
    metavar="FILE",
    help="master.cf: numbers of processes, and options of transports.",
)
@click.option(
    "--transport",
    callback=not_empty,
    metavar="FILE",
    help="The map of transports, as text: which domain goes by which.",
)
def postfix(main_cf: str, **options: Any) -> None:
    """Import Postfix's main.cf, or what `postconf -n` prints."""
    from sendcap.importers import import_postfix

    _import(lambda its: import_postfix(main_cf, **its), options)


@importing.command()
@click.argument("configuration", callback=not_empty, metavar="CONFIGURATION")
@_common
def exim(configuration: str, **options: Any) -> None:
    """Import the retry rules of Exim's configuration, or a file of rules alone."""
    from sendcap.importers import import_exim

    _import(lambda its: import_exim(configuration, **its), options)


@importing.command()
@click.argument("configuration", callback=not_empty, metavar="CONFIG")
@_common
@click.option(
    "--source",
    callback=not_empty,
    metavar="NAME",
    help="Virtual MTA, or pool of them, that mail goes out by; by default all.",
)
@_mx_option
def powermta(configuration: str, **options: Any) -> None:
    """Import PowerMTA's configuration, with the files that it includes."""
    from sendcap.importers import import_powermta

    _import(lambda its: import_powermta(configuration, **its), options)


def _import(make: Callable[[dict[str, Any]], Imported], options: dict[str, Any]) -> None:
    from sendcap.cli.importing_tables import show_import
    from sendcap.files.single import require_free, save_text
    from sendcap.files.tables import csv_text

    out: Path | None = options.pop("out")
    report: Path | None = options.pop("report")
    force: bool = options.pop("force")
    for path in (out, report):
        if path is not None:
            require_free(path, force=force)
    if out is not None and report is not None and out.absolute() == report.absolute():
        raise click.UsageError("--out and --report name the same file")
    made = make(options)
    if report is not None:
        save_text(report, csv_text(made.report), force=force)
    if out is not None:
        made.save(out, force=force)
    show_import(made, whole=report is not None)
    for path in (report, out):
        if path is not None:
            click.echo(f"Written: {path}")
