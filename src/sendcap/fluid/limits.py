"""Limits: how many messages a stage may have let through by when, as a fluid."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from sendcap.fluid.spans import Floats
from sendcap.scenario import Provider
from sendcap.scenario.constraints import CONNECTIONS, Constraint


class Limit(Protocol):
    """A clock that counts what has been granted since t = 0.

    A message that comes at t with x before it, to a stage that has never been idle, starts when
    x − `burst` have been granted.
    """

    def granted(self, t_s: Floats) -> Floats:
        """Return how many have been granted up to these moments."""

    def burst(self, t_s: Floats) -> Floats | float:
        """Return how many may go beyond that."""

    def when(self, granted: Floats) -> Floats:
        """Return when so many have been granted."""

    def opens_s(self, t_s: Floats) -> Floats:
        """Return when anything goes at all, at these moments or later."""


class Steady(NamedTuple):
    """A limit that is always the same."""

    per_s: float
    size: float

    def granted(self, t_s: Floats) -> Floats:
        """See `Limit`."""
        return t_s * self.per_s

    def burst(self, t_s: Floats) -> float:  # noqa: ARG002
        """See `Limit`."""
        return self.size

    def when(self, granted: Floats) -> Floats:
        """See `Limit`."""
        return granted / self.per_s

    def opens_s(self, t_s: Floats) -> Floats:
        """See `Limit`."""
        return t_s


class Stepwise(NamedTuple):
    """A limit that changes at given times, the first of them 0."""

    from_s: Floats
    per_s: Floats
    sizes: Floats

    @property
    def _before(self) -> Floats:
        return np.concatenate(([0.0], np.cumsum(np.diff(self.from_s) * self.per_s[:-1])))

    def granted(self, t_s: Floats) -> Floats:
        """See `Limit`."""
        step = np.maximum(np.searchsorted(self.from_s, t_s, side="right") - 1, 0)
        granted: Floats = self._before[step] + (t_s - self.from_s[step]) * self.per_s[step]
        return granted

    def burst(self, t_s: Floats) -> Floats:
        """See `Limit`."""
        return self.sizes[np.maximum(np.searchsorted(self.from_s, t_s, side="right") - 1, 0)]

    def when(self, granted: Floats) -> Floats:
        """See `Limit`."""
        before = self._before
        # While it is closed nothing is granted; the step before that is the one that counts.
        step = np.maximum(np.searchsorted(before, granted, side="left") - 1, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            into_s = (granted - before[step]) / self.per_s[step]
        when_s: Floats = self.from_s[step] + np.where(self.per_s[step] > 0.0, into_s, 0.0)
        return when_s

    def opens_s(self, t_s: Floats) -> Floats:
        """See `Limit`."""
        opens_s = np.where(self.per_s > 0.0, self.from_s, np.inf)
        # From behind: when the first step begins that is open.
        next_s = np.minimum.accumulate(opens_s[::-1])[::-1]
        step = np.maximum(np.searchsorted(self.from_s, t_s, side="right") - 1, 0)
        return np.maximum(t_s, next_s[step])


class Windowed(NamedTuple):
    """So many in each window of time, as fast as they come."""

    limit: float
    window_s: float

    def granted(self, t_s: Floats) -> Floats:
        """See `Limit`."""
        return np.floor(t_s / self.window_s * (1.0 + 1e-12)) * self.limit

    def burst(self, t_s: Floats) -> float:  # noqa: ARG002
        """See `Limit`."""
        return 0.0

    def when(self, granted: Floats) -> Floats:
        """See `Limit`."""
        return np.floor(granted / self.limit * (1.0 + 1e-12)) * self.window_s

    def opens_s(self, t_s: Floats) -> Floats:
        """See `Limit`."""
        return t_s


def limits_of(constraints: tuple[Constraint, ...], provider: Provider, ips: int) -> list[Limit]:
    """Return the limits of a provider's queue.

    Its tolerance is none: it holds nothing back. Where messages are whole, the n-th of those that
    come at once starts later than that many would flow through; the burst makes up for the
    difference on average.
    """
    found: list[Limit] = []
    for its in constraints:
        pace = its.paces[0]
        if its.name in CONNECTIONS:
            if pace.per_s < np.inf:
                found.append(Steady(pace.per_s, _at_once(provider, ips)))
        elif its.window_s is not None:
            found.append(Windowed(pace.burst, its.window_s))
        elif its.varies:
            from_s, per_s, sizes = (np.array(column) for column in zip(*its.paces, strict=True))
            found.append(Stepwise(from_s, per_s, sizes - 0.5))
        elif its.name == "gap":
            found.append(Steady(pace.per_s, 0.5))
        elif its.name not in ("tolerance", "suspension"):
            found.append(Steady(pace.per_s, pace.burst - 0.5))
    return found


def _at_once(provider: Provider, ips: int) -> float:
    """Return how far the starts on connections that were all closed are ahead of their rate.

    A connection that is never idle is made, which takes C, and carries K attempts of T each; then
    it is made anew. By t it has started t / m + (T − C) / 2m + (var T + var C / K) / 2m² attempts
    on average over such a cycle, where m = T + C / K. Where K is unlimited, C weighs twice.

    References
    ----------
    D. R. Cox, "Renewal Theory" (1962): the mean number of renewals after a long time.
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
