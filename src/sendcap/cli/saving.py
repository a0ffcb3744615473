"""Saving a command's results: one directory, complete or absent, and the line that names it."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import click

from sendcap.cli.options import RUNS, name_of
from sendcap.files.directory import Staging

if TYPE_CHECKING:
    from sendcap.files.directory import Contents


class Results:
    """The directory of a command's results; a context manager that yields a temporary one.

    Parameters
    ----------
    contents
        Its files.
    out
        The directory asked for, or None for a new one under ``runs``.
    source
        The scenario, after which a new directory is named.
    kind
        A suffix of that name.
    force
        Replace earlier results in ``out``.

    Raises
    ------
    RunError
        As `Staging` does.
    """

    def __init__(
        self, contents: Contents, out: Path | None, source: str, kind: str = "", *, force: bool
    ) -> None:
        if out is None:
            new = RUNS / (f"{name_of(source)}-{kind}" if kind else name_of(source))
            self._staging = Staging(new, contents, numbered=True)
        else:
            self._staging = Staging(out, contents, force=force)
        self._folder = Path()
        self._files: list[str] = []

    def __enter__(self) -> Path:
        self._folder = self._staging.__enter__()
        return self._folder

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._files = sorted(entry.name for entry in self._folder.iterdir())
        self._staging.__exit__(kind, error, trace)

    def announce(self) -> None:
        """Print the directory and its files."""
        click.echo(f"Saved in {self._staging.directory}: {', '.join(self._files)}")
