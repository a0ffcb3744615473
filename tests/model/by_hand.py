"""What examples worked out by hand have in common."""

from __future__ import annotations

from typing import Any

from sendcap.ledger import Event
from sendcap.scenario import Scenario

Example = tuple[Scenario, Event, list[float]]
"""A scenario, an event, and when that happens, to the bin of a second."""

SECOND = {"bin": "1s"}
FEW = {"messages": 3}
SHORT = {"messages": 3, "validity": "30m"}
SOON: dict[str, Any] = {"retry": {"policy": "schedule", "delays": ["10s"]}}
LATE: dict[str, Any] = {"retry": {"policy": "schedule", "delays": ["1h"]}}
TOLERANT: dict[str, Any] = {"connections_per_ip": 3, "tolerance": "1/10s"}


def schedule(*steps: tuple[str, str]) -> dict[str, Any]:
    return {"kind": "schedule", "steps": [{"at": at, "rate": rate} for at, rate in steps]}
