"""The command ``sendcap``: a thin skin over the Python API, one module per command."""

from __future__ import annotations

from collections.abc import Sequence

from sendcap.cli import stops


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit.

    Parameters
    ----------
    arguments
        Those of the process by default.
    """
    # Before anything that takes long to import: it can be interrupted as well.
    stops.listen()
    try:
        from sendcap.cli.commands import commands

        commands.main(arguments, prog_name="sendcap")
    finally:
        stops.ignore()
