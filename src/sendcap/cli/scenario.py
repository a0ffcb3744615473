"""``sendcap scenario``: list the presets, show, check and describe scenarios."""

from __future__ import annotations

import textwrap
from pathlib import Path

import click

import sendcap
from sendcap.cli import options
from sendcap.cli.edits import chosen
from sendcap.cli.tables import show_list, wrapped
from sendcap.text.quoting import printable


@click.group(invoke_without_command=True)
@click.pass_context
def scenario(context: click.Context) -> None:
    """List presets, and show or check scenarios."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@scenario.command("list")
def list_presets() -> None:
    """List the presets."""
    show_list(sendcap.presets())


@scenario.command()
@options.scenario
@options.flag("--resolved", "Print every key and its value, of a preset too.")
@options.flag("--effective", "Print the settings that take effect at each queue, in words.")
@options.changes
def show(source: str, resolved: bool, effective: bool, settings: tuple[str, ...]) -> None:
    """Print a scenario: a preset with its comments, a file with every key and its value."""
    from sendcap.scenario import preset_text

    if resolved and effective:
        raise click.UsageError("--resolved and --effective: give one, not both")
    scenario = chosen(source, settings, None)
    if effective:
        _show_effective(scenario)
        return
    as_written = source in sendcap.presets() and not (Path(source).exists() or resolved or settings)
    click.echo(preset_text(source) if as_written else sendcap.dumps(scenario), nl=False)


def _show_effective(scenario: sendcap.Scenario) -> None:
    """Print the settings of all queues, and of each group of them, below the names."""
    from sendcap.readings.effective import common_rows, effective

    groups = effective(scenario)
    common = common_rows(groups)
    parts = [("Every queue", common)] if common else []
    parts += [
        (group.heading, tuple(row for row in group.rows if row not in common)) for group in groups
    ]
    for number, (heading, rows) in enumerate(parts):
        if number:
            click.echo()
        click.echo(wrapped(heading))
        for label, text in rows:
            first = f"  {label:<13} "
            click.echo(wrapped(text, first, " " * len(first)))


@scenario.command()
@options.scenario
@options.changes
def check(source: str, settings: tuple[str, ...]) -> None:
    """Check whether a scenario can be simulated; exit with 2 if not."""
    from sendcap.scenario.in_brief import headline

    scenario = chosen(source, settings, None)
    title = f"{printable(scenario.title)}: " if scenario.title else ""
    modes = ", ".join(scenario.reporting.modes)
    click.echo(f"ok: {title}{headline(scenario)}, modes {modes}")


@scenario.command()
def schema() -> None:
    """Print the JSON schema of scenario files, for editors."""
    import json

    from sendcap.scenario import schema as json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@scenario.command()
@click.argument("path", default="")
def keys(path: str) -> None:
    """Print the keys of a scenario file, or those at and below PATH.

    PATH is such as `providers`, `mta.retry` or `deliveries[0].messages`; `distribution` has the
    keys of a random time.
    """
    from sendcap.guide.keys import scenario_keys

    for key in scenario_keys(path):
        variant = f"  ({key.variant})" if key.variant else ""
        default = f"; default {key.default}" if key.default not in ("", "required") else ""
        required = "; required" if key.default == "required" else ""
        click.echo(f"{key.path}{variant}")
        source = f"Source: {key.source}" if key.source else ""
        for text in (f"{key.values}{default}{required}", key.meaning, source):
            if text:
                click.echo(textwrap.fill(text, 80, initial_indent="    ", subsequent_indent="    "))
