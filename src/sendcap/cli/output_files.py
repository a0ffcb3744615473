"""Files that a command writes where it is told to: whole or not at all, and never over another."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sendcap.cli.stops import cleaned_by
from sendcap.errors import SendcapError
from sendcap.files.directory import plain_words


def require_free(path: Path, *, force: bool) -> None:
    """Refuse a path where there is something already, unless it is a file and may be replaced.

    Or where no file can be: that is told before anything is computed.
    """
    if not path.parent.is_dir():
        raise SendcapError(f"{path}: cannot be written: there is no directory {path.parent}")
    if path.is_dir():
        raise SendcapError(f"{path}: is a directory; give the name of a file")
    if os.path.lexists(path) and not force:
        raise SendcapError(
            f"{path}: exists already; choose another file, or replace it with --force"
        )


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give the path of a temporary file beside another one, whose place it takes at success."""
    # A link is followed, so that it goes on pointing to the file.
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".sendcap-{secrets.token_hex(6)}{target.suffix}")

    def abandon() -> None:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)

    with cleaned_by(abandon):
        try:
            yield temporary
            temporary.replace(target)
        except OSError as error:
            raise SendcapError(f"{path}: cannot be written: {plain_words(error)}") from error
        finally:
            abandon()
