"""The files of a store: how they are written, whole or not at all, and read back."""

from __future__ import annotations

import io
import json
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sendcap.errors import SendcapError
from sendcap.files import single as whole_files
from sendcap.files.failures import plain_words
from sendcap.files.single import is_temporary, put
from sendcap.study.sweeps.outcomes import Outcome
from sendcap.version import __version__

FORMAT: Final = 1
"""Version of the files. It rises when an older sendcap could not read them any more."""

_MARK: Final = "sendcap-store.json"
_PREFIX: Final = "runs-"
_SUFFIX: Final = ".parquet"
_DAMAGED: Final = ".damaged"
_KEY: Final = b"sendcap"
_STALE_S: Final = 3600.0
"""No file takes that long to write: one of that age was left behind by a sweep that was killed."""


class StoreError(SendcapError):
    """A store that cannot be written or read."""


def failure(directory: Path, done: str, error: OSError) -> StoreError:
    """Return the error of a store in which a file operation has failed."""
    return StoreError(f"{directory}: cannot be {done}: {plain_words(error)}")


def require_store(directory: Path) -> None:
    """Refuse a directory that is something else than a store, or a store of a newer version.

    Raises
    ------
    StoreError
        Unless it is a store, empty or missing.
    """
    try:
        about = json.loads((directory / _MARK).read_bytes())
        newer, version = int(about["format"]) > FORMAT, str(about["version"])
    except FileNotFoundError:
        # Another sweep may be about to make it.
        if directory.is_dir() and not all(is_temporary(path) for path in directory.iterdir()):
            raise StoreError(
                f"{directory}: is not a store of sendcap, and not empty; give another directory"
            ) from None
    except OSError as error:
        raise failure(directory, "read", error) from error
    except (ValueError, KeyError, TypeError):
        # The files tell their format themselves.
        pass
    else:
        if newer:
            raise _is_newer(directory, version)


def make_store(directory: Path) -> None:
    """Make a store if there is none, and remove what a sweep left there that was killed."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not (directory / _MARK).exists():
            about = {"format": FORMAT, "version": __version__}
            put(directory / _MARK, (json.dumps(about) + "\n").encode())
        for path in directory.iterdir():
            if is_temporary(path):
                with suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime > _STALE_S:
                        path.unlink()
    except OSError as error:
        raise failure(directory, "written", error) from error


def require_writable(directory: Path) -> None:
    """Refuse a store that cannot be written, before anything is computed for it."""
    try:
        whole_files.require_writable(directory)
    except OSError as error:
        raise failure(directory, "written", error) from error


def names(directory: Path) -> set[str]:
    """Return the names of a store's files."""
    try:
        found = [path.name for path in directory.iterdir()]
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise failure(directory, "read", error) from error
    return {name for name in found if name.startswith(_PREFIX) and name.endswith(_SUFFIX)}


def read(path: Path) -> list[Outcome] | None:
    """Return the outcomes in a file, None if it is damaged.

    Raises
    ------
    FileNotFoundError
        If it is gone.
    StoreError
        If it is of a newer version, or may not be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise failure(path.parent, "read", error) from error
    try:
        table = pq.read_table(io.BytesIO(content), page_checksum_verification=True)
        about = json.loads((table.schema.metadata or {})[_KEY])
        if int(about["format"]) > FORMAT:
            raise _is_newer(path.parent, str(about["version"]))
        columns = [table.column(name).to_pylist() for name in Outcome._fields]
        outcomes = [Outcome(*row) for row in zip(*columns, strict=True)]
        for its in outcomes:
            its.columns()
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError):
        return None
    return outcomes


def set_aside(path: Path) -> Path:
    """Rename a damaged file, so that it is not read again; it is kept."""
    aside = path.with_name(path.name + _DAMAGED)
    with suppress(OSError):
        path.replace(aside)
    return aside


def write(directory: Path, outcomes: Sequence[Outcome]) -> str:
    """Write outcomes into a new file, forced to the disk, and return its name.

    Raises
    ------
    StoreError
        If that is not possible; then there is nothing of it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

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
    # Never a name that has been there before: a reader may know it.
    name = f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
    try:
        put(directory / name, content.getvalue())
    except OSError as error:
        raise failure(directory, "written", error) from error
    return name


def remove(directory: Path, name: str) -> None:
    """Remove a file, unless another sweep has done so."""
    with suppress(OSError):
        (directory / name).unlink()


def _is_newer(directory: Path, version: str) -> StoreError:
    return StoreError(
        f"{directory}: was written by sendcap {version}, in a format that is newer than what "
        f"sendcap {__version__} reads; upgrade sendcap"
    )
