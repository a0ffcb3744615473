"""The largest delivery of which a share is accepted within a time."""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from scipy.optimize import brentq

from sendcap.charts.drawing import Drawable
from sendcap.errors import SendcapError
from sendcap.scenario import Scenario
from sendcap.scenario.durations import as_seconds
from sendcap.scenario.files import scenario_of
from sendcap.scenario.stages import bottleneck, stages
from sendcap.study.capacity.searches.acceptance import (
    MOST_MESSAGES,
    attempts_by,
    bare,
    begins_s,
    idle_ledger,
    messages,
    require_possible,
    resized,
    seeds_of,
    takes_and_tries,
    with_edge_at,
)
from sendcap.study.capacity.searches.search import (
    AllLargeEnoughError,
    NoneSmallEnoughError,
    Root,
    Trial,
    effort,
    imprecise,
    interval,
    largest_size,
)
from sendcap.study.replication.estimates import Estimate, require_confidence
from sendcap.study.replication.workers import Simulations, Workers
from sendcap.text.quantities import counted, elapsed
from sendcap.text.shares import parse_share, percent_down, share_text

MOST_REPLICATIONS: Final = 40
_INSTANT_S: Final = 1e-6
_FAR: Final = 2.0


@dataclass(frozen=True)
class Capacity(Drawable):
    """The largest delivery of which a share is accepted within a time.

    Attributes
    ----------
    within_s, share
        The target: this share of the deliverable messages is accepted within this many seconds of
        the first delivery's start.
    messages
        The largest delivery (of several, all together), rounded down to the digits that are about
        certain by the interval.
    size
        The largest delivery as a mean over the replications, with the confidence interval.
    factor
        ``size`` as a multiple of the scenario's own messages.
    confidence
        Confidence level of the interval.
    simulations
        Number of simulations; ``size.n`` is the number of replications.
    precise
        Whether the interval is as narrow as requested; otherwise the replications ran out.
    scenario
        The scenario as it is.
    """

    within_s: float
    share: float
    messages: int
    size: Estimate
    factor: float
    confidence: float
    simulations: int
    precise: bool
    scenario: Scenario = field(repr=False)

    def sentences(self) -> list[str]:
        """Return the answer in plain sentences."""
        several = len(self.scenario.deliveries) > 1
        # Outwards: the figure, rounded down, lies between them.
        low, high = f"{math.floor(self.size.low):,}", f"{math.ceil(self.size.high):,}"
        text = (
            f"{share_text(self.share)} of the messages that can be delivered are accepted within "
            f"{elapsed(self.within_s)} if there are at most {self.messages:,}"
            f"{' in all deliveries together' if several else ''}"
            f" ({interval(low, high, self.confidence)}"
            f"{effort(self.size.n, self.simulations)}). That is {self.factor:.3g} times "
            f"{'each' if several else 'the'} delivery as it is, "
            f"{counted(messages(self.scenario), 'message')}.{imprecise(self.precise)}"
        )
        return [text]


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

    The share is one of the deliverable messages: those that are accepted sooner or later, or would
    be if they did not expire before their turn comes. All deliveries of the scenario grow and
    shrink by the same factor; the time counts from the first one's start.

    Parameters
    ----------
    scenario
        A scenario, the path of a scenario file or the name of a preset.
    within
        Seconds, or a duration such as ``"4h"``.
    share
        Such as 0.99 or ``"99%"``.
    confidence
        Confidence level of the interval.
    precision
        Half width of a sufficiently narrow interval, relative to the mean.
    replications
        Largest number of replications.
    workers
        Worker processes (default: one per CPU); results do not depend on it.
    progress
        Called with the number of simulations so far.

    Raises
    ------
    SendcapError
        If no delivery is small enough, every delivery is, or an argument is invalid.
    """
    scenario = scenario_of(scenario)
    within_s = _limit_s(within)
    share = parse_share(share)
    require_confidence(confidence)
    seeds = seeds_of(scenario, replications)
    with Workers.of(workers) as team:
        simulations = Simulations(team, progress)
        root = _root(scenario, within_s, share, seeds, simulations, confidence, precision)
    return Capacity(
        within_s=within_s,
        share=share,
        messages=certain_digits(root.size),
        size=root.size,
        factor=root.size.mean / messages(scenario),
        confidence=confidence,
        simulations=simulations.done,
        precise=root.precise,
        scenario=scenario,
    )


def _limit_s(within: float | str) -> float:
    within_s = as_seconds(within, "within")
    if not 0.0 < within_s < math.inf:
        text = elapsed(within_s) if math.isfinite(within_s) else within_s
        raise SendcapError(f"within: must be a time of more than 0, such as 4h, not {text}")
    return within_s


def _root(
    scenario: Scenario,
    within_s: float,
    share: float,
    seeds: Sequence[int],
    simulations: Simulations,
    confidence: float,
    precision: float,
) -> Root:
    """Return the mean of the sizes at which the share is accepted just in time.

    Each replication has such a size, found by a root search over simulations with the same draws,
    exact to a tenth of the precision.
    """
    until_s = begins_s(scenario) + within_s
    # A list has no more people than it has.
    simulated = with_edge_at(bare(scenario.without_population), until_s)
    ledger = idle_ledger(simulated)
    require_possible(simulated, ledger, within_s, share)
    guess = _closed_form(simulated, within_s, share, attempts_by(ledger, until_s))

    def excess(trials: Sequence[Trial]) -> list[float]:
        scenarios = (
            resized(simulated, size).with_seed(seeds[replication]) for replication, size in trials
        )
        # On logarithmic scales, a time proportional to the size is a straight line.
        return [
            min(math.log(max(time_s, _INSTANT_S) / within_s), _FAR)
            for time_s, _ in simulations.map(partial(takes_and_tries, share), scenarios)
        ]

    try:
        return largest_size(
            excess,
            guess,
            most=MOST_MESSAGES,
            confidence=confidence,
            precision=precision,
            replications=len(seeds),
            least=len(scenario.deliveries),
        )
    except NoneSmallEnoughError:
        of_each = " of each delivery" if len(scenario.deliveries) > 1 else ""
        raise SendcapError(
            f"{percent_down(share)} within {elapsed(within_s)} is impossible: not even a "
            f"single message{of_each} is always accepted by then; give more time"
        ) from None
    except AllLargeEnoughError:
        raise _too_large(within_s) from None


def certain_digits(size: Estimate) -> int:
    """Return a count rounded down to the digits about certain by the interval, at least the first.

    >>> certain_digits(Estimate(9_537_412.0, 9_534_000.0, 9_541_000.0, 4))
    9537000
    """
    count = math.floor(size.mean)
    digits = len(str(count)) - 1
    if size.half_width < math.inf:
        digits = min(digits, math.floor(math.log10(max(size.half_width, 1.0))))
    unit = int(10**digits)
    return count - count % unit


def _closed_form(
    scenario: Scenario, within_s: float, share: float, attempts: Mapping[str, float]
) -> float:
    """Return about the number of messages that the bottleneck can carry in the time."""

    def late_s(log_size: float) -> float:
        sized = resized(scenario, round(math.exp(log_size)))
        return bottleneck(stages(sized, attempts)).needs_s - within_s

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
