"""Throughput limits: each stage's ceiling, throughput and waits, and the bottleneck."""

import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from sendcap.charts.drawing import Drawable
from sendcap.charts.listed import CHARTS
from sendcap.files.checksums import SUMMARY
from sendcap.files.directory import Contents
from sendcap.files.figures import plain, write_json
from sendcap.ledger import Counts
from sendcap.model.confirmation import as_sent
from sendcap.model.engine import Progress, simulate_ledger
from sendcap.model.monitor import Monitor
from sendcap.readings.bottleneck import held_up, holding_up
from sendcap.readings.load import carried, loaded_stages, retried
from sendcap.readings.people import require_messages
from sendcap.readings.refusals import refusals
from sendcap.run import Run
from sendcap.scenario import Scenario
from sendcap.scenario.files import SCENARIO, scenario_of
from sendcap.scenario.stages import Stage
from sendcap.study.capacity.hold_ups import moves, of_each, sentences
from sendcap.study.capacity.observed import Observed, came_and_began, ceiling_per_s, observed
from sendcap.text.tables import Table, table_of
from sendcap.version import __version__

_COLUMNS: Final = (
    *("stage", "binding", "ceiling_per_s", "share_pct", "needs_s"),
    *("utilisation_pct", "mean_wait_s", "peak_backlog"),
)
"""What a notebook shows of the table."""
_LIMITS, _OVER_TIME, _HOLD_UPS = "limits.csv", "over-time.csv", "hold-ups.csv"
_CAPACITY, LEVERS = "capacity.json", "levers.csv"
"""What the searches add."""
LIMITS_OF_A_SCENARIO: Final = Contents(
    "what sendcap limits has saved",
    frozenset({_LIMITS, SUMMARY}),
    frozenset({SCENARIO, _LIMITS, _OVER_TIME, _HOLD_UPS, SUMMARY, _CAPACITY, LEVERS})
    | {f"{chart.name}.png" for chart in (*CHARTS["Limits"], *CHARTS["Levers"])},
)


