"""The golden ledgers: hashes of what a few small scenarios come to.

Run as a program, it writes ``golden_ledgers.json`` anew::

    python tests/model/golden_ledgers.py
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from small_scenarios import EVERYTHING, OPERATED, REACTING

import sendcap
from sendcap.scenario import Scenario, from_dict, load, updated
from sendcap.version import MODEL_VERSION

FILE = Path(__file__).with_suffix(".json")
COMPLETE = Path(__file__).parent.parent / "scenario" / "complete.toml"
REFRESH = "python tests/model/golden_ledgers.py"


DEAD_SITES: dict[str, Any] = {
    f"providers.{name}": REACTING["providers"][name]
    | {
        "connection_scaling": {"kind": "postfix", "dead_for": "20s"},
        "outages": [
            {"at": "20s", "lasts": "40s", "fails_after": "0s"},
            {"at": "2m", "lasts": "90s", "fails_after": "30s"},
        ],
    }
    for name in REACTING["providers"]
}


def scenarios() -> Iterator[tuple[str, Scenario]]:
    """Yield each scenario with a name: small, but together with every feature of the model."""
    yield "quickstart", reduced(load("quickstart"), 25)
    yield "ip-warm-up", reduced(load("ip-warm-up"), 100)
    yield "complete", reduced(load(COMPLETE), 25)
    yield "everything", from_dict(EVERYTHING)
    yield "queues that react", from_dict(REACTING)
    yield "dead sites", updated(from_dict(REACTING), DEAD_SITES)
    yield "operated", from_dict(OPERATED)
    yield "spool", from_dict(EVERYTHING | {"mta": EVERYTHING["mta"] | {"spool": 500}})


def reduced(scenario: Scenario, factor: int) -> Scenario:
    messages = {
        f"deliveries[{position}].messages": delivery.messages // factor
        for position, delivery in enumerate(scenario.deliveries)
    }
    return updated(scenario, messages)


def digests() -> dict[str, dict[str, str]]:
    """Simulate every scenario, and return the hashes of the ledger and of the summary."""
    found = {}
    for name, scenario in scenarios():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sendcap.SendcapWarning)
            run = sendcap.simulate(scenario)
        found[name] = {"ledger": ledger_digest(run.ledger), "summary": summary_digest(run)}
    return found


def ledger_digest(ledger: sendcap.Ledger) -> str:
    """Hash the names and counts of every series, not a file that depends on its writer."""
    digest = hashlib.sha256()
    digest.update(f"{ledger.bin_s!r} {ledger.bins} {sorted(ledger.to_deliver.items())}".encode())
    for delivery in ledger.deliveries:
        for clock in ("happened", "known"):
            for event in sendcap.ledger.EVENTS:
                for series in sorted(ledger.series(event, clock=clock, delivery=delivery)):
                    counts = ledger.counts(
                        event,
                        clock=clock,
                        delivery=delivery,
                        provider=series.provider,
                        reason=series.reason,
                    )
                    digest.update(repr(tuple(series)).encode())
                    digest.update(counts.astype("<i8").tobytes())
    return digest.hexdigest()[:32]


def summary_digest(run: sendcap.Run) -> str:
    summary: dict[str, Any] = run.summary()
    del summary["sendcap"], summary["model"]
    return hashlib.sha256(json.dumps(summary, sort_keys=True).encode()).hexdigest()[:32]


def write() -> None:
    content = {"model": MODEL_VERSION, "numpy": np.__version__, "scenarios": digests()}
    FILE.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write()
