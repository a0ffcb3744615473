"""Files that are there whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

_TEMPORARY: Final = ".tmp"

# They belong to the process, as the signals do that may end it meanwhile.
_unfinished: set[Path] = set()


def put(path: Path, content: bytes) -> None:
    """Write a file, in place of what is there, so that it survives a stop of the machine.

    Raises
    ------
    OSError
        If that is not possible; then all is as it was.
    """
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(4)}{_TEMPORARY}")
    _unfinished.add(temporary)
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink()
        _unfinished.discard(temporary)
    _sync(path.parent)


def abandon() -> None:
    """Remove what is being written; for a process that is about to end."""
    for temporary in tuple(_unfinished):
        with suppress(OSError):
            temporary.unlink()


def is_temporary(path: Path) -> bool:
    """Tell whether a file is one that `put` has not finished."""
    return path.name.startswith(".") and path.name.endswith(_TEMPORARY)


def require_writable(directory: Path) -> None:
    """Raise an `OSError` if no file can be written in a directory."""
    path = directory / f".{secrets.token_hex(8)}{_TEMPORARY}"
    path.touch()
    path.unlink()


def _sync(directory: Path) -> None:
    """Force a directory's list of files to the disk, where a system can do that."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
