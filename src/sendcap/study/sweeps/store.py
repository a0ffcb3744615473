"""Stores of runs: directories that survive crashes and may be shared.

A store is a directory of small Parquet files. Each holds runs that were finished together, is
written under another name, forced to the disk and then renamed: it is complete or absent, and never
changed in place. So any number of sweeps, on any machines that see the directory, write to it at
the same time without a server or locks. (SQLite in WAL mode works on one machine, not on a network
disk; DuckDB lets in one process.) Now and then files are compacted: all runs are written into one
new file, and only then the files that it replaces are removed. Values are JSON in a column of text:
nothing in a store can run code, and runs of different measures fit into one file. A file's name
holds the SHA-256 of the content; a damaged one is set aside, and its runs are computed again.

A run's key is a hash of the resolved scenario, the seed, the measures and the model's version.
"""

import hashlib
import io
import json
import os
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from sendcap.errors import SendcapError, SendcapWarning
from sendcap.files.parquet import UNREADABLE, table_in
from sendcap.files.single import plain_words, put, require_writable
from sendcap.files.temporary import is_temporary, tidy
from sendcap.study.sweeps.outcomes import Outcome
from sendcap.version import __version__

FORMAT: Final = 1
"""Version of the files. It rises when an older sendcap could not read them any more."""

_COMPACT_AT: Final = 256
"""Files at which they are compacted: more take longer to list than they are worth."""
MARK: Final = "sendcap-store.json"
_PREFIX: Final = "runs-"
_SUFFIX: Final = ".parquet"
_DAMAGED: Final = ".damaged"
_KEY: Final = b"sendcap"
_DIGITS: Final = 64


class StoreError(SendcapError):
    """A store that cannot be written or read."""


