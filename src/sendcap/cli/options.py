"""The options of the commands, each defined once: an option means the same in every command."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import click

from sendcap.errors import ExistsError
from sendcap.files.single import require_free
from sendcap.readings.modes import MODES
from sendcap.text.shares import parse_share

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Option(Protocol):
    """A decorator that adds options or arguments to a command."""

    def __call__(self, command: _Command, /) -> _Command:
        """Return the command with the option."""


SOURCE: Final = "SCENARIO|PRESET"
"""A scenario file or a preset, in the help."""

OLD_SPELLINGS: Final = {"output": "out"}
"""Former names of options, still accepted, and their names today."""


class WholeNumber(click.types.IntParamType):
    """A whole number within bounds, called so in errors."""

    name = "whole number"

    def __init__(self, least: int, most: int | None = None) -> None:
        self._least, self._most = least, most

    @property
    def bounds(self) -> str:
        """The bounds in words, for help and errors."""
        return f"{self._least} or more" if self._most is None else f"{self._least} to {self._most}"

    def convert(
        self, value: Any, parameter: click.Parameter | None, context: click.Context | None
    ) -> Any:
        """Read a number; refuse one out of bounds."""
        number = super().convert(value, parameter, context)
        if number < self._least or (self._most is not None and number > self._most):
            self.fail(f"{number} is not {self.bounds}", parameter, context)
        return number


# What click calls with the text of an option; the result is the command's argument.


def not_empty(_context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse an empty name: as a path it would be the working directory."""
    if value == "":
        raise click.BadParameter("is empty; give a name", param=parameter)
    return value


def path(context: click.Context, parameter: click.Parameter, value: str | None) -> Path | None:
    """Return a path."""
    name = not_empty(context, parameter, value)
    return None if name is None else Path(name)


