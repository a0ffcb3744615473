"""Throughput, backlog and waits of one stage in a simulation."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from sendcap.ledger import Counts, Event, Names
from sendcap.model.batches import BatchRows, batch_rows
from sendcap.model.monitor import Floats, Ints, StageMonitor
from sendcap.readings.load import deliveries_of
from sendcap.run import Run
from sendcap.scenario import Delivery
from sendcap.scenario.constraints import CONNECTIONS
from sendcap.scenario.stages import Stage

HANDED_OVER: Final[tuple[Event, ...]] = ("relayed", "relay_failed")
"""What becomes of a message at the relay."""
_DRAINED_SHARE: Final = 0.001
_DRAINED_S: Final = 1.0
_BUSY_UNTIL: Final = 0.99
_ENOUGH: Final = 20.0
"""Attempts that a utilisation is based on."""


@dataclass(frozen=True, eq=False)
class Observed:
    """A stage, and a simulation's view of it."""

    stage: Stage  # with attempts per message as measured
    bin_s: float  # width of a bin in seconds
    # Waiting messages, at each edge of the bins: at the relay, messages of started deliveries
    # before the hand-over; at a provider, due messages before the start of their attempt; at a
    # limit over several queues, those of all of them, whatever they wait for.
    backlog: Ints
    arrivals: Ints  # messages that began to wait, in each bin
    # Attempts answered, without throttled and unreachable ones; at the relay messages handed over,
    # at the ingress messages taken in, at a limit attempts started.
    throughput_per_s: Floats
    ceiling_per_s: Floats  # of the constraints in attempts per second, without bursts
    # Share in use, 0 to 1: of the workers or connections, or of a rate, whichever is more; NaN
    # while a schedule is closed. A connection that waits for a rate is not at work.
    utilisation: Floats
    # Waits of started messages, NaN without any. Retries wait from the moment they are due.
    mean_wait_s: float
    p95_wait_s: float
    longest_wait_s: float

    @cached_property
    def edges_s(self) -> Floats:
        """Edges of the bins in seconds, from 0."""
        return np.arange(len(self.backlog), dtype=np.float64) * self.bin_s

    @property
    def peak_backlog(self) -> int:
        """The largest backlog at an edge."""
        return int(self.backlog.max())

    @property
    def peak_at_s(self) -> float:
        """First moment of the largest backlog; NaN if no message ever waited."""
        return float(self.edges_s[self.backlog.argmax()]) if self.peak_backlog else math.nan

    @property
    def noticeable(self) -> float:
        """Smallest noticeable backlog.

        0.1 % of the stage's messages, and at least the throughput of a second: a few messages wait
        anywhere, if only for a connection.
        """
        in_a_second = self.stage.per_s * _DRAINED_S
        share = _DRAINED_SHARE * self.stage.messages
        return max(share, in_a_second) if in_a_second < math.inf else share

    @property
    def drained_at_s(self) -> float:
        """Time at which the backlog was gone: the first edge after the last `noticeable` one.

        NaN without a noticeable backlog, infinite if it remained at the end of the simulation.
        """
        built_up = np.flatnonzero(self.backlog > self.noticeable)
        if not len(built_up):
            return math.nan
        last = int(built_up[-1])
        return math.inf if last + 1 == len(self.backlog) else float(self.edges_s[last + 1])

    @cached_property
    def busy_until_s(self) -> float:
        """Time at which attempts for 99 % of the messages had been carried; 0 if none were.

        Or 99 % of all attempts it ever carried, if that is less. Retries go on for days.
        """
        carried = np.cumsum(self.throughput_per_s) * self.bin_s
        if not len(carried) or not carried[-1]:
            return 0.0
        enough = _BUSY_UNTIL * min(carried[-1], self.stage.messages)
        return float(self.edges_s[np.searchsorted(carried, enough) + 1])

    @property
    def mean_utilisation(self) -> float:
        """Mean utilisation from the first messages to `busy_until_s`."""
        arrived = np.flatnonzero(self.arrivals)
        last = round(self.busy_until_s / self.bin_s)
        if not len(arrived) or last <= arrived[0]:
            return 0.0
        meanwhile = self.utilisation[arrived[0] : last]
        open_ = meanwhile[~np.isnan(meanwhile)]
        return float(open_.mean()) if len(open_) else 0.0

    def waiting_longer(self, age_s: float, at_s: float) -> float:
        """Return the messages that had waited for longer than ``age_s`` at a moment.

        First in, first out: the waiting messages are the last that came, evenly between the edges.
        """
        came = np.concatenate(([0], np.cumsum(self.arrivals)))
        waiting, until_now, before = (
            float(np.interp(time_s, self.edges_s, counts))
            for time_s, counts in ((at_s, self.backlog), (at_s, came), (at_s - age_s, came))
        )
        return max(waiting - (until_now - before), 0.0) if age_s < at_s else 0.0

    def row(self) -> dict[str, Any]:
        """Return the stage's row of `sendcap.study.capacity.limits.Limits.table`."""
        stage = self.stage
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
            "utilisation_pct": 100.0 * self.mean_utilisation,
            "highest_utilisation_pct": 100.0 * float(np.nanmax(self.utilisation, initial=0.0)),
            "mean_wait_s": self.mean_wait_s,
            "p95_wait_s": self.p95_wait_s,
            "longest_wait_s": self.longest_wait_s,
            "peak_backlog": self.peak_backlog,
            "peak_at_s": self.peak_at_s,
            "drained_at_s": self.drained_at_s,
        }


