"""The settings of an MTA in a table: what a scenario has of them, or why it does not."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Setting(NamedTuple):
    """A row: settings of an MTA's configuration."""

    names: tuple[str, ...]
    keys: tuple[str, ...]  # of the scenario; none if it does not have them
    how: str  # or why not


def not_used(names: Iterable[str], reasons: Mapping[str, str]) -> list[Setting]:
    """Return a row for each reason, with the settings that are not used for it."""
    rows: dict[str, list[str]] = {}
    for name in names:
        rows.setdefault(reasons[name], []).append(name)
    return [Setting(tuple(names), (), why) for why, names in rows.items()]