def _new_directory(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> Path | None:
    """Return a path, refused at once if it is taken: a command may need seconds to start."""
    directory = path(context, parameter, value)
    # Other faults are found where the directory is made.
    if directory and os.path.isdir(directory) and not context.params["force"]:  # noqa: PTH112
        raise ExistsError(directory, "directory")
    return directory


def _new_file(context: click.Context, parameter: click.Parameter, value: str | None) -> Path | None:
    """Return a path at which a file can be written."""
    file = path(context, parameter, value)
    if file is not None:
        require_free(file, force=context.params["force"])
    return file


def _seconds(
    _context: click.Context, parameter: click.Parameter, value: str | None
) -> float | None:
    from sendcap.scenario.durations import as_seconds

    return None if value is None else as_seconds(value, parameter.opts[-1])


def _moment(
    _context: click.Context, parameter: click.Parameter, value: str | tuple[str, ...] | None
) -> str | float | tuple[str | float, ...] | None:
    """Return seconds, or a time by the clock as it is: only the scenario's start tells when."""
    from sendcap.scenario.clock import seconds_or_clock

    if isinstance(value, tuple):
        return tuple(seconds_or_clock(each, parameter.opts[-1]) for each in value)
    return None if value is None else seconds_or_clock(value, parameter.opts[-1])


def _share(_context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    return None if value is None else parse_share(value, parameter.opts[-1], whole=False)


def _listed(_context: click.Context, _parameter: object, values: Sequence[str]) -> list[str]:
    """Return the entries of comma-separated lists, in order."""
    return [entry.strip() for value in values for entry in value.split(",")]


def _once(
    _context: click.Context, _parameter: object, values: Sequence[str]
) -> Sequence[str] | None:
    """Return each value once, or None without any."""
    return tuple(dict.fromkeys(values)) or None


# How options are made.


def together(*options: Option) -> Option:
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
    kind = WholeNumber(least, most)
    help_text = f"{help_text} {kind.bounds}."
    return click.option(name, type=kind, metavar="N", help=help_text, **more)


def flag(name: str, help_text: str, **more: Any) -> Option:
    """Return an option without a value."""
    return click.option(name, is_flag=True, help=help_text, **more)


def _force(help_text: str) -> Option:
    """Return ``--force``, which is known when ``--out`` is read."""
    return flag("--force", help_text, is_eager=True)


def shown(name: str, show: Callable[[], None], help_text: str) -> Option:
    """Return an option that shows something instead of running the command."""

    def callback(context: click.Context, _parameter: object, wanted: bool) -> None:
        if wanted and not context.resilient_parsing:
            show()
            context.exit()

    return click.option(
        name, is_flag=True, is_eager=True, expose_value=False, callback=callback, help=help_text
    )


def text(name: str, metavar: str, help_text: str, *to: str, **more: Any) -> Option:
    """Return an option that takes a text, which is not empty; ``to`` is a name in Python."""
    more = {"callback": not_empty, **more}
    return click.option(name, *to, metavar=metavar, help=help_text, **more)


def duration(name: str, to: str, help_text: str, metavar: str = "T") -> Option:
    """Return an option that takes a time, and its parameter ``to`` seconds."""
    return click.option(name, to, metavar=metavar, callback=_seconds, help=help_text)


def moment(name: str, to: str, help_text: str, **more: Any) -> Option:
    """Return an option that takes a time from t = 0, as seconds, or by the clock, as text."""
    return click.option(name, to, metavar="T", callback=_moment, help=help_text, **more)


def _out(metavar: str, help_text: str, **more: Any) -> Option:
    more = {"callback": path, **more}
    return click.option("-o", "--out", metavar=metavar, help=help_text, **more)


# The arguments and options of several commands.

scenario = click.argument("source", metavar=SOURCE, callback=not_empty)
scenario_or_quickstart = click.argument(
    "source", metavar=f"[{SOURCE}]", callback=not_empty, default="quickstart"
)
study = click.argument("source", metavar="STUDY.toml", callback=not_empty)
saved = click.argument("directory", metavar="DIR", callback=path)

changes = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="PATH=VALUE",
    help="Override a value of the scenario, e.g. mta.retry.first=10m; repeatable.",
)
overrides = together(changes, number("--seed", "Override the scenario's seed.", least=0))
"""``--set`` and ``--seed``, wherever a scenario is simulated."""

processes = together(
    number("--workers", "Worker processes (default: one per CPU); results do not depend on it."),
    text(
        "--dask", "ADDRESS", "Simulate on a Dask cluster instead, e.g. tcp://host:8786.", "address"
    ),
)
"""``--workers`` and ``--dask``, wherever many simulations are run."""

out_directory = together(
    _out(
        "DIR",
        "Directory for the results (default: a new one under runs/).",
        callback=_new_directory,
    ),
    _force("Replace earlier results in DIR."),
)
status = flag("--status", "Show progress and exit.")
tolerance = click.option(
    "--tolerance",
    "tolerances",
    multiple=True,
    metavar="PT",
    callback=_listed,
    default=("1pt,0.5pt,0.1pt",),
    help="Tolerance in percentage points; repeat, or separate with commas "
    "(default: 1pt,0.5pt,0.1pt).",
)


def out_file(help_text: str, **more: Any) -> Option:
    """Return ``--out`` and ``--force`` of a command that writes a file."""
    return together(
        _out("FILE", help_text, callback=_new_file, **more),
        _force("Replace existing files."),
    )


csv_file = together(
    text("--csv", "FILE", "Also write the figures as CSV.", "table", callback=_new_file),
    _force("Replace an existing FILE."),
)

excel = flag("--excel", "Also write run.xlsx, a workbook for a spreadsheet.")


def report(default: str) -> Option:
    """Return ``--report``, a directory."""
    help_text = f"Directory for the report (default: {default})."
    return text("--report", "DIR", help_text, callback=path)


def resumable(command: str) -> Option:
    """Return ``--out`` and ``--store`` of a command that resumes."""
    return together(
        _out(
            "DIR",
            f"Directory for the results (default: runs/STUDY-{command}). "
            "Existing results there are reused.",
        ),
        text(
            "--store",
            "DIR",
            "Store of finished runs (default: in --out); several studies may share it.",
            callback=path,
        ),
    )


def delivery(verb: str = "Show") -> Option:
    """Return ``--delivery``."""
    return text("--delivery", "NAME", f"{verb} only this delivery.", callback=None)


def mode(default: str = "the scenario's") -> Option:
    """Return ``--mode``."""
    return click.option(
        "--mode",
        "modes",
        multiple=True,
        type=click.Choice(MODES),
        callback=_once,
        metavar="MODE",
        help=f"Reporting mode, repeatable (default: {default}): {', '.join(MODES)}.",
    )


def confidence(default: str = "95%", *, preset: bool = True) -> Option:
    """Return ``--confidence``; without ``preset`` its value is None unless the user gives one."""
    return click.option(
        "--confidence",
        metavar="P",
        callback=_share,
        default=default if preset else None,
        help=f"Confidence level of the intervals (default: {default}).",
    )
