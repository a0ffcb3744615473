"""A file that leads a browser to the page: every user can read the command lines of programs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from typing import Final

from sendcap.errors import SendcapError
from sendcap.files.cleaning import cleaned_by

_FILE: Final = (
    '<!doctype html><meta charset="utf-8"><title>sendcap</title>'
    '<meta http-equiv="refresh" content="0; url={url}"><a href="{url}">What if?</a>\n'
)


@contextmanager
def leading_to(url: str) -> Iterator[str]:
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
                file.write(_FILE.format(url=escape(url)))
            yield name
        finally:
            remove()
