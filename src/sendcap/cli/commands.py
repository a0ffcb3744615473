"""The commands of ``sendcap``.

A command's module is imported when the command is named, and imports the API when it runs, so that
``sendcap --help`` answers at once.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import click

from sendcap.cli.conduct import PipeClosedError, conduct
from sendcap.cli.options import OLD_SPELLINGS

_COMMANDS: Final = {
    "run": ("sendcap.cli.run", "run"),
    "limits": ("sendcap.cli.limits", "limits"),
    "dashboard": ("sendcap.cli.dashboard", "dashboard"),
    "plot": ("sendcap.cli.plot", "plot"),
    "report": ("sendcap.cli.report", "report"),
    "converge": ("sendcap.cli.converge", "converge"),
    "compare": ("sendcap.cli.compare", "compare"),
    "forecast": ("sendcap.cli.forecast", "forecast"),
    "sweep": ("sendcap.cli.sweep", "sweep"),
    "sensitivity": ("sendcap.cli.sensitivity", "sensitivity"),
    "optimise": ("sendcap.cli.optimise", "optimise"),
    "explore": ("sendcap.cli.explore", "explore"),
    "scenario": ("sendcap.cli.scenario", "scenario"),
    "import": ("sendcap.cli.importing", "importing"),
    "calibrate": ("sendcap.cli.calibrate", "calibrate"),
    "guide": ("sendcap.cli.guide", "guide"),
}


@contextmanager
def _closed_pipes() -> Iterator[None]:
    """Turn a closed pipe into an error that click does not handle."""
    try:
        yield
    except BrokenPipeError:
        raise PipeClosedError from None


class Commands(click.Group):
    """Commands that are imported when named and that end by `conduct`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the commands in the order of the help."""
        return list(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        """Import a command."""
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Read the command line, which may already print the help."""
        with _closed_pipes():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _closed_pipes():
            return super().invoke(ctx)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and exit."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        code = conduct(
            lambda: super(Commands, self).main(
                args, prog_name, complete_var, standalone_mode=False, **extra
            )
        )
        sys.exit(code)


def _show_version(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from sendcap.version import __version__

        click.echo(f"sendcap {__version__}")
        ctx.exit()


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda token: OLD_SPELLINGS.get(token, token),
    },
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.pass_context
def commands(context: click.Context) -> None:
    """Simulate large email deliveries and predict what the dashboard will show.

    Start with `sendcap run`.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
