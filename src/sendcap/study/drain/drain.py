"""When a queue that exists is gone, what of it expires, and what would help."""

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import pandas as pd

from sendcap.charts.drawing import Drawable
from sendcap.errors import SendcapError
from sendcap.files.directory import Contents
from sendcap.importers.queue_files import QueueFile, read_queue_file
from sendcap.ledger import Counts
from sendcap.model.engine import simulate_ledger
from sendcap.readings.convergence import Floats
from sendcap.run import Run
from sendcap.scenario import Scenario, from_dict, to_dict
from sendcap.scenario.files import SCENARIO, scenario_of
from sendcap.study.drain.gone import Gone, gone_of, gone_of_each, left_of
from sendcap.study.drain.held import backlog_of, too_old
from sendcap.study.drain.remedies import remedies
from sendcap.study.drain.sentences import sentences

_GONE, _REMEDIES = "gone.csv", "remedies.csv"
DRAINED: Final = Contents(
    "what sendcap drain has saved",
    frozenset({_GONE, SCENARIO}),
    frozenset({SCENARIO, _GONE, _REMEDIES, "left.png"}),
)


@dataclass(frozen=True)
class Tried:
    """A change, and what it does to the backlog as a whole."""

    change: str
    gone: Gone
    curve: tuple[Floats, Counts] = field(repr=False)  # moments, and messages left from each on


@dataclass(frozen=True)
class Drain(
    Drawable,
    tables={"When the queue is gone": "table", "What would help": "remedies"},
):
    """A backlog, simulated until it is gone.

    Attributes
    ----------
    scenario
        The scenario with the backlog.
    run
        The simulation.
    gone
        When the messages of each provider are gone, the last one first, and those of all at the
        end.
    tried
        What changes would do, each simulated with the same seed.
    notes
        What was left out or assumed of the queue, in sentences.
    """

    scenario: Scenario
    run: Run = field(repr=False)
    gone: tuple[Gone, ...]
    tried: tuple[Tried, ...] = ()
    notes: tuple[str, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return when the messages are gone, a row for each provider and one for all.

        Columns provider, messages, accepted, hard, expired (numbers), gone_50_pct_s, gone_90_pct_s,
        gone_99_pct_s, gone_s (seconds from now until this share, or all, has left the queue,
        however; infinite where the simulation ends before), first_expiry_s and last_expiry_s (NaN
        where none expires).
        """
        return pd.DataFrame([asdict(each) for each in self.gone])

    def remedies(self) -> pd.DataFrame:
        """Return what changes would do, a row for each; the first is of no change.

        Column change, then those of `table` for all providers together.
        """
        rows = [("as it is", self.gone[-1]), *((each.change, each.gone) for each in self.tried)]
        frame = pd.DataFrame([{"change": change, **asdict(gone)} for change, gone in rows])
        return frame.drop(columns="provider")

    def sentences(self) -> list[str]:
        """Return the answer in plain sentences."""
        return sentences(self)

    def left(self, provider: str | None = None) -> tuple[Floats, Counts]:
        """Return how many messages are left of the backlog, at each moment at which some leave.

        Parameters
        ----------
        provider
            Those to one provider (default: all).

        Returns
        -------
        times_s : ndarray, shape (n,)
            Seconds from now, the first of them 0.
        left : ndarray, shape (n,)
            Messages.
        """
        return left_of(self.run, provider)

    def write(self, folder: Path) -> None:
        """Write the scenario, the tables and the chart into a directory that exists."""
        tables = {_GONE: self.table(), _REMEDIES: self.remedies()}
        self._write(folder, {SCENARIO: self.scenario, **tables})


def drain(
    scenario: Scenario | str | os.PathLike[str],
    queue: str | os.PathLike[str] | QueueFile | None = None,
    *,
    format: str | None = None,  # noqa: A002 (as the option of the command)
    at: datetime | None = None,
    pool: str | None = None,
    release: bool = False,
    beside: bool = False,
    seen: Callable[[int], None] | None = None,
) -> Drain:
    """Return when a queue that exists is gone, what of it expires, and what would help.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset: the limits and the retries
        of the MTA.
    queue
        The file of a queue, or one that has been read; None for the backlog of the scenario.
    format, at
        As for `sendcap.importers.queue_files.read_queue_file`.
    pool
        Pool of the messages for which the queue names none.
    release
        Whether messages on hold are let go; otherwise they are left out.
    beside
        Whether the deliveries of the scenario are sent beside the backlog, from now on.
    seen
        Called with the number of simulations so far.

    Returns
    -------
    Drain
        With a table, sentences and a chart.

    Raises
    ------
    SendcapError
        If the queue or the scenario is not valid, or the queue is empty.
    """
    scenario, notes = _with_the_queue(scenario_of(scenario), queue, format, at, pool, release)
    if not beside:
        scenario = _alone(scenario)
    scenario = scenario.without_engagement
    run, report = _simulated(scenario), seen or (lambda _: None)
    report(1)
    gone = tuple(gone_of_each(run))
    tried: list[Tried] = []
    slowest = [each.provider for each in gone[:-1]]
    for remedy in remedies(scenario, slowest, expires=gone[-1].expired > 0):
        changed = _simulated(remedy.scenario)
        tried.append(Tried(remedy.change, gone_of(changed), left_of(changed)))
        report(1 + len(tried))
    return Drain(scenario, run, gone, tuple(tried), notes)


def drain_of(run: Run) -> Drain:
    """Return when the backlog of a run is gone; nothing is tried."""
    return Drain(run.scenario, run, tuple(gone_of_each(run)))


def _with_the_queue(
    scenario: Scenario,
    queue: str | os.PathLike[str] | QueueFile | None,
    name: str | None,
    at: datetime | None,
    pool: str | None,
    release: bool,
) -> tuple[Scenario, tuple[str, ...]]:
    """Return a scenario with a queue for its backlog, and what was left out of that."""
    if queue is None:
        if not scenario.backlog:
            raise SendcapError("no queue; give the file of one, or a scenario with a [[backlog]]")
        return scenario, too_old(scenario)
    read = queue if isinstance(queue, QueueFile) else read_queue_file(Path(queue), name, at)
    found = backlog_of(read, scenario, pool=pool, release=release)
    # Whom the messages of the queue are for is not known.
    strangers = scenario if scenario.population is None else scenario.without_population
    data = to_dict(strangers, defaults=False) | {"backlog": found.entries}
    with_queue = from_dict(data)
    return with_queue, (*found.notes, *too_old(with_queue))


def _alone(scenario: Scenario) -> Scenario:
    """Return a scenario with the backlog alone."""
    held = tuple(each for each in scenario.deliveries if each.is_held)
    # Its t = 0 is now, whatever the start of the deliveries.
    alone = scenario.model_copy(update={"deliveries": held, "start": None, "zone": None})
    loads = alone.loads()
    limits = tuple(each for each in scenario.limits if each.covered(loads))
    return alone.model_copy(update={"limits": limits})


def _simulated(scenario: Scenario) -> Run:
    return Run(scenario, simulate_ledger(scenario))
