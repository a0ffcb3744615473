"""Why a file cannot be written or replaced, in plain words."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Final, Literal

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


def exists_already(path: Path | str, kind: Literal["file", "directory"]) -> str:
    """Return the error message for a path that is taken."""
    return f"{path}: exists already; choose another {kind}, or replace it with force (--force)"


def not_written(path: Path | str, error: OSError) -> str:
    """Return the error message for a failed write."""
    return f"{path}: cannot be written: {plain_words(error)}"
