"""Configurations as lines of text, with what a message calls their places."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from sendcap.errors import ConfigurationError
from sendcap.files.failures import plain_words
from sendcap.scenario.files import read_text
from sendcap.text.quoting import visible


class Text(NamedTuple):
    """The text of a file.

    Attributes
    ----------
    path
        Where it was read.
    name
        What messages call it.
    content
        All of it, each line end a line feed.
    """

    path: Path
    name: str
    content: str

    def where(self, line: int) -> str:
        """Return what a message calls a line; they count from 1."""
        return f"{self.name}:{line}"

    def error(self, line: int, message: str) -> ConfigurationError:
        """Return the error that something is wrong in a line."""
        return ConfigurationError(f"{self.name}: line {line}: {message}")


def read(source: str | Path, what: str) -> Text:
    """Read the file of a configuration.

    Parameters
    ----------
    source
        Its path.
    what
        What it should be, such as ``"Postfix configuration"``.

    Raises
    ------
    SendcapError
        If it cannot be read, or is not a file of text of at most 10 MB.
    """
    path, name = Path(source), visible(str(source))
    if str(source) == "":
        raise ConfigurationError(f"the name of a {what} file is empty")
    try:
        content = read_text(path, name, what)
    except OSError as problem:
        raise ConfigurationError(f"{name}: {plain_words(problem)}") from None
    except ValueError:  # a path with a NUL
        raise ConfigurationError(f"{name}: cannot be the name of a file") from None
    position = content.find("\0")
    if position >= 0:
        line = content.count("\n", 0, position) + 1
        raise ConfigurationError(
            f"{name}: line {line} has a NUL character, so it is not a {what}; "
            f"give the file as the MTA reads it"
        )
    return Text(path, name, re.sub(r"\r\n?", "\n", content))
