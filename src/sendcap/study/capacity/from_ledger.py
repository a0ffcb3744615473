"""The stages of a saved run, as its ledger tells them: without a simulation, and a little less."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sendcap.scenario.stages import Stage, stages
from sendcap.study.capacity.limits import ACCEPTED_PCT, Limits
from sendcap.study.capacity.observed import Observed, ceiling_per_s
from sendcap.study.capacity.retries import attempts_per_message, carried

if TYPE_CHECKING:
    from sendcap.ledger import Event
    from sendcap.run import Run

    Ints = npt.NDArray[np.int64]


def limits_from_ledger(run: Run) -> Limits:
    """Return what limits a run's deliveries, as far as its ledger tells.

    The ceilings, the throughput, what holds the deliveries up and why are those of
    `sendcap.limits`, which simulates the scenario again and watches each stage. The ledger does not
    know when an attempt became due. So the backlog is that of first attempts: at the relay, the
    messages of started deliveries that it has not handed over; at a provider, those that were
    handed over and whose first attempt has not ended, be they in the ingress, in the queue or under
    way. Nothing waits at the ingress then, the waits are NaN, and the utilisation is the share of
    the ceiling that was carried.
    """
    scenario, ledger = run.scenario, run.ledger
    times = attempts_per_message(ledger, scenario, ACCEPTED_PCT)
    edges_s = ledger.edges_s
    middle_s = (edges_s[:-1] + edges_s[1:]) / 2.0

    def at_edges(event: Event, provider: str | None = None) -> Ints:
        return ledger.cumulative(event, clock="happened", provider=provider)

    def observed(stage: Stage) -> Observed:
        if stage.kind == "provider":
            name = stage.name
            came = at_edges("relayed", name)
            began = at_edges("accepted", name) - at_edges("recovered", name)
            began = began + at_edges("hard", name) - at_edges("hard_after_soft", name)
            began = began + at_edges("soft_first", name) + at_edges("expired_untried", name)
            its_carried = carried(ledger, scenario, name)
        else:
            went = at_edges("relayed") + at_edges("relay_failed")
            came = _ready(run) if stage.kind == "relay" else went
            began = went
            its_carried = np.diff(went)
        throughput_per_s = its_carried / ledger.bin_s
        its_ceiling_per_s = ceiling_per_s(stage, middle_s)
        arrivals = np.diff(came)
        arrivals[:1] += came[:1]
        share = np.full(ledger.bins, np.nan)
        open_ = its_ceiling_per_s > 0.0
        np.divide(throughput_per_s, its_ceiling_per_s, out=share, where=open_)
        return Observed(
            stage=stage,
            bin_s=ledger.bin_s,
            backlog=np.maximum(came - began, 0),
            arrivals=arrivals,
            throughput_per_s=throughput_per_s,
            ceiling_per_s=its_ceiling_per_s,
            utilisation=np.minimum(share, 1.0),
            mean_wait_s=math.nan,
            p95_wait_s=math.nan,
            longest_wait_s=math.nan,
        )

    parts = stages(scenario, times)
    return Limits(scenario, run, tuple(map(observed, parts)), first_attempts_only=True)


def _ready(run: Run) -> Ints:
    """Return how many messages the relay could have handed over by each edge."""
    edges_s = run.ledger.edges_s
    ready = np.zeros(len(edges_s))
    for its in run.scenario.deliveries:
        if its.spread:
            ready += its.messages * np.clip((edges_s - its.at) / its.spread, 0.0, 1.0)
        else:
            ready += its.messages * (edges_s >= its.at)
    return np.floor(ready).astype(np.int64)
