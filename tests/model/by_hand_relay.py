"""The relay and the ingress."""

from __future__ import annotations

from by_hand import FEW, SECOND, Example
from small_scenarios import scenario_of

RELAY: dict[str, Example] = {
    "a spread delivery becomes ready evenly": (
        scenario_of(time=SECOND, delivery=FEW | {"at": "5s", "spread": "30s"}, relay={"batch": 1}),
        "relayed",
        [5, 15, 25],
    ),
    "a stream has batches of its own, and others those of the relay": (
        # Of the stream one and one at 0 and 10 s; of b 8 at 5 s, and 1 after them.
        scenario_of(
            time=SECOND,
            deliveries=[
                {"name": "a", "messages": 2, "spread": "20s", "batch": 1, "audience": {"p": 1.0}},
                {"name": "b", "messages": 9, "at": "5s", "audience": {"p": 1.0}},
            ],
            relay={"batch": 8, "batch_time": "2s"},
        ),
        "relayed",
        [2, 7, 7, 7, 7, 7, 7, 7, 7, 9, 12],
    ),
    "the ingress takes one message after the other": (
        scenario_of(
            time=SECOND,
            delivery=FEW,
            mta={"ingress_rate": "1/10s"},
            provider={"connections_per_ip": 5},
        ),
        "attempted",
        [10, 20, 30],
    ),
    "a batch is relayed when it ends, batches wait for a worker": (
        scenario_of(
            time=SECOND,
            delivery={"messages": 5},
            relay={"batch": 2, "workers": 2, "batch_time": "7s"},
        ),
        "relayed",
        [7, 7, 7, 7, 14],
    ),
    "the relay's rate spaces batches by their size": (
        # Burst 2, one message per 5 s: 2 at once, the next 2 at 10 s, the last needs 5 s more.
        scenario_of(
            time=SECOND,
            delivery={"messages": 5},
            relay={"batch": 2, "workers": 9, "rate": "2/10s"},
        ),
        "relayed",
        [0, 0, 10, 10, 15],
    ),
    "a delivery starts at its time": (
        scenario_of(time=SECOND, delivery={"messages": 2, "at": "1m"}),
        "accepted",
        [61, 62],
    ),
}
