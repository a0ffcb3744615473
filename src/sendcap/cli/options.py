"""Options that several commands take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from sendcap.reporting.modes import MODES

_Command = TypeVar("_Command", bound=Callable[..., Any])

SOURCE: Final = "SCENARIO|PRESET"
"""How the help calls a scenario file or the name of a preset."""


def mode_option(help_text: str) -> Callable[[_Command], _Command]:
    """Return the option ``--mode``, which may be given several times."""
    return click.option(
        "--mode", "modes", multiple=True, type=click.Choice(MODES), metavar="MODE", help=help_text
    )
