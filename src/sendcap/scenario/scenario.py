"""A complete scenario: everything that a simulation depends on."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, WrapSerializer, model_validator

from sendcap.errors import ScenarioError, SendcapWarning
from sendcap.scenario.delivery import POPULATION, Delivery
from sendcap.scenario.delivery_problems import batch_problems, delivery_problems
from sendcap.scenario.moments import CLOCK
from sendcap.scenario.notes import notes
from sendcap.scenario.order_problems import order_problems
from sendcap.scenario.pool_problems import pool_problems
from sendcap.scenario.pools import Queue, SharedLimit
from sendcap.scenario.population import Population
from sendcap.scenario.population_problems import population_problems
from sendcap.scenario.programme import collapsed, expanded, numbered, parents_of, written
from sendcap.scenario.provider import Provider
from sendcap.scenario.retry import RetryPolicy
from sendcap.scenario.section import (
    LARGEST_SEED,
    MOST_AT_A_TIME,
    Name,
    OneOrMore,
    Place,
    Section,
    Seed,
    Title,
    refuse,
)
from sendcap.scenario.settings import Engagement, Feedback, Mta, Relay, Reporting, Time
from sendcap.scenario.start import StartField, ZoneField, clock_of, in_zone, is_skipped, repeated
from sendcap.scenario.suspend import Suspend
from sendcap.scenario.suspend_problems import suspended_for_ever
from sendcap.text.quoting import shown


class Scenario(Section):
    """A scenario; every key of a scenario file is an attribute of the same name.

    Durations are seconds, rates are `Rate` objects (or None for none), tables are frozen models.
    ``title`` and ``start`` change no count: ``start`` labels times, and sets when the dashboard is
    refreshed. All other keys, with the ``seed``, determine the results.
    """

    title: Title = ""
    """Title of tables and charts."""
    seed: Seed = 0
    """Seed of all random draws, below 2^128; the same scenario and seed give the same results."""
    start: StartField | None = None
    """Date and time of t = 0, for moments by the clock, labels and refreshes; 1900 to 2200."""
    zone: ZoneField | None = None
    """Time zone of the clock, such as "Europe/Berlin" (default: the offset of start)."""
    time: Time = Field(default_factory=Time)
    """Time: resolution, window and end of the simulation."""
    population: Population | None = None
    """Population: the people whom deliveries go to (default: an address for each message)."""
    deliveries: Annotated[OneOrMore[Delivery], AfterValidator(expanded), WrapSerializer(collapsed)]
    """Deliveries: messages, start and audience.

    Each repetition and each part of one that a file writes is a delivery of its own.
    """
    relay: Relay
    """Relay: the hand-over of messages from Campaign to the MTA."""
    mta: Mta = Field(default_factory=Mta)
    """MTA: source addresses, validity and retries."""
    providers: Annotated[dict[Name, Provider], Field(min_length=1)]
    """Mailbox providers by name: limits, speed and bounces."""
    limits: tuple[SharedLimit, ...] = ()
    """Limits over several queues: providers, pools or all."""
    feedback: Feedback = Field(default_factory=Feedback)
    """Feedback: delays of the MTA's reports to Campaign."""
    engagement: Engagement = Field(default_factory=Engagement)
    """Engagement: opens and clicks."""
    reporting: Reporting = Field(default_factory=Reporting)
    """Reporting: the dashboard's modes and refresh."""

    @model_validator(mode="before")
    @classmethod
    def _by_the_clock(cls, data: Any, info: ValidationInfo) -> Any:
        """Let moments be read by the clock of the scenario."""
        if isinstance(info.context, dict) and isinstance(data, Mapping):
            info.context[CLOCK] = clock_of(data)
            info.context[POPULATION] = "population" in data
        return data

    @model_validator(mode="after")
    def _in_its_zone(self) -> Scenario:
        """Let the start show what the clock of the zone does."""
        if self.zone is not None and self.start is not None:
            refuse("scenario", repeated(self.start, self.zone))
            self.__dict__["start"] = in_zone(self.start, self.zone)
        return self

    def with_seed(self, seed: int) -> Scenario:
        """Return a copy with another seed.

        Parameters
        ----------
        seed
            A whole number from 0.

        Raises
        ------
        ScenarioError
            If it is anything else.
        """
        whole = isinstance(seed, int) and not isinstance(seed, bool)
        if not (whole and 0 <= seed <= LARGEST_SEED):
            raise ScenarioError(f"seed: must be a whole number from 0, not {shown(seed)}")
        return self.model_copy(update={"seed": seed})

    def parents(self) -> dict[str, tuple[str, ...]]:
        """Return the deliveries in parts or repetitions, with the names of these."""
        return parents_of(self.deliveries)

    def written(self) -> tuple[Delivery, ...]:
        """Return the deliveries as a scenario file has them."""
        return tuple(written(self.deliveries))

    @property
    def is_programme(self) -> bool:
        """Whether a delivery is sent in parts, again and again, or by the will of people."""
        return any(
            each.origin or each.confirm or each.pause or each.stop is not None
            for each in self.deliveries
        )

    @property
    def without_engagement(self) -> Scenario:
        """The scenario without opens and clicks, as far as nothing else depends on them.

        They have draws of their own. But who opens may complain, and is not written to any more.
        """
        if self.population is not None and self.population.complaints > 0.0:
            return self
        return self.model_copy(update={"engagement": Engagement()})

    @property
    def without_population(self) -> Scenario:
        """The scenario with an address of its own for each message."""
        deliveries = tuple(delivery.to_strangers() for delivery in self.deliveries)
        return self.model_copy(update={"population": None, "deliveries": deliveries})

    def numbered(self) -> Iterator[tuple[int, Delivery]]:
        """Yield the deliveries with the numbers that those of a scenario file have."""
        yield from numbered(self.deliveries)

    def to_deliver(self) -> dict[tuple[str, str], int]:
        """Return the messages to deliver, for each delivery and provider."""
        return {
            (delivery.name, provider): count
            for delivery in self.deliveries
            for provider, count in delivery.counts().items()
        }

    def pools(self) -> dict[str | None, int]:
        """Return the source addresses of each pool; without pools, those of the MTA under None."""
        if not self.mta.pools:
            return {None: self.mta.ips}
        return {name: pool.ips for name, pool in self.mta.pools.items()}

    def pool_of(self, delivery: Delivery) -> str | None:
        """Return the pool of a delivery: the only one where it names none."""
        return delivery.pool or next(iter(self.mta.pools), None)

    def paths(self) -> tuple[Queue, ...]:
        """Return the queues that have messages, those of a pool's addresses taken together."""
        used = {
            (provider, self.pool_of(delivery))
            for delivery in self.deliveries
            for provider, share in delivery.audience.items()
            if share > 0.0
        }
        return tuple(
            Queue(provider, pool, ips)
            for provider in self.providers
            for pool, ips in self.pools().items()
            if (provider, pool) in used
        )

    def loads(self) -> dict[tuple[Queue, str], int]:
        """Return the messages to deliver of each of these queues, for each delivery with any."""
        of_key = {(path.provider, path.pool): path for path in self.paths()}
        return {
            (of_key[provider, self.pool_of(delivery)], delivery.name): count
            for delivery in self.deliveries
            for provider, count in delivery.counts().items()
            if count
        }

    def messages_on_paths(self) -> dict[Queue, int]:
        """Return the messages to deliver of each of these queues."""
        counts = dict.fromkeys(self.paths(), 0)
        for (path, _), count in self.loads().items():
            counts[path] += count
        return counts

    def queues(self) -> tuple[Queue, ...]:
        """Return the queues that have messages, by provider, pool and address."""
        if self.mta.queues == "pooled":
            return self.paths()
        return tuple(
            path._replace(ips=1, address=address)
            for path in self.paths()
            for address in range(path.ips)
        )

    def suspend_of(self, provider: str) -> tuple[Suspend, ...]:
        """Return the rules for suspending a provider's queue."""
        return tuple(rule for _, rule in self.rules_of(provider))

    def acting_rules(self, provider: str) -> tuple[Suspend, ...]:
        """Return those that can ever suspend it: without a tolerance no answer is *throttled*."""
        settings = self.providers[provider]
        can_be_throttled = settings.tolerance is not None or any(
            disturbance.tolerance is not None for disturbance in settings.disturbances
        )
        return tuple(
            rule
            for rule in self.suspend_of(provider)
            if can_be_throttled or rule.counts != ("throttled",)
        )

    def rules_of(self, provider: str) -> Iterator[tuple[Place, Suspend]]:
        """Yield the rules that suspend a provider's queue, and where they are written."""
        rules = self.providers[provider].suspend
        whose: Place = ("providers", provider)
        if rules == "mta":
            rules, whose = self.mta.suspend, ("mta",)
        if isinstance(rules, tuple):
            for number, rule in enumerate(rules):
                yield (*whose, "suspend", number), rule
        elif rules is not None:
            yield (*whose, "suspend"), rules

    def retry_of(self, provider: str) -> RetryPolicy:
        """Return the retry policy of a provider's queue."""
        policy = self.providers[provider].retry
        return self.mta.retry if policy == "mta" else policy

    def expires_on_failure(self, provider: str) -> bool:
        """Tell whether a message expires at the failure after which no retry fits."""
        if self.mta.expire == "retry":
            return self.retry_of(provider).expires_on_failure
        return self.mta.expire == "on-failure"

    def batch_of(self, delivery: Delivery) -> int:
        """Return how many messages of a delivery are handed over at a time."""
        return delivery.batch or self.relay.batch

    def batches_of(self, delivery: Delivery) -> int:
        """Return the number of its batches; the last one may be smaller."""
        return -(-delivery.messages // self.batch_of(delivery))

    @property
    def mean_batch(self) -> float:
        """Messages per batch of all deliveries."""
        messages = sum(delivery.messages for delivery in self.deliveries)
        return messages / sum(map(self.batches_of, self.deliveries))

    def honoured_validity(self, delivery: Delivery) -> float:
        """Return the validity of a delivery that the MTA keeps to, in seconds."""
        return min(delivery.validity, self.mta.longest_validity)

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        parents = self.parents()
        for limit in self.limits:
            limit.know(parents)
        refuse("scenario", self._problems())
        for message in notes(self):
            warnings.warn(message, SendcapWarning, stacklevel=2)
        return self

    def _problems(self) -> Iterator[tuple[Place, str]]:
        if self.zone is not None and self.start is None:
            yield ("zone",), "is the zone of start, which is missing; give both"
        if self.start is not None and is_skipped(self.start):
            shows = f"{self.start:%H:%M}"
            yield ("start",), f"the clock is put forward then and never shows {shows}; give another"
        yield from delivery_problems(self)
        yield from pool_problems(self)
        yield from population_problems(self)
        yield from order_problems(self)
        yield from suspended_for_ever(self)
        yield from batch_problems(self)

    @model_validator(mode="after")
    def _not_too_many_connections(self) -> Scenario:
        refuse("scenario", self._too_many_connections())
        return self

    def _too_many_connections(self) -> Iterator[tuple[Place, str]]:
        pool, ips = max(self.pools().items(), key=lambda each: each[1])
        where, most = "mta.ips" if pool is None else f"mta.pools.{pool}.ips", MOST_AT_A_TIME
        for name, provider in self.providers.items():
            per_ip = provider.connections_per_ip
            if per_ip * ips > most:
                total = f"{shown(per_ip * ips)} connections; must be at most {most}"
                message = f"{shown(per_ip)} times {where}, {ips}, is {total}"
                yield ("providers", name, "connections_per_ip"), message
