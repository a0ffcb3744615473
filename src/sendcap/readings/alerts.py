"""Delivery alerting: which of the product's alerts would have been sent on a delivery, and when."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sendcap.errors import SendcapError
from sendcap.ledger import Event, Ledger
from sendcap.model.confirmation import as_sent
from sendcap.readings.dynamic_report import require_moment
from sendcap.readings.modes import (
    ALL_DELIVERIES,
    Mode,
    failure_types,
    known,
    require_delivery,
    statuses,
)
from sendcap.scenario import Scenario
from sendcap.scenario.operators import held
from sendcap.scenario.pattern import ready_s
from sendcap.scenario.start import since_midnight_s
from sendcap.text.quantities import HOUR_S

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class AlertCriteria:
    """The limits of Campaign Standard's delivery alerting.

    Attributes
    ----------
    soft_ratio, hard_ratio
        Soft and hard bounces as a share of the processed messages; an alert is sent above it. From
        Adobe's text.
    monitoring_s
        A delivery is watched from so long before the contact date until so long after it. From
        Adobe's text.
    every_s
        Time between two checks. From Adobe's text.
    least_target
        Only deliveries with at least so many messages are watched. From a screenshot alone.
    start_pending_s
        A delivery of which nothing has been relayed is *start pending* for too long, if it is
        longer since the contact date, the confirmation or the end of a pause. From a screenshot
        alone.
    throughput_age_s, throughput_processed
        Low throughput: only deliveries that started longer ago, and whose processed share is less.
        From a screenshot alone.
    throughput_per_h
        Low throughput: fewer processed messages per hour since the first one. None, the default,
        checks none: neither text nor screenshot has the product's.
    """

    soft_ratio: float = 0.05
    hard_ratio: float = 0.05
    monitoring_s: float = 86_400.0
    every_s: float = 600.0
    least_target: int = 50
    start_pending_s: float = 1200.0
    throughput_age_s: float = 1200.0
    throughput_processed: float = 0.8
    throughput_per_h: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no check can be made with."""
        for name, value in vars(self).items():
            if value is not None and not 0 <= value < math.inf:
                raise SendcapError(f"{name}: must be a number from 0, not {value!r}")
        if not self.every_s >= 1.0:
            raise SendcapError(f"every_s: must be at least 1 second, not {self.every_s!r}")


class Sending(NamedTuple):
    """The moments of a delivery that alerts depend on."""

    contact_s: float  # the contact date
    due_s: float  # the first messages are ready and confirmed
    held: tuple[tuple[float, float], ...] = ()  # paused or stopped: from, and until before

    def is_held(self, times_s: _Floats) -> npt.NDArray[np.bool_]:
        """Tell at which times the delivery is paused or stopped."""
        held = np.zeros(len(times_s), np.bool_)
        for from_s, until_s in self.held:
            held |= (from_s <= times_s) & (times_s < until_s)
        return held

    def pending_s(self, times_s: _Floats) -> _Floats:
        """Return for how long the first messages have been due; a pause starts it anew."""
        since_s = np.full(len(times_s), self.due_s)
        for _, until_s in self.held:
            since_s = np.where(times_s >= until_s, np.maximum(since_s, until_s), since_s)
        pending_s: _Floats = times_s - since_s
        return pending_s


def sendings(scenario: Scenario) -> dict[str, Sending]:
    """Return the moments of each delivery; what is never confirmed is stopped when given up."""
    found = {}
    for planned, sent in zip(scenario.deliveries, as_sent(scenario).deliveries, strict=True):
        batches = scenario.batches_of(sent)
        (due_s,) = ready_s(sent, scenario.start, np.arange(1), batches).tolist()
        found[planned.name] = Sending(planned.at, due_s, tuple(held(sent)))
    return found


class _Alert(NamedTuple):
    """An alert of a delivery: at which checks it holds, with the value at each."""

    name: str
    limit: float
    holds: npt.NDArray[np.bool_]
    value: _Floats
    worst_is_least: bool = False