def observed(
    stage: Stage, monitor: StageMonitor, carried: Ints | None, *, bins: int, bin_s: float
) -> Observed:
    """Return a monitor's view of a stage; ``carried`` counts attempts by bin (default: started)."""
    throughput_per_s = np.zeros(bins)
    done = monitor.started(bins) if carried is None else carried[:bins]
    throughput_per_s[: len(done)] = done / bin_s
    middle_s = (np.arange(bins, dtype=np.float64) + 0.5) * bin_s
    # A limit by rates alone has no servers.
    has_servers = stage.kind != "limit" or any(
        constraint.name in CONNECTIONS for constraint in stage.constraints
    )
    at_work = monitor.busy.on_average(bins) / stage.servers if has_servers else np.zeros(bins)
    return Observed(
        stage=stage,
        bin_s=bin_s,
        backlog=monitor.waiting.at_edges(bins),
        arrivals=monitor.waiting.entered(bins),
        throughput_per_s=throughput_per_s,
        ceiling_per_s=ceiling_per_s(stage, middle_s),
        utilisation=_utilisation(
            at_work,
            _by_window(throughput_per_s, stage, middle_s) * bin_s,
            ceiling_per_s(stage, middle_s, but=("outage", "workers", *CONNECTIONS)) * bin_s,
        ),
        mean_wait_s=monitor.waits.mean_s,
        p95_wait_s=monitor.waits.quantile_s(0.95),
        longest_wait_s=monitor.waits.longest_s if monitor.waits.count else math.nan,
    )


def ceiling_per_s(stage: Stage, times_s: Floats, but: Collection[str] = ()) -> Floats:
    """Return the ceiling at each time, without the constraints in ``but``."""
    lowest = np.full(len(times_s), np.inf)
    for constraint in stage.constraints:
        if constraint.name not in but:
            starts_s = [pace.from_s for pace in constraint.paces]
            paces = np.array([pace.per_s for pace in constraint.paces])
            step = np.searchsorted(starts_s, times_s, side="right") - 1
            np.minimum(lowest, paces[step], out=lowest)
    return lowest


def _by_window(throughput_per_s: Floats, stage: Stage, times_s: Floats) -> Floats:
    """Return the mean of each window of a fixed-window limit, in all bins of the window."""
    for constraint in stage.constraints:
        if constraint.window_s is not None and len(times_s):
            window = (times_s / constraint.window_s).astype(np.int64)
            sums = np.bincount(window, throughput_per_s)
            return (sums / np.maximum(np.bincount(window), 1))[window]
    return throughput_per_s


def _utilisation(at_work: Floats, carried: Floats, allowed: Floats) -> Floats:
    """Return the share in use: of the servers, or of the attempts that the rates allow.

    A burst above the rate is full use; a closed schedule is NaN.
    """
    of_rate = np.zeros(len(at_work))
    if np.isfinite(allowed).all():
        # At a rate of one attempt per bin, a bin has none or two: a wider window is needed.
        until_now = np.concatenate(([0.0], np.cumsum(allowed)))
        wider = np.maximum(_ENOUGH - allowed, 0.0) / 2.0
        first = np.maximum(until_now[:-1] - wider, 0.0)
        last = np.minimum(until_now[1:] + wider, until_now[-1])
        carried_by = np.concatenate(([0.0], np.cumsum(carried)))
        begin, end = (np.interp(edges, until_now, carried_by) for edges in (first, last))
        np.divide(end - begin, last - first, out=of_rate, where=last > first)
        of_rate[allowed == 0.0] = np.nan
    return np.clip(np.maximum(at_work, of_rate), 0.0, 1.0)


# Messages that came to a stage and those past it, as far as a ledger shows them.


def came_and_began(run: Run, stage: Stage) -> tuple[Counts, Counts]:
    """Return the arrivals at a stage and the messages past it, up to each edge."""

    def total(event: Event) -> Counts:
        whose: list[Names] = [
            {"delivery": each, "provider": path.provider}
            for path in stage.paths
            for each in deliveries_of(run.scenario, path.pool)
        ]
        if not stage.paths:
            backlog = run.scenario.backlog
            whose = [{"delivery": each.name} for each in run.as_sent.relayed] if backlog else [{}]
        of_each = [run.ledger.cumulative(event, clock="happened", **names) for names in whose]
        counts: Counts = np.sum([np.zeros(run.ledger.bins + 1, np.int64), *of_each], axis=0)
        return counts

    if not stage.paths:
        gone = total("relayed") + total("relay_failed")
        if stage.kind != "relay":
            return gone, gone
        edges_s, rows = run.ledger.edges_s, batch_rows(run.as_sent)
        of_each = [ready_of(run, each, rows, edges_s) for each in run.as_sent.deliveries]
        ready: Counts = np.sum(of_each, axis=0)
        return ready, gone
    began = total("accepted") - total("recovered") + total("hard") - total("hard_after_soft")
    return total("relayed"), began + total("soft_first") + total("expired_untried")


def ready_of(run: Run, delivery: Delivery, rows: BatchRows, times_s: Floats) -> Counts:
    """Return the messages of a delivery that are ready for the relay by these times."""
    own = rows.delivery == run.as_sent.deliveries.index(delivery)
    ready = np.concatenate(([0], np.cumsum(rows.size[own])))
    ready = ready[np.searchsorted(rows.ready_s[own], times_s, side="right")]
    if delivery.stop is None:
        return ready
    gone = sum(
        run.ledger.total(event, clock="happened", delivery=delivery.name) for event in HANDED_OVER
    )
    return np.where(times_s < delivery.stop, ready, np.minimum(ready, gone))
