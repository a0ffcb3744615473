"""The report of an import: what became of each setting of a configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import pandas as pd

USED: Final = "used"
"""The scenario has the setting, as it is or as ``why`` says."""
DEFAULT: Final = "default"
"""Not in the configuration; the value is the MTA's default."""
BASE: Final = "base"
"""In no such configuration; the value is from the base scenario or from an option."""
UNUSED: Final = "not used"
"""The scenario does not have the setting, for the reason in ``why``."""
WARNING: Final = "warning"
"""Probably a mistake in the configuration or in the scenario."""

STATUSES: Final = (WARNING, USED, DEFAULT, BASE, UNUSED)

_SECRET: Final = re.compile(r"password|passwd|secret|private_key|api-?key|token", re.IGNORECASE)
_EVERYWHERE: Final = {
    "tls": "TLS takes no time of its own in the model; it is part of the connect time",
    "timeout": "the model's servers always answer; outages are a key of the provider",
}


class Finding(NamedTuple):
    """One row of the report.

    Attributes
    ----------
    status
        One of ``STATUSES``.
    setting
        Name in the configuration.
    value
        Value in the configuration.
    where
        File and line.
    scenario
        Key and value in the scenario: ``providers.gmail.connections_per_ip = 5``.
    why
        Explanation.
    """

    status: str
    setting: str
    value: str = ""
    where: str = ""
    scenario: str = ""
    why: str = ""


def table(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return findings as a table: warnings first, otherwise in order."""
    rows = sorted(dict.fromkeys(findings), key=lambda finding: STATUSES.index(finding.status))
    return pd.DataFrame(rows, columns=Finding._fields, dtype=str)


def reason_unused(name: str, reasons: Mapping[str, str], otherwise: str) -> str:
    """Return why a setting is not used: the reason of the first key that is part of its name."""
    every = {**_EVERYWHERE, **reasons}
    return next((reason for part, reason in every.items() if part in name), otherwise)


def masked(key: str, value: Any) -> Any:
    """Return a setting's value; passwords and keys are hidden.

    Examples
    --------
    >>> masked("smtp_auth_plain_password", "opensesame"), masked("max_ready", 5)
    ('(not shown)', 5)
    """
    return "(not shown)" if _SECRET.search(key[:200]) else value
