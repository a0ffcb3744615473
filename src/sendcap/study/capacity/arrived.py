"""Messages that came to a stage and those past it, as far as a ledger shows them."""

import numpy as np

from sendcap.ledger import Counts, Event, Names
from sendcap.model.batches import batch_rows
from sendcap.readings.load import deliveries_of
from sendcap.run import Run
from sendcap.scenario.stages import Stage


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
        return (_ready(run) if stage.kind == "relay" else gone), gone
    began = total("accepted") - total("recovered") + total("hard") - total("hard_after_soft")
    return total("relayed"), began + total("soft_first") + total("expired_untried")


def _ready(run: Run) -> Counts:
    """Return the messages ready for the relay by each edge."""
    edges_s = run.ledger.edges_s
    size, ready_s, delivery_of = batch_rows(run.as_sent)
    total = np.zeros(len(edges_s), np.int64)
    for number, delivery in enumerate(run.as_sent.deliveries):
        own = delivery_of == number
        ready = np.concatenate(([0], np.cumsum(size[own])))
        ready = ready[np.searchsorted(ready_s[own], edges_s, side="right")]
        if delivery.stop is not None:
            gone = sum(
                run.ledger.total(event, clock="happened", delivery=delivery.name)
                for event in ("relayed", "relay_failed")
            )
            ready = np.where(edges_s < delivery.stop, ready, np.minimum(ready, gone))
        total += ready
    return total
