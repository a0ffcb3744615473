"""A file that leads a browser to the page: every user can read the command lines of programs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sendcap.errors import SendcapError
from sendcap.explore.guard import leading_to
from sendcap.files.cleaning import cleaned_by


@contextmanager
def file_leading_to(url: str) -> Iterator[str]:
    """Name a file that leads to an address and is this user's alone; remove it on exit."""
    try:
        number, name = tempfile.mkstemp(prefix="sendcap-", suffix=".html")
    except OSError as error:
        raise SendcapError(
            f"explore: no temporary file for the browser ({error.strerror}); use --no-open"
        ) from error

    def remove() -> None:
        with suppress(OSError):
            Path(name).unlink()

    with cleaned_by(remove):
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(leading_to(url))
            yield name
        finally:
            remove()
