"""The result of an import: the scenario, its file, and the report on each setting."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd

from sendcap.files.directory import Contents
from sendcap.files.single import save_text
from sendcap.scenario.scenario import Scenario
from sendcap.text.quoting import shown, visible, without_addresses

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

SETTINGS: Final = "settings.csv"
_LONGEST: Final = 300
"""Characters of a value in the report."""
_LONGEST_CELL: Final = 1000
_LONGEST_NAME: Final = 60

REPORT: Final = Contents("the report of an import", frozenset({SETTINGS}), frozenset({SETTINGS}))
"""The saved report: its table of settings."""


class Finding(NamedTuple):
    """One row of the report."""

    status: str  # one of STATUSES
    setting: str
    value: str = ""  # in the configuration
    where: str = ""  # file and line
    scenario: str = ""  # key and value there: ``providers.gmail.connections_per_ip = 5``
    why: str = ""


@dataclass(frozen=True)
class Imported:
    """A scenario made of an MTA's configuration.

    Attributes
    ----------
    scenario
        The scenario, ready to simulate.
    text
        The scenario as a TOML file; comments give the source of each value.
    findings
        Rows of the report.
    """

    scenario: Scenario
    text: str = field(repr=False)
    findings: tuple[Finding, ...] = field(repr=False)

    @cached_property
    def report(self) -> pd.DataFrame:
        """The fate of each setting, one per row, warnings first.

        The columns are ``status`` (``warning``, ``used``, ``default``, ``base`` or ``not used``),
        ``setting``, ``value``, ``where``, ``scenario`` and ``why``.
        """
        rows = dict.fromkeys(self.findings)
        ordered = sorted(rows, key=lambda finding: STATUSES.index(finding.status))
        return pd.DataFrame(ordered, columns=Finding._fields, dtype=str)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the scenario's file.

        Parameters
        ----------
        path
            Path of the file.
        force
            Replace an existing file.

        Raises
        ------
        SendcapError
            If the file exists and ``force`` is not set, or cannot be written.
        """
        return save_text(path, self.text, force=force)


def in_short(value: Any) -> str:
    """Return a value for the report: on one line, of limited length."""
    text = visible(value[: 2 * _LONGEST]) if isinstance(value, str) else shown(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def as_cell(text: str) -> str:
    """Return a cell of the report: printable, on one line, of limited length, no addresses."""
    text = visible(without_addresses(text[:_LONGEST_CELL]))
    return text if len(text) < _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"


def as_name(text: str, taken: Iterable[str]) -> str:
    """Return a name for a scenario: printable, of limited length, no address, not taken."""
    taken = set(taken)
    name = visible(without_addresses(text)).strip()[:_LONGEST_NAME].strip()
    name = name if name not in ("", "*") else "limit"
    numbered = (f"{name} {number}" for number in count(2))
    return name if name not in taken else next(each for each in numbered if each not in taken)
