"""``sendcap import``: scenarios from the configurations of MTAs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sendcap.cli import options

if TYPE_CHECKING:
    from sendcap.importers import Imported

_Command = TypeVar("_Command", bound=Callable[..., Any])


@click.group(name="import", invoke_without_command=True)
@click.pass_context
def importing(context: click.Context) -> None:
    """Convert an MTA's configuration to a scenario.

    Limits and retries come from the configuration. Everything else (connection times, bounce
    rates, the relay) comes from --base; the report lists the source of each value.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


_AUDIENCE = """Audience: NAME=SHARE,…, e.g. gmail=0.6,yahoo=0.3,other=0.1, or a CSV file with a
domain and a count per row (default: the base's)."""


def _common(command: _Command) -> _Command:
    """Add the options of all importers."""
    for option in reversed(
        (
            options.out_file("The scenario file to write (default: show the report only)."),
            options.report("show a summary only"),
            click.option("--audience", callback=options.not_empty, metavar="A", help=_AUDIENCE),
            options.number("--messages", "Number of messages (default: the base's)."),
            click.option(
                "--base",
                callback=options.not_empty,
                metavar=options.SOURCE,
                default="quickstart",
                help="Source of the values that the configuration lacks (default: quickstart).",
            ),
            options.number("--ips", "Number of source addresses."),
            options.number(
                "--other-domains",
                "Number of domains whose limits the provider `other` has together (default: from "
                "the counts, or 5).",
            ),
        )
    ):
        command = option(command)
    return command


def _mx_option(command: _Command) -> _Command:
    return click.option(
        "--mx",
        callback=options.not_empty,
        metavar="CSV",
        help="MX hosts: a domain and a host per row; not needed for well-known domains.",
    )(command)


@importing.command()
@click.argument("shaping", nargs=-1, required=True, metavar="SHAPING.toml…")
@_common
@click.option(
    "--source",
    callback=options.not_empty,
    metavar="NAME",
    help="Egress source whose settings apply.",
)
@_mx_option
@click.option(
    "--queue",
    multiple=True,
    metavar="QUEUE.toml",
    help="The queue helper's file with the retry schedule; repeatable.",
)
def kumomta(shaping: tuple[str, ...], **values: Any) -> None:
    """Import KumoMTA's traffic shaping; name its files in KumoMTA's loading order.

    An audience names provider blocks, domains or well-known providers (gmail), and `other` for
    everything under the default block.
    """
    from sendcap.importers import import_kumomta

    _import(lambda given: import_kumomta(shaping, **given), values)


@importing.command()
@click.argument("main_cf", callback=options.not_empty, metavar="MAIN.CF")
@_common
@click.option(
    "--master",
    "master_cf",
    callback=options.not_empty,
    metavar="FILE",
    help="master.cf, with process limits and options of transports.",
)
@click.option(
    "--transport",
    callback=options.not_empty,
    metavar="FILE",
    help="The transport map as text: domains and their transports.",
)
def postfix(main_cf: str, **values: Any) -> None:
    """Import Postfix's main.cf, or the output of `postconf -n`."""
    from sendcap.importers import import_postfix

    _import(lambda given: import_postfix(main_cf, **given), values)


@importing.command()
@click.argument("configuration", callback=options.not_empty, metavar="CONFIGURATION")
@_common
def exim(configuration: str, **values: Any) -> None:
    """Import the retry rules of Exim's configuration, or a file with rules only."""
    from sendcap.importers import import_exim

    _import(lambda given: import_exim(configuration, **given), values)


@importing.command()
@click.argument("configuration", callback=options.not_empty, metavar="CONFIG")
@_common
@click.option(
    "--source",
    callback=options.not_empty,
    metavar="NAME",
    help="Virtual MTA or pool that sends the mail (default: all).",
)
@_mx_option
def powermta(configuration: str, **values: Any) -> None:
    """Import PowerMTA's configuration and the files it includes."""
    from sendcap.importers import import_powermta

    _import(lambda given: import_powermta(configuration, **given), values)


def _import(make: Callable[[dict[str, Any]], Imported], values: dict[str, Any]) -> None:
    from sendcap.cli.importing_tables import show_import
    from sendcap.files.directory import Staging
    from sendcap.files.single import require_free
    from sendcap.files.tables import write_csv
    from sendcap.importers.imported import REPORT, SETTINGS

    out: Path | None = values.pop("out")
    report: Path | None = values.pop("report")
    force: bool = values.pop("force")
    if out is not None:
        require_free(out, force=force)
    if report is not None:
        if out is not None and out.absolute() == report.absolute():
            raise click.UsageError("--out and --report have the same name")
        if report.suffix == ".csv":
            raise click.UsageError(
                f"--report: {report} looks like a file; name a directory, which gets {SETTINGS}"
            )
    with nullcontext() if report is None else Staging(report, REPORT, force=force) as folder:
        made = make(values)
        if folder is not None:
            write_csv(folder / SETTINGS, made.report)
        if out is not None:
            made.save(out, force=force)
    show_import(made, whole=report is not None)
    if report is not None:
        click.echo(f"Saved in {report}: {SETTINGS}")
    if out is not None:
        click.echo(f"Scenario: {out}")
