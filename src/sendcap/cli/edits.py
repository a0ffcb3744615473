"""Changes of a scenario on the command line: ``--set mta.retry.first=10m``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from typing import Any, Final

from sendcap.errors import SendcapError

_SETTING: Final = re.compile(r'((?:[^="]|"[^"]*")*)=(.*)', re.DOTALL)
_OPENING: Final = ("{", "[", '"', "'")


def edits_of(settings: Sequence[str]) -> dict[str, Any]:
    """Return the values by path that ``sendcap.scenario.updated`` takes.

    Values are written as in a scenario file; text needs no quotes. A path that is given twice
    takes the last value.

    Raises
    ------
    SendcapError
        Without a path or a value, or for a table or list that is not valid TOML.

    Examples
    --------
    >>> edits_of(["mta.retry.first=10m", "mta.ips = 8"])
    {'mta.retry.first': '10m', 'mta.ips': 8}
    """
    edits = {}
    for setting in settings:
        found = _SETTING.fullmatch(setting)
        path, value = (part.strip() for part in found.groups()) if found else ("", "")
        if not path or not value:
            raise SendcapError(
                f'--set: "{setting}" is not path=value; write it like mta.retry.first=10m'
            )
        edits[path] = _value(value, setting)
    return edits


def _value(text: str, setting: str) -> Any:
    try:
        values = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError) as problem:
        if text.startswith(_OPENING):
            raise SendcapError(f"--set: {setting}: not valid TOML: {problem}") from None
        return text
    # A line break would begin another key.
    return values["value"] if len(values) == 1 else text
