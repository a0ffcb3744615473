"""Retries, and messages that expire."""

from __future__ import annotations

from by_hand import SECOND, Example
from small_scenarios import scenario_of

RETRIES: dict[str, Example] = {
    "retries follow the policy, counted from the finish": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "1h"},
            mta={"retry": {"policy": "schedule", "delays": ["10s", "1m"]}},
            provider={"faults": [{"reason": "full", "share": 1.0, "clears_after": "1m"}]},
        ),
        # Fails at 1 s and 12 s; at 73 s the fault, 60 s old at 61 s, has cleared.
        "attempted",
        [0, 11, 72],
    ),
    "an attempt that ends in an outage fails, whatever the address": (
        scenario_of(
            time=SECOND,
            mta={"retry": {"policy": "schedule", "delays": ["10s"]}},
            provider={
                "outages": [{"at": "0s", "lasts": "5s"}, {"at": "12s", "lasts": "1s"}],
                "hard": [{"reason": "user unknown", "share": 1.0}],
            },
        ),
        # Fails at 1 s and at 12 s; at 23 s the provider is back and knows no such user.
        "hard_after_soft",
        [23],
    ),
    "what expires while it waits leaves at its expiry": (
        scenario_of(
            time=SECOND,
            delivery={"messages": 3, "validity": "15s"},
            provider={"transaction_time": "10s"},
        ),
        "expired_untried",
        [15],
    ),
    "a message backing off expires at its expiry": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "15s"},
            mta={"retry": {"policy": "schedule", "delays": ["10s"]}},
            provider={"faults": [{"reason": "full", "share": 1.0, "never": 1.0}]},
        ),
        "expired",
        [15],
    ),
    "or at the failure after which no retry fits": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "15s"},
            mta={"expire": "on-failure", "retry": {"policy": "schedule", "delays": ["10s"]}},
            provider={"faults": [{"reason": "full", "share": 1.0, "never": 1.0}]},
        ),
        "expired",
        [12],
    ),
    "as KumoMTA's policy has it": (
        # Tried until 1 s, 12 s and 33 s; a retry at 73 s would be too late.
        scenario_of(
            time=SECOND,
            delivery={"validity": "1m"},
            mta={"retry": {"policy": "kumomta", "retry_interval": "10s"}},
            provider={"faults": [{"reason": "full", "share": 1.0, "never": 1.0}]},
        ),
        "expired",
        [33],
    ),
    "unless the scenario has it otherwise": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "1m"},
            mta={
                "expire": "at-expiry",
                "retry": {"policy": "kumomta", "retry_interval": "10s"},
            },
            provider={"faults": [{"reason": "full", "share": 1.0, "never": 1.0}]},
        ),
        "expired",
        [60],
    ),
    "a provider has retries of its own": (
        scenario_of(
            time=SECOND,
            mta={"retry": {"policy": "kumomta"}},
            provider={
                "retry": {"policy": "schedule", "delays": ["10s", "20s"]},
                "faults": [{"reason": "full", "share": 1.0, "clears_after": "40s"}],
            },
        ),
        "attempted",
        [0, 11, 32, 53],
    ),
    "with its own rule of expiry": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "1m"},
            mta={"retry": {"policy": "kumomta", "retry_interval": "10s"}},
            provider={
                "retry": {"policy": "schedule", "delays": ["50s"]},
                "faults": [{"reason": "full", "share": 1.0, "never": 1.0}],
            },
        ),
        "expired",
        [60],
    ),
    "an MTA may honour a longer validity than Adobe's": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "5d"},
            mta={"longest_validity": "5d", "retry": {"policy": "schedule", "delays": ["1d"]}},
            provider={"faults": [{"reason": "full", "share": 1.0, "never": 1.0}]},
        ),
        "expired",
        [432_000],
    ),
    "a policy that gives up ends the message at its last failure": (
        scenario_of(
            time=SECOND,
            mta={"retry": {"policy": "momentum", "max_retries": 1}},
            provider={"faults": [{"reason": "full", "share": 1.0, "never": 1.0}]},
        ),
        "expired",
        [1202],
    ),
    "the validity may count from the delivery's start": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "15s"},
            relay={"batch_time": "8s"},
            mta={
                "clock_origin": "delivery-start",
                "retry": {"policy": "schedule", "delays": ["10s"]},
            },
            provider={"faults": [{"reason": "full", "share": 1.0, "never": 1.0}]},
        ),
        "expired",
        [15],
    ),
    "a message that would leave the ingress after its expiry expires there": (
        scenario_of(
            time=SECOND, delivery={"messages": 3, "validity": "15s"}, mta={"ingress_rate": "1/10s"}
        ),
        "expired_untried",
        [15, 15],
    ),
    "a message that is relayed after its expiry expires at once": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "15s"},
            relay={"batch_time": "20s"},
            mta={"clock_origin": "delivery-start"},
        ),
        "expired_untried",
        [20],
    ),
    "a message taken at the very moment of its expiry still goes": (
        scenario_of(
            time=SECOND,
            delivery={"messages": 3, "validity": "10s"},
            provider={"transaction_time": "5s"},
        ),
        "attempted",
        [0, 5, 10],
    ),
    "a message that is relayed at the very moment of its expiry still goes": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "15s"},
            relay={"batch_time": "15s"},
            mta={"clock_origin": "delivery-start"},
        ),
        "attempted",
        [15],
    ),
    "a bounce that comes at the very moment of the expiry is the last": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "11s"},
            mta={"retry": {"policy": "schedule", "delays": ["10s"]}},
            provider={
                "transaction_time": "11s",
                "faults": [{"reason": "full", "share": 1.0, "never": 1.0}],
            },
        ),
        "expired",
        [11],
    ),
    "an attempt that may start at the very moment of the expiry still does": (
        scenario_of(
            time=SECOND,
            delivery={"messages": 3, "validity": "20s"},
            provider={"connections_per_ip": 3, "rate": "1/10s"},
        ),
        "attempted",
        [0, 10, 20],
    ),
    "a retry due at the very moment of the expiry still goes": (
        scenario_of(
            time=SECOND,
            delivery={"validity": "11s"},
            mta={"retry": {"policy": "schedule", "delays": ["10s"]}},
            provider={"faults": [{"reason": "full", "share": 1.0, "never": 1.0}]},
        ),
        "attempted",
        [0, 11],
    ),
    "a fault has cleared at the very moment at which it clears": (
        scenario_of(
            time=SECOND,
            mta={"retry": {"policy": "schedule", "delays": ["10s"]}},
            provider={"faults": [{"reason": "full", "share": 1.0, "clears_after": "11s"}]},
        ),
        # Fails at 1 s, so it clears at 12 s: the very moment at which the retry finishes.
        "accepted",
        [12],
    ),
    "a bad address is bounced hard, however flaky its provider": (
        scenario_of(
            time=SECOND,
            provider={"transient": 1.0, "hard": [{"reason": "user unknown", "share": 1.0}]},
        ),
        "hard",
        [1],
    ),
    "a message that cannot start in time does not count as use of its connection": (
        # Messages at 0, 50 and 100 s. The throttle lets the second go at 90 s only, after its
        # expiry. So at 100 s the connection has been idle since 1 s, and is made again.
        scenario_of(
            time=SECOND,
            delivery={"messages": 3, "validity": "20s"},
            relay={"batch": 1, "rate": "1/50s,max_burst=1"},
            provider={"connect_time": "3s", "idle_timeout": "60s", "rate": "1/90s"},
        ),
        "attempted",
        [3, 103],
    ),
    "a connection under way does not save a message from expiring": (
        scenario_of(time=SECOND, delivery={"validity": "5s"}, provider={"connect_time": "20s"}),
        "expired_untried",
        [5],
    ),
    "a message that cannot start in time takes no token": (
        # 1 per 10 s: the first at 0 s, the second at 10 s; the third, due at 20 s, expires.
        scenario_of(
            time=SECOND,
            delivery={"messages": 3, "validity": "15s"},
            provider={"connections_per_ip": 3, "rate": "1/10s"},
        ),
        "attempted",
        [0, 10],
    ),
}
