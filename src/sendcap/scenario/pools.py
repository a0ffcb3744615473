"""Pools of source addresses, limits over several queues, and the queues themselves."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field, model_validator

from sendcap.scenario.section import MOST_AT_A_TIME, Count, Name, Section, refuse, unit
from sendcap.scenario.throttle import Throttle, ThrottlesField, throttles_of


class Pool(Section):
    """Source addresses that the messages of some deliveries leave from."""

    ips: Annotated[Count, Field(le=MOST_AT_A_TIME), unit("addresses")]
    """Source addresses of the pool; the providers' limits apply to each."""


class SharedLimit(Section):
    """A limit over several queues, counted over all of them together and not per IP.

    An attempt keeps every limit that covers its queue. Of messages that wait for the same limit,
    the one goes first that has been ready the longest.
    """

    name: Name
    """Name of the limit, unique in the scenario."""
    rate: ThrottlesField = None
    """Throttle of the attempts of all queues together: a rate, a table with a kind, or a list."""
    connections: Annotated[Count | None, unit("connections")] = None
    """Connections in use at a time, over all queues: being made, waiting or with an attempt."""
    providers: tuple[Name, ...] = ()
    """Providers whose queues are covered (default: all)."""
    pools: tuple[Name, ...] = ()
    """Pools whose queues are covered (default: all)."""

    @model_validator(mode="after")
    def _limits_something(self) -> SharedLimit:
        if self.rate is None and self.connections is None:
            message = 'limits nothing; give a rate, such as rate = "50,000/h", or connections = 500'
            refuse("limit", [((), message)])
        return self

    @property
    def throttles(self) -> tuple[Throttle, ...]:
        """The throttles, each of which holds."""
        return throttles_of(self.rate)

    def covers(self, queue: Queue) -> bool:
        """Return whether a queue is covered."""
        if self.providers and queue.provider not in self.providers:
            return False
        return not self.pools or queue.pool in self.pools


class Queue(NamedTuple):
    """A queue of the MTA: the messages of a pool, or of one address of it, to a provider."""

    provider: str
    pool: str | None  # None where the scenario has no pools
    ips: int
    address: int | None = None  # from 0; None where the pool's addresses share the queue

    @property
    def name(self) -> str:
        """The queue in words: ``gmail from marketing, IP 2``."""
        text = self.provider if self.pool is None else f"{self.provider} from {self.pool}"
        return text if self.address is None else f"{text}, IP {self.address + 1}"

    @property
    def key(self) -> str:
        """The name of the queue's streams of draws."""
        parts = [self.provider]
        if self.pool is not None:
            parts.append(f"pool {self.pool}")
        if self.address is not None:
            parts.append(f"address {self.address}")
        return "\0".join(parts)
