"""A mailbox provider: limits, speed, bounces and bad times."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Final

from pydantic import Field

from sendcap.scenario.connection_scaling import ConnectionScalingField
from sendcap.scenario.distributions import Constant, Distribution
from sendcap.scenario.disturbance import Disturbance, Outage, Refusal
from sendcap.scenario.durations import Duration, format_duration, parse_duration
from sendcap.scenario.moments import at_text
from sendcap.scenario.retry import ProviderRetry
from sendcap.scenario.section import (
    MOST_AT_A_TIME,
    READ_NONE,
    WRITE_NONE,
    Checked,
    Count,
    CountOrUnlimited,
    Name,
    Place,
    Section,
    Share,
    repeated,
    unit,
)
from sendcap.scenario.suspend import SUSPENDED, ProviderSuspendField
from sendcap.scenario.throttle import ScheduledRateField, Throttle, ThrottlesField, throttles_of
from sendcap.text.quoting import shown

_TOLERANCE: Final = 1e-9
_KUMOMTA: Final = "KumoMTA, assets/policy-extras/shaping.toml, block default"


class Hard(Section):
    """Addresses that bounce hard at any attempt."""

    reason: Name
    """Name of the bounce reason, such as "user unknown"."""
    share: Share
    """Share of the provider's addresses."""


class Fault(Checked):
    """Addresses that bounce softly until their fault clears.

    A constant ``clears_after`` is greylisting.
    """

    reason: Name
    """Name of the bounce reason, such as "greylisted"."""
    share: Share
    """Share of the provider's addresses."""
    clears_after: Distribution = Constant(value="0s")
    """Time from the first attempt until the fault clears; required unless never = 1."""
    never: Share = 0.0
    """Share of these addresses whose fault never clears."""

    def _problems(self) -> Iterator[tuple[Place, str]]:
        if self.never < 1.0 and "clears_after" not in self.model_fields_set:
            message = 'required unless never = 1: say when the fault clears, such as "5m"'
            yield ("clears_after",), message


class Provider(Checked):
    """A mailbox provider. Limits are for each source address; defaults are KumoMTA's.

    A ``rate`` that does not give its max_burst has the whole limit for it, as KumoMTA has it:
    "15,000/hr" lets 15,000 go at once, and up to twice the limit in the first period;
    "15,000/hr,max_burst=1" spaces them evenly.

    References
    ----------
    KumoMTA, ``assets/policy-extras/shaping.toml``, block ``default``: 10 connections, 100
    deliveries per connection, idle timeout 60 s.
    """

    connections_per_ip: Annotated[
        Count, Field(le=MOST_AT_A_TIME), unit("connections", _KUMOMTA)
    ] = 10
    """Concurrent connections from each source address."""
    messages_per_connection: Annotated[CountOrUnlimited, unit("attempts", _KUMOMTA)] = 100
    """Attempts after which a connection is closed, or "unlimited"."""
    idle_timeout: Duration = parse_duration("60s")
    """Idle time after which a connection is closed."""
    connect_time: Distribution
    """Time to open a connection."""
    transaction_time: Distribution
    """Time of one attempt on an open connection."""
    rate: ThrottlesField = None
    """Throttle of the attempts from each source address: a rate, a table with a kind, or "none".

    Of a list of throttles each holds: ``["100/s", {kind = "fixed-window", limit = 1000000,
    window = "1d"}]``.
    """
    connection_scaling: ConnectionScalingField = "none"
    """Opening of connections: as needed, or by the queue's length or the answers, by an MTA's name.

    For n messages waiting for a connection and a limit of L, KumoMTA opens connections up to
    min(n, ceil(L(1 − exp(−0.023 n)))); open ones stay
    (``crates/kumod/src/ready_queue.rs``, ``ideal_connection_count``). "postfix" is Postfix's
    feedback with its defaults.
    """
    connection_rate: ScheduledRateField = None
    """Throttle of opening connections from each source address: a rate, a schedule, or "none".

    A message that takes a connection which has to be made waits for it, first in, first out, and
    holds the connection; then the connect time runs (KumoMTA's ``max_connection_rate``).
    """
    accepts_connections: Annotated[Count | None, READ_NONE, WRITE_NONE, unit("connections")] = None
    """Connections from each source address that the provider accepts at a time, or "none".

    It refuses a further one with 421 when that is established: a soft bounce, *too many
    connections*, of the message that asked for it. Connections count while they carry attempts,
    wait for a limit, or are idle for up to idle_timeout. Rules of ``suspend`` and Postfix's
    concurrency take a refusal for an unreachable provider.
    """
    tolerance: ScheduledRateField = None
    """Rate or schedule of attempts from each source address that the provider tolerates, or "none".

    The provider answers attempts above this rate with 4xx: a soft bounce, *throttled*. Throttled
    attempts do not count towards the rate; all others do.
    """
    suspend: ProviderSuspendField = "mta"
    """Reaction to throttled answers: a rule, the name of one, "none", or "mta" for mta.suspend."""
    retry: ProviderRetry = "mta"
    """Retry policy after soft bounces at this provider, or "mta" for mta.retry."""
    transient: Share = 0.0
    """Probability of a soft bounce at each attempt."""
    async_bounce: Share = 0.0
    """Share of the accepted messages that bounce asynchronously."""
    hard: tuple[Hard, ...] = ()
    """Hard bounces: share of the addresses per reason."""
    faults: tuple[Fault, ...] = ()
    """Soft bounces that last: share of the addresses per reason."""
    outages: tuple[Outage, ...] = ()
    """Outages of the provider, in order of time."""
    disturbances: tuple[Disturbance, ...] = ()
    """Bad times that come at random."""
    refusals: tuple[Refusal, ...] = ()
    """Times in which the provider refuses messages by mistake, with a hard bounce."""

    @property
    def refuses_connections(self) -> bool:
        """Whether the provider accepts fewer connections than the MTA opens."""
        accepted = self.accepts_connections
        return accepted is not None and accepted < self.connections_per_ip

    @property
    def throttles(self) -> tuple[Throttle, ...]:
        """The throttles of ``rate``: none, one or several."""
        return throttles_of(self.rate)

    def _problems(self) -> Iterator[tuple[Place, str]]:
        kinds: tuple[Hard | Fault, ...] = (*self.hard, *self.faults)
        total = math.fsum(kind.share for kind in kinds)
        if total > 1.0 + _TOLERANCE:
            yield (), f"shares of hard and faults sum to {total:.9g}, must be at most 1"
        for number, (one, two) in enumerate(pairwise(self.outages), 1):
            if two.at < one.at + one.lasts:
                given, before = shown(at_text(two.at)), shown(at_text(one.at))
                ends = f"{format_duration(one.lasts)} after {before}"
                message = f"{given} is before the end of the one before, {ends}"
                yield ("outages", number, "at"), f"{message}; put outages in order"
        places: list[Place] = [("hard", number, "reason") for number in range(len(self.hard))]
        places += [("faults", number, "reason") for number in range(len(self.faults))]
        reasons = [kind.reason for kind in kinds]
        for position, reason in repeated(reasons):
            yield places[position], f"{shown(reason)} appears twice; give each reason once"
        for place, reason in zip(places, reasons, strict=True):
            if reason == SUSPENDED:
                yield place, f"{shown(reason)} is for soft bounces without an attempt; rename it"
        soft = {SUSPENDED, *(fault.reason for fault in self.faults)}
        for number, refusal in enumerate(self.refusals):
            if refusal.reason in soft:
                message = f"{shown(refusal.reason)} is a soft bounce; give that of a hard one"
                yield ("refusals", number, "reason"), message
