"""``sendcap import``: scenarios from the configurations of MTAs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

import click

import sendcap
from sendcap.cli import options
from sendcap.cli.tables import headline, say, show_grid, wrapped
from sendcap.files.directory import Staging
from sendcap.files.single import whole_file, write_text
from sendcap.text.shares import rounded_share

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS: Final = {
    "connections_per_ip": "Connections",
    "messages_per_connection": "Messages each",
    "idle_timeout": "Idle",
    "rate": "Rate",
    "connection_rate": "New connections",
    "suspend": "After throttled answers",
}
_NAMED: Final = 6
_LONGEST: Final = 60


@click.group(name="import", invoke_without_command=True)
@click.pass_context
def importing(context: click.Context) -> None:
    """Convert an MTA's configuration to a scenario.

    Limits and retries come from the configuration. Everything else (connection times, bounce
    rates, the relay) comes from --base; the report lists the source of each value.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


_common = options.together(
    options.out_file("The scenario file to write (default: show the report only)."),
    options.report("show a summary only"),
    options.text(
        "--audience",
        "A",
        "Audience: NAME=SHARE,…, e.g. gmail=0.6,yahoo=0.3,other=0.1, or a CSV file with a domain "
        "and a count per row (default: the base's).",
    ),
    options.number("--messages", "Number of messages (default: the base's)."),
    options.text(
        "--base",
        options.SOURCE,
        "Source of the values that the configuration lacks (default: quickstart).",
        default="quickstart",
    ),
    options.number("--ips", "Number of source addresses."),
    options.number(
        "--other-domains",
        "Number of domains whose limits the provider `other` has together (default: from the "
        "counts, or 5).",
    ),
)
_mx = options.text(
    "--mx", "CSV", "MX hosts: a domain and a host per row; not needed for well-known domains."
)


@importing.command()
@click.argument("shaping", nargs=-1, required=True, metavar="SHAPING.toml…")
@_common
@options.text("--source", "NAME", "Egress source whose settings apply.")
@_mx
@click.option(
    "--queue",
    multiple=True,
    metavar="QUEUE.toml",
    help="The queue helper's file with retries and rates; repeatable.",
)
@click.option(
    "--pools",
    multiple=True,
    metavar="SOURCES.toml",
    help="The sources helper's file with egress pools; repeatable.",
)
def kumomta(shaping: tuple[str, ...], **asked: Any) -> None:
    """Import KumoMTA's traffic shaping; name its files in KumoMTA's loading order.

    An audience names provider blocks, domains or well-known providers (gmail), and `other` for
    everything under the default block.
    """
    _import(partial(sendcap.import_kumomta, shaping), **asked)


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
@options.text("--transport", "FILE", "The transport map as text: domains and their transports.")
def postfix(main_cf: str, **asked: Any) -> None:
    """Import Postfix's main.cf, or the output of `postconf -n`."""
    _import(partial(sendcap.import_postfix, main_cf), **asked)


@importing.command()
@click.argument("configuration", callback=options.not_empty, metavar="CONFIGURATION")
@_common
@options.text(
    "--queue-interval",
    "T",
    "Time between queue runs, such as 30m of `exim -q30m` (default: what is due is tried at once).",
)
def exim(configuration: str, **asked: Any) -> None:
    """Import the retry rules of Exim's configuration, or a file with rules only."""
    _import(partial(sendcap.import_exim, configuration), **asked)


@importing.command()
@click.argument("configuration", callback=options.not_empty, metavar="SMTPD.CONF")
@_common
def opensmtpd(configuration: str, **asked: Any) -> None:
    """Import OpenSMTPD's smtpd.conf: its limits of connections, retries and lifetime."""
    _import(partial(sendcap.import_opensmtpd, configuration), **asked)


@importing.command()
@click.argument("configuration", callback=options.not_empty, metavar="CONFIG")
@_common
@options.text("--source", "NAME", "Virtual MTA or pool that sends the mail (default: all).")
@_mx
def powermta(configuration: str, **asked: Any) -> None:
    """Import PowerMTA's configuration and the files it includes."""
    _import(partial(sendcap.import_powermta, configuration), **asked)


def _import(
    make: Callable[..., sendcap.Imported],
    out: Path | None,
    report: Path | None,
    force: bool,
    **asked: Any,
) -> None:
    from sendcap.files.tables import write_csv
    from sendcap.importers.imported import REPORT, SETTINGS

    if report is not None:
        if out is not None and out.absolute() == report.absolute():
            raise click.UsageError("--out and --report have the same name")
        if report.suffix == ".csv":
            raise click.UsageError(
                f"--report: {report} looks like a file; name a directory, which gets {SETTINGS}"
            )
    # The file gets its name last, when nothing can fail any more.
    with (
        nullcontext() if out is None else whole_file(out) as written,
        nullcontext() if report is None else Staging(report, REPORT, force=force) as folder,
    ):
        made = make(**asked)
        if folder is not None:
            write_csv(folder / SETTINGS, made.report)
        if written is not None:
            write_text(written, made.text)
    _show_limits(made)
    _show_report(made.report)
    if report is None:
        click.echo("--report DIR saves every setting with its value, file and line.\n")
    else:
        click.echo(f"Saved in {report}: {SETTINGS}")
    if out is not None:
        click.echo(f"Scenario: {out}")