@dataclass(frozen=True, eq=False)
class Limits(Drawable):
    """The stages of a scenario, with their ceilings and what a simulation showed of them.

    Attributes
    ----------
    scenario
        The scenario, seed included.
    run
        A simulation of it, without opens and clicks, which hold nothing up.
    observed
        The stages in the order of a message's way: the relay, an ingress with a rate, the
        providers with messages, limits over several queues.
    first_attempts_only
        Whether the backlog counts only messages before their first attempt; see
        `limits_from_ledger`.
    """

    scenario: Scenario
    run: Run
    observed: tuple[Observed, ...]
    first_attempts_only: bool = False

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages with their ceilings; attempts per message as in the simulation.

        Attempts count until 99 % of all finally accepted messages had been accepted.
        """
        return tuple(stage.stage for stage in self.observed)

    @cached_property
    def slowest(self) -> Stage | None:
        """The stage that holds the deliveries up, None if none does.

        It is the one that needs the longest for its load.
        """
        return holding_up(self.run.as_sent, self.stages)

    @property
    def bottleneck(self) -> str | None:
        """Name of the stage that holds the deliveries up, None if none does."""
        return None if self.slowest is None else self.slowest.name

    @cached_property
    def sentence(self) -> str:
        """The bottleneck and the reason, in words."""
        return held_up(self.run.as_sent, self.stages, self.run.ledger)

    def sentences(self) -> list[str]:
        """Return the answer in plain sentences."""
        return [self.sentence, *sentences(self.run, self.observed)]

    def hold_ups(self) -> pd.DataFrame:
        """Return what holds each delivery up, and where all messages wait the longest when.

        Columns delivery (``"*"`` for all of them), stage, wait_s (the longest wait there, by the
        backlog over the ceiling), from_s and until_s. Of each delivery the stage with the longest
        wait; of all one period after the other. Without a noticeable backlog there is no row.
        """
        found = [*of_each(self.run, self.observed), *moves(self.observed)]
        names = ("delivery", "stage", "wait_s", "from_s", "until_s")
        rows = [
            (each.delivery or "*", each.stage.name, each.wait_s, each.from_s, each.until_s)
            for each in found
        ]
        return pd.DataFrame(rows, columns=names)

    @property
    def drained_at_s(self) -> float:
        """Time at which every backlog was gone and 99 % of each stage's messages carried."""
        drained_s = [stage.drained_at_s for stage in self.observed]
        if math.inf in drained_s:
            return float(self.observed[0].edges_s[-1])
        known_s = [time_s for time_s in drained_s if math.isfinite(time_s)]
        return max([*known_s, *(stage.busy_until_s for stage in self.observed)])

    def table(self) -> pd.DataFrame:
        """Return a row for each stage.

        Columns stage; binding, the slowest constraint; ceiling_per_s and ceiling_per_hour in
        attempts (at the relay and the ingress: messages); share_pct of the messages to deliver that
        passes the stage; attempts_per_message, until 99 % of all finally accepted messages had been
        accepted; delivery_per_s and delivery_per_hour, the resulting ceiling of all deliveries
        together, in messages; needs_s, the least time for the load; utilisation_pct and
        highest_utilisation_pct, see `sendcap.study.capacity.observed.Observed`; mean_wait_s,
        p95_wait_s, longest_wait_s; peak_backlog and peak_at_s; drained_at_s, NaN without a
        noticeable backlog, infinite for one that remained at the end; refused_pct, the share of the
        attempts that a provider refused or throttled, NaN at other stages. Times count from t = 0.
        """
        return pd.DataFrame(self._rows())

    def _rows(self) -> list[dict[str, Any]]:
        return [{**each.row(), "refused_pct": self._refused_pct(each)} for each in self.observed]

    def _refused_pct(self, observed: Observed) -> float:
        if observed.stage.kind != "provider":
            return math.nan
        path = observed.stage.paths[0]
        return 100.0 * refusals(self.run.ledger, self.run.as_sent, path.provider, path.pool).share

    def _about(self) -> str:
        return f"held up by {self.bottleneck or 'nothing'}"

    def _tables(self) -> Iterator[Table]:
        yield table_of("Stages", self.table()[list(_COLUMNS)])

    def over_time(self) -> pd.DataFrame:
        """Return the course of each stage, a row for each edge of the ledger's bins.

        Columns stage, time_s, backlog (the messages waiting at that moment), and
        throughput_per_s, ceiling_per_s and utilisation_pct in the bin before it, NaN at 0.
        """
        tables = [
            pd.DataFrame(
                {
                    "stage": stage.stage.name,
                    "time_s": stage.edges_s,
                    "backlog": stage.backlog,
                    "throughput_per_s": np.concatenate(([np.nan], stage.throughput_per_s)),
                    "ceiling_per_s": np.concatenate(([np.nan], stage.ceiling_per_s)),
                    "utilisation_pct": np.concatenate(([np.nan], 100.0 * stage.utilisation)),
                }
            )
            for stage in self.observed
        ]
        return pd.concat(tables, ignore_index=True)

    def summary(self) -> dict[str, Any]:
        """Return the table and the bottleneck for JSON; numbers that are not finite are None."""
        return {
            "sendcap": __version__,
            "title": self.scenario.title,
            "seed": self.scenario.seed,
            "bottleneck": self.bottleneck,
            "sentence": self.sentence,
            "stages": list(map(plain, self._rows())),
        }

    def write(self, folder: Path) -> None:
        """Write the scenario, the tables and the charts into a directory that exists."""
        tables = {_LIMITS: self.table(), _OVER_TIME: self.over_time(), _HOLD_UPS: self.hold_ups()}
        self._write(folder, {SCENARIO: self.scenario, SUMMARY: self.summary(), **tables})


def write_answers(answers: Mapping[str, Any], folder: Path) -> None:
    """Write the answers of searches, if any, by what was asked into a directory that exists."""
    figures = {name: asdict(answer) for name, answer in answers.items()}
    for columns in figures.values():
        columns.pop("scenario", None)
    if figures:
        write_json(folder / _CAPACITY, figures)


