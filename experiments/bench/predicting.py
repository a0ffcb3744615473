"""What the model predicts of a configuration, before anything has been measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

import sendcap
from bench.mtas.mta import Mta
from bench.receivers import Receiver
from bench.trial import Trial

Floats = npt.NDArray[np.float64]
SEEDS: Final = 5
CONNECT_S: Final = 0.004
"""Of a connection to a loopback address, with the greetings; measured on an idle bench."""


def _seconds(value: float) -> str:
    return f"{round(1000.0 * value)}ms"


def provider_of(how: Receiver, mta: type[Mta]) -> dict[str, Any]:
    """Return what a scenario says of such a receiver."""
    provider: dict[str, Any] = {
        "connections_per_ip": mta.connections,
        "connect_time": _seconds(CONNECT_S + how.banner_s),
        "transaction_time": {
            "dist": "uniform",
            "low": _seconds(mta.dialogue_s + 0.5 * how.transaction_s),
            "high": _seconds(mta.dialogue_s + 1.5 * how.transaction_s),
        },
        "transient": how.defers,
    }
    if how.refuses:
        provider["hard"] = [{"reason": "user unknown", "share": how.refuses}]
    if how.greylists_s is not None:
        clears = _seconds(how.greylists_s)
        provider["faults"] = [{"reason": "greylisted", "share": 1.0, "clears_after": clears}]
    if how.connections is not None:
        provider["accepts_connections"] = how.connections
    if how.rate_per_s is not None:
        provider["tolerance"] = f"{how.rate_per_s:g}/s,max_burst=1"
    if how.away_s is not None:
        begins_s, ends_s = how.away_s
        outage = {"at": _seconds(begins_s), "lasts": _seconds(ends_s - begins_s)}
        # Nobody listens: connections are refused.
        provider["outages"] = [outage | {"fails_after": "0s"}]
    return provider


def scenario_of(mta: Mta, folder: Path) -> sendcap.Scenario:
    """Return the scenario of a configuration, and of receivers that are known."""
    trial = mta.trial
    providers = {name: provider_of(how, type(mta)) for name, how in trial.receivers.items()}
    base = {
        "title": trial.name,
        "time": {"bin": "1s"},
        "deliveries": [{"name": "first", "messages": trial.messages, "audience": trial.shares}],
        "relay": {
            "workers": 8,
            "batch": 1,
            "batch_time": "1ms",
            "rate": f"{trial.per_s:g}/s,max_burst=1",
        },
        "providers": providers,
        "feedback": {"synchronous": "0s"},
    }
    file = folder / "base.toml"
    file.write_text(sendcap.dumps(sendcap.from_dict(base)), encoding="utf-8")
    imported = mta.imported(file)
    imported.save(folder / "imported.toml")
    imported.report.to_csv(folder / "import.csv", index=False)
    return sendcap.updated(imported.scenario, {**_second(trial), **trial.changes})


def _second(trial: Trial) -> dict[str, Any]:
    """Return what two deliveries change: each is handed over at a rate of its own."""
    if trial.second is None:
        return {}
    rates = ((trial.messages, trial.per_s, 0.0), (*astuple(trial.second),))
    return {
        "relay.rate": "none",
        "deliveries": [
            {
                "name": name,
                "messages": messages,
                "audience": trial.shares,
                "at": _seconds(at_s),
                "spread": _seconds(messages / per_s),
            }
            for name, (messages, per_s, at_s) in zip(trial.deliveries, rates, strict=True)
        ],
    }


class Predicted:
    """The mean of a few simulations."""

    def __init__(self, scenario: sendcap.Scenario) -> None:
        runs = [sendcap.simulate(scenario.with_seed(seed)) for seed in range(SEEDS)]
        self.accepted: Mapping[tuple[str, str], Floats] = {
            (delivery.name, provider): _mean(
                [_accepted(run, delivery.name, provider) for run in runs]
            )
            for delivery in scenario.deliveries
            for provider in scenario.providers
        }
        tried = [run.ledger.total("attempted", clock="happened") for run in runs]
        self.attempts = float(np.mean(tried)) / sum(each.messages for each in scenario.deliveries)


def _accepted(run: sendcap.Run, delivery: str, provider: str) -> Floats:
    counts = run.ledger.cumulative(
        "accepted", clock="happened", delivery=delivery, provider=provider
    )
    return np.asarray(counts, np.float64)


def _mean(curves: list[Floats]) -> Floats:
    length = max(map(len, curves))
    padded = [np.pad(curve, (0, length - len(curve)), mode="edge") for curve in curves]
    mean: Floats = np.mean(padded, axis=0)
    return mean
