"""The largest delivery of which a share is accepted within a time."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sendcap.errors import SendcapError
from sendcap.study.capacity.searches.acceptance import (
    MOST_MESSAGES,
    Acceptance,
    bare,
    begins_s,
    messages,
    resized,
    takes_s,
    with_edge_at,
)
from sendcap.study.capacity.searches.idle import attempts_per_message, idle_ledger, require_possible
from sendcap.study.capacity.searches.search import (
    AllLargeEnoughError,
    Asked,
    NoneSmallEnoughError,
    largest_size,
)
from sendcap.study.replication.estimates import Estimate, require_confidence
from sendcap.study.replication.seeds import replication_seed
from sendcap.study.replication.workers import Simulations, Workers
from sendcap.text.quantities import elapsed
from sendcap.text.shares import parse_share, percent_down

if TYPE_CHECKING:
    from sendcap.scenario import Scenario

MOST_REPLICATIONS: Final = 40
_INSTANT_S: Final = 1e-6
_FAR: Final = 2.0


@dataclass(frozen=True)
class Capacity:
    """How far a delivery can go.

    Attributes
    ----------
    within_s, share
        What was asked: this share of the deliverable messages is accepted within so many seconds
        of the first delivery's start.
    messages
        The largest delivery (all of them together, where there are several), rounded down to the
        digits that the interval leaves about certain.
    size
        The same as the mean over the replications, with its confidence interval.
    factor
        ``size`` as a multiple of the scenario's own messages.
    confidence
        Of the interval.
    simulations
        How many were used; ``size.n`` is the number of replications.
    precise
        Whether the interval is as narrow as asked; otherwise there were enough replications.
    """

    within_s: float
    share: float
    messages: int
    size: Estimate
    factor: float
    confidence: float
    simulations: int
    precise: bool


def largest_within(
    scenario: Scenario | str | os.PathLike[str],
    within: float | str,
    share: float | str = 0.99,
    *,
    confidence: float = 0.95,
    precision: float = 0.002,
    replications: int = MOST_REPLICATIONS,
    workers: int | Workers | None = None,
    progress: Callable[[int], None] | None = None,
) -> Capacity:
    """Find the largest delivery of which a share is accepted within a time.

    The share is one of the messages that can be delivered at all: they are accepted sooner or
    later, or would be if they did not expire before their turn comes. All deliveries of the
    scenario grow and shrink by the same factor; the time counts from the first one's start.

    For each replication the size is found at which the share is accepted just in time, by a root
    search over simulations with the same draws; it is the mean of these sizes that is returned.
    Each root is exact to a tenth of ``precision``.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.
    within
        Seconds, or a duration such as ``"4h"``.
    share
        Such as 0.99 or ``"99%"``.
    confidence
        Of the interval.
    precision
        Replications are added until half the interval is at most this much of the mean.
    replications
        How many at most.
    workers
        Processes; as many as there are processors by default. They change nothing but the speed.
    progress
        Called with the number of simulations so far.

    Raises
    ------
    SendcapError
        If no delivery is small enough, or every one is, or what is asked makes no sense.
    """
    from sendcap.scenario.durations import as_seconds
    from sendcap.scenario.files import scenario_of

    scenario = scenario_of(scenario)
    within_s = as_seconds(within, "within")
    if not 0.0 < within_s < math.inf:
        raise SendcapError(f"within: must be a time of more than 0, such as 4h, not {within}")
    share = parse_share(share)
    require_confidence(confidence)
    require_replications(replications)
    until_s = begins_s(scenario) + within_s
    its = with_edge_at(bare(scenario), until_s)
    ledger = idle_ledger(its)
    require_possible(its, ledger, within_s, share)
    guess = _closed_form(its, within_s, share, attempts_per_message(ledger, until_s))
    seeds = [replication_seed(scenario.seed, number) for number in range(replications)]
    with Workers.of(workers) as team:
        simulations = Simulations(team, progress)

        def excess(asked: Sequence[Asked]) -> list[float]:
            times_s = simulations.map(takes_s, (_asked(its, share, seeds, one) for one in asked))
            return [_excess(time_s, within_s) for time_s in times_s]

        try:
            root = largest_size(
                excess,
                guess,
                most=MOST_MESSAGES,
                confidence=confidence,
                precision=precision,
                replications=replications,
            )
        except NoneSmallEnoughError:
            raise SendcapError(
                f"{percent_down(share)} within {elapsed(within_s)} is impossible: not even a "
                f"single message is always accepted by then; give more time"
            ) from None
        except AllLargeEnoughError:
            raise _too_large(within_s) from None
    return Capacity(
        within_s=within_s,
        share=share,
        messages=certain_digits(root.size),
        size=root.size,
        factor=root.size.mean / messages(scenario),
        confidence=confidence,
        simulations=simulations.done,
        precise=root.precise,
    )


def _excess(time_s: float, within_s: float) -> float:
    # On logarithmic scales, a time that grows as the size does is a straight line.
    return min(math.log(max(time_s, _INSTANT_S) / within_s), _FAR)


def certain_digits(size: Estimate) -> int:
    """Round a count down to the digits that its interval leaves about certain, the first at least.

    Examples
    --------
    >>> certain_digits(Estimate(9_537_412.0, 9_534_000.0, 9_541_000.0, 4))
    9537000
    """
    whole = math.floor(size.mean)
    digits = len(str(whole)) - 1
    if size.half_width < math.inf:
        digits = min(digits, math.floor(math.log10(max(size.half_width, 1.0))))
    unit = int(10**digits)
    return whole - whole % unit


def require_replications(replications: int) -> None:
    """Refuse fewer replications than an interval can be drawn from."""
    if isinstance(replications, bool) or not isinstance(replications, int) or replications < 2:
        raise SendcapError(f"replications: must be a whole number from 2, not {replications!r}")


def _asked(scenario: Scenario, share: float, seeds: Sequence[int], asked: Asked) -> Acceptance:
    its = resized(scenario, asked.size).with_seed(seeds[asked.replication])
    return Acceptance(its, share)


def _closed_form(
    scenario: Scenario, within_s: float, share: float, attempts: Mapping[str, float]
) -> float:
    """Return about how many messages the bottleneck can carry in the time."""
    from scipy.optimize import brentq

    from sendcap.scenario.stages import bottleneck, stages

    def late_s(log_size: float) -> float:
        its = resized(scenario, round(math.exp(log_size)))
        return bottleneck(stages(its, attempts)).needs_s - within_s

    top = math.log(MOST_MESSAGES)
    if late_s(top) < -0.5 * within_s:
        raise _too_large(within_s)
    if late_s(0.0) >= 0.0 or late_s(top) <= 0.0:
        return 1.0 if late_s(0.0) >= 0.0 else float(MOST_MESSAGES)
    log_size = float(brentq(late_s, 0.0, top, xtol=1e-3))
    return math.exp(log_size) / share


def _too_large(within_s: float) -> SendcapError:
    return SendcapError(
        f"nothing holds it up: even {MOST_MESSAGES:,} messages, the most that a scenario may "
        f"have, are accepted within {elapsed(within_s)}"
    )