def limits(
    scenario: Scenario | Run | str | os.PathLike[str],
    *,
    seed: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Limits:
    """Return the throughput limits of a scenario, by ceilings and by a simulation.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset; or a run, whose ledger
        gives the limits without another simulation, see `limits_from_ledger`.
    seed
        Override the scenario's seed.
    progress
        Called now and then with the simulated time and the number of final messages.

    Raises
    ------
    ScenarioError
        If the scenario is not valid or does not fit into the machine's memory.
    """
    if isinstance(scenario, Run) and seed is None:
        return limits_from_ledger(scenario)
    scenario = scenario.scenario if isinstance(scenario, Run) else scenario
    scenario = scenario_of(scenario)
    if seed is not None:
        scenario = scenario.with_seed(seed)
    simulated = scenario.without_engagement
    monitor = Monitor(scenario.time.bin, scenario.time.horizon or math.inf)
    ledger = simulate_ledger(simulated, progress=progress, monitor=monitor)
    return limits_of(as_sent(scenario), Run(simulated, ledger), monitor)


def limits_of(scenario: Scenario, run: Run, monitor: Monitor) -> Limits:
    """Return the throughput limits of a scenario, by a simulation that a monitor has watched."""
    require_messages(run.ledger, "limits")

    def seen(stage: Stage) -> Observed:
        done = None
        if stage.kind == "provider":
            watched, done = monitor.queue(stage.name), _done(run, stage)
        elif stage.kind == "limit":
            # It counts attempts whatever becomes of them.
            watched = monitor.together(path.name for path in stage.paths)
            done = _attempted(run, stage)
        else:
            watched = getattr(monitor, stage.kind)
        return observed(stage, watched, done, bins=monitor.bins, bin_s=scenario.time.bin)

    return Limits(scenario, run, tuple(map(seen, loaded_stages(run.ledger, run.as_sent))))


def limits_from_ledger(run: Run) -> Limits:
    """Return the throughput limits of a run, as far as the ledger shows them.

    Ceilings, throughput, the bottleneck and the reason are those of `sendcap.limits`, which
    simulates the scenario again and watches each stage. The ledger does not say when an attempt
    became due. So the backlog is that of first attempts: at the relay, messages of started
    deliveries before the hand-over; at a provider, messages between the hand-over and the end of
    the first attempt, in the ingress, in the queue or under way. The ingress has no backlog then,
    waits are NaN, and the utilisation is the throughput's share of the ceiling.
    """
    require_messages(run.ledger, "limits")
    stages = loaded_stages(run.ledger, run.as_sent)
    observed = (_observed(run, stage) for stage in stages)
    return Limits(run.as_sent, run, tuple(observed), first_attempts_only=True)


def _observed(run: Run, stage: Stage) -> Observed:
    ledger = run.ledger
    came, began = came_and_began(run, stage)
    handed_on = np.diff(began)
    done = _done(run, stage) if stage.paths else handed_on
    throughput_per_s = done / ledger.bin_s
    most_per_s = ceiling_per_s(stage, (ledger.edges_s[:-1] + ledger.edges_s[1:]) / 2.0)
    arrivals = np.diff(came)
    arrivals[:1] += came[:1]
    share = np.full(ledger.bins, np.nan)
    np.divide(throughput_per_s, most_per_s, out=share, where=most_per_s > 0.0)
    return Observed(
        stage=stage,
        bin_s=ledger.bin_s,
        backlog=np.maximum(came - began, 0),
        arrivals=arrivals,
        throughput_per_s=throughput_per_s,
        ceiling_per_s=most_per_s,
        utilisation=np.minimum(share, 1.0),
        mean_wait_s=math.nan,
        p95_wait_s=math.nan,
        longest_wait_s=math.nan,
    )


def _attempted(run: Run, stage: Stage) -> Counts | None:
    """Return the attempts under a limit that lets others pass, per bin; None for all."""
    limit = next(each for each in run.scenario.limits if each.name == stage.name)
    if not limit.lets_others_pass:
        return None
    of_each = [
        retried(run.ledger, path.provider, name)
        if limit.attempts == "retries"
        else run.ledger.counts("attempted", clock="happened", delivery=name, provider=path.provider)
        for path, name in limit.covered(run.scenario.loads())
    ]
    attempted: Counts = np.sum(of_each, axis=0)
    return attempted


def _done(run: Run, stage: Stage) -> Counts:
    """Return the attempts that the queues of a stage carried, per bin."""
    of_each = [carried(run.ledger, run.scenario, path.provider, path.pool) for path in stage.paths]
    done: Counts = np.sum(of_each, axis=0)
    return done
