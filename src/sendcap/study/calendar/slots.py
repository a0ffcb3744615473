"""The times of each delivery of a programme, read from a run."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sendcap.model.confirmation import confirmations
from sendcap.readings.convergence import convergence
from sendcap.readings.reached import reached_s
from sendcap.readings.states import handed_over_s
from sendcap.run import Run
from sendcap.scenario import Delivery, Scenario
from sendcap.study.capacity.hold_ups import of_each
from sendcap.study.capacity.limits import Limits, limits_from_ledger
from sendcap.study.replication.measures import deliverable

MOST_ROWS: Final = 30
"""With more deliveries, all repetitions and parts of one are a row."""
SETTLED_PT: Final = 0.1
"""Delivered % is settled when it stays within so many points of its final value."""


@dataclass(frozen=True)
class Slot:
    """The times of a delivery, in seconds from t = 0; infinite where something never comes."""

    delivery: str
    parent: str | None
    messages: int
    planned_s: float  # the time of the scenario
    asked_s: float  # people are asked to confirm it; NaN where nobody has to
    confirmed_s: float  # they do, also of a part that starts later
    gives_up_s: float  # from then on it is not sent any more without; NaN where nobody has to
    starts_s: float  # the later of its time and the confirmation
    relayed_s: float  # the last message
    stopped_s: float  # operators stop it before; NaN where they do not
    accepted_50_pct_s: float  # half of its deliverable messages
    accepted_90_pct_s: float
    accepted_s: float  # the share that counts as all
    settled_s: float  # its Delivered % in the scenario's first mode
    delivered_pct: float  # that, in the end
    held_up_by: str  # the stage where its messages wait the longest; empty where none do
    held_up_s: float  # the longest wait there
    beside: tuple[str, ...]  # deliveries that use the relay or a queue at the same time

    @property
    def takes_s(self) -> float:
        """Time from the start until all that counts is accepted; infinite if it never is."""
        return self.accepted_s if self.accepted_s == math.inf else self.accepted_s - self.starts_s


def slots_of(run: Run, share: float, limits: Limits | None = None) -> Iterator[Slot]:
    """Yield the slot of each delivery, in the order of their starts."""
    planned = {each.name: each for each in run.scenario.deliveries}
    asked = confirmations(run.scenario)
    of_asking = ("asked_s", "confirmed_s", "gives_up_s")
    timed = []
    for sent in run.as_sent.deliveries:
        ledger, name = run.ledger, sent.name
        half_s, most_s, all_s = (accepted_s(run, part, sent) for part in (0.5, 0.9, share))
        relayed_s = handed_over_s(ledger, name)
        stopped_s = math.inf if sent.stop is None else sent.stop
        settled_s, delivered_pct = settled(run, name)
        times = {
            "planned_s": planned[name].at,
            **{key: getattr(asked.get(name), key, math.nan) for key in of_asking},
            "starts_s": sent.at if sent.is_started else math.inf,
            "relayed_s": relayed_s,
            "stopped_s": stopped_s if stopped_s < relayed_s and sent.is_started else math.nan,
            "accepted_50_pct_s": half_s,
            "accepted_90_pct_s": most_s,
            "accepted_s": all_s,
            # Nothing is ever known of a delivery of which nothing leaves.
            "settled_s": math.inf if math.isnan(settled_s) else settled_s,
            "delivered_pct": delivered_pct,
        }
        if not ledger.messages(delivery=name):
            # Nobody is left to deliver to: it is done as it starts.
            times |= dict.fromkeys(("relayed_s", "settled_s"), sent.at)
        timed.append((sent, times))
    timed.sort(key=lambda each: each[1]["starts_s"])
    beside = _beside(run.as_sent, timed)
    held_up = _held_up(run, limits)
    for sent, times in timed:
        by, held_up_s = held_up.get(sent.name, ("", 0.0))
        yield Slot(
            sent.name,
            sent.parent,
            sent.messages,
            held_up_by=by,
            held_up_s=held_up_s,
            beside=tuple(beside[sent.name]),
            **times,
        )


def _held_up(run: Run, limits: Limits | None) -> dict[str, tuple[str, float]]:
    """Return what holds up each delivery that is held up, and the longest wait there."""
    # A population may leave nobody to deliver to.
    if not run.ledger.messages():
        return {}
    found = of_each(run, (limits or limits_from_ledger(run)).observed)
    return {str(each.delivery): (each.name, each.wait_s) for each in found}


def accepted_s(run: Run, share: float, sent: Delivery) -> float:
    """Return when the share of what can be accepted was; of a delivery to nobody, as it starts."""
    ledger, name = run.ledger, sent.name
    if not ledger.messages(delivery=name):
        return sent.at
    accepted = ledger.sparse("accepted", clock="happened", delivery=name)
    return reached_s(accepted, ledger.bin_s, share, deliverable(ledger, name))


def settled(run: Run, delivery: str) -> tuple[float, float]:
    """Return when Delivered % settles, and where."""
    mode = run.scenario.reporting.modes[0]
    found = convergence(run, mode, delivery, tolerances_pt=(SETTLED_PT,))
    return found.settling_s[SETTLED_PT], found.final_pct


# A comparison with NaN is false, so min(relayed_s, stopped_s) is the first where nobody stops it.


def _beside(
    scenario: Scenario, timed: list[tuple[Delivery, dict[str, float]]]
) -> dict[str, list[str]]:
    """Return which deliveries use the relay or a queue together; they are in order of start."""

    def queues(delivery: Delivery) -> set[tuple[Any, ...]]:
        pool = scenario.pool_of(delivery)
        return {(pool, name) for name, share in delivery.audience.items() if share > 0.0}

    beside: dict[str, list[str]] = {delivery.name: [] for delivery, _ in timed}
    for number, (one, first) in enumerate(timed):
        relayed_s = min(first["relayed_s"], first["stopped_s"])
        for other, second in timed[number + 1 :]:
            if second["starts_s"] >= max(first["accepted_s"], relayed_s):
                if first["accepted_s"] < math.inf and relayed_s < math.inf:
                    break
                continue
            if second["starts_s"] < relayed_s or queues(one) & queues(other):
                beside[one.name].append(other.name)
                beside[other.name].append(one.name)
    return beside
