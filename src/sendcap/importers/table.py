"""The settings of an MTA: what a scenario has of them, or why it does not."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from sendcap.importers.draft import Draft
from sendcap.importers.reading import Entry
from sendcap.text.quoting import did_you_mean

DECIDES_NOTHING: Final = "does not decide how fast mail is sent"
"""Why most settings are not used."""
_EVERYWHERE: Final = {
    "tls": "TLS takes no time of its own in the model; it is part of the connect time",
    "timeout": "the model's servers always answer; outages are a key of the provider",
}
_LEAST: Final = 0.9
"""How much a misspelt name resembles the one that is meant."""


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


def reason_unused(name: str, reasons: Mapping[str, str], otherwise: str) -> str:
    """Return why a setting is not used: its reason, or that of the first key in its name."""
    if name in reasons:
        return reasons[name]
    every = {**_EVERYWHERE, **reasons}
    return next((reason for part, reason in every.items() if part in name), otherwise)


def tell_unused(
    draft: Draft,
    entry: Entry,
    key: str,
    reasons: Mapping[str, str],
    unknown: str,
    deciding: Iterable[str],
) -> None:
    """Report why a setting is not used.

    Without a reason it is ``unknown``: a probable mistake, if it resembles one that decides.
    """
    why = reason_unused(key, reasons, unknown)
    hint = did_you_mean(key, deciding, _LEAST) if why == unknown else ""
    if hint:
        # Nobody knows what the value is: it may be a password.
        draft.warn(entry._replace(value=""), f"this importer does not know it{hint}")
    else:
        draft.unused(entry, why)
