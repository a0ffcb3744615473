"""The commands of ``sendcap``.

A command's module is imported when the command is named, and imports what is slow when it runs, so
that ``sendcap --help`` answers at once.
"""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import click

from sendcap.cli import options
from sendcap.cli.conduct import PipeClosedError, conduct
from sendcap.cli.environment import require_memory

_COMMANDS: Final = (
    *("run", "limits", "calendar", "dashboard", "people", "plot", "report"),
    *("converge", "compare", "forecast", "drain", "sweep", "sensitivity", "optimise", "explore"),
    *("scenario", "import", "calibrate", "check", "guide"),
)
_MODULES: Final = {"import": "importing"}
"""Names of modules and functions that are not the command's."""
_SMALL: Final = frozenset({"scenario", "guide"})
"""Commands that do without the large libraries."""


@contextmanager
def _closed_pipes() -> Iterator[None]:
    """Turn a closed pipe into an error that click does not handle."""
    try:
        yield
    except BrokenPipeError:
        raise PipeClosedError from None


class Commands(click.Group):
    """Commands that are imported when named and that end by `conduct`."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the names of the commands in the order of the help."""
        return list(_COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Import a command."""
        if name not in _COMMANDS:
            return None
        name = _MODULES.get(name, name)
        command: click.Command = getattr(importlib.import_module(f"sendcap.cli.{name}"), name)
        return command

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command, and require the memory that it needs, unlike the help."""
        name, command, rest = super().resolve_command(context, arguments)
        if name not in _SMALL and set(rest).isdisjoint(context.help_option_names):
            require_memory()
        return name, command, rest

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        """Read the command line, which may already print the help."""
        with _closed_pipes():
            return super().make_context(*arguments, **extra)

    def invoke(self, context: click.Context) -> Any:
        """Run a command."""
        with _closed_pipes():
            return super().invoke(context)

    def main(self, *arguments: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run a command and exit."""
        run = partial(super().main, *arguments, standalone_mode=False, **extra)
        if standalone_mode:
            sys.exit(conduct(run))
        return run()


def _show_version() -> None:
    from sendcap.version import __version__

    click.echo(f"sendcap {__version__}")


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda token: options.OLD_SPELLINGS.get(token, token),
    },
)
@options.shown("--version", _show_version, "Show the version and exit.")
@click.pass_context
def commands(context: click.Context) -> None:
    """Simulate large email deliveries and predict what the dashboard will show.

    Start with `sendcap run`.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
