"""How far the expected curves are from the mean of simulations.

Run by hand, a few minutes: ``python experiments/expected_accuracy.py [--replications 20]``. For
each case it prints the largest error over the whole time, in points of Delivered % without EFS
(there Bounces + errors % is the rest to 100) and of both percentages with EFS; in brackets is the
standard error of the simulations' mean at that moment: the largest of thousands of errors is two
or three of them where there is none. The last column is the CPU time of the expected curves.

The presets are simulated as they are, but for their size. The small cases are one delivery of
50,000 messages in 500 s to one provider, where nothing averages out: 1 % of the messages goes in
5 s, and all of them have the trouble that the case is about.

With 20 replications (one process of a shared AMD EPYC machine with 2 cores, Python 3.11.7, NumPy
2.4.6, SciPy 1.17.1):

| case | without EFS | EFS delivered | EFS bounces | CPU |
|---|---|---|---|---|
| quickstart, 1 of 8 IPs | -0.009 (0.009) | +0.045 (0.030) | +0.009 (0.007) | 96 ms |
| black-friday, 1 of 32 IPs | +0.013 (0.010) | +0.021 (0.019) | +0.006 (0.004) | 150 ms |
| keeps up | +0.016 (0.021) | +0.081 (0.035) | -0.013 (0.014) | 3 ms |
| transient | +0.000 (0.000) | +0.145 (0.042) | -0.084 (0.031) | 31 ms |
| greylisting | +0.000 (0.000) | +0.072 (0.071) | +0.050 (0.029) | 7 ms |
| mailbox full | -0.019 (0.012) | +0.128 (0.037) | -0.083 (0.040) | 39 ms |
| outage | +0.000 (0.000) | +0.073 (0.023) | -0.073 (0.023) | 28 ms |
| connections | +0.000 (0.000) | +0.069 (0.049) | -0.076 (0.028) | 25 ms |
| rate | +0.000 (0.000) | +0.114 (0.029) | -0.068 (0.027) | 26 ms |
| quiet hours | +0.000 (0.000) | +0.186 (0.017) | -0.073 (0.027) | 30 ms |
| short validity | -0.190 (0.031) | +0.114 (0.035) | -0.083 (0.034) | 10 ms |
| two deliveries | -0.097 (0.033) | -0.065 (0.050) | +0.070 (0.046) | 58 ms |
| postfix | -0.019 (0.012) | +0.128 (0.037) | -0.078 (0.038) | 259 ms |
| exim | -0.019 (0.012) | +0.128 (0.037) | -0.083 (0.040) | 68 ms |
| kumomta | -0.022 (0.013) | +0.128 (0.037) | -0.083 (0.040) | 30 ms |
| jitter of 20 % | -0.020 (0.012) | +0.283 (0.048) | -0.283 (0.048) | 43 ms |
| tolerance | +0.000 (0.000) | +1.108 (0.036) | -1.108 (0.036) | 49 ms |

quickstart, 1,000,000 messages: 101 ms
black-friday, 10,000,000 messages: 142 ms
black-friday, 100,000,000 messages: 131 ms
ip-warm-up, 453,700 messages: 461 ms
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

import sendcap
from sendcap.analysis import expected, expected_counts
from sendcap.ledger import Ledger
from sendcap.readings.kpis import Readings
from sendcap.readings.modes import Mode
from sendcap.scenario import Scenario, from_dict, load, updated

Floats = npt.NDArray[np.float64]

READINGS: Final[tuple[tuple[Mode, str], ...]] = (
    ("without-efs", "delivered_pct"),
    ("efs", "delivered_pct"),
    ("efs", "bounces_errors_pct"),
)
ONE_OF_8_IPS: Final = {
    "deliveries[0].messages": 125_000,
    "mta.ips": 1,
    "mta.ingress_rate": "163/s",
    "relay.batch": 32,
    "relay.rate": "75/s",
}
ONE_OF_32_IPS: Final = {
    "deliveries[0].messages": 312_500,
    "mta.ips": 1,
    "mta.ingress_rate": "84/s",
    "relay.batch": 8,
    "relay.rate": "47/s,max_burst=8",
}
MAILBOX_FULL: Final = {
    "reason": "mailbox full",
    "share": 0.3,
    "clears_after": {"dist": "lognormal", "mean": "5h", "cv": 1.2},
    "never": 0.2,
}
GREYLISTED: Final = {"reason": "greylisted", "share": 0.5, "clears_after": "5m"}
DEFERRED: Final[dict[str, Any]] = {"transient": 0.2, "faults": [MAILBOX_FULL]}
QUIET: Final = {
    "kind": "schedule",
    "steps": [
        {"at": "0s", "rate": "30/s"},
        {"at": "10m", "rate": "closed"},
        {"at": "40m", "rate": "50/s,max_burst=1"},
    ],
}


class Deviation(NamedTuple):
    """The largest error of a reading, in points, when it is, and how well the mean is known."""

    points: float
    at_s: float
    standard_error: float


def one_delivery(
    provider: Mapping[str, Any], delivery: Mapping[str, Any] | None = None, **sections: Any
) -> Scenario:
    """50,000 messages in 500 s to one provider that keeps up, but for what is given."""
    keeps_up = {
        "connections_per_ip": 100,
        "connect_time": {"dist": "lognormal", "mean": "300ms", "cv": 0.5},
        "transaction_time": {"dist": "lognormal", "mean": "500ms", "cv": 0.7},
    }
    delivery_a = {"name": "a", "messages": 50_000, "audience": {"p": 1.0}}
    plain: dict[str, Any] = {
        "deliveries": [delivery_a | dict(delivery or {})],
        "relay": {
            "workers": 4,
            "batch": 100,
            "batch_time": {"dist": "lognormal", "mean": "500ms", "cv": 0.5},
            "rate": "100/s,max_burst=100",
        },
        "providers": {"p": keeps_up | dict(provider)},
        "feedback": {"synchronous": {"dist": "lognormal", "mean": "90s", "cv": 1.0}},
    }
    return from_dict(plain | sections)


def two_deliveries() -> Scenario:
    """Two deliveries that share two providers; at the slow one the second one runs out of time."""
    shared = {
        "connect_time": "300ms",
        "transaction_time": {"dist": "exponential", "mean": "500ms"},
        "transient": 0.1,
    }
    plain = one_delivery({})
    return from_dict(
        {
            "deliveries": [
                {"name": "a", "messages": 40_000, "audience": {"slow": 0.5, "fast": 0.5}},
                {
                    "name": "b",
                    "messages": 20_000,
                    "at": "3m",
                    "validity": "40m",
                    "audience": {"slow": 0.6, "fast": 0.4},
                },
            ],
            "relay": sendcap.scenario.to_dict(plain)["relay"],
            "providers": {
                "slow": shared | {"connections_per_ip": 5},
                "fast": shared | {"connections_per_ip": 50},
            },
            "feedback": sendcap.scenario.to_dict(plain)["feedback"],
        }
    )


def small_cases() -> dict[str, Scenario]:
    """Return scenarios that have one trouble each."""
    return {
        "keeps up": one_delivery({"hard": [{"reason": "user unknown", "share": 0.02}]}),
        "transient": one_delivery({"transient": 0.2}),
        "greylisting": one_delivery({"faults": [GREYLISTED]}),
        "mailbox full": one_delivery(DEFERRED),
        "outage": one_delivery({"outages": [{"at": "3m", "lasts": "30m"}], "transient": 0.05}),
        "connections": one_delivery({"connections_per_ip": 20, "transient": 0.1}),
        "rate": one_delivery({"rate": "30/s", "transient": 0.1}),
        "quiet hours": one_delivery({"rate": QUIET, "transient": 0.1}),
        "short validity": one_delivery(
            {"rate": "20/s,max_burst=1", "transient": 0.2}, {"validity": "30m"}
        ),
        "two deliveries": two_deliveries(),
        "postfix": one_delivery(DEFERRED, mta={"retry": {"policy": "postfix"}}),
        "exim": one_delivery(DEFERRED, mta={"retry": {"policy": "exim"}}),
        "kumomta": one_delivery(DEFERRED, mta={"retry": {"policy": "kumomta"}}),
        "jitter of 20 %": one_delivery(DEFERRED, mta={"retry": {"jitter": 0.2}}),
        "tolerance": one_delivery({"tolerance": "50/s", "transient": 0.05}),
    }


def presets() -> dict[str, Scenario]:
    """Return the presets, the large ones cut to one of their source addresses."""
    return {
        "quickstart, 1 of 8 IPs": updated(load("quickstart"), ONE_OF_8_IPS),
        "black-friday, 1 of 32 IPs": updated(load("black-friday"), ONE_OF_32_IPS),
    }


def readings(ledger: Ledger, bins: int) -> list[Floats]:
    """Return the readings at the edges of so many bins; after its end a ledger's stay."""
    found = []
    for mode, name in READINGS:
        curve = getattr(Readings(ledger).figures(mode), name)[: bins + 1]
        found.append(np.pad(curve, (0, bins + 1 - len(curve)), mode="edge"))
    return found


