"""Hidden temporary files and directories, and the tidying of those that killed processes left.

A process locks what it has made, and the system unlocks it when the process ends, however that
happens. So what is not locked is a leftover. On a file system without locks nothing ever is.
"""

import os
import re
import secrets
import shutil
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal

from sendcap.errors import SendcapWarning

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

NEW, REPLACED = "new", "replaced"
"""In a temporary directory: a result in the making; a place for what the result replaces."""

_PREFIX: Final = ".sendcap-"
_ENDING: Final = ".tmp"
_DIRECTORY: Final = re.compile(r"\.sendcap-[0-9a-f]{12}")
_FILE: Final = re.compile(r"\.sendcap-[0-9a-f]{12}\.[a-z]+")
_SET_ASIDE: Final = re.compile(r"\.sendcap-[0-9a-f]{12}-old")
"""What versions before checksums called a directory that was being replaced."""


class Temporary:
    """A new file or directory under a hidden name, locked until it is removed."""

    def __init__(self, parent: Path, kind: Literal["file", "directory"]) -> None:
        self._parent, self._kind = parent, kind
        self._lock: int | None = None
        self.path = self._named()

    def make(self) -> Path:
        """Make it, and return the path."""
        while True:
            # Not by tempfile, which keeps everybody else from reading what it makes.
            if self._kind == "file":
                self.path.touch(exist_ok=False)
            else:
                self.path.mkdir()
            # Another process may have taken it for a leftover before it was locked.
            with suppress(FileNotFoundError):
                self._lock = _locked(self.path, wait=True)
                if self.path.exists():
                    return self.path
            self._unlock()
            self.path = self._named()

    def remove(self) -> None:
        """Remove what is left of it; may be called at any moment, and more than once."""
        _settle(self.path)
        self._unlock()

    def _named(self) -> Path:
        ending = _ENDING if self._kind == "file" else ""
        return self._parent / f"{_PREFIX}{secrets.token_hex(6)}{ending}"

    def _unlock(self) -> None:
        if self._lock is not None:
            lock, self._lock = self._lock, None
            os.close(lock)


def is_temporary(path: Path) -> bool:
    """Tell whether a file is an unfinished one."""
    return path.name.startswith(".") and path.name.endswith(_ENDING)


def tidy(directory: Path) -> None:
    """Remove what killed processes left, and put back what they were replacing."""
    with suppress(OSError):
        for entry in directory.iterdir():
            with suppress(OSError):
                if _SET_ASIDE.fullmatch(entry.name):
                    _mention(entry)
                elif _is_ours(entry) and (lock := _locked(entry, wait=False)) is not None:
                    _settle(entry)
                    os.close(lock)


@contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """Wait until no other process is inside such a block with the directory."""
    lock = _locked(directory, wait=True)
    try:
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _is_ours(path: Path) -> bool:
    mode = path.lstat().st_mode
    pattern = _DIRECTORY if stat.S_ISDIR(mode) else _FILE if stat.S_ISREG(mode) else None
    return pattern is not None and pattern.fullmatch(path.name) is not None


def _mention(path: Path) -> None:
    # Nothing says what it was called, so nothing here may decide.
    warnings.warn(
        f"{path}: is what an older sendcap was replacing when it was killed; rename it if it is "
        "needed, or remove it",
        SendcapWarning,
        stacklevel=2,
    )


def _locked(path: Path, *, wait: bool) -> int | None:
    """Lock a file or directory until it is closed; return None if that cannot be."""
    if fcntl is None:
        return None
    # A network disk locks only files that are open for writing.
    access = os.O_RDONLY | os.O_DIRECTORY if path.is_dir() else os.O_RDWR
    descriptor = os.open(path, access | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _settle(path: Path) -> None:
    """Put back what was being replaced, unless its name is taken, and remove the rest."""
    if not os.path.lexists(path):
        # A read-only file system refuses to remove what is not there, too.
        return
    if not path.is_dir():
        path.unlink(missing_ok=True)
        return
    replaced = path / REPLACED
    for entry in replaced.iterdir() if replaced.is_dir() else ():
        if not os.path.lexists(path.parent / entry.name):
            entry.rename(path.parent / entry.name)
    try:
        shutil.rmtree(path, ignore_errors=True)
    finally:  # even if Ctrl-C comes once more meanwhile
        shutil.rmtree(path, ignore_errors=True)
