"""What an import gives: the scenario, its file, and the report."""

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
        It can be simulated as it is.
    text
        The same as a TOML file, with comments that tell where each value comes from.
    findings
        The rows of the report.
    """

    scenario: Scenario
    text: str = field(repr=False)
    findings: tuple[Finding, ...] = field(repr=False)

    @cached_property
    def report(self) -> pd.DataFrame:
        """What became of each setting, a row each, warnings first.

        The columns are ``status``, ``setting``, ``value``, ``where``, ``scenario`` and ``why``;
        see `sendcap.importers.findings`.
        """
        return table(self.findings)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the scenario's file, whole or not at all.

        Parameters
        ----------
        path
            Of the file.
        force
            Replace what is there.

        Raises
        ------
        SendcapError
            If there is something and ``force`` is not given, or it cannot be written.
        """
        return save_text(path, self.text, force=force)


def imported(draft: Draft, mta: str, sources: list[str]) -> Imported:
    """Make the result of a draft.

    Parameters
    ----------
    mta
        Whose configuration it is.
    sources
        The names of its files.

    Raises
    ------
    SendcapError
        If the values make no scenario.
    """
    draft.kept_of_the_base()
    scenario = draft.finished(f"Imported from {mta}")
    head = [
        visible(f"Imported from {mta}: {', '.join(sources)}."),
        visible(f"What says nothing else is as {draft.base_name} has it; replace it by your own."),
    ]
    text = commented(draft.data, draft.comments, head)
    findings = tuple(Finding(*map(_clean, finding)) for finding in draft.findings)
    return Imported(scenario, text, findings)


def _clean(text: str) -> str:
    """Return a cell of the report on one line, all of it visible, and not too long to read."""
    text = visible(text[:_LONGEST])
    return text if len(text) < _LONGEST else text[: _LONGEST - 1] + "…"