def alerts(
    ledger: Ledger,
    moments: Mapping[str, Sending],
    t_s: float,
    mode: Mode,
    delivery: str = ALL_DELIVERIES,
    criteria: AlertCriteria | None = None,
    *,
    start: datetime | None = None,
) -> pd.DataFrame:
    """Return the alerts up to a moment, by the moments of `sendings`; see `sendcap.Run.alerts`."""
    require_moment(t_s)
    require_delivery(ledger, delivery)
    criteria = criteria or AlertCriteria()
    names = ledger.deliveries if delivery == ALL_DELIVERIES else (delivery,)
    rows = []
    for name in (child for each in names for child in ledger.parents.get(each, (each,))):
        times_s = _checks_s(moments[name].contact_s, t_s, criteria, start)
        if ledger.messages(delivery=name) < criteria.least_target or not len(times_s):
            continue
        for alert in _alerts(ledger, name, mode, times_s, moments[name], criteria):
            if alert.holds.any():
                worst = np.min if alert.worst_is_least else np.max
                held_s = times_s[alert.holds]
                value = worst(alert.value[alert.holds])
                rows.append((name, alert.name, alert.limit, held_s[0], held_s[-1], value))
    return pd.DataFrame(rows, columns=["delivery", "alert", "limit", "first_s", "until_s", "worst"])


def _checks_s(
    contact_s: float, t_s: float, criteria: AlertCriteria, start: datetime | None
) -> _Floats:
    """Return the checks around a contact date, which follow the clock."""
    past_s = 0.0 if start is None else since_midnight_s(start) % criteria.every_s
    first_s = max(contact_s - criteria.monitoring_s, 0.0)
    last_s = min(contact_s + criteria.monitoring_s, t_s)
    first, last = ((time_s + past_s) / criteria.every_s for time_s in (first_s, last_s))
    # The rounding of the division is forgiven.
    numbers = np.arange(math.ceil(first * (1 - 1e-12)), math.floor(last * (1 + 1e-12)) + 1)
    return np.asarray(numbers * criteria.every_s - past_s, np.float64)


def _alerts(
    ledger: Ledger,
    delivery: str,
    mode: Mode,
    times_s: _Floats,
    sending: Sending,
    criteria: AlertCriteria,
) -> Iterator[_Alert]:
    """Yield what the checks of a delivery look for, with an entry for each check."""
    counts = known(ledger, delivery, edges=ledger.last_edges(times_s))
    status, types = statuses(counts, mode), failure_types(counts, mode)
    processed = np.asarray(status.sent + status.failed, np.float64)
    for name, limit, failed in (
        ("soft bounces", criteria.soft_ratio, types.soft),
        ("hard bounces", criteria.hard_ratio, types.hard),
    ):
        ratio = np.divide(failed, processed, out=np.zeros_like(processed), where=processed > 0)
        yield _Alert(name, limit, ratio > limit, ratio)
    is_held, pending_s = sending.is_held(times_s), sending.pending_s(times_s)
    waits = (counts.relayed + counts.relay_failed == 0) & ~is_held
    pending = waits & (pending_s > criteria.start_pending_s)
    yield _Alert("start pending", criteria.start_pending_s, pending, pending_s)
    if criteria.throughput_per_h is not None:
        events: tuple[Event, ...] = ("relayed", "relay_failed")
        firsts = [ledger.sparse(event, delivery=delivery).bins[:1] for event in events]
        first = np.concatenate(firsts).astype(np.float64).min(initial=np.inf)
        started_s = times_s - first * ledger.bin_s
        per_h = np.divide(
            processed * HOUR_S, started_s, out=np.full_like(processed, np.inf), where=started_s > 0
        )
        slow = (
            ~is_held
            & (started_s > criteria.throughput_age_s)
            & (processed < criteria.throughput_processed * ledger.messages(delivery=delivery))
            & (per_h < criteria.throughput_per_h)
        )
        yield _Alert("low throughput", criteria.throughput_per_h, slow, per_h, worst_is_least=True)
