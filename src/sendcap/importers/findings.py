"""What became of each setting of a configuration: the rows of an import's report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

USED: Final = "used"
"""The scenario holds it, as it is or as ``why`` says."""
DEFAULT: Final = "default"
"""The configuration does not say; this is what the MTA then does."""
BASE: Final = "base"
"""The configuration cannot say; it comes from the base scenario or from an option."""
UNUSED: Final = "not used"
"""The scenario does not hold it, ``why`` says why."""
WARNING: Final = "warning"
"""Probably not what the author of the configuration or of the scenario means."""

STATUSES: Final = (WARNING, USED, DEFAULT, BASE, UNUSED)


class Finding(NamedTuple):
    """One row of the report.

    Attributes
    ----------
    status
        One of ``STATUSES``.
    setting
        What the configuration calls it.
    value
        What the configuration says, as it is written there.
    where
        File and line.
    scenario
        Where the scenario has it, and what: ``providers.gmail.connections_per_ip = 5``.
    why
        What a reader has to know about it.
    """

    status: str
    setting: str
    value: str = ""
    where: str = ""
    scenario: str = ""
    why: str = ""


def table(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return findings as a table, a row for each: warnings first, else in the order found."""
    import pandas as pd

    rows = sorted(dict.fromkeys(findings), key=lambda its: STATUSES.index(its.status))
    return pd.DataFrame(rows, columns=Finding._fields, dtype=str)
