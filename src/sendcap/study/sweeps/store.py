"""Where sweeps keep what is done: a directory that survives crashes and may be shared.

**Why files.** A store is a directory of small Parquet files. Each holds the runs that were finished
together, is written under another name, forced to the disk and then renamed, so it is there whole
or not at all; nothing is ever changed in place. So any number of sweeps, on any machines that see
the directory, can write to it at the same time without a server or locks, which an embedded
database does not offer (DuckDB lets in one process, SQLite's locks are unreliable on network
disks), and what a sweep has finished the others find. Now and then, and at the end, files are
compacted: all runs are written into one new file, and only then those that it replaces are removed.
A run is found by its key alone, and its values are JSON in a column of text: nothing in a store can
run code, and runs of different measures fit into the same file. Page checksums tell a file that has
been damaged; it is set aside, and its runs are computed again.

A run's key is a hash of its resolved scenario, its seed, its measures and the model's version, see
`sendcap.study.sweeps.identity`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from sendcap.errors import SendcapWarning
from sendcap.study.sweeps import store_files as files
from sendcap.study.sweeps.outcomes import Outcome

_COMPACT_AT: Final = 256
"""Files at which they are compacted: more take longer to list than they are worth."""


class Store:
    """What is done, by key. It is read when it is made, and again by `refresh`.

    Parameters
    ----------
    directory
        It is made when something is written to it.

    Raises
    ------
    StoreError
        If the directory is something else, of a newer version, or cannot be read.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)
        self._outcomes: dict[str, Outcome] = {}
        self._files: set[str] = set()
        self._damaged: set[str] = set()
        self._compact_at = _COMPACT_AT
        files.require_store(self.directory)
        self.refresh()

    def __len__(self) -> int:
        """Return how many runs are known."""
        return len(self._outcomes)

    def finished(self, key: str) -> Outcome | None:
        """Return what became of a run, None if it is not known or has failed."""
        its = self._outcomes.get(key)
        return None if its is None or its.failed else its

    def known(self, key: str) -> Outcome | None:
        """Return what became of a run, be it a failure, None if it is not known."""
        return self._outcomes.get(key)

    def refresh(self) -> None:
        """Read what other sweeps have finished meanwhile."""
        while True:
            new = sorted(files.names(self.directory) - self._files - self._damaged)
            there = [self._read(name) for name in new]
            # One that is gone has been compacted into another: look again.
            if all(there):
                return

    def open(self) -> None:
        """Make it ready to be written to, before anything is computed for it.

        Raises
        ------
        StoreError
            If it cannot be written.
        """
        files.make_store(self.directory)
        files.require_writable(self.directory)

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Keep some outcomes, for good when this returns.

        Raises
        ------
        StoreError
            If they cannot be written. Then they are not kept, and all others are.
        """
        if not outcomes:
            return
        self._files.add(files.write(self.directory, outcomes))
        self._remember(outcomes)
        if len(self._files) >= self._compact_at:
            self.compact()

    def compact(self) -> None:
        """Write all runs into one file, and remove those that it replaces.

        Where there is no room for it, all stays as it is.
        """
        self.refresh()
        replaced = set(self._files)
        if len(replaced) < 2:
            return
        try:
            self._files.add(files.write(self.directory, list(self._outcomes.values())))
        except files.StoreError:
            self._compact_at = 2 * len(replaced)
            return
        for name in replaced:
            files.remove(self.directory, name)
        self._files -= replaced

    def _read(self, name: str) -> bool:
        """Read a file, and tell whether it was still there."""
        path = self.directory / name
        try:
            outcomes = files.read(path)
        except FileNotFoundError:
            return False
        if outcomes is not None:
            self._files.add(name)
            self._remember(outcomes)
            return True
        self._damaged.add(name)
        aside = files.set_aside(path)
        warnings.warn(
            f"{path}: is damaged; it is kept as {aside.name}, and its runs are computed again",
            SendcapWarning,
            stacklevel=2,
        )
        return True

    def _remember(self, outcomes: Iterable[Outcome]) -> None:
        for its in outcomes:
            # What has succeeded once does not fail any more.
            if self.finished(its.key) is None:
                self._outcomes[its.key] = its
