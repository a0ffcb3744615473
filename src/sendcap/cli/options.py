"""Options that several commands take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from sendcap.reporting.modes import MODES

_Command = TypeVar("_Command", bound=Callable[..., Any])

SOURCE: Final = "SCENARIO|PRESET"
"""How the help calls a scenario file or the name of a preset."""


def not_empty(_context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse an empty name: as a path it would be the working directory."""
    if value == "":
        raise click.BadParameter("is empty; give a name", param=parameter)
    return value


def directory(context: click.Context, parameter: click.Parameter, value: str | None) -> Path | None:
    """Return the path of a directory."""
    name = not_empty(context, parameter, value)
    return None if name is None else Path(name)


class WholeNumber(click.IntRange):
    """A whole number, called so when it is none."""

    name = "whole number"


def mode_option(help_text: str) -> Callable[[_Command], _Command]:
    """Return the option ``--mode``, which may be given several times."""
    return click.option(
        "--mode", "modes", multiple=True, type=click.Choice(MODES), metavar="MODE", help=help_text
    )
