"""A run: a scenario and the ledger that its simulation left. Simulate, look, save, open."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sendcap.charts.drawing import Drawable
from sendcap.errors import SendcapError
from sendcap.files.directory import Staging
from sendcap.model.engine import LONGEST_WINDOW_S, Progress, simulate_ledger
from sendcap.readings.dashboard import Dashboard, dashboard
from sendcap.readings.kpis import Readings, kpis
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS, Denominator, Mode
from sendcap.readings.sentences import sentences
from sendcap.readings.summary import summary
from sendcap.saved import RUN, read_run, write_run
from sendcap.scenario.durations import as_seconds
from sendcap.scenario.files import scenario_of

if TYPE_CHECKING:
    import pandas as pd

    from sendcap.ledger import Ledger
    from sendcap.scenario import Scenario


@dataclass(frozen=True)
class Run(Drawable, charts="sendcap.charts"):
    """A simulated scenario and the resulting ledger.

    Attributes
    ----------
    scenario
        The scenario, seed included.
    ledger
        The counts of events, from which everything else is computed.
    """

    scenario: Scenario
    ledger: Ledger

    @cached_property
    def readings(self) -> Readings:
        """The figures of the ledger, each computed once."""
        return Readings(self.ledger)

    def kpis(
        self,
        mode: Mode,
        delivery: str = ALL_DELIVERIES,
        denominator: Denominator | None = None,
        provider: str = ALL_PROVIDERS,
    ) -> pd.DataFrame:
        """Return the KPIs over time; see `sendcap.readings.kpis.kpis`.

        Parameters
        ----------
        mode
            ``"without-efs"``, ``"efs"``, ``"efs-v8"`` or ``"legacy"``; it need not be one of the
            scenario's.
        delivery
            A delivery's name, or ``"*"`` for all of them together.
        denominator
            What the percentages are a share of; the scenario's ``reporting.denominator`` by
            default.
        provider
            Count the messages to this provider alone.
        """
        return kpis(self.readings, mode, delivery, self._denominator(denominator), provider)

    def dashboard(
        self,
        t: float | str,
        mode: Mode | None = None,
        delivery: str = ALL_DELIVERIES,
        compute_stats: bool = False,
    ) -> Dashboard:
        """Return the Deployment dashboard as it looks at a moment.

        Parameters
        ----------
        t
            The moment: seconds, or a duration such as ``"3h"``.
        mode
            The first of the scenario's modes by default.
        delivery
            A delivery's name, or ``"*"`` for all of them together.
        compute_stats
            Figures as of ``t`` itself and not as last refreshed.

        Raises
        ------
        SendcapError
            If the moment is before 0 or not a duration, or if there is no such mode or delivery.
        """
        reporting = self.scenario.reporting
        return dashboard(
            self.readings,
            as_seconds(t, "time"),
            reporting.modes[0] if mode is None else mode,
            delivery,
            refresh_s=reporting.refresh,
            engagement_refresh_s=reporting.engagement_refresh,
            compute_stats=compute_stats,
            denominator=reporting.denominator,
        )

    def summary(self) -> dict[str, Any]:
        """Return totals, times and final KPIs; see `sendcap.readings.summary.summary`."""
        scenario = self.scenario
        return summary(
            self.readings,
            scenario.reporting.modes,
            title=scenario.title,
            seed=scenario.seed,
            denominator=scenario.reporting.denominator,
        )

    def sentences(self, modes: Sequence[Mode] | None = None) -> list[str]:
        """Return the main results in plain sentences.

        The messages delivered in the end, the times of acceptance, the bottleneck, and how far
        Delivered % can be trusted in each reporting mode (default: the scenario's).
        """
        return list(sentences(self, modes or self.scenario.reporting.modes))

    def save(self, directory: str | os.PathLike[str], force: bool = False) -> Path:
        """Write the run into a new directory, which is complete or absent.

        Parameters
        ----------
        directory
            The directory for ``scenario.toml``, ``ledger.parquet``, ``kpis.csv``,
            ``summary.json`` and ``delivered.png``. The same run gives the same bytes.
        force
            Replace an existing saved run.

        Returns
        -------
        Path
            The directory.

        Raises
        ------
        RunError
            If the directory exists and may not be replaced, or if it cannot be written.
        """
        with Staging(directory, RUN, force=force) as folder:
            self.write(folder)
        return Path(directory)

    def write(self, folder: Path) -> None:
        """Write the run's files into an existing directory; `save` is the safe way."""
        write_run(self, folder)

    def _denominator(self, denominator: Denominator | None) -> Denominator:
        if denominator is not None:
            return denominator
        return self.scenario.reporting.denominator


def simulate(
    scenario: Scenario | str | os.PathLike[str],
    *,
    seed: int | None = None,
    window: float | str | None = None,
    sending_log: str | os.PathLike[str] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Run:
    """Simulate a scenario.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.
    seed
        Take this seed and not the scenario's.
    window
        Length of the look-ahead windows: seconds, a duration such as ``"60s"``, or ``"auto"``;
        the scenario's by default. It changes the speed, never the result.
    sending_log
        Write one row per message and status change to this Parquet file.
    progress
        Called now and then with the simulated time and the number of messages that are final.

    Raises
    ------
    ScenarioError
        If the scenario is not valid or does not fit into the machine's memory.
    """
    scenario = scenario_of(scenario)
    if seed is not None:
        scenario = scenario.with_seed(seed)
    ledger = simulate_ledger(
        scenario,
        window_s=None if window is None else window_seconds(window, "window"),
        sending_log=None if sending_log is None else Path(sending_log),
        progress=progress,
    )
    return Run(scenario, ledger)


def window_seconds(window: float | str, what: str) -> float:
    """Return the length of a look-ahead window in seconds; ``"auto"`` is the longest.

    Raises
    ------
    SendcapError
        If it is not a time above 0.
    """
    if window == "auto":
        return LONGEST_WINDOW_S
    window_s = as_seconds(window, what)
    if not 0.1 <= window_s < float("inf"):
        raise SendcapError(f"{what}: {window!r} is not a time of at least 100ms, or auto")
    return window_s


def open_run(directory: str | os.PathLike[str]) -> Run:
    """Return a run saved by `Run.save`.

    Raises
    ------
    RunError
        If the directory is missing, not a saved run, damaged, or of a newer version of sendcap.
    """
    return Run(*read_run(Path(directory)))