def _show_limits(made: sendcap.Imported) -> None:
    from sendcap.scenario import to_dict

    scenario = to_dict(made.scenario)
    mta, providers = scenario["mta"], scenario["providers"]

    def text(name: str, key: str) -> str:
        value = providers[name][key]
        return _limit(mta["suspend"] if value == "mta" else value)

    retry = ", ".join(
        f"{key} {','.join(map(str, value)) if isinstance(value, list | tuple) else value}"
        for key, value in mta["retry"].items()
        if key != "policy"
    )
    columns = {
        key: heading
        for key, heading in _COLUMNS.items()
        if key != "connection_rate" or any(each[key] != "none" for each in providers.values())
    }
    number = sum(made.scenario.pools().values())
    addresses = "1 source address" if number == 1 else "each source address"
    show_grid(
        f"Limits, for {addresses}",
        "Provider",
        list(providers),
        columns,
        text,
        *(line for limit in scenario["limits"] for line in _lines(_over_several(limit))),
        f"Source addresses: {number}",
        *(f"Pool {name}: {_pool(pool)}" for name, pool in mta.get("pools", {}).items()),
        *_lines(f"Retries: {mta['retry']['policy']}, {retry}"),
    )


def _pool(pool: dict[str, Any]) -> str:
    weights = ", ".join(map(str, pool.get("weights", ())))
    return f"{pool['ips']}" + (f", by the weights {weights}" if weights else "")


def _over_several(limit: dict[str, Any]) -> str:
    """Return a limit over several queues in words."""
    values = [_limit(limit["rate"])] if limit.get("rate", "none") != "none" else []
    if "connections" in limit:
        grows = f", one more each {limit['one_more_every']}" if "one_more_every" in limit else ""
        values.append(f"{limit['connections']:,} connections{grows}")
    names = [name for key in ("providers", "pools", "deliveries") for name in limit.get(key, ())]
    whom = ", ".join(names) or "all"
    if limit.get("attempts") == "retries":
        whom = f"retries to {whom}"
    return f"Limit {limit['name']}, over {whom} together: {', '.join(values)}"


def _limit(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(map(_limit, value))
    if not isinstance(value, dict):
        return f"{value:,}" if isinstance(value, int) else str(value)
    if "after" in value:
        paused = "pause" if value["rate"] == "closed" else value["rate"]
        count = value["after"] if value["share"] == "none" else rounded_share(value["share"])
        period = "a row" if value["counting"] == "in-a-row" else value["within"]
        return f"{count} in {period}: {paused} for {value['lasts']}"
    if value.get("kind") == "fixed-window":
        return f"{value['limit']:,} in {value['window']}"
    return f"pause {value['pause']}" if value.get("kind") == "gap" else str(value.get("kind"))


def _show_report(report: pd.DataFrame) -> None:
    """Print the warnings, and what became of the settings: each reason once, with all names."""
    from sendcap.importers.imported import BASE, DEFAULT, UNUSED, USED, WARNING

    warnings = []
    for row in report[report["status"] == WARNING].to_dict("records"):
        file = f"{PurePath(row['where']).name}: " if row["where"] else ""
        value = f" {row['value']}" if row["value"] else ""
        warnings.append(f"{file}{row['setting']}{value}: {row['why']}")
    _show("Warnings", warnings)
    for status, column, title in (
        (USED, "scenario", "How the configuration was read"),
        (DEFAULT, "scenario", "Not in the configuration: the MTA's defaults"),
        (BASE, "scenario", "In no such configuration"),
        (UNUSED, "setting", "In the configuration, but not in the scenario"),
    ):
        rows = report[report["status"] == status]
        if status == USED:
            rows = rows[rows["why"] != ""]
        names = rows[column]
        if status in (USED, DEFAULT):
            # The values are in the table.
            names = names.str.split(" = ").str[0]
        reasons = {why: _names(names[rows["why"] == why]) for why in rows["why"].unique()}
        _show(title, [f"{each}: {why}" if why else each for why, each in reasons.items()])


def _show(title: str, texts: Sequence[str]) -> None:
    if texts:
        headline(title)
        say(*(line for text in texts for line in _lines(text, "- ")))


def _names(names: pd.Series[str]) -> str:
    each = [
        name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…" for name in names.unique()
    ]
    more = f" and {len(each) - _NAMED} more" if len(each) > _NAMED else ""
    return ", ".join(each[:_NAMED]) + more


def _lines(text: str, bullet: str = "") -> list[str]:
    return wrapped(text, bullet, "  ").split("\n")
