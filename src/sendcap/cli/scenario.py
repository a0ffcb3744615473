"""``sendcap scenario``: list the presets, show, check and describe scenarios."""

from __future__ import annotations

from pathlib import Path

import click

from sendcap.cli import options
from sendcap.cli.keys import keys
from sendcap.text.quantities import counted


@click.group(invoke_without_command=True)
@click.pass_context
def scenario(context: click.Context) -> None:
    """List presets, and show or check scenarios."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


scenario.add_command(keys)


@scenario.command("list")
def list_presets() -> None:
    """List the presets."""
    from sendcap.scenario import presets

    known = presets()
    width = max(map(len, known), default=0)
    for name, description in known.items():
        click.echo(f"{name:<{width}}  {description}")


@scenario.command()
@options.scenario
@click.option("--resolved", is_flag=True, help="Print every key and its value, of a preset too.")
@options.changes
def show(source: str, resolved: bool, settings: tuple[str, ...]) -> None:
    """Print a scenario: a preset with its comments, a file with every key and its value."""
    from sendcap.cli.edits import chosen
    from sendcap.scenario import dumps, preset_text, presets

    scenario = chosen(source, settings, None)
    as_written = source in presets() and not (Path(source).exists() or resolved or settings)
    click.echo(preset_text(source) if as_written else dumps(scenario), nl=False)


@scenario.command()
@options.scenario
@options.changes
def check(source: str, settings: tuple[str, ...]) -> None:
    """Check whether a scenario can be simulated; exit with 2 if not."""
    from sendcap.cli.conduct import printable
    from sendcap.cli.edits import chosen

    scenario = chosen(source, settings, None)
    messages = sum(delivery.messages for delivery in scenario.deliveries)
    providers = {name for delivery in scenario.deliveries for name in delivery.audience}
    facts = (
        counted(messages, "message"),
        counted(len(scenario.deliveries), "delivery", "deliveries"),
        counted(len(providers), "provider"),
        f"seed {scenario.seed}",
        f"modes {', '.join(scenario.reporting.modes)}",
    )
    title = f"{printable(scenario.title)}: " if scenario.title else ""
    click.echo(f"ok: {title}{', '.join(facts)}")


@scenario.command()
def schema() -> None:
    """Print the JSON schema of scenario files, for editors."""
    import json

    from sendcap.scenario import schema as json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
