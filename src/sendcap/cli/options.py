"""Options that several commands take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from sendcap.readings.modes import MODES

_Command = TypeVar("_Command", bound=Callable[..., Any])

SOURCE: Final = "SCENARIO|PRESET"
"""How the help calls a scenario file or the name of a preset."""


RUNS: Final = Path("runs")
"""Where results are saved, unless a directory is named."""


def name_of(source: str) -> str:
    """Return what the results of a scenario file, preset or saved run are called."""
    path = Path(source)
    if path.is_file():
        return path.stem
    return path.name if path.is_dir() else source


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


def workers_option(command: _Command) -> _Command:
    """Add the option ``--workers``."""
    return click.option(
        "--workers",
        type=WholeNumber(min=1),
        metavar="N",
        help="Processes; as many as there are processors by default. They change only the speed.",
    )(command)


def confidence_option(command: _Command) -> _Command:
    """Add the option ``--confidence``."""
    return click.option(
        "--confidence",
        metavar="C",
        default="95%",
        show_default=True,
        help="Of intervals, and the share of the replications within a band.",
    )(command)


def tolerance_option(command: _Command) -> _Command:
    """Add the option ``--tolerance``, a list or given several times; see `listed`."""
    return click.option(
        "--tolerance",
        "tolerances",
        multiple=True,
        metavar="P",
        default=("1pt,0.5pt,0.1pt",),
        show_default="1pt,0.5pt,0.1pt",
        help="Points by which Delivered % may be off; may be repeated, or a list.",
    )(command)


def listed(values: Sequence[str]) -> list[str]:
    """Return the entries of lists with commas, in order.

    Examples
    --------
    >>> listed(["1pt,0.5pt", "0.1"])
    ['1pt', '0.5pt', '0.1']
    """
    return [entry.strip() for value in values for entry in value.split(",")]
