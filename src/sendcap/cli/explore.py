"""``sendcap explore``: a page with sliders that shows what changes of a scenario would do."""

from __future__ import annotations

import click

from sendcap.cli.options import SOURCE, WholeNumber, not_empty


@click.command()
@click.argument("source", metavar=f"[{SOURCE}]", callback=not_empty, default="quickstart")
@click.option(
    "--port",
    type=WholeNumber(min=0, max=65535),
    default=0,
    metavar="N",
    help="Port to listen on; one that is free by default.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    callback=not_empty,
    metavar="ADDRESS",
    help="Address to listen on. By default only this machine can use the page.",
)
@click.option("--open/--no-open", "opens", default=True, help="Open the page in a browser.")
def explore(source: str, port: int, host: str, opens: bool) -> None:
    """Move sliders, and see at once what would be expected of a send.

    SCENARIO is a TOML file, PRESET one of `sendcap scenario list`; without either, the preset
    quickstart is taken. The page is served until Ctrl-C, with the curves that are expected,
    worked out and not simulated. It needs the extra: pip install 'sendcap[explore]'.
    """
    import warnings

    from sendcap.errors import SendcapWarning
    from sendcap.explore.server import Server, is_loopback
    from sendcap.scenario import load

    server = Server(load(source), host, port)
    if not is_loopback(host):
        warnings.warn(f"whoever reaches {host} can use this page", SendcapWarning, stacklevel=2)
    server.start()
    click.echo(f"Open {server.url} in a browser; Ctrl-C ends it.")
    if opens:
        click.launch(server.url)
    server.wait()
