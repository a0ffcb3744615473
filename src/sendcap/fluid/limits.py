"""Limits of a stage as clocks of a fluid, and a first-in-first-out stage that keeps to them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sendcap.fluid.spans import Floats, Spans
from sendcap.scenario import Gap, Provider
from sendcap.scenario.constraints import CONNECTIONS, CONNECTIONS_AND_RATE, Constraint

_MOST_PASSES: Final = 8
"""Passes after which limits that hold each other back agree."""


class Stepwise(NamedTuple):
    """A clock that counts the messages granted since t = 0, with steps in time, the first at 0.

    At a stage that has never been idle, a message behind x others starts when x − `burst` messages
    have been granted.
    """

    from_s: Floats
    per_s: Floats
    sizes: Floats

    @property
    def steady(self) -> bool:
        """Whether the limit is constant."""
        return len(self.from_s) == 1

    @property
    def _before(self) -> Floats:
        return np.concatenate(([0.0], np.cumsum(np.diff(self.from_s) * self.per_s[:-1])))

    def _step(self, t_s: Floats) -> npt.NDArray[np.int64]:
        return np.maximum(np.searchsorted(self.from_s, t_s, side="right") - 1, 0)

    def granted(self, t_s: Floats) -> Floats:
        """Return the messages granted up to these moments."""
        step = self._step(t_s)
        return self._before[step] + (t_s - self.from_s[step]) * self.per_s[step]

    def burst(self, t_s: Floats) -> Floats:
        """Return the messages that may go beyond the granted ones."""
        return self.sizes[self._step(t_s)]

    def when(self, granted: Floats) -> Floats:
        """Return the moments at which this many messages have been granted."""
        before = self._before
        # A closed step grants nothing; the step before it counts.
        step = np.maximum(np.searchsorted(before, granted, side="left") - 1, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            into_s = (granted - before[step]) / self.per_s[step]
        return self.from_s[step] + np.where(self.per_s[step] > 0.0, into_s, 0.0)

    def opens_s(self, t_s: Floats) -> Floats:
        """Return the first moments, not before these, at which the limit is open."""
        opens_s = np.where(self.per_s > 0.0, self.from_s, np.inf)
        # Backwards: the beginning of the next open step.
        next_s = np.minimum.accumulate(opens_s[::-1])[::-1]
        return np.maximum(t_s, next_s[self._step(t_s)])


def steady(per_s: float, size: float) -> Stepwise:
    """Return a constant limit with a burst of this size."""
    return Stepwise(np.zeros(1), np.array([per_s]), np.array([size]))


class Windowed(NamedTuple):
    """A number of messages per window of time, as fast as they come."""

    limit: float
    window_s: float

    @property
    def steady(self) -> bool:
        """See `Stepwise`."""
        return False

    def granted(self, t_s: Floats) -> Floats:
        """See `Stepwise`."""
        return np.floor(t_s / self.window_s * (1.0 + 1e-12)) * self.limit

    def burst(self, t_s: Floats) -> Floats:
        """See `Stepwise`."""
        return np.zeros(len(t_s))

    def when(self, granted: Floats) -> Floats:
        """See `Stepwise`."""
        return np.floor(granted / self.limit * (1.0 + 1e-12)) * self.window_s

    def opens_s(self, t_s: Floats) -> Floats:
        """See `Stepwise`."""
        return t_s


Limit = Stepwise | Windowed


def limits_of(
    constraints: tuple[Constraint, ...], provider: Provider, ips: int, pace: float = 1.0
) -> list[Limit]:
    """Return the limits of a provider's queue.

    A tolerance holds nothing back, so it is not among them. Of whole messages that come at once,
    the n-th starts later than n messages of a fluid; half a message less of burst is the difference
    on average. Connections go at their pace, 1 as expected.
    """
    limits: list[Limit] = []
    for constraint in constraints:
        if constraint.name in (*CONNECTIONS, CONNECTIONS_AND_RATE):
            paces = (each._replace(per_s=pace * each.per_s) for each in constraint.paces)
            constraint = replace(constraint, paces=tuple(paces))
        first = constraint.paces[0]
        if constraint.name in CONNECTIONS:
            if first.per_s < np.inf:
                limits.append(steady(first.per_s, _at_once(provider, ips)))
        elif constraint.window_s is not None:
            limits.append(Windowed(first.burst, constraint.window_s))
        elif constraint.varies:
            columns = zip(*constraint.paces, strict=True)
            from_s, per_s, sizes = (np.array(column) for column in columns)
            limits.append(Stepwise(from_s, per_s, sizes - 0.5))
        elif isinstance(constraint.throttle, Gap):
            limits.append(steady(first.per_s, 0.5 * ips))
        elif constraint.name not in ("tolerance", "suspension"):
            limits.append(steady(first.per_s, first.burst - 0.5))
    return limits


def _at_once(provider: Provider, ips: int) -> float:
    """Return the lead of connections, all closed at first, over their long-run rate.

    A busy connection takes C to open, carries K attempts of T each, and is opened anew. By t it has
    started t / m + (T − C) / 2m + (var T + var C / K) / 2m² attempts on average over such a cycle,
    where m = T + C / K. Where K is unlimited, C weighs twice.
    Source: D. R. Cox, "Renewal Theory" (1962), the mean number of renewals after a long time.
    """
    transaction, connect = provider.transaction_time, provider.connect_time
    attempt_s, connect_s = transaction.mean_s, connect.mean_s
    variance_s2 = transaction.second_moment_s2 - attempt_s**2
    if provider.messages_per_connection == "unlimited":
        mean_s, late_s = attempt_s, connect_s
    else:
        share = 1.0 / provider.messages_per_connection
        mean_s, late_s = attempt_s + share * connect_s, 0.5 * connect_s
        variance_s2 += share * (connect.second_moment_s2 - connect_s**2)
    ahead = (0.5 * attempt_s - late_s) / mean_s + 0.5 * variance_s2 / mean_s**2
    return provider.connections_per_ip * ips * ahead


class Fifo:
    """A stage at which messages start in the order of their arrival, as all limits allow.

    With A(t) arrivals and C(t) messages granted by a limit up to t, the message that arrives at t
    starts when C has reached max over u ≤ t of (C(u) − A(u)), plus A(t), less the burst.
    """

    def __init__(self, limits: Sequence[Limit], arrivals: Spans, messages: Floats) -> None:
        some = messages > 0.0
        begin_s, end_s = arrivals.part(some).ends_s
        per_s = messages[some] / (end_s - begin_s)
        changes_s = np.concatenate((begin_s, end_s))
        order = np.argsort(changes_s, kind="stable")
        self._t_s = changes_s[order]
        rates = np.maximum(np.cumsum(np.concatenate((per_s, -per_s))[order]), 0.0)
        self._come = np.concatenate(([0.0], np.cumsum(rates[:-1] * np.diff(self._t_s))))
        self._starts_s = self._limited(limits)

    def _limited(self, limits: Sequence[Limit]) -> Floats:
        starts_s = self._t_s
        if not len(starts_s):
            return starts_s
        constant = all(limit.steady for limit in limits)
        for _ in range(1 if constant or len(limits) == 1 else _MOST_PASSES):
            before_s = starts_s
            for limit in limits:
                # Constant limits are met all at once. A limit that changes with time delays
                # messages for the next one.
                asks_s = self._t_s if constant else starts_s
                granted = np.maximum.accumulate(limit.granted(asks_s) - self._come)
                earliest_s = limit.when(granted + self._come - limit.burst(asks_s))
                starts_s = limit.opens_s(np.maximum(starts_s, earliest_s))
            if np.array_equal(starts_s, before_s):
                break
        # Rounding must not let anyone overtake.
        return np.maximum.accumulate(starts_s)

    def starts_s(self, t_s: Floats) -> Floats:
        """Return the start of messages that arrive at these moments."""
        if not len(self._t_s):
            return t_s
        return np.maximum(np.interp(t_s, self._t_s, self._starts_s), t_s)

    def come(self, t_s: Floats) -> Floats:
        """Return the arrivals up to these moments."""
        return np.interp(t_s, self._t_s, self._come) if len(self._t_s) else np.zeros(len(t_s))

    def through(self, arrivals: Spans) -> Spans:
        """Return the starts of cohorts that arrive in these spans."""
        arrivals = arrivals.stretched()
        first_s, last_s = self.starts_s(arrivals.first_s), self.starts_s(arrivals.last_s)
        begin_s, end_s = map(self.starts_s, arrivals.ends_s)
        # The variance of the arrivals, after the queue.
        variance_s2 = ((end_s - begin_s) ** 2 - (last_s - first_s) ** 2) / 12.0
        return Spans(
            first_s, last_s, np.where(arrivals.variance_s2 > 0.0, variance_s2, 0.0).clip(0.0)
        )
