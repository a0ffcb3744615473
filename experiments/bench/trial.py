"""An experiment: an MTA's configuration, receivers, and a delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.receivers import Receiver


@dataclass(frozen=True)
class Second:
    """A delivery beside the first one."""

    messages: int
    per_s: float
    at_s: float


@dataclass(frozen=True)
class Trial:
    """An experiment with one configuration."""

    name: str
    settings: str  # lines of the MTA's main configuration
    receivers: Mapping[str, Receiver]
    messages: int  # to all of them together
    per_s: float  # of the relay
    second: Second | None = None  # a delivery beside it, to the same providers
    mta: str = "postfix"
    parts: Mapping[str, str] = field(default_factory=dict)  # lines of other parts of it, by name
    transports: Mapping[str, str] = field(default_factory=dict)  # of domains, other than the usual
    hops: Mapping[str, str] = field(default_factory=dict)  # domains that go to another one's host
    changes: Mapping[str, Any] = field(default_factory=dict)  # of the scenario that is imported
    most_s: float = 120.0

    @property
    def shares(self) -> dict[str, float]:
        """The share of the messages to each provider."""
        return dict.fromkeys(self.receivers, 1.0 / len(self.receivers))

    @property
    def deliveries(self) -> list[str]:
        """Their names."""
        return ["first"] if self.second is None else ["first", "second"]

    def addresses(self, port: int) -> dict[str, tuple[str, int]]:
        """Return where each provider listens, beside an MTA at a port."""
        own = {
            name: (f"127.0.0.{11 + number}", port + 1) for number, name in enumerate(self.receivers)
        }
        return own | {name: own[other] for name, other in self.hops.items()}
