"""A saved run's directory: it appears whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sendcap.errors import RunError

SCENARIO: Final = "scenario.toml"
LEDGER: Final = "ledger.parquet"
KPIS: Final = "kpis.csv"
SUMMARY: Final = "summary.json"
CHART: Final = "delivered.png"
SENDING_LOG: Final = "sending-log.parquet"
RUN_FILES: Final = (SCENARIO, LEDGER, KPIS, SUMMARY, CHART, SENDING_LOG)

# What file browsers leave behind in any directory that is looked at.
_LITTER: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})

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
    """Return why a file operation failed, in words without a number in them."""
    known = _PLAIN_WORDS.get(error.errno or 0)
    return known or (error.strerror or str(error)).split(". Detail:")[0]


@contextmanager
def staged(directory: str | os.PathLike[str], *, force: bool = False) -> Iterator[Path]:
    """Give a temporary directory that takes the place of ``directory`` at success.

    Parameters
    ----------
    directory
        What is to be made. Its missing parents are made too.
    force
        Replace a saved run. It stays as it is until the new one is complete, and if that fails.

    Yields
    ------
    Path
        A new, empty directory beside ``directory``. If the block raises anything, Ctrl-C
        included, it is removed with all that is in it.

    Raises
    ------
    RunError
        Before the block runs, if ``directory`` exists and ``force`` is not set, or if it is not a
        saved run and nothing else; and whenever files cannot be written.
    """
    # A link is followed, so that it goes on pointing to the directory.
    target = Path(os.path.realpath(directory))
    made_parents: list[Path] = []
    temporary: Path | None = None
    done = False
    try:
        replaces = _may_replace(target, Path(directory), force=force)
        made_parents = [it for it in target.parents if not it.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        # Not tempfile.mkdtemp, which keeps everybody else from reading what it makes.
        temporary = target.parent / f".sendcap-{secrets.token_hex(6)}"
        temporary.mkdir()
        yield temporary
        if replaces:
            _replace(target, temporary)
        else:
            temporary.rename(target)
        done = True
    except BrokenPipeError:
        # Somebody stopped reading what the block prints; no file is concerned.
        raise
    except OSError as error:
        raise RunError(_explained(error, Path(directory), target.parent)) from error
    finally:
        if not done:
            if temporary is not None:
                _remove(temporary)
            for parent in made_parents:
                with suppress(OSError):
                    parent.rmdir()


def _explained(error: OSError, directory: Path, parent: Path) -> str:
    culprit = "" if error.filename is None else str(error.filename)
    if not culprit or Path(culprit).is_relative_to(parent):
        return f"{directory}: cannot be written: {plain_words(error)}"
    return f"{directory}: cannot be written: {culprit}: {plain_words(error)}"


def _may_replace(target: Path, directory: Path, *, force: bool) -> bool:
    """Tell whether there is a saved run to replace; raise if what is there may not be replaced."""
    if not target.exists():
        return False
    if not target.is_dir():
        raise RunError(f"{directory}: is a file; give the name of a directory")
    if not force:
        raise RunError(
            f"{directory}: exists already; choose another directory, or replace it with force "
            "(--force)"
        )
    names = {entry.name for entry in target.iterdir()} - _LITTER
    if not names:
        return True
    if not {LEDGER, SUMMARY} <= names:
        raise RunError(f"{directory}: is not a saved run, so it is not replaced")
    # Replacing removes; it must not remove what somebody else put there.
    foreign = sorted(names.difference(RUN_FILES))
    if foreign:
        raise RunError(
            f"{directory}: holds {foreign[0]!r}, which sendcap did not write, so it is not "
            "replaced; move that away first"
        )
    return True


def _replace(target: Path, temporary: Path) -> None:
    """Put ``temporary`` in the place of ``target``, which stays if that fails."""
    aside = temporary.with_name(f"{temporary.name}-old")
    try:
        target.rename(aside)
        temporary.rename(target)
    except BaseException:
        if aside.exists() and not target.exists():
            aside.rename(target)
        raise
    _remove(aside)


def _remove(directory: Path) -> None:
    """Remove a directory and what is in it, even if Ctrl-C comes once more meanwhile."""
    try:
        shutil.rmtree(directory, ignore_errors=True)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
