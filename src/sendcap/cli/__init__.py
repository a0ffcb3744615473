"""The command ``sendcap``: a thin face of the Python API, one module per command."""

import gc
from collections.abc import Sequence

from sendcap.cli import stops


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, by default that of the process, and exit."""
    # Before the slow imports, which can be interrupted too.
    stops.listen()
    try:
        from sendcap.cli import environment
        from sendcap.cli.commands import commands

        environment.settle()
        commands.main(arguments, prog_name="sendcap")
    finally:
        stops.ignore()
        # The process ends: Python would look through all objects for what nobody refers to.
        gc.freeze()
