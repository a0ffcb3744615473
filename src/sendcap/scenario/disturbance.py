"""Bad times of a provider: outages at given times, and disturbances that come at random."""

import math
from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import AfterValidator, StrictBool

from sendcap.scenario.distributions import Distribution
from sendcap.scenario.durations import Duration, PositiveDuration
from sendcap.scenario.moments import MomentField
from sendcap.scenario.random_time import RandomTime
from sendcap.scenario.rates import RateField
from sendcap.scenario.section import (
    READ_NONE,
    WRITE_NONE,
    Checked,
    Name,
    Place,
    Section,
    Share,
    more_than_0,
)
from sendcap.text.quoting import shown

_SHORTEST_S: Final = 1.0
"""From one beginning to the next, on average: more often, it is no disturbance."""


class Outage(Section):
    """A time in which the provider cannot be reached: every attempt that ends in it fails.

    With ``fails_after``, an attempt that starts in it fails so long after, and one that is under
    way when it begins so long after that. If the outage is over by then, the attempt goes on.
    """

    at: MomentField
    """Start of the outage, from t = 0 or, with start, by the clock."""
    lasts: PositiveDuration
    """Length of the outage."""
    fails_after: Annotated[Duration | None, READ_NONE, WRITE_NONE] = None
    """Time until an attempt in it is given up, or "none": as long as any other attempt.

    "0s" where connections are refused, a timeout (Postfix: 30s) where nobody answers.
    """


class Refusal(Section):
    """A time in which the provider refuses messages by mistake, with a hard bounce.

    Gmail did so from 14 to 16 December 2020: valid addresses bounced as *user unknown*.
    """

    at: MomentField
    """Start, from t = 0 or, with start, by the clock."""
    lasts: PositiveDuration
    """Length."""
    reason: Name = "user unknown"
    """Reason of the hard bounces."""
    share: Annotated[Share, more_than_0("leave the refusal out")] = 1.0
    """Share of the attempts that are refused."""


def _some_time(time: RandomTime) -> RandomTime:
    if not 0.0 < time.mean_s < math.inf:
        mean = "0s" if time.mean_s == 0.0 else "infinite"
        raise ValueError(f'is {shown(mean)} on average; give a time such as "2h"')
    return time


_SomeTime = Annotated[Distribution, AfterValidator(_some_time)]


class Disturbance(Checked):
    """Bad times that come at random, drawn anew for each seed.

    Real 4xx answers come in episodes, and results of several seeds differ the more for it.
    """

    every: _SomeTime
    """Time from the end of one to the beginning of the next, or from t = 0 to the first."""
    lasts: _SomeTime
    """Length of each."""
    transient: Share = 0.0
    """Probability of a soft bounce meanwhile; the largest of those that hold counts."""
    tolerance: RateField = None
    """Rate of attempts from each source address tolerated meanwhile, besides the usual one."""
    unreachable: StrictBool = False
    """Whether the provider cannot be reached meanwhile: every attempt that ends in it fails."""

    @property
    def share(self) -> float:
        """The share of time that is disturbed, in the long run."""
        return self.lasts.mean_s / (self.every.mean_s + self.lasts.mean_s)

    def _problems(self) -> Iterator[tuple[Place, str]]:
        other = self.transient > 0.0 or self.tolerance is not None
        if not (self.unreachable or other):
            yield (), "changes nothing; give transient, tolerance or unreachable = true"
        if self.unreachable and other:
            yield ("unreachable",), "true leaves no answers; leave out transient and tolerance"
        if self.every.mean_s + self.lasts.mean_s < _SHORTEST_S:
            yield ("every",), "with lasts less than a second on average; give longer times"
