"""The result of an import: the scenario, its file, and the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sendcap.files.directory import Contents
from sendcap.files.single import save_text
from sendcap.importers.draft import Draft
from sendcap.importers.findings import Finding, table
from sendcap.scenario import Scenario
from sendcap.scenario.commented import commented
from sendcap.text.quoting import visible

if TYPE_CHECKING:
    import pandas as pd

SETTINGS: Final = "settings.csv"
REPORT: Final = Contents("the report of an import", frozenset({SETTINGS}), frozenset({SETTINGS}))
"""The saved report: its table of settings."""

_LONGEST: Final = 1000
"""Characters of a cell of the report."""


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

        The columns are ``status``, ``setting``, ``value``, ``where``, ``scenario`` and ``why``;
        see `sendcap.importers.findings`.
        """
        return table(self.findings)

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


def imported(draft: Draft, mta: str, sources: list[str]) -> Imported:
    """Return the result of a draft.

    Parameters
    ----------
    mta
        Name of the MTA.
    sources
        Names of the configuration files.

    Raises
    ------
    SendcapError
        If the scenario is not valid.
    """
    draft.report_base()
    scenario = draft.finished(f"Imported from {mta}")
    head = [
        visible(f"Imported from {mta}: {', '.join(sources)}."),
        visible(f"Values without a comment are from {draft.base_name}; replace them by yours."),
    ]
    text = commented(draft.data, draft.comments, head)
    findings = tuple(Finding(*map(_clean, finding)) for finding in draft.findings)
    return Imported(scenario, text, findings)


def _clean(text: str) -> str:
    """Return a cell of the report: printable, on one line, of limited length."""
    text = visible(text[:_LONGEST])
    return text if len(text) < _LONGEST else text[: _LONGEST - 1] + "…"
