"""Throughput limits: what each stage can carry, what it did carry, and where a delivery waits."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from sendcap.files.tables import plain
from sendcap.scenario.stages import Stage, stages
from sendcap.study.capacity.sentences import holding_up, sentence
from sendcap.version import __version__

if TYPE_CHECKING:
    import pandas as pd

    from sendcap.model.engine import Progress
    from sendcap.model.monitor import Monitor
    from sendcap.run import Run
    from sendcap.scenario import Scenario
    from sendcap.study.capacity.observed import Observed

ACCEPTED_PCT: Final = 99
"""Retries count as load until that much of what was ever accepted has been accepted."""


@dataclass(frozen=True, eq=False)
class Limits:
    """The stages of a scenario: their ceilings, and what was seen of them in a simulation.

    Attributes
    ----------
    scenario
        What was simulated, seed included.
    run
        Its simulation, without opens and clicks: they take time and hold nothing up.
    observed
        The stages in the order of a message's way: the relay, the ingress if it has a rate, the
        providers that have messages.
    first_attempts_only
        Whether the backlog is only that of messages which have not been tried yet; see
        `sendcap.study.capacity.from_ledger`.
    """

    scenario: Scenario
    run: Run
    observed: tuple[Observed, ...]
    first_attempts_only: bool = False

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages with their ceilings; messages are tried as often as in the simulation.

        Attempts count until 99 % of what was ever accepted had been accepted there.
        """
        return tuple(its.stage for its in self.observed)

    @property
    def bottleneck(self) -> str | None:
        """Name of the stage that holds the deliveries up, None if nothing does.

        It is the one that needs the longest for its load.
        """
        stage = holding_up(self.scenario, self.stages)
        return None if stage is None else stage.name

    @cached_property
    def sentence(self) -> str:
        """What holds the deliveries up and why, in words."""
        told = sentence(self.scenario, self.stages)
        untried = self.run.ledger.total("expired_untried", clock="happened")
        if untried:
            told += f" The validity of {untried:,} messages ends before they are tried at all."
        return told

    @property
    def drained_at_s(self) -> float:
        """When the last backlog was gone, and 99 % of all had been carried, at every stage."""
        drained_s = [its.drained_at_s for its in self.observed]
        known_s = [time_s for time_s in drained_s if math.isfinite(time_s)]
        end_s = float(self.observed[0].edges_s[-1])
        if math.inf in drained_s:
            return end_s
        return max([*known_s, *(its.busy_until_s for its in self.observed)])

    def table(self) -> pd.DataFrame:
        """Return a row for each stage.

        Returns
        -------
        DataFrame
            ``stage``; ``binding``, the constraint that is the slowest; ``ceiling_per_s`` and
            ``ceiling_per_hour``, the attempts that it lets through (at the relay and the ingress:
            messages); ``share_pct`` of the messages to deliver that the stage must carry;
            ``attempts_per_message``, measured until 99 % of what was ever accepted had been
            accepted; ``delivery_per_s`` and ``delivery_per_hour``, the
            ceiling in messages that follows for all deliveries together; ``needs_s``, the least
            time in which the stage can carry its load; ``utilisation_pct`` and
            ``highest_utilisation_pct``, see `sendcap.study.capacity.observed.Observed`;
            ``mean_wait_s``, ``p95_wait_s``, ``longest_wait_s``; ``peak_backlog`` and
            ``peak_at_s``; ``drained_at_s``, NaN where no backlog was worth the name, infinite
            where it was still there at the end. Times count from t = 0.
        """
        import pandas as pd

        return pd.DataFrame([_row(its) for its in self.observed])

    def over_time(self) -> pd.DataFrame:
        """Return what happened at each stage, a row for each edge of the ledger's bins.

        Returns
        -------
        DataFrame
            ``stage``, ``time_s``; ``backlog``, the messages that wait at that moment;
            ``throughput_per_s``, ``ceiling_per_s`` and ``utilisation_pct`` in the bin before it,
            NaN at 0.
        """
        import numpy as np
        import pandas as pd

        tables = [
            pd.DataFrame(
                {
                    "stage": its.stage.name,
                    "time_s": its.edges_s,
                    "backlog": its.backlog,
                    "throughput_per_s": np.concatenate(([np.nan], its.throughput_per_s)),
                    "ceiling_per_s": np.concatenate(([np.nan], its.ceiling_per_s)),
                    "utilisation_pct": np.concatenate(([np.nan], 100.0 * its.utilisation)),
                }
            )
            for its in self.observed
        ]
        return pd.concat(tables, ignore_index=True)

    def summary(self) -> dict[str, Any]:
        """Return the table and the bottleneck as JSON can hold them.

        What is not a finite number is None: the ceiling of a stage without limits, and when a
        backlog drained that never was or never did.
        """
        rows = [plain(_row(its)) for its in self.observed]
        return {
            "sendcap": __version__,
            "title": self.scenario.title,
            "seed": self.scenario.seed,
            "bottleneck": self.bottleneck,
            "sentence": self.sentence,
            "stages": rows,
        }


