"""Where a command's results go, and the line that says so."""

from pathlib import Path
from typing import Final

import click

from sendcap.files.directory import Contents, Staging

RUNS: Final = Path("runs")
"""The directory for results without ``--out``."""


def _name(source: str, kind: str) -> str:
    """Return the name for results of a scenario file, preset, study file or saved run."""
    path = Path(source)
    name = path.stem if path.is_file() else path.name if path.is_dir() else source
    return f"{name}-{kind}" if kind else name


def study_directory(source: str, command: str) -> Path:
    """Return the directory for the results of a study: always the same, so that it resumes."""
    return RUNS / _name(source, command)


class Results(Staging):
    """The directory of a command's results: ``out``, or a new one under ``runs``."""

    def __init__(
        self, contents: Contents, out: Path | None, source: str, kind: str = "", *, force: bool
    ) -> None:
        new = RUNS / _name(source, kind)
        super().__init__(out or new, contents, force=force, numbered=out is None)

    def announce(self) -> None:
        """Print the directory and its files."""
        files = sorted(entry.name for entry in self.directory.iterdir())
        click.echo(f"Saved in {self.directory}: {', '.join(files)}")
