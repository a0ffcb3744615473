"""The queues of a scenario: which messages go there, and the rules that hold in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sendcap.scenario.connection_scaling import PostfixScaling
from sendcap.scenario.pools import Queue
from sendcap.scenario.retry import RetryPolicy
from sendcap.scenario.section import Place
from sendcap.scenario.suspend import Suspend

if TYPE_CHECKING:
    from sendcap.scenario.delivery import Delivery
    from sendcap.scenario.provider import Provider
    from sendcap.scenario.settings import Mta


class WithQueues:
    """What a scenario says of its queues; `sendcap.Scenario` has it."""

    if TYPE_CHECKING:
        # Fields of the scenario.
        deliveries: tuple[Delivery, ...]
        mta: Mta
        providers: dict[str, Provider]

    def to_deliver(self) -> dict[tuple[str, str], int]:
        """Return the messages to deliver, for each delivery and provider."""
        return {
            (delivery.name, provider): count
            for delivery in self.deliveries
            for provider, count in delivery.counts().items()
        }

    def at_providers(self) -> Counter[str]:
        """Return the messages to deliver at each provider."""
        counts: Counter[str] = Counter()
        for (_, provider), count in self.to_deliver().items():
            counts[provider] += count
        return counts

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

    def dead_site_of(self, provider: str) -> PostfixScaling | None:
        """Return the scaling by which the provider may be dead for a time, None if it never is."""
        settings = self.providers[provider]
        scaling = settings.connection_scaling
        if not isinstance(scaling, PostfixScaling) or scaling.failed_cohorts is None:
            return None
        may_fail = settings.outages or any(each.unreachable for each in settings.disturbances)
        if may_fail or settings.refuses_connections:
            return scaling
        return None

    def sends_back(self, provider: str) -> bool:
        """Tell whether messages may be sent back to their schedule without an attempt."""
        rules = self.acting_rules(provider)
        dead_site = self.dead_site_of(provider)
        return dead_site is not None or any(rule.meanwhile == "retry" for rule in rules)

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