def limits(
    scenario: Scenario | str | os.PathLike[str],
    *,
    seed: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Limits:
    """Tell what limits a scenario, by its ceilings and by a simulation.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.
    seed
        Take this seed and not the scenario's.
    progress
        Called now and then with the simulated time and the number of messages that are final.

    Raises
    ------
    ScenarioError
        If the scenario is not valid or does not fit into the machine's memory.
    """
    from sendcap.model.engine import simulate_ledger
    from sendcap.model.monitor import Monitor
    from sendcap.run import Run
    from sendcap.scenario.files import scenario_of

    scenario = scenario_of(scenario)
    if seed is not None:
        scenario = scenario.with_seed(seed)
    # Opens and clicks have random draws of their own: without them the rest stays as it is.
    silent = scenario.engagement.model_copy(update={"open_rate": 0.0})
    simulated = scenario.model_copy(update={"engagement": silent})
    monitor = Monitor(scenario.time.bin, scenario.time.horizon or math.inf)
    ledger = simulate_ledger(simulated, progress=progress, monitor=monitor)
    return limits_of(scenario, Run(simulated, ledger), monitor)


def limits_of(scenario: Scenario, run: Run, monitor: Monitor) -> Limits:
    """Tell what limits a scenario by a simulation that a monitor has watched."""
    from sendcap.study.capacity.observed import observed
    from sendcap.study.capacity.retries import attempts_per_message, carried

    ledger = run.ledger

    def seen(stage: Stage) -> Observed:
        if stage.kind == "provider":
            its = monitor.provider(stage.name)
            its_carried = carried(ledger, scenario, stage.name)
        else:
            its, its_carried = getattr(monitor, stage.kind), None
        return observed(stage, its, its_carried, bins=monitor.bins, bin_s=scenario.time.bin)

    times = attempts_per_message(ledger, scenario, ACCEPTED_PCT)
    parts = stages(scenario, times)
    return Limits(scenario, run, tuple(seen(stage) for stage in parts))


def _row(its: Observed) -> dict[str, Any]:
    stage = its.stage
    return {
        "stage": stage.name,
        "binding": "none" if stage.binding is None else stage.binding.name,
        "ceiling_per_s": stage.per_s,
        "ceiling_per_hour": 3600.0 * stage.per_s,
        "share_pct": 100.0 * stage.share,
        "attempts_per_message": stage.attempts_per_message,
        "delivery_per_s": stage.delivery_per_s,
        "delivery_per_hour": 3600.0 * stage.delivery_per_s,
        "needs_s": stage.needs_s,
        "utilisation_pct": 100.0 * its.mean_utilisation,
        "highest_utilisation_pct": 100.0 * its.highest_utilisation,
        "mean_wait_s": its.mean_wait_s,
        "p95_wait_s": its.p95_wait_s,
        "longest_wait_s": its.longest_wait_s,
        "peak_backlog": its.peak_backlog,
        "peak_at_s": its.peak_at_s,
        "drained_at_s": its.drained_at_s,
    }
