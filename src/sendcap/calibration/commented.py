"""A TOML file whose keys have comments: tomli-w writes none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

Line = tuple[str, Any, str]
"""A key, its value and a comment, which may be empty."""


def toml(head: Iterable[str], top: dict[str, Any], tables: Iterable[tuple[str, list[Line]]]) -> str:
    """Return a TOML file whose keys have comments.

    Parameters
    ----------
    head
        Lines of the comment at the top.
    top
        What comes first, without comments.
    tables
        Headings, such as ``[providers.gmail]``, and their lines.
    """
    parts = [f"# {_one_line(line)}".rstrip() for line in head]
    parts += ["", *(f"{key} = {_inline(value)}" for key, value in top.items())]
    for heading, lines in tables:
        parts += ["", heading]
        for key, value, about in lines:
            comment = f"  # {_one_line(about)}" if about else ""
            parts.append(f"{key} = {_inline(value)}{comment}")
    return "\n".join(parts) + "\n"


def heading(*names: str) -> str:
    """Return the heading of a table.

    >>> heading("providers", "mail.ru")
    '[providers."mail.ru"]'
    """
    return f"[{'.'.join(_key(name) for name in names)}]"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _inline(name)


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(key)} = {_inline(its)}' for key, its in value.items())} }}"
    return f"[{', '.join(_inline(its) for its in value)}]"
