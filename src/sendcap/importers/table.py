"""The settings of an MTA in a table: what a scenario has of them, or why it does not."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sendcap.importers.imported import reason_unused


class Setting(NamedTuple):
    """A row: settings of an MTA's configuration."""

    names: tuple[str, ...]
    keys: tuple[str, ...]  # of the scenario; none if it does not have them
    how: str  # or why not


def used(names: str, keys: str, how: str) -> Setting:
    """Return a row; names and keys are words of a text."""
    return Setting(tuple(names.split()), tuple(keys.split()), how)


def by_name(reasons: Mapping[str, str]) -> dict[str, str]:
    """Return the reason for each name; each reason comes with the names that have it, as words."""
    return {name: reason for reason, names in reasons.items() for name in names.split()}


def not_used(names: Iterable[str], reasons: Mapping[str, str]) -> list[Setting]:
    """Return a row for each reason, with the settings that are not used for it."""
    rows: dict[str, list[str]] = {}
    for name in names:
        rows.setdefault(reason_unused(name, reasons, ""), []).append(name)
    return [Setting(tuple(names), (), why) for why, names in rows.items()]


def with_warning(reasons: Mapping[str, str]) -> list[Setting]:
    """Return such rows of settings that a warning tells of."""
    return [row._replace(how=f"with a warning: {row.how}") for row in not_used(reasons, reasons)]
