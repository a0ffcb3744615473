"""``sendcap explore``: a page with sliders that shows the effect of changes to a scenario."""

from __future__ import annotations

import warnings

import click

from sendcap.cli import options
from sendcap.cli.edits import chosen
from sendcap.errors import SendcapWarning


@click.command()
@options.scenario_or_quickstart
@options.changes
@options.number(
    "--port", "Port to listen on (default: a free one).", least=0, most=65535, default=0
)
@options.text(
    "--host",
    "ADDRESS",
    "Address to listen on (default: 127.0.0.1, reachable from this machine only).",
    default="127.0.0.1",
)
@click.option("--open/--no-open", "opens", default=True, help="Open the page in a browser.")
def explore(source: str, settings: tuple[str, ...], port: int, host: str, opens: bool) -> None:
    """Move sliders and see the expected curves.

    SCENARIO is a TOML file, PRESET a name from `sendcap scenario list` (default: quickstart). The
    page computes expected values while sliders are moved, and simulates exactly at a button. It is
    served until Ctrl-C.
    """
    from sendcap.explore.guard import file_leading_to, is_loopback
    from sendcap.explore.server import Server

    server = Server(chosen(source, settings, None), host, port)
    if not is_loopback(host):
        warnings.warn(
            f"anyone who can reach {host} and has the address below can use this page",
            SendcapWarning,
            stacklevel=2,
        )
    server.start()
    click.echo(f"Open {server.url} in a browser; Ctrl-C stops it.")
    if not opens:
        server.wait()
        return
    with file_leading_to(server.url) as file:
        click.launch(file)
        server.wait()
