"""A run: a scenario and the ledger that its simulation left. Simulate, look, save, open."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sendcap.errors import RunError, ScenarioError, SendcapError, SendcapWarning
from sendcap.files import directory as staging
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS, Denominator, Mode

if TYPE_CHECKING:
    import pandas as pd

    from sendcap.ledger import Ledger
    from sendcap.model.engine import Progress
    from sendcap.readings.dashboard import Dashboard
    from sendcap.scenario import Scenario


@dataclass(frozen=True)
class Run:
    """What a simulation was given and what it left.

    Attributes
    ----------
    scenario
        What was simulated, seed included.
    ledger
        What happened: the counts from which everything else is computed.
    """

    scenario: Scenario
    ledger: Ledger

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
        from sendcap.readings.kpis import kpis

        return kpis(self.ledger, mode, delivery, self._denominator(denominator), provider)

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
        from sendcap.readings.dashboard import dashboard

        reporting = self.scenario.reporting
        return dashboard(
            self.ledger,
            seconds(t, "time"),
            reporting.modes[0] if mode is None else mode,
            delivery,
            refresh_s=reporting.refresh,
            engagement_refresh_s=reporting.engagement_refresh,
            compute_stats=compute_stats,
            denominator=reporting.denominator,
        )

    def summary(self) -> dict[str, Any]:
        """Return totals, times and final KPIs; see `sendcap.readings.summary.summary`."""
        from sendcap.readings.summary import summary

        scenario = self.scenario
        return summary(
            self.ledger,
            scenario.reporting.modes,
            title=scenario.title,
            seed=scenario.seed,
            denominator=scenario.reporting.denominator,
        )

    def save(self, directory: str | os.PathLike[str], force: bool = False) -> Path:
        """Write the run into a new directory, which appears whole or not at all.

        Parameters
        ----------
        directory
            It gets ``scenario.toml``, ``ledger.parquet``, ``kpis.csv``, ``summary.json`` and
            ``delivered.png``. The same run gives the same bytes.
        force
            Replace the saved run that is there.

        Returns
        -------
        Path
            The directory.

        Raises
        ------
        RunError
            If the directory exists and may not be replaced, or if it cannot be written.
        """
        with staging.Staging(directory, force=force) as folder:
            self.write(folder)
        return Path(directory)

    def write(self, folder: Path) -> None:
        """Write the run's files into a directory that exists; `save` is the safe way."""
        from sendcap import saved
        from sendcap.charts.delivered import delivered
        from sendcap.charts.style import save_png
        from sendcap.scenario import dumps

        reporting = self.scenario.reporting
        saved.write_text(folder / staging.SCENARIO, dumps(self.scenario))
        saved.write_ledger(folder / staging.LEDGER, self.ledger)
        saved.write_kpis(folder / staging.KPIS, self.ledger, reporting.modes, reporting.denominator)
        saved.write_summary(folder / staging.SUMMARY, self.summary())
        save_png(delivered(self), folder / staging.CHART)

    def _denominator(self, denominator: Denominator | None) -> Denominator:
        if denominator is not None:
            return denominator
        return self.scenario.reporting.denominator


def seconds(time: float | str, what: str) -> float:
    """Return a time given in seconds or as the text of a duration, in seconds.

    Raises
    ------
    SendcapError
        If the text is not a duration.
    """
    if not isinstance(time, str):
        return float(time)
    from sendcap.scenario.units import parse_duration

    try:
        return parse_duration(time)
    except ValueError as error:
        raise SendcapError(f"{what}: {error}") from error


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
    from sendcap.model.engine import simulate_ledger

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


def scenario_of(source: Scenario | str | os.PathLike[str]) -> Scenario:
    """Return a scenario, given as such, by the path of its file or by the name of a preset."""
    from sendcap import scenario as scenarios

    if isinstance(source, scenarios.Scenario):
        return source
    return scenarios.load(source if isinstance(source, str) else Path(source))


def window_seconds(window: float | str, what: str) -> float:
    """Return the length of a look-ahead window in seconds; ``"auto"`` is the longest.

    Raises
    ------
    SendcapError
        If it is not a time above 0.
    """
    if window == "auto":
        from sendcap.model.engine import LONGEST_WINDOW_S

        return LONGEST_WINDOW_S
    window_s = seconds(window, what)
    if not 0.1 <= window_s < float("inf"):
        raise SendcapError(f"{what}: {window!r} is not a time of at least 100ms, or auto")
    return window_s


def open_run(directory: str | os.PathLike[str]) -> Run:
    """Return the run that `Run.save` wrote.

    Raises
    ------
    RunError
        If the directory is missing, not a saved run, damaged, or of a newer version of sendcap.
    """
    from sendcap.saved import read_ledger
    from sendcap.scenario import load

    folder = Path(directory)
    if not folder.exists():
        raise RunError(f"{folder}: no such directory")
    if not folder.is_dir():
        raise RunError(f"{folder}: is a file; give the directory of a saved run")
    for name in (staging.LEDGER, staging.SCENARIO):
        if not (folder / name).is_file():
            raise RunError(f"{folder}: is not a saved run: there is no {name} in it")
    ledger = read_ledger(folder / staging.LEDGER)
    try:
        with warnings.catch_warnings():
            # They were told when it was simulated.
            warnings.simplefilter("ignore", SendcapWarning)
            scenario = load(folder / staging.SCENARIO)
    except ScenarioError as error:
        raise RunError(f"{folder}: is damaged: {str(error).splitlines()[0]}") from error
    if scenario.to_deliver() != dict(ledger.to_deliver):
        raise RunError(
            f"{folder}: {staging.SCENARIO} is not the scenario that {staging.LEDGER} was made "
            "with: their messages to deliver differ"
        )
    return Run(scenario, ledger)
