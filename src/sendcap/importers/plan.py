"""What an import is told beside the configuration, and the providers that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sendcap.errors import ConfigurationError
from sendcap.importers.audience import AudienceSource
from sendcap.text.quoting import shown


@dataclass(frozen=True)
class Plan:
    """What a configuration does not hold, as far as the user says it.

    Attributes
    ----------
    audience
        Who is sent to, see `sendcap.importers.audience.audience_of`; None for the base's own.
    messages
        How many; None for the base's, or the sum of the audience's counts.
    base
        A scenario file or preset: all that the configuration does not hold is taken from it.
    ips
        Number of source addresses; None for the configuration's, or the base's.
    other_domains
        How many domains' limits the provider ``other`` has together; None to tell from the
        audience's counts, or 5.

    Raises
    ------
    ConfigurationError
        If a number is not a whole number from 1.
    """

    audience: AudienceSource | None = None
    messages: int | None = None
    base: str | Path = "quickstart"
    ips: int | None = None
    other_domains: int | None = None

    def __post_init__(self) -> None:
        for key in ("messages", "ips", "other_domains"):
            value = getattr(self, key)
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int) or value < 1
            ):
                raise ConfigurationError(f"{key} must be a whole number from 1, not {shown(value)}")


@dataclass(frozen=True)
class Group:
    """A provider of the scenario.

    Attributes
    ----------
    name
        What the scenario calls it.
    share
        Of all messages.
    domains
        The domains of a table that it consists of, with their weights; else empty.
    queues
        How many of the MTA's queues, each with limits of its own, it stands for.
    """

    name: str
    share: float
    domains: Mapping[str, float]
    queues: int = 1

    @property
    def heaviest(self) -> str:
        """The domain of a table that most messages go to, or nothing."""
        return max(self.domains, key=lambda name: self.domains[name], default="")
