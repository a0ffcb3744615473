"""Single files: complete or absent, whatever happens; and the words for a failure."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sendcap.errors import ExistsError, SendcapError
from sendcap.files.cleaning import cleaned_by
from sendcap.files.temporary import Temporary, tidy
from sendcap.text.quoting import visible

_PLAIN_WORDS: Final = {
    errno.ENOSPC: "no space is left on the disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "a file would be larger than the file system allows",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ENOTDIR: "a part of the path is not a directory",
    errno.EEXIST: "a part of the path is not a directory",
    errno.ENOTEMPTY: "another program has made it meanwhile",
    errno.EBUSY: "it is in use, or another file system is mounted there",
    errno.EMFILE: "too many files are open",
    errno.EIO: "the disk reports an error",
}


def plain_words(error: OSError) -> str:
    """Return the reason of a failed file operation, without an error number."""
    known = _PLAIN_WORDS.get(error.errno or 0)
    return known or (error.strerror or str(error)).split(". Detail:")[0]


def not_written(path: Path | str, error: OSError) -> str:
    """Return the error message for a failed write."""
    return f"{path}: cannot be written: {plain_words(error)}"


def write_text(path: Path, text: str) -> None:
    """Write a text file with the same bytes on every system, into a directory being made."""
    path.write_text(text, encoding="utf-8", newline="\n")


def require_free(path: str | Path, *, force: bool) -> None:
    """Refuse a path at which no file can be written, before anything is computed for it."""
    name, parent = visible(str(path)), Path(path).absolute().parent
    if os.path.isdir(path):  # noqa: PTH112 (no error for a name that is too long)
        raise SendcapError(f"{name}: is a directory; give the name of a file")
    _require_regular(path)
    if os.path.lexists(path) and not force:
        raise ExistsError(name, "file")
    if not os.path.isdir(parent):  # noqa: PTH112
        where = visible(str(Path(path).parent))
        raise SendcapError(f"{name}: cannot be written: there is no directory {where}")


def _require_regular(path: str | Path) -> None:
    """Refuse a device, a pipe or a socket: none of them is replaced by a file."""
    if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113
        raise SendcapError(
            f"{visible(str(path))}: is not a regular file, so it is not replaced; give the name of "
            "a file"
        )


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield the path of a temporary file, which replaces another file at success only."""
    name = visible(str(path))
    try:
        # A link is followed, so that it goes on pointing to the file.
        target = Path(os.path.realpath(path))
    except ValueError as error:  # a path with a null character
        raise SendcapError(f"{name}: cannot be written: {error}") from None
    try:
        tidy(target.parent)
        with _replacing(target) as temporary:
            yield temporary
    except OSError as error:
        raise SendcapError(not_written(name, error)) from error


def save_text(path: str | Path, text: str, *, force: bool = False) -> Path:
    """Write a text file where the user asked for it, and return its path."""
    require_free(path, force=force)
    with whole_file(path) as temporary:
        write_text(temporary, text)
    return Path(path)


def put(path: Path, content: bytes) -> None:
    """Replace a file durably: the content survives a crash of the machine."""
    with _replacing(path) as temporary, temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _sync(path.parent)


@contextmanager
def in_temporary_files() -> Iterator[None]:
    """Name the directory of temporary files in errors of the block."""
    try:
        yield
    except OSError as error:
        raise SendcapError(
            f"{not_written('temporary files', error)}; TMPDIR names their directory"
        ) from error


def require_writable(directory: Path) -> None:
    """Raise an `OSError` if no file can be written in a directory."""
    temporary = Temporary(directory, "file")
    temporary.make()
    temporary.remove()


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    _require_regular(path)
    temporary = Temporary(path.parent, "file")

    def abandon() -> None:
        with suppress(OSError):
            temporary.remove()

    with cleaned_by(abandon):
        try:
            made = temporary.make()
            yield made
            made.replace(path)
        finally:
            abandon()


def _sync(directory: Path) -> None:
    """Force a directory's list of files to the disk, where a system can do that."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
