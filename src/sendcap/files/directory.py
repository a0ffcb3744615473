"""The directory of a result: complete or absent, and replaced only by a result of one kind."""

import ctypes
import errno
import itertools
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from sendcap.errors import ExistsError, RunError
from sendcap.files.checksums import SUMMARY, seal
from sendcap.files.cleaning import register, unregister
from sendcap.files.single import not_written, plain_words
from sendcap.files.temporary import NEW, REPLACED, Temporary, tidy


class Contents(NamedTuple):
    """The files of one kind of result."""

    what: str  # the kind in an error message, such as "a saved run"
    marks: frozenset[str]  # by which such a directory is recognised
    files: frozenset[str]  # all that it may hold


LITTER: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Files that file browsers leave in any directory that is looked at."""


class Staging:
    """A temporary directory that becomes ``directory`` at success; a context manager.

    Yields the temporary directory, new and empty. If the block raises anything, Ctrl-C included, or
    a signal stops the process, it is removed. So are those of processes that were killed before
    they could do it. At success the files get their checksums. With ``force`` an existing directory
    of the same kind is replaced, and stays as it is until the new one is complete: whatever happens
    there is always one of them. With ``numbered``, a name that is taken in the end gets a number:
    NAME-2, NAME-3. After the block, ``directory`` is the one that was made. Whatever cannot be
    replaced or written raises a `RunError`; what is known before the block, before it.
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
        parts = self.directory.parts
        if any(part == ".." and not Path(*parts[:n]).exists() for n, part in enumerate(parts)):
            # The way up begins at what is not there: nobody could open it by this name.
            self.directory = self._target
        self._force = force
        self._contents = contents
        self._numbered = numbered
        self._made_parents: list[Path] = []
        self._temporary: Temporary | None = None

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
        parent = self._target.parent
        # What a killed process was replacing is back before anything is said about it.
        tidy(parent)
        if not self._numbered:
            self._may_replace()
        self._made_parents = [path for path in self._target.parents if not path.exists()]
        parent.mkdir(parents=True, exist_ok=True)
        self._temporary = Temporary(parent, "directory")
        new = self._temporary.make() / NEW
        new.mkdir()
        return new

    def _replace(self) -> None:
        if self._temporary is None:
            raise ValueError("not entered")
        new = self._temporary.path / NEW
        seal(new)
        if self._numbered:
            self.directory = _renamed_to_a_free_name(new, self._target)
            return
        # Once more: somebody may have put a file there while the result was computed.
        if self._force and self._may_replace():
            if exchange(new, self._target):
                return
            # The name below is the record of its place.
            replaced = self._temporary.path / REPLACED
            replaced.mkdir()
            self._target.rename(replaced / self._target.name)
        new.rename(self._target)

    def _may_replace(self) -> bool:
        return _may_replace(self._target, self.directory, self._contents, force=self._force)

    def abandon(self) -> None:
        """Remove what is unfinished; may be called at any moment, and more than once."""
        if self._temporary is not None:
            self._temporary.remove()
        # Those that hold a finished run stay.
        for parent in self._made_parents:
            with suppress(OSError):
                parent.rmdir()
        unregister(self.abandon)

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
        raise ExistsError(directory, "directory")
    names = {entry.name for entry in target.iterdir()} - LITTER
    if not names:
        return True
    if not contents.marks <= names:
        raise RunError(f"{directory}: is not {contents.what}, so it is not replaced")
    # Replacing removes; it must not remove what somebody else put there.
    foreign = sorted(names - contents.files - {SUMMARY})
    if foreign:
        raise RunError(
            f"{directory}: holds {foreign[0]!r}, which sendcap did not write, so it is not "
            "replaced; move that away first"
        )
    return True


# Two directories that swap their names in one step, where the system can do that.

_RELATIVE_TO_HERE: Final = -100  # AT_FDCWD
_EXCHANGE: Final = 2  # RENAME_EXCHANGE
_CANNOT: Final = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)
"""Errors of a kernel or a file system without the exchange."""

# Python has no call for it, and the one package that has was last released in 2022.
_renameat2 = (
    getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if sys.platform == "linux"
    else None
)


def exchange(one: Path, other: Path) -> bool:
    """Let two paths swap their contents; return False where the system cannot."""
    if _renameat2 is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    if _renameat2(_RELATIVE_TO_HERE, names[0], _RELATIVE_TO_HERE, names[1], _EXCHANGE) == 0:
        return True
    error = ctypes.get_errno()
    if error in _CANNOT:
        return False
    raise OSError(error, os.strerror(error), str(other))
