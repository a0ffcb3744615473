"""The monitor: utilisation, queue length and waiting times of each stage over time.

It sees the same arrays as the ledger and stores as little: per stage a few numbers for each
time bin and a histogram of the waits. A simulation is the same with and without it.
"""

import math
from collections.abc import Iterable
from typing import Final, Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Weights = npt.NDArray[np.int64] | None
"""Number of messages of each time; one where None."""

_TICKS_PER_S: Final = 65_536.0
"""Times are added up in whole ticks: sums of integers do not depend on the window's length."""
_NO_WAIT_S: Final = 1e-3
"""A shorter wait counts as none."""
_STEP: Final = math.log(1.01)
"""The histogram's bins are 1 % wide."""
_HISTOGRAM_BINS: Final = math.ceil(math.log(1e9 / _NO_WAIT_S) / _STEP)


class Binned:
    """A row of whole numbers that grows."""

    def __init__(self) -> None:
        self._values: Ints = np.zeros(0, np.int64)

    def add(self, first: int, values: Ints) -> None:
        """Add values to the numbers from the first on."""
        last = first + len(values)
        if len(self._values) < last:
            grown = np.zeros(max(last, 256, 2 * len(self._values)), np.int64)
            grown[: len(self._values)] = self._values
            self._values = grown
        self._values[first:last] += values

    def include(self, other: Self) -> None:
        """Add another row, number by number."""
        self.add(0, other._values)

    def first(self, count: int) -> Ints:
        """Return the first so many."""
        values = np.zeros(count, np.int64)
        filled = self._values[:count]
        values[: len(filled)] = filled
        return values

    @property
    def last(self) -> int:
        """Index of the last that is not 0; -1 if all are."""
        filled = np.flatnonzero(self._values)
        return int(filled[-1]) if len(filled) else -1


class Presence:
    """The number present over time: exact at each bin's edge, and on average in each bin.

    Whoever enters at an edge is present at it, and whoever leaves at it is not. So events at an
    edge belong to the bin before, and events at 0 to the first bin; those at or after the horizon
    are left out.
    """

    def __init__(self, bin_s: float, horizon_s: float = math.inf) -> None:
        self._bin_s = bin_s
        self._horizon_s = horizon_s
        # Number k is of what happens after the edge before edge k and no later than it.
        self._entered = Binned()
        self._left = Binned()
        # Of all that enter less all that leave: from then to the edge, in ticks.
        self._present_ticks = Binned()

    def enter(self, times_s: Floats, weights: Weights = None) -> None:
        """Let some be present from these times on."""
        self._count(self._entered, 1, times_s, weights)

    def leave(self, times_s: Floats, weights: Weights = None) -> None:
        """Let some be present no longer."""
        self._count(self._left, -1, times_s, weights)

    def _count(self, counts: Binned, sign: int, times_s: Floats, weights: Weights) -> None:
        if self._horizon_s < math.inf:
            inside = times_s < self._horizon_s
            times_s = times_s[inside]
            weights = None if weights is None else weights[inside]
        if not len(times_s):
            return
        numbers = np.ceil(times_s / self._bin_s).astype(np.int64)
        ticks = np.rint((numbers * self._bin_s - times_s) * _TICKS_PER_S)
        first = int(numbers.min())
        numbers -= first
        fresh = np.bincount(numbers, weights)
        counts.add(first, fresh.astype(np.int64, copy=False))
        if weights is not None:
            ticks *= weights
        # Exact: the sums of a piece stay below 2^53.
        present = np.bincount(numbers, ticks).astype(np.int64)
        self._present_ticks.add(first, sign * present)

    def include(self, other: Self) -> None:
        """Count those of another stage as well."""
        self._entered.include(other._entered)
        self._left.include(other._left)
        self._present_ticks.include(other._present_ticks)

    @property
    def last(self) -> int:
        """The last edge no later than which any entered or left; -1 without any."""
        return max(self._entered.last, self._left.last)

    def entered(self, bins: int) -> Ints:
        """Return the number that entered in each of the first bins."""
        return _by_bin(self._entered, bins)

    def left(self, bins: int) -> Ints:
        """Return the number that left in each of the first bins."""
        return _by_bin(self._left, bins)

    def at_edges(self, bins: int) -> Ints:
        """Return the number present at each edge of the first bins, shape (bins + 1,)."""
        changes = self._entered.first(bins + 1) - self._left.first(bins + 1)
        return np.cumsum(changes)

    def on_average(self, bins: int) -> Floats:
        """Return the mean number present in each of the first bins."""
        within = self._present_ticks.first(bins + 1)[1:] / (_TICKS_PER_S * self._bin_s)
        average: Floats = self.at_edges(bins)[:-1] + within
        return average


def _by_bin(by_edge: Binned, bins: int) -> Ints:
    counts = by_edge.first(bins + 1)
    counts[1] += counts[0]
    return counts[1:]


