"""A complete scenario: everything that a simulation depends on."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sendcap.errors import ScenarioError, SendcapWarning
from sendcap.scenario.delivery import Delivery
from sendcap.scenario.durations import format_duration
from sendcap.scenario.provider import Provider
from sendcap.scenario.rates import Rate
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
    repeated,
)
from sendcap.scenario.settings import Engagement, Feedback, Mta, Relay, Reporting, Time
from sendcap.scenario.suspend import Suspend
from sendcap.scenario.throttle import Schedule
from sendcap.scenario.throttle_notes import burst_notes, notes_on_several
from sendcap.text.quoting import did_you_mean, dotted, first_few, shown
from sendcap.text.shares import rounded_share


def _date(value: Any) -> Any:
    # pydantic would take a number as seconds since 1970.
    if isinstance(value, bool | int | float):
        raise ValueError(  # noqa: TRY004 (pydantic)
            f"must be a date and time such as 2026-11-27T09:00:00+01:00, not {shown(value)}"
        )
    return value


def of_our_time(start: datetime) -> datetime:
    """Refuse a moment from which no calendar counts years on."""
    if not 1900 <= start.year <= 2200:
        raise ValueError(f"must be from 1900 to 2200, not {start.isoformat()}")
    return start


def since_midnight_s(start: datetime) -> float:
    """Return the time of day in seconds, by the moment's own clock."""
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    return (start - midnight).total_seconds()


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
    start: Annotated[datetime, BeforeValidator(_date), AfterValidator(of_our_time)] | None = None
    """Date and time of t = 0, for labels and the dashboard's refreshes; 1900 to 2200."""
    time: Time = Field(default_factory=Time)
    """Time: resolution, window and end of the simulation."""
    deliveries: OneOrMore[Delivery]
    """Deliveries: messages, start and audience."""
    relay: Relay
    """Relay: the hand-over of messages from Campaign to the MTA."""
    mta: Mta = Field(default_factory=Mta)
    """MTA: source addresses, validity and retries."""
    providers: Annotated[dict[Name, Provider], Field(min_length=1)]
    """Mailbox providers by name: limits, speed and bounces."""
    feedback: Feedback = Field(default_factory=Feedback)
    """Feedback: delays of the MTA's reports to Campaign."""
    engagement: Engagement = Field(default_factory=Engagement)
    """Engagement: opens and clicks."""
    reporting: Reporting = Field(default_factory=Reporting)
    """Reporting: the dashboard's modes and refresh."""

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

    def to_deliver(self) -> dict[tuple[str, str], int]:
        """Return the messages to deliver, for each delivery and provider."""
        return {
            (delivery.name, provider): count
            for delivery in self.deliveries
            for provider, count in delivery.counts().items()
        }

    def suspend_of(self, provider: str) -> tuple[Suspend, ...]:
        """Return the rules for suspending a provider's queue."""
        return tuple(rule for _, rule in self._rules_of(provider))

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

    def _rules_of(self, provider: str) -> Iterator[tuple[Place, Suspend]]:
        """Yield the rules of a provider's queue, and where they are written."""
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

    def honoured_validity(self, delivery: Delivery) -> float:
        """Return the validity of a delivery that the MTA keeps to, in seconds."""
        return min(delivery.validity, self.mta.longest_validity)

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        refuse("scenario", self._problems())
        self._warn()
        return self

    def _problems(self) -> Iterator[tuple[Place, str]]:
        defined = f"; defined: {first_few(self.providers)}"
        for number, delivery in enumerate(self.deliveries):
            for name in delivery.audience:
                if name not in self.providers:
                    hint = did_you_mean(name, self.providers) or defined
                    place = ("deliveries", number, "audience", name)
                    yield place, f"no provider has this name{hint}"
        for number, name in repeated(delivery.name for delivery in self.deliveries):
            message = f"{shown(name)} is used before; give each delivery its own name"
            yield ("deliveries", number, "name"), message
        for number, delivery in enumerate(self.deliveries):
            honoured = self.honoured_validity(delivery)
            if delivery.spread >= honoured and self.mta.clock_origin != "relayed":
                message = (
                    f"{format_duration(delivery.spread)} is no less than the validity, "
                    f"{format_duration(honoured)}, which counts from the "
                    f"delivery's start: its last messages would expire before they are ready"
                )
                yield ("deliveries", number, "spread"), message
        yield from self._suspended_for_ever()
        if self.mta.spool is not None and self.mta.spool < self.relay.batch:
            message = f"is less than relay.batch, {self.relay.batch}; no batch fits"
            yield ("mta", "spool"), f"{self.mta.spool} {message}"

    def _suspended_for_ever(self) -> Iterator[tuple[Place, str]]:
        """Yield rules with a rate above the tolerance: they would renew themselves."""
        for name in self.providers:
            for place, rule in self._rules_of(name):
                for message in self._never_ends(name, rule):
                    yield (*place, "rate"), message

    def _never_ends(self, name: str, rule: Suspend) -> Iterator[str]:
        # Of a schedule only the last step goes on for ever.
        usual = self.providers[name].tolerance
        tolerance = usual.steps[-1].rate if isinstance(usual, Schedule) else usual
        if (
            not isinstance(tolerance, Rate)
            or rule.rate == "closed"
            or "throttled" not in rule.counts
        ):
            return
        throttled_per_s = (rule.rate.per_s - tolerance.per_s) * self.mta.ips
        if throttled_per_s <= 0.0 or throttled_per_s * rule.lasts < 1.0:
            return
        if rule.share is not None:
            attempts = rule.rate.per_s * self.mta.ips * rule.within
            enough = throttled_per_s * rule.within >= rule.share * attempts and attempts >= rule.of
            always = f"more than {rounded_share(rule.share)} are always throttled"
        elif rule.in_a_row:
            enough = throttled_per_s >= rule.after * tolerance.per_s * self.mta.ips
            always = f"there are always {rule.after} throttled answers in a row"
        else:
            enough = throttled_per_s * rule.within >= rule.after
            within = format_duration(rule.within)
            always = f"there are always {rule.after} throttled answers in {within}"
        if enough:
            yield (
                f"never ends at {name}: meanwhile it sends {rule.rate}, more than the "
                f'{tolerance} that are let through, so {always}; lower it, or "closed"'
            )

    @model_validator(mode="after")
    def _not_too_many_connections(self) -> Scenario:
        refuse("scenario", self._too_many_connections())
        return self

    def _too_many_connections(self) -> Iterator[tuple[Place, str]]:
        ips, most = self.mta.ips, MOST_AT_A_TIME
        for name, provider in self.providers.items():
            per_ip = provider.connections_per_ip
            if per_ip * ips > most:
                total = f"{shown(per_ip * ips)} connections; must be at most {most}"
                message = f"{shown(per_ip)} times mta.ips, {ips}, is {total}"
                yield ("providers", name, "connections_per_ip"), message

    def _warn(self) -> None:
        for number, delivery in enumerate(self.deliveries):
            if delivery.validity > self.mta.longest_validity:
                given = format_duration(delivery.validity)
                honoured = format_duration(self.mta.longest_validity)
                _warn(
                    f"deliveries[{number}].validity: {given} is longer than mta.longest_validity; "
                    f"honoured as {honoured}"
                )
        last = max(
            delivery.at + delivery.spread + self.honoured_validity(delivery)
            for delivery in self.deliveries
        )
        horizon = self.time.horizon
        if horizon is not None and horizon < last:
            _warn(
                f"time.horizon: {format_duration(horizon)} cuts off results; messages can be "
                f"under way until {format_duration(last)}"
            )
        for message in self._throttle_notes():
            _warn(message)
        for name, provider in self.providers.items():
            accepted = provider.accepts_connections
            if accepted is not None and provider.connections_per_ip <= accepted:
                _warn(
                    f"{dotted(('providers', name, 'accepts_connections'))}: {accepted} are never "
                    f"exceeded, since connections_per_ip is {provider.connections_per_ip}"
                )

    def _throttle_notes(self) -> Iterator[str]:
        yield from burst_notes(("relay", "rate"), self.relay.rate)
        for name, provider in self.providers.items():
            place, rate = ("providers", name, "rate"), provider.rate
            if isinstance(rate, tuple):
                yield from notes_on_several(place, rate)
            else:
                yield from burst_notes(place, rate, " from each source address")


def _warn(message: str) -> None:
    warnings.warn(message, SendcapWarning, stacklevel=2)
