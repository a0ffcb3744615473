"""``sendcap explore``: a page with sliders that shows the effect of changes to a scenario."""

import subprocess
import sys
import warnings
from contextlib import suppress
from threading import Thread
from typing import Final

import click

from sendcap.cli import options, stops
from sendcap.cli.edits import chosen
from sendcap.errors import SendcapWarning

_STOPPED: Final = "Stopped: the page is not served any more."


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
    stops.ended_by_ctrl_c(_STOPPED)
    click.echo(f"Open {server.url} in a browser; Ctrl-C stops it.")
    try:
        if opens:
            with file_leading_to(server.url) as file:
                in_a_browser(file)
                server.wait()
        else:
            server.wait()
    except KeyboardInterrupt:
        # In a program that runs the command without `stops.listen`.
        click.echo(_STOPPED)


def in_a_browser(file: str) -> None:
    """Open a file as the desktop does, without a word where it cannot.

    Where there is no browser, ``xdg-open`` tells the terminal of each one that it tries.
    """
    if sys.platform in ("darwin", "win32", "cygwin"):
        click.launch(file)
    else:
        # It may last as long as the browser, and somebody has to wait for it.
        Thread(target=_xdg_open, args=(file,), daemon=True).start()


def _xdg_open(file: str) -> None:
    null = subprocess.DEVNULL
    with suppress(OSError):
        subprocess.run(("xdg-open", file), stdin=null, stdout=null, stderr=null, check=False)
