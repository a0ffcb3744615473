"""Settings that no scenario has: one that is not known may be misspelt."""

from collections.abc import Iterable, Mapping
from typing import Final

from sendcap.importers.draft import Draft
from sendcap.importers.imported import reason_unused
from sendcap.importers.reading import Entry
from sendcap.text.quoting import did_you_mean

_LEAST: Final = 0.9
"""How much a misspelt name resembles the one that is meant."""


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
