"""A run: a scenario and the ledger that its simulation left. Simulate, look, save, open."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from sendcap.charts.drawing import Drawable
from sendcap.errors import SendcapError
from sendcap.files.directory import Staging
from sendcap.files.single import whole_file
from sendcap.ledger import Ledger
from sendcap.model.confirmation import as_sent
from sendcap.model.engine import Progress, Window, simulate_ledger
from sendcap.readings.delays import delays_table
from sendcap.readings.modes import ALL_DELIVERIES, ALL_PROVIDERS, Denominator, Mode
from sendcap.readings.people import health_table, preparations_table, weeks_table
from sendcap.readings.reports import Reports
from sendcap.readings.sentences import sentences
from sendcap.readings.summary import summary
from sendcap.readings.tables import beside_the_truth, totals_tables
from sendcap.saved import RUN, read_run, write_run
from sendcap.scenario import Scenario
from sendcap.scenario.durations import as_seconds
from sendcap.scenario.files import scenario_of
from sendcap.scenario.in_brief import headline
from sendcap.text.tables import Table


@dataclass(frozen=True)
class Run(Reports, Drawable):
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
    def as_sent(self) -> Scenario:
        """The scenario as it came: each delivery's start at its time or, once confirmed, later.

        With a population, the messages of a delivery are those that its preparation left.
        """
        sent = as_sent(self.scenario)
        if self.ledger.people is None:
            return sent
        prepared = tuple(
            each.prepared(
                {
                    name: self.ledger.to_deliver.get((each.name, name), 0)
                    for name in self.ledger.providers
                }
            )
            for each in sent.deliveries
        )
        return sent.model_copy(update={"deliveries": prepared})

    def kpis(
        self,
        mode: Mode,
        delivery: str = ALL_DELIVERIES,
        denominator: Denominator | None = None,
        provider: str = ALL_PROVIDERS,
    ) -> pd.DataFrame:
        """Return the KPIs over time, a row for each edge of the ledger's bins.

        Parameters
        ----------
        mode
            ``"without-efs"``, ``"efs"``, ``"efs-v8"`` or ``"legacy"``; not only the scenario's.
        delivery
            A delivery's name, or ``"*"`` for all of them together.
        denominator
            Denominator of the percentages (default: the scenario's ``reporting.denominator``).
        provider
            Count the messages to this provider alone, as if they were a delivery.

        Returns
        -------
        DataFrame
            Columns mode, delivery (and provider, where one is named), time_s, to_deliver, relayed,
            sent, failed, pending, delivered_pct, bounces_errors_pct, open_rate_pct,
            click_through_pct: the counts up to time_s, as Campaign knew them. A percentage of
            nothing is NaN, and so are the last two where nobody opens. They are shares of the
            messages sent, and above 100 while reports of messages that are already opened are
            still to come. In ``efs-v8``, Campaign calls delivered_pct *Success %*, and
            bounces_errors_pct *Error rate*.

        Raises
        ------
        SendcapError
            If there is no such mode, delivery, provider or denominator.
        """
        denominator = denominator or self.scenario.reporting.denominator
        return self.readings.kpis(mode, delivery, denominator, provider)

    def summary(self) -> dict[str, Any]:
        """Return totals, times and final KPIs, as JSON can hold them.

        The same scenario gives the same summary, whatever the clock and the machine. Totals and
        times are those at the MTA; the final KPIs are as Campaign knew. Times count from t = 0.

        Returns
        -------
        dict
            ``sendcap`` and ``model`` (versions), ``title``, ``seed``, ``bin_s``, ``end_s``;
            ``total``, ``providers`` and ``deliveries`` (by name): ``to_deliver``, the number of
            each event, and ``accepted_50_pct_s``, ``accepted_90_pct_s``, ``accepted_99_pct_s``,
            the times until this much of all finally accepted messages was accepted, and
            ``delay_mean_s``, ``delay_p50_s``, ``delay_p95_s``, ``delay_p99_s``,
            ``delay_longest_s``, how long messages took; see `delays`;
            ``final_kpis`` (by mode, then by delivery or ``"*"``), None for a percentage of nothing.
        """
        scenario = self.scenario
        return summary(
            self.readings,
            scenario.reporting.modes,
            title=scenario.title,
            seed=scenario.seed,
            denominator=scenario.reporting.denominator,
        )

    def delays(self) -> pd.DataFrame:
        """Return how long messages took from ready to accepted.

        A message is ready when its delivery starts or, within a ``spread``, in its turn. Its delay
        lasts to the end of the accepted attempt, with the waits at the relay and in the queue, and
        retries.

        Returns
        -------
        DataFrame
            A row for all messages, each delivery, each provider, and each provider of a delivery.
            Columns delivery and provider (``"*"`` for all), accepted (messages), delay_mean_s,
            delay_p50_s, delay_p95_s, delay_p99_s (95 % or 99 % took no longer) and
            delay_longest_s, which are exact to 0.8 %. They are NaN where nothing was accepted, and
            of runs that know no delays: expected ones, and those that an older sendcap has saved.
        """
        return delays_table(self.ledger)

    def preparations(self) -> pd.DataFrame:
        """Return whom the deliveries went to: targeted less excluded is to deliver.

        Returns
        -------
        DataFrame
            A row for each sending of a population, in order of preparation. Columns sending (a
            delivery, or a repetition with all its parts), time_s (of the preparation), targeted,
            denylisted, quarantined, control_group, fatigue (people excluded, each for the first
            reason), quarantined_by_mistake (of the quarantined, those with good addresses),
            to_deliver.

        Raises
        ------
        SendcapError
            If the scenario has no population.
        """
        return preparations_table(self.ledger)

    def list_health(self) -> pd.DataFrame:
        """Return the state of the list of people over time.

        Returns
        -------
        DataFrame
            A row for the end of each week from t = 0, and for the end of the run. Columns time_s,
            people (on the list; who joins after the last preparation is left out), good,
            erroneous (with errors, but written to), quarantined, denylisted, which sum to people;
            dead_unknown (dead, and Campaign does not know it yet), quarantined_by_mistake (with
            good addresses).

        Raises
        ------
        SendcapError
            If the scenario has no population.
        """
        return health_table(self.ledger)

    def messages_per_week(self) -> pd.DataFrame:
        """Return how many people got how many messages in each week.

        Returns
        -------
        DataFrame
            Columns week_s (beginning of the week, from t = 0), messages (accepted for one person;
            255 stands for 255 or more), people. Weeks without messages are left out.

        Raises
        ------
        SendcapError
            If the scenario has no population.
        """
        return weeks_table(self.ledger)

    def sentences(self, modes: Sequence[Mode] | None = None) -> list[str]:
        """Return the main results in plain sentences.

        The messages delivered in the end, the times of acceptance, the delays, the bottleneck,
        and how far Delivered % can be trusted in each reporting mode (default: the scenario's).
        """
        return list(sentences(self, modes or self.scenario.reporting.modes))

    def _about(self) -> str:
        return headline(self.scenario)

    def _tables(self) -> Iterator[Table]:
        # A population may leave nobody to deliver to.
        if self.ledger.messages():
            yield beside_the_truth(self)
        yield from totals_tables(self, self.summary())

    def save(self, directory: str | os.PathLike[str], force: bool = False) -> Path:
        """Write the run into a new directory, which is complete or absent.

        Parameters
        ----------
        directory
            The directory for ``scenario.toml``, ``ledger.parquet``, ``delays.parquet``,
            ``people.json`` (of a population), ``kpis.csv``, ``kpis.parquet``, ``summary.json`` and
            ``delivered.png``. The same run gives the same bytes.
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
        staging = Staging(directory, RUN, force=force)
        with staging as folder:
            self.write(folder)
        return staging.directory

    def write(self, folder: Path) -> None:
        """Write the run's files into an existing directory; `save` is the safe way."""
        write_run(self, folder)


def simulate(
    scenario: Scenario | str | os.PathLike[str],
    *,
    seed: int | None = None,
    window: float | str | None = None,
    threads: int = 1,
    sending_log: str | os.PathLike[str] | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Run:
    """Simulate a scenario.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.
    seed
        Override the scenario's seed.
    window
        Length of the windows in which time is simulated: seconds, a duration such as ``"60s"``,
        or ``"auto"`` (default: the scenario's); affects speed, not results.
    threads
        Threads, 1 to 16, for the relay and queues that share nothing; affects speed, not results.
    sending_log
        Write one row per message and status change to this Parquet file; an existing one is
        replaced once the new one is complete.
    progress
        Called now and then with the `Progress` so far; a notebook shows a bar without it.

    Raises
    ------
    ScenarioError
        If the scenario is not valid or does not fit into the machine's memory.
    SendcapError
        If the sending log cannot be written, or for a wrong number of threads.
    """
    scenario = scenario_of(scenario)
    if seed is not None:
        scenario = scenario.with_seed(seed)
    window_s = None if window is None else window_seconds(window, "window")
    with nullcontext() if sending_log is None else whole_file(Path(sending_log)) as log:
        ledger = simulate_ledger(
            scenario, window_s=window_s, threads=threads, sending_log=log, progress=progress
        )
    return Run(scenario, ledger)


def window_seconds(window: float | str, what: str) -> Window:
    """Return the length of a window in seconds, or ``"auto"``."""
    if window == "auto":
        return "auto"
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
