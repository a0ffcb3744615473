"""The throughput limits of a saved run, from the ledger alone."""

from __future__ import annotations

import math

import numpy as np

from sendcap.ledger import Counts, Event
from sendcap.readings.load import carried, loaded_stages
from sendcap.run import Run
from sendcap.scenario.stages import Stage
from sendcap.study.capacity.limits import Limits
from sendcap.study.capacity.observed import Observed, ceiling_per_s


def limits_from_ledger(run: Run) -> Limits:
    """Return the throughput limits of a run, as far as the ledger shows them.

    Ceilings, throughput, the bottleneck and the reason are those of `sendcap.limits`, which
    simulates the scenario again and watches each stage. The ledger does not say when an attempt
    became due. So the backlog is that of first attempts: at the relay, messages of started
    deliveries before the hand-over; at a provider, messages between the hand-over and the end of
    the first attempt, in the ingress, in the queue or under way. The ingress has no backlog then,
    waits are NaN, and the utilisation is the throughput's share of the ceiling.
    """
    observed = (_observed(run, stage) for stage in loaded_stages(run.ledger, run.scenario))
    return Limits(run.scenario, run, tuple(observed), first_attempts_only=True)


def _observed(run: Run, stage: Stage) -> Observed:
    ledger = run.ledger
    came, began = _came_and_began(run, stage)
    handed_on = np.diff(began)
    done = carried(ledger, run.scenario, stage.name) if stage.kind == "provider" else handed_on
    throughput_per_s = done / ledger.bin_s
    most_per_s = ceiling_per_s(stage, (ledger.edges_s[:-1] + ledger.edges_s[1:]) / 2.0)
    arrivals = np.diff(came)
    arrivals[:1] += came[:1]
    share = np.full(ledger.bins, np.nan)
    np.divide(throughput_per_s, most_per_s, out=share, where=most_per_s > 0.0)
    return Observed(
        stage=stage,
        bin_s=ledger.bin_s,
        backlog=np.maximum(came - began, 0),
        arrivals=arrivals,
        throughput_per_s=throughput_per_s,
        ceiling_per_s=most_per_s,
        utilisation=np.minimum(share, 1.0),
        mean_wait_s=math.nan,
        p95_wait_s=math.nan,
        longest_wait_s=math.nan,
    )


def _came_and_began(run: Run, stage: Stage) -> tuple[Counts, Counts]:
    """Return the arrivals at a stage and the messages past it, up to each edge."""
    name = stage.name if stage.kind == "provider" else None

    def total(event: Event) -> Counts:
        return run.ledger.cumulative(event, clock="happened", provider=name)

    if name is None:
        gone = total("relayed") + total("relay_failed")
        return (_ready(run) if stage.kind == "relay" else gone), gone
    began = total("accepted") - total("recovered") + total("hard") - total("hard_after_soft")
    return total("relayed"), began + total("soft_first") + total("expired_untried")


def _ready(run: Run) -> Counts:
    """Return the messages ready for the relay by each edge."""
    edges_s = run.ledger.edges_s
    ready = np.zeros(len(edges_s))
    for delivery in run.scenario.deliveries:
        if delivery.spread:
            share = np.clip((edges_s - delivery.at) / delivery.spread, 0.0, 1.0)
            ready += delivery.messages * share
        else:
            ready += delivery.messages * (edges_s >= delivery.at)
    return np.floor(ready).astype(np.int64)
