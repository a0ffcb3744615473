"""The directory of a result: complete or absent, and replaced only by a result of one kind."""

from __future__ import annotations

import errno
import itertools
import os
import re
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from sendcap.errors import RunError
from sendcap.files.cleaning import register, unregister
from sendcap.files.single import exists_already, not_written, plain_words

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]


class Contents(NamedTuple):
    """The files of one kind of result."""

    what: str  # the kind in an error message, such as "a saved run"
    marks: frozenset[str]  # by which such a directory is recognised
    files: frozenset[str]  # all that it may hold


_PREFIX: Final = ".sendcap-"
_NAME_BYTES: Final = 6
# Not those named -old as well: such a one is the saved run that a killed one was replacing.
_STAGED: Final = re.compile(rf"{re.escape(_PREFIX)}[0-9a-f]{{{2 * _NAME_BYTES}}}")

LITTER: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that file browsers leave in any directory that is looked at."""


class Staging:
    """A temporary directory that replaces ``directory`` at success; a context manager.

    Yields the temporary directory, new and empty, beside the final one. If the block raises
    anything, Ctrl-C included, or a signal stops the process, it is removed. So are those of
    processes that were killed before they could do it. With ``force`` an existing directory of the
    same kind is replaced, and stays as it is until the new one is complete. With ``numbered``, a
    name that is taken in the end gets a number: NAME-2, NAME-3. After the block, ``directory`` is
    the one that was made. Whatever cannot be replaced or written raises a `RunError`; what is
    known before the block, before it.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        contents: Contents,
        *,
        force: bool = False,
        numbered: bool = False,
    ) -> None:
        self.directory = Path(directory)
        # A link is followed, so that it goes on pointing to the directory.
        self._target = Path(directory if numbered else os.path.realpath(directory))
        self._force = force
        self._contents = contents
        self._numbered = numbered
        self._replaces = False
        self._made_parents: list[Path] = []
        self._temporary: Path | None = None
        self._lock: int | None = None

    def __enter__(self) -> Path:
        register(self.abandon)
        try:
            return self._open()
        except BaseException as error:
            self.abandon()
            self._explain(error)
            raise

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        try:
            if error is None:
                self._replace()
        except OSError as failure:
            self._explain(failure)
        finally:
            self.abandon()
        self._explain(error)

    def _open(self) -> Path:
        if not self._numbered:
            self._replaces = _may_replace(
                self._target, self.directory, self._contents, force=self._force
            )
        parent = self._target.parent
        self._made_parents = [path for path in self._target.parents if not path.exists()]
        parent.mkdir(parents=True, exist_ok=True)
        _remove_stale(parent)
        while True:
            # Not tempfile.mkdtemp, which keeps everybody else from reading what it makes.
            self._temporary = parent / f"{_PREFIX}{secrets.token_hex(_NAME_BYTES)}"
            self._temporary.mkdir()
            # Another run may have taken it for a stale one before it was locked.
            with suppress(FileNotFoundError):
                self._lock = _locked(self._temporary, wait=True)
                if self._temporary.exists():
                    return self._temporary
            self._unlock()

    def _replace(self) -> None:
        if self._temporary is None:
            raise ValueError("not entered")
        if self._replaces:
            self._target.rename(self._aside)
            self._temporary.rename(self._target)
        elif self._numbered:
            self.directory = _renamed_to_a_free_name(self._temporary, self._target)
        else:
            self._temporary.rename(self._target)

    @property
    def _aside(self) -> Path:
        """The name of the replaced directory until the new one has its name."""
        return self._target.with_name(f"{self._temporary and self._temporary.name}-old")

    def abandon(self) -> None:
        """Remove what is unfinished; may be called at any moment, and more than once."""
        if self._temporary is not None:
            if self._aside.exists() and not self._target.exists():
                self._aside.rename(self._target)
            _remove(self._aside)
            _remove(self._temporary)
        # Those that hold a finished run stay.
        for parent in self._made_parents:
            with suppress(OSError):
                parent.rmdir()
        self._unlock()
        unregister(self.abandon)

    def _unlock(self) -> None:
        if self._lock is not None:
            lock, self._lock = self._lock, None
            os.close(lock)

    def _explain(self, error: BaseException | None) -> None:
        """Raise a `RunError` for an error of the file system."""
        # A closed pipe concerns no file: somebody stopped reading what the block prints.
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            raise RunError(_explained(error, self.directory, self._target.parent)) from error


def _renamed_to_a_free_name(temporary: Path, target: Path) -> Path:
    """Rename a directory to NAME, NAME-2, …, and return the first that is free at that moment."""
    for number in itertools.count(1):
        free = target if number == 1 else target.with_name(f"{target.name}-{number}")
        if os.path.lexists(free):
            continue
        try:
            return temporary.rename(free)
        except OSError as error:
            # Another run was faster.
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
    raise AssertionError


def _locked(directory: Path, *, wait: bool) -> int | None:
    """Lock a directory until it is closed; the system unlocks it when the process ends."""
    if fcntl is None:
        return None
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        # It is in use, or this file system knows no locks: nothing there is ever stale.
        os.close(descriptor)
        return None
    return descriptor


def _remove_stale(parent: Path) -> None:
    """Remove the temporary directories of runs that were killed: those not locked any more."""
    for entry in parent.iterdir():
        if not _STAGED.fullmatch(entry.name):
            continue
        with suppress(OSError):
            lock = _locked(entry, wait=False)
            if lock is not None:
                _remove(entry)
                os.close(lock)


def _explained(error: OSError, directory: Path, parent: Path) -> str:
    culprit = "" if error.filename is None else str(error.filename)
    if not culprit or Path(culprit).is_relative_to(parent):
        return not_written(directory, error)
    return f"{directory}: cannot be written: {culprit}: {plain_words(error)}"


def _may_replace(target: Path, directory: Path, contents: Contents, *, force: bool) -> bool:
    """Tell whether there is a directory to replace; raise if it may not be replaced."""
    if not target.exists():
        return False
    if not target.is_dir():
        raise RunError(f"{directory}: is a file; give the name of a directory")
    if not force:
        raise RunError(exists_already(directory, "directory"))
    names = {entry.name for entry in target.iterdir()} - LITTER
    if not names:
        return True
    if not contents.marks <= names:
        raise RunError(f"{directory}: is not {contents.what}, so it is not replaced")
    # Replacing removes; it must not remove what somebody else put there.
    foreign = sorted(names - contents.files)
    if foreign:
        raise RunError(
            f"{directory}: holds {foreign[0]!r}, which sendcap did not write, so it is not "
            "replaced; move that away first"
        )
    return True


def _remove(directory: Path) -> None:
    """Remove a directory with all its files, even if Ctrl-C comes once more meanwhile."""
    try:
        shutil.rmtree(directory, ignore_errors=True)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
