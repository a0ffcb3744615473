"""The options of the commands, each defined once: an option means the same in every command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import click

from sendcap.readings.modes import MODES

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Option(Protocol):
    """A decorator that adds options or arguments to a command."""

    def __call__(self, command: _Command, /) -> _Command:
        """Return the command with the option."""


SOURCE: Final = "SCENARIO|PRESET"
"""A scenario file or a preset, in the help."""

OLD_SPELLINGS: Final = {"output": "out"}
"""Former names of options, still accepted, and their names today."""

RUNS: Final = Path("runs")
"""The directory for results without ``--out``."""

_PRESET: Final = "quickstart"


def name_of(source: str) -> str:
    """Return the name for results of a scenario file, preset, study file or saved run."""
    path = Path(source)
    if path.is_file():
        return path.stem
    return path.name if path.is_dir() else source


def study_directory(source: str, command: str) -> Path:
    """Return the directory for the results of a study: always the same, so that it resumes."""
    return RUNS / f"{name_of(source)}-{command}"


def not_empty(_context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse an empty name: as a path it would be the working directory."""
    if value == "":
        raise click.BadParameter("is empty; give a name", param=parameter)
    return value


def path(context: click.Context, parameter: click.Parameter, value: str | None) -> Path | None:
    """Return a path."""
    name = not_empty(context, parameter, value)
    return None if name is None else Path(name)


def listed(values: Sequence[str]) -> list[str]:
    """Return the entries of comma-separated lists, in order.

    Examples
    --------
    >>> listed(["1pt,0.5pt", "0.1"])
    ['1pt', '0.5pt', '0.1']
    """
    return [entry.strip() for value in values for entry in value.split(",")]


class WholeNumber(click.IntRange):
    """An integer option whose error says 'whole number'."""

    name = "whole number"


def _together(*options: Option) -> Option:
    """Return a decorator that adds several options, in this order in the help."""

    def add(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def number(
    name: str, help_text: str, *, least: int = 1, most: int | None = None, **more: Any
) -> Option:
    """Return an option that takes a whole number."""
    kind = WholeNumber(min=least, max=most)
    return click.option(name, type=kind, metavar="N", help=help_text, **more)


scenario = click.argument("source", metavar=SOURCE, callback=not_empty)
"""The scenario of a command."""

scenario_or_quickstart = click.argument(
    "source", metavar=f"[{SOURCE}]", callback=not_empty, default=_PRESET
)
"""The scenario of a command, which may be left out."""

study = click.argument("source", metavar="STUDY.toml", callback=not_empty)
"""The study file of a command."""

saved = click.argument("directory", metavar="DIR", callback=path)
"""The directory of a saved result."""

changes = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="PATH=VALUE",
    help="Override a value of the scenario, e.g. mta.retry.first=10m; repeatable.",
)
"""``--set``."""

seed = number("--seed", "Override the scenario's seed.", least=0)
"""``--seed``."""

overrides = _together(changes, seed)
"""``--set`` and ``--seed``, wherever a scenario is simulated."""

dask = click.option(
    "--dask",
    "address",
    metavar="ADDRESS",
    callback=not_empty,
    help="Simulate on a Dask cluster instead, e.g. tcp://host:8786.",
)
"""``--dask``."""

workers = number(
    "--workers", "Worker processes (default: one per CPU); results do not depend on it."
)
"""``--workers``."""

processes = _together(workers, dask)
"""``--workers`` and ``--dask``, wherever many simulations are run."""

out_directory = _together(
    click.option(
        "-o",
        "--out",
        callback=path,
        metavar="DIR",
        help="Directory for the results (default: a new one under runs/).",
    ),
    click.option("--force", is_flag=True, help="Replace earlier results in DIR."),
)
"""``--out`` and ``--force`` of a command that writes a directory."""


def out_file(help_text: str, **more: Any) -> Option:
    """Return ``--out`` and ``--force`` of a command that writes a file."""
    return _together(
        click.option("-o", "--out", callback=path, metavar="FILE", help=help_text, **more),
        click.option("--force", is_flag=True, help="Replace existing files."),
    )


def report(default: str) -> Option:
    """Return ``--report``, a directory."""
    text = f"Directory for the report (default: {default})."
    return click.option("--report", callback=path, metavar="DIR", help=text)


def resumable(command: str) -> Option:
    """Return ``--out`` and ``--store`` of a command that resumes."""
    return _together(
        click.option(
            "-o",
            "--out",
            callback=path,
            metavar="DIR",
            help=f"Directory for the results (default: runs/STUDY-{command}). "
            "Existing results there are reused.",
        ),
        click.option(
            "--store",
            callback=path,
            metavar="DIR",
            help="Store of finished runs (default: in --out); several studies may share it.",
        ),
    )


status = click.option("--status", is_flag=True, help="Show progress and exit.")
"""``--status``."""


def mode(default: str = "the scenario's") -> Option:
    """Return ``--mode``."""
    return click.option(
        "--mode",
        "modes",
        multiple=True,
        type=click.Choice(MODES),
        metavar="MODE",
        help=f"Reporting mode, repeatable (default: {default}): {', '.join(MODES)}.",
    )


delivery = click.option("--delivery", metavar="NAME", help="Show only this delivery.")
"""``--delivery``."""

tolerance = click.option(
    "--tolerance",
    "tolerances",
    multiple=True,
    metavar="PT",
    default=("1pt,0.5pt,0.1pt",),
    help="Tolerance in percentage points; repeat, or separate with commas "
    "(default: 1pt,0.5pt,0.1pt).",
)
"""``--tolerance``, see `listed`."""


def confidence(default: str = "95%", *, preset: bool = True) -> Option:
    """Return ``--confidence``; without ``preset`` its value is None unless the user gives one."""
    return click.option(
        "--confidence",
        metavar="P",
        default=default if preset else None,
        help=f"Confidence level of the intervals (default: {default}).",
    )


def replications(help_text: str) -> Option:
    """Return ``--replications``."""
    return number("--replications", help_text)