class Store:
    """Outcomes of runs by key. The directory is read at once, and again by `refresh`."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)
        self._outcomes: dict[str, Outcome] = {}
        self._files: set[str] = set()
        self._damaged: set[str] = set()
        self._compact_at = _COMPACT_AT
        _require_store(self.directory)
        self.refresh()

    def __len__(self) -> int:
        """Return the number of known runs."""
        return len(self._outcomes)

    def finished(self, key: str) -> Outcome | None:
        """Return the outcome of a run, None if it is unknown or has failed."""
        outcome = self._outcomes.get(key)
        return None if outcome is None or outcome.failed else outcome

    def known(self, key: str) -> Outcome | None:
        """Return the outcome of a run, also of a failed one, None if it is unknown."""
        return self._outcomes.get(key)

    def refresh(self) -> None:
        """Read the files that other sweeps have written meanwhile."""
        while True:
            new = sorted(_names(self.directory) - self._files - self._damaged)
            read = [self._read(name) for name in new]
            # A file that is gone has been compacted into another one: look again.
            if all(read):
                return

    def open(self) -> None:
        """Make the directory ready for writing, before anything is computed for it."""
        directory = self.directory
        try:
            directory.mkdir(parents=True, exist_ok=True)
            if not (directory / MARK).exists():
                about = {"format": FORMAT, "version": __version__}
                put(directory / MARK, (json.dumps(about) + "\n").encode())
            tidy(directory)
            require_writable(directory)
        except OSError as error:
            raise _failure(directory, "written", error) from error

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Write outcomes; they survive a crash of the machine when this returns."""
        if not outcomes:
            return
        self._files.add(write_file(self.directory, outcomes))
        self._remember(outcomes)
        if len(self._files) >= self._compact_at:
            self.compact()

    def compact(self) -> None:
        """Write all runs into one file, and remove the files that it replaces.

        Without room for it, all stays as it is.
        """
        # A sweep that finds all runs done opens nothing.
        tidy(self.directory)
        self.refresh()
        replaced = set(self._files)
        if len(replaced) < 2:
            return
        try:
            name = write_file(self.directory, list(self._outcomes.values()))
        except StoreError:
            self._compact_at = 2 * len(replaced)
            return
        for other in replaced - {name}:
            with suppress(OSError):  # another sweep may have removed it
                (self.directory / other).unlink()
        self._files = self._files - replaced | {name}

    def _read(self, name: str) -> bool:
        """Read a file; return False if it is gone."""
        path = self.directory / name
        try:
            outcomes = read_file(path)
        except FileNotFoundError:
            return False
        if outcomes is not None:
            self._files.add(name)
            self._remember(outcomes)
            return True
        self._damaged.add(name)
        aside = path.with_name(path.name + _DAMAGED)
        with suppress(OSError):
            path.replace(aside)
        warnings.warn(
            f"{path}: is damaged; it is kept as {aside.name}, and its runs are computed again",
            SendcapWarning,
            stacklevel=2,
        )
        return True

    def _remember(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            # A run that has succeeded once does not fail any more.
            if self.finished(outcome.key) is None:
                self._outcomes[outcome.key] = outcome


def _require_store(directory: Path) -> None:
    """Refuse a directory unless it is a store, empty or missing; files have their own format."""
    try:
        is_store = not directory.is_dir() or (directory / MARK).exists()
        # Another sweep may be about to make it.
        is_store = is_store or all(is_temporary(path) for path in directory.iterdir())
    except OSError as error:
        raise _failure(directory, "read", error) from error
    if not is_store:
        raise StoreError(
            f"{directory}: is not a store of sendcap, and not empty; give another directory"
        )


def _names(directory: Path) -> set[str]:
    try:
        names = [path.name for path in directory.iterdir()]
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise _failure(directory, "read", error) from error
    return {name for name in names if name.startswith(_PREFIX) and name.endswith(_SUFFIX)}


def damaged_files(directory: Path) -> list[Path]:
    """Return the files of a store that cannot be read; none if it does not exist."""
    paths = [directory / name for name in sorted(_names(directory))]
    return [path for path in paths if read_file(path) is None]


def read_file(path: Path) -> list[Outcome] | None:
    """Return the outcomes in a file, None if it is damaged.

    A file that is gone raises FileNotFoundError.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _failure(path.parent, "read", error) from error
    expected = path.name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
    # Older ones have a random name, and page checksums only.
    if len(expected) == _DIGITS and hashlib.sha256(content).hexdigest() != expected:
        return None
    try:
        table = table_in(content)
        about = json.loads((table.schema.metadata or {})[_KEY])
        if int(about["format"]) > FORMAT:
            raise StoreError(
                f"{path.parent}: was written by sendcap {about['version']}, in a format that is "
                f"newer than what sendcap {__version__} reads; upgrade sendcap"
            )
        columns = [table.column(name).to_pylist() for name in Outcome._fields]
        outcomes = [Outcome(*row) for row in zip(*columns, strict=True)]
        for outcome in outcomes:
            outcome.columns()
    except UNREADABLE:
        return None
    return outcomes


def write_file(directory: Path, outcomes: Sequence[Outcome]) -> str:
    """Write outcomes into a new file, forced to the disk, and return the name."""
    types: dict[str, Any] = {
        name: pa.float64() if name.endswith("_s") else pa.string() for name in Outcome._fields
    }
    columns = dict(zip(Outcome._fields, zip(*outcomes, strict=True), strict=True))
    about = json.dumps({"format": FORMAT, "version": __version__}).encode()
    table = pa.table(
        {name: pa.array(list(values), types[name]) for name, values in columns.items()},
        metadata={_KEY: about},
    )
    content = io.BytesIO()
    pq.write_table(table, content, compression="zstd", write_page_checksum=True)
    name = f"{_PREFIX}{hashlib.sha256(content.getvalue()).hexdigest()}{_SUFFIX}"
    try:
        put(directory / name, content.getvalue())
    except OSError as error:
        raise _failure(directory, "written", error) from error
    return name


def _failure(directory: Path, done: Literal["read", "written"], error: OSError) -> StoreError:
    return StoreError(f"{directory}: cannot be {done}: {plain_words(error)}")
