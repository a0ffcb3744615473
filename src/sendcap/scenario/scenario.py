"""A complete scenario: everything that a simulation depends on."""

from __future__ import annotations

import pkgutil
import warnings
from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape
from typing import Annotated, Any

import numpy as np
from pydantic import (
    AfterValidator,
    Field,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapSerializer,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticKnownError

from sendcap.errors import ScenarioError, SendcapWarning
from sendcap.scenario.backlog import BACKLOG, Held, backlog_problems, held_deliveries
from sendcap.scenario.clock import is_skipped
from sendcap.scenario.consistency import (
    batch_problems,
    delivery_problems,
    order_problems,
    pool_problems,
    suspended_for_ever,
)
from sendcap.scenario.delivery import POPULATION, Delivery
from sendcap.scenario.in_brief import headline, tables_of
from sendcap.scenario.moments import CLOCK
from sendcap.scenario.notes import notes
from sendcap.scenario.pattern import ready_s
from sendcap.scenario.pools import SharedLimit
from sendcap.scenario.population import Population
from sendcap.scenario.population_problems import population_problems
from sendcap.scenario.programme import collapsed, expanded, numbered, parents_of, written
from sendcap.scenario.provider import Provider
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
from sendcap.scenario.start import StartField, ZoneField, clock_of, in_zone, repeated
from sendcap.scenario.with_queues import WithQueues
from sendcap.text.displayed import html_of
from sendcap.text.quoting import shown


def _with_the_backlog(value: Any, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """Add the deliveries of a backlog to those that a file writes; beside it, these may be none."""
    held = tuple(held_deliveries(info.data.get(BACKLOG, ())))
    # Where the backlog is wrong, it alone is told.
    if not value and (held or BACKLOG not in info.data):
        return held
    if value == ():
        raise PydanticKnownError("missing")
    return (*read(value), *held)


class Scenario(WithQueues, Section):
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
    backlog: tuple[Held, ...] = ()
    """Messages that the MTA holds at t = 0."""
    deliveries: Annotated[
        OneOrMore[Delivery],
        AfterValidator(expanded),
        WrapValidator(_with_the_backlog),
        WrapSerializer(collapsed),
    ] = Field(default=(), validate_default=True)
    """Deliveries: messages, start and audience; none are needed beside a backlog.

    Each repetition and each part of one that a file writes is a delivery of its own, and so are the
    messages of a backlog.
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
            refuse(repeated(self.start, self.zone))
            self.__dict__["start"] = in_zone(self.start, self.zone)
        return self

    def with_(self, changes: Mapping[str, Any] | None = None, **values: Any) -> Scenario:
        """Return a copy with new values, checked like a file; see `sendcap.updated`.

        Parameters
        ----------
        changes
            New values by path, written as in a scenario file, such as ``{"mta.ips": 8}``.
        **values
            New values of keys at the top: ``scenario.with_(seed=3, title="Another")``.

        Raises
        ------
        ScenarioError
            For an unknown path, or if the result is not a valid scenario.
        """
        # Files make scenarios, and edits read them anew: imported when it is asked for.
        updated = pkgutil.resolve_name("sendcap.scenario.edits:updated")
        changed: Scenario = updated(self, {**(changes or {}), **values})
        return changed

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
            raise ScenarioError(
                f"seed: must be a whole number from 0 to 2^128 - 1, not {shown(seed)}"
            )
        return self.model_copy(update={"seed": seed})

    def __repr__(self) -> str:
        # All fields would fill screens.
        title = f"{self.title!r}, " if self.title else ""
        return f"Scenario({title}{headline(self)})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        title = f"<h4>{escape(self.title or 'Scenario')}</h4>"
        return title + "".join(map(html_of, tables_of(self)))

    def parents(self) -> dict[str, tuple[str, ...]]:
        """Return the deliveries in parts or repetitions, with the names of these."""
        return parents_of(self.deliveries)

    @property
    def relayed(self) -> tuple[Delivery, ...]:
        """The deliveries that the relay hands over: all but those of a backlog."""
        return tuple(each for each in self.deliveries if not each.is_held)

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
    def common_start(self) -> datetime | None:
        """The start that several deliveries count from by the clock: nobody counts from t = 0."""
        return self.start if len(self.deliveries) > 1 else None

    @property
    def open_rates(self) -> tuple[float, ...]:
        """The share of the accepted messages that is opened: of each class of people, or of all."""
        classes = self.population.classes if self.population else {}
        return tuple(each.open_rate for each in classes.values()) or (self.engagement.open_rate,)

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

    def batch_of(self, delivery: Delivery) -> int:
        """Return how many messages of a delivery are handed over at a time."""
        return delivery.batch or self.relay.batch

    def batches_of(self, delivery: Delivery) -> int:
        """Return the number of its batches; the last one may be smaller."""
        return -(-delivery.messages // self.batch_of(delivery))

    def all_ready_s(self, delivery: Delivery) -> float:
        """Return when the last batch of a delivery is ready, which is before a spread ends."""
        batches = max(self.batches_of(delivery), 1)
        return float(ready_s(delivery, self.start, np.array([batches - 1]), batches)[0])

    @property
    def mean_batch(self) -> float:
        """Messages per batch of all deliveries that are relayed."""
        relayed = self.relayed
        if not relayed:
            return float(self.relay.batch)
        messages = sum(delivery.messages for delivery in relayed)
        return messages / sum(map(self.batches_of, relayed))

    def honoured_validity(self, delivery: Delivery) -> float:
        """Return the validity of a delivery that the MTA keeps to, in seconds."""
        return min(delivery.validity, self.mta.longest_validity)

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        parents = self.parents()
        for limit in self.limits:
            limit.know(parents)
        refuse(self._problems())
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
        yield from backlog_problems(self)
        yield from pool_problems(self)
        yield from population_problems(self)
        yield from order_problems(self)
        yield from suspended_for_ever(self)
        yield from batch_problems(self)

    @model_validator(mode="after")
    def _not_too_many_connections(self) -> Scenario:
        refuse(self._too_many_connections())
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
