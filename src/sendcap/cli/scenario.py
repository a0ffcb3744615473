"""``sendcap scenario``: list the presets, show, check and describe scenarios."""

from __future__ import annotations

from pathlib import Path

import click

from sendcap.cli.options import SOURCE, not_empty


@click.group(invoke_without_command=True)
@click.pass_context
def scenario(context: click.Context) -> None:
    """List presets, and show or check scenarios."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@scenario.command("list")
def list_presets() -> None:
    """List the presets that `run` knows by name."""
    from sendcap.scenario import presets

    known = presets()
    width = max(map(len, known), default=0)
    for name, description in known.items():
        click.echo(f"{name:<{width}}  {description}")


@scenario.command()
@click.argument("source", metavar=SOURCE, callback=not_empty)
@click.option("--resolved", is_flag=True, help="Every key with its value, also of a preset.")
def show(source: str, resolved: bool) -> None:
    """Print a scenario: a preset as it is written, with its comments, a file fully resolved."""
    from sendcap.scenario import dumps, load, preset_text, presets

    its = load(source)
    as_written = source in presets() and not Path(source).exists() and not resolved
    click.echo(preset_text(source) if as_written else dumps(its), nl=False)


@scenario.command()
@click.argument("source", metavar=SOURCE, callback=not_empty)
def check(source: str) -> None:
    """Tell whether a scenario can be simulated; if not, exit with 2."""
    from sendcap.cli.conduct import printable
    from sendcap.scenario import load

    its = load(source)
    messages = sum(delivery.messages for delivery in its.deliveries)
    providers = {name for delivery in its.deliveries for name in delivery.audience}
    facts = (
        _number(messages, "message"),
        _number(len(its.deliveries), "delivery", "deliveries"),
        _number(len(providers), "provider"),
        f"seed {its.seed}",
        f"modes {', '.join(its.reporting.modes)}",
    )
    title = f"{printable(its.title)}: " if its.title else ""
    click.echo(f"ok: {title}{', '.join(facts)}")


@scenario.command()
def schema() -> None:
    """Print the JSON schema of scenario files, for editors."""
    import json

    from sendcap.scenario import schema as json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


def _number(count: int, one: str, more: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else more or one + 's'}"