class Waits:
    """The waits of messages: mean, longest, and any quantile to half a percent."""

    def __init__(self) -> None:
        self.count = 0  # waits that have ended with a start
        self.longest_s = 0.0
        self._ticks = 0
        self._histogram = np.zeros(_HISTOGRAM_BINS, np.int64)

    def add(self, waits_s: Floats, weights: Weights = None) -> None:
        """Count waits; those of less than a millisecond count as none in the quantiles."""
        if not len(waits_s):
            return
        self.count += len(waits_s) if weights is None else int(weights.sum())
        self.longest_s = max(self.longest_s, float(waits_s.max()))
        ticks = np.rint(waits_s * _TICKS_PER_S).astype(np.int64)
        self._ticks += int(ticks.sum() if weights is None else ticks @ weights)
        waited = np.flatnonzero(waits_s >= _NO_WAIT_S)
        bins = (np.log(waits_s[waited] / _NO_WAIT_S) / _STEP).astype(np.int64)
        np.minimum(bins, _HISTOGRAM_BINS - 1, out=bins)
        fresh = np.bincount(bins, None if weights is None else weights[waited])
        self._histogram[: len(fresh)] += fresh.astype(np.int64, copy=False)

    def include(self, other: Self) -> None:
        """Count the waits of another stage as well."""
        self.count += other.count
        self.longest_s = max(self.longest_s, other.longest_s)
        self._ticks += other._ticks
        self._histogram += other._histogram

    @property
    def mean_s(self) -> float:
        """Mean wait in seconds, NaN of none."""
        return self._ticks / _TICKS_PER_S / self.count if self.count else math.nan

    def quantile_s(self, share: float) -> float:
        """Return the wait that this share of the messages did not exceed, NaN of none."""
        if not self.count:
            return math.nan
        none = self.count - int(self._histogram.sum())
        rank = math.ceil(share * self.count)
        if rank <= none:
            return 0.0
        number = int(np.searchsorted(none + np.cumsum(self._histogram), rank))
        return min(_NO_WAIT_S * math.exp((number + 0.5) * _STEP), self.longest_s)


class StageMonitor:
    """The record of one stage."""

    def __init__(self, bin_s: float, horizon_s: float = math.inf) -> None:
        self._horizon_s = horizon_s
        # Messages that are ready and have not been started. At the relay they wait until they
        # have been handed over, so this is all that is left of the deliveries that have begun.
        self.waiting = Presence(bin_s, horizon_s)
        self._given_up = Presence(bin_s, horizon_s)
        # Servers at work: workers with a batch, connections that are being made or have an
        # attempt under way. A connection that waits for the throttle is not at work.
        self.busy = Presence(bin_s, horizon_s)
        self.waits = Waits()  # of the messages that were started, from ready to start

    def include(self, other: Self) -> None:
        """Take in what has been noted of another stage."""
        self.waiting.include(other.waiting)
        self._given_up.include(other._given_up)
        self.busy.include(other.busy)
        self.waits.include(other.waits)

    @property
    def last(self) -> int:
        """The last edge no later than which anything happened here; -1 without events."""
        return max(self.waiting.last, self.busy.last)

    def started(self, bins: int) -> Ints:
        """Return the number started in each of the first bins."""
        return self.waiting.left(bins) - self.given_up(bins)

    def given_up(self, bins: int) -> Ints:
        """Return the number that left without a start, in each of the first bins."""
        return self._given_up.left(bins)

    def arrived(self, ready_s: Floats, weights: Weights = None) -> None:
        """Note messages that wait from these times on."""
        self.waiting.enter(ready_s, weights)

    def waited(self, ready_s: Floats, start_s: Floats, weights: Weights = None) -> None:
        """Note messages that wait no longer: they have been started."""
        self.waiting.leave(start_s, weights)
        inside = start_s < self._horizon_s
        if inside.all():
            self.waits.add(start_s - ready_s, weights)
        else:
            inside_weights = None if weights is None else weights[inside]
            self.waits.add(start_s[inside] - ready_s[inside], inside_weights)

    def gave_up(self, left_s: Floats, weights: Weights = None) -> None:
        """Note messages that wait no longer: expired, sent back, or stopped."""
        self.waiting.leave(left_s, weights)
        self._given_up.leave(left_s, weights)

    def worked(self, from_s: Floats, to_s: Floats) -> None:
        """Note servers that are at work from one time to another."""
        self.busy.enter(from_s)
        self.busy.leave(to_s)


class Monitor:
    """Watches the stages of a simulation, up to the horizon."""

    def __init__(self, bin_s: float, horizon_s: float = math.inf) -> None:
        self.bin_s = bin_s
        self._horizon_s = horizon_s
        self.relay = StageMonitor(bin_s, horizon_s)
        self.ingress = StageMonitor(bin_s, horizon_s)  # empty without a rate
        self._queues: dict[str, StageMonitor] = {}

    def queue(self, name: str) -> StageMonitor:
        """Return the record of a queue; where each source address has one, of all of a pool."""
        return self._queues.setdefault(name, StageMonitor(self.bin_s, self._horizon_s))

    def together(self, names: Iterable[str]) -> StageMonitor:
        """Return the record of several queues as one."""
        all_of_them = StageMonitor(self.bin_s, self._horizon_s)
        for name in names:
            all_of_them.include(self.queue(name))
        return all_of_them

    @property
    def bins(self) -> int:
        """Bins until the last in which anything happened, at least one."""
        stages = (self.relay, self.ingress, *self._queues.values())
        return max(1, *(stage.last for stage in stages))