def deviations(scenario: Scenario, seeds: Sequence[int]) -> list[Deviation]:
    """Return by how much the expected readings are off the mean of simulations at the most."""
    curves = expected_counts(scenario)
    ledgers = [sendcap.simulate(scenario, seed=seed).ledger for seed in seeds]
    bins = max(ledger.bins for ledger in (curves, *ledgers))
    simulated = np.array([readings(ledger, bins) for ledger in ledgers])
    found = []
    for number, curve in enumerate(readings(curves, bins)):
        runs = simulated[:, number]
        # Nothing is processed in the first bins.
        known = ~np.isnan(curve) & ~np.isnan(runs).any(axis=0)
        error = np.where(known, curve - runs.mean(axis=0), 0.0)
        worst = int(np.argmax(np.abs(error)))
        spread = runs[:, worst].std(ddof=1) / np.sqrt(len(seeds)) if known[worst] else 0.0
        found.append(Deviation(float(error[worst]), worst * scenario.time.bin, float(spread)))
    return found


def cpu_s(scenario: Scenario, rounds: int) -> float:
    """Return the CPU time of the expected curves, the median of so many rounds."""
    times = []
    for _ in range(rounds):
        began_s = time.process_time()
        expected(scenario)
        times.append(time.process_time() - began_s)
    return statistics.median(times)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--replications", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5, help="for each CPU time")
    parser.add_argument("--only", nargs="*", help="names of cases")
    parser.add_argument("--timed", nargs="*", help="names of presets whose CPU time is told")
    options = parser.parse_args()
    # A burst is meant where a case has one.
    warnings.simplefilter("ignore", sendcap.SendcapWarning)
    cases = presets() | small_cases()
    print("| case | without EFS | EFS delivered | EFS bounces | CPU |")
    print("|---|---|---|---|---|")
    for name in options.only or cases:
        cells = [
            # Adding 0 makes a 0 of what is rounded to -0.
            f"{round(deviation.points, 3) + 0.0:+.3f} ({deviation.standard_error:.3f})"
            for deviation in deviations(cases[name], range(options.replications))
        ]
        taken_ms = 1000 * cpu_s(cases[name], options.rounds)
        print(f"| {name} | {' | '.join(cells)} | {taken_ms:.0f} ms |", flush=True)
    print()
    for name, edits in (
        ("quickstart", {}),
        ("black-friday", {}),
        ("black-friday", {"deliveries[0].messages": 100_000_000}),
        ("ip-warm-up", {}),
    ):
        if options.timed and name not in options.timed:
            continue
        scenario = updated(load(name), edits)
        messages = sum(delivery.messages for delivery in scenario.deliveries)
        print(f"{name}, {messages:,} messages: {1000 * cpu_s(scenario, options.rounds):.0f} ms")


if __name__ == "__main__":
    main()
