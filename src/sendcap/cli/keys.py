"""``sendcap scenario keys``: every key of a scenario file."""

from __future__ import annotations

import textwrap

import click


@click.command()
@click.argument("path", default="")
def keys(path: str) -> None:
    """Print the keys of a scenario file, or those at and below PATH.

    PATH is such as `providers`, `mta.retry` or `deliveries[0].messages`; `distribution` has the
    keys of a random time.
    """
    from sendcap.guide.keys import scenario_keys

    for key in scenario_keys(path):
        variant = f"  ({key.variant})" if key.variant else ""
        unit = f", {key.unit}" if key.unit else ""
        default = f"; default {key.default}" if key.default not in ("", "required") else ""
        required = "; required" if key.default == "required" else ""
        click.echo(f"{key.path}{variant}")
        source = f"Source: {key.source}" if key.source else ""
        for text in (f"{key.type}{unit}{default}{required}", key.meaning, source):
            if text:
                click.echo(textwrap.fill(text, 80, initial_indent="    ", subsequent_indent="    "))
