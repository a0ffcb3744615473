"""Pools of source addresses, limits over several queues, and the queues themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import Field, PrivateAttr

from sendcap.scenario.retry.policy import Delay
from sendcap.scenario.section import MOST_AT_A_TIME, Checked, Count, Name, Place, unit
from sendcap.scenario.throttle import Gap, Throttle, ThrottlesField, throttles_of

MOST_WEIGHT: Final = 1000
"""Larger weights make a round of the addresses too long to be told from a share."""


class Pool(Checked):
    """Source addresses that the messages of some deliveries leave from."""

    ips: Annotated[Count, Field(le=MOST_AT_A_TIME), unit("addresses")]
    """Source addresses of the pool; the providers' limits apply to each."""
    weights: Annotated[tuple[Annotated[Count, Field(le=MOST_WEIGHT)], ...], unit("parts")] = ()
    """Share of the messages of each address, in whole parts, with mta.queues = "per-ip".

    The addresses take messages in turn; one with weight 3 has three turns for each of one with
    weight 1 (KumoMTA, weighted round robin). By default all have the same weight.
    """

    @property
    def evenness(self) -> float:
        """Share of the addresses' limits that can be used: all wait for that of most messages."""
        return sum(self.weights) / (self.ips * max(self.weights)) if self.weights else 1.0

    def _problems(self) -> Iterator[tuple[Place, str]]:
        if self.weights and len(self.weights) != self.ips:
            message = f"give {self.ips}, one for each address of ips, not {len(self.weights)}"
            yield ("weights",), message


class SharedLimit(Checked):
    """A limit over several queues, counted over all of them together and not per IP.

    An attempt keeps every limit that covers it. Of messages that wait for the same limit, the one
    goes first that has been ready the longest; with mta.order = "priority" the highest priority
    before that.
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
    deliveries: tuple[Name, ...] = ()
    """Deliveries whose messages are covered (default: all), with all parts and repetitions.

    Such a limit holds a message back before it takes a connection, and lets those of other
    deliveries pass (as KumoMTA's rates of a tenant, campaign or queue).
    """
    attempts: Literal["all", "retries"] = "all"
    """Attempts that are covered. Where these are retries, new messages pass."""
    one_more_every: Delay | None = None
    """Connections are let in use one by one, one more at each multiple of this time on the clock.

    That is so while messages wait, up to ``connections``; as soon as nobody waits, no more than are
    in use. So does an MTA whose queue runners take one message after the other, and that starts one
    runner at each queue run (Exim, -q5m and queue_run_max). By default all are let in use at once.
    """

    _sendings: frozenset[str] = PrivateAttr(default=frozenset())

    def _problems(self) -> Iterator[tuple[Place, str]]:
        if self.rate is None and self.connections is None:
            message = 'limits nothing; give a rate, such as rate = "50,000/h", or connections = 500'
            yield (), message
        if self.lets_others_pass and any(isinstance(each, Gap) for each in self.throttles):
            what, key = ("retries", "attempts")
            if self.deliveries:
                what, key = ("single deliveries", "deliveries")
            message = (
                f'a gap cannot be over {what}; give a rate, such as rate = "50,000/h", '
                f"or leave {key} out"
            )
            yield ("rate",), message
        if self.one_more_every is not None and self.connections is None:
            message = "says how connections grow; give their number, such as connections = 5, too"
            yield ("one_more_every",), message

    @property
    def lets_others_pass(self) -> bool:
        """Whether a message that has to wait for the limit lets others of its queue pass."""
        return bool(self.deliveries) or self.attempts == "retries"

    @property
    def throttles(self) -> tuple[Throttle, ...]:
        """The throttles, each of which holds."""
        return throttles_of(self.rate)

    def covers(self, queue: Queue) -> bool:
        """Return whether a queue is covered, as far as its provider and pool say."""
        if self.providers and queue.provider not in self.providers:
            return False
        return not self.pools or queue.pool in self.pools

    def covers_delivery(self, name: str) -> bool:
        """Return whether a delivery is covered."""
        return not self.deliveries or name in self._sendings or name in self.deliveries

    def covers_message(self, delivery: str, retried: bool) -> bool:
        """Return whether a new message of a delivery, or a retry, is covered."""
        return self.covers_delivery(delivery) and (retried or self.attempts == "all")

    def covered(self, loads: Mapping[tuple[Queue, str], int]) -> dict[tuple[Queue, str], int]:
        """Return the messages that are covered, of those by queue and delivery."""
        return {
            (queue, name): count
            for (queue, name), count in loads.items()
            if self.covers(queue) and self.covers_delivery(name)
        }

    def know(self, parents: Mapping[str, tuple[str, ...]]) -> None:
        """Cover the parts and repetitions of the deliveries that are named."""
        named = (parents.get(name, ()) for name in self.deliveries)
        self._sendings = frozenset(chain.from_iterable(named))


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
