"""A group of queues in the making: the records of its queues, and what these point to."""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

import numpy as np

from sendcap.model.addresses import kinds_of, passing
from sendcap.model.disturbances import DisturbanceRows
from sendcap.model.kernel import concurrency, fields, state
from sendcap.model.lane_rows import LaneRows
from sendcap.model.limit_rows import LimitRows
from sendcap.model.records import records, trials
from sendcap.model.rounds import round_of
from sendcap.model.scaling import waiting_for
from sendcap.model.shared import Shared
from sendcap.model.shared_rows import SharedRows
from sendcap.scenario import PostfixScaling, Queue, RetryPolicy

_FEEDBACK: Final = {
    "1": concurrency.ONE,
    "1/concurrency": concurrency.OVER_WINDOW,
    "1/sqrt_concurrency": concurrency.OVER_ROOT,
}


def _feedback(scaling: str | PostfixScaling, connections: int, ips: int) -> dict[str, Any]:
    """Return how many of the connections may be used, and how answers change that."""
    if isinstance(scaling, str):
        return {"window": connections}
    return {
        "positive": _FEEDBACK[scaling.positive],
        "negative": _FEEDBACK[scaling.negative],
        "half_steps": scaling.variant == "source",
        "initial": scaling.initial * ips,
        "window": min(scaling.initial * ips, connections),
        "cohorts": scaling.failed_cohorts or np.inf,
    }


_EMPTY: Final[dict[str, Any]] = {
    "line_first": fields.NONE,
    "line_at": fields.NONE,
    "arrival_s": np.inf,
    "foreseen_until_s": np.inf,
    "connection_rate": fields.NONE,
    "accepted": fields.NONE,
    "without_draws": 1,
    "tolerance": fields.NONE,
    "held_until_s": -np.inf,
    "closed_until_s": -np.inf,
    "sent_back_until_s": -np.inf,
    "sweep_s": np.inf,
}
"""A queue in which nobody waits, and to which nothing has happened."""


class QueueRows:
    """Rows of queues, one after the other; `sendcap.model.kernel.state` describes the fields."""

    def __init__(self, shared: Shared, queues: Sequence[Queue]) -> None:
        self._shared = shared
        self.shared = SharedRows(shared.scenario, queues)
        self.lanes = LaneRows(shared.scenario)
        self.rounds: list[int] = []
        self._path_of = {(each.provider, each.pool): n for n, each in enumerate(shared.paths)}
        self.queues: list[dict[str, Any]] = []
        self.limits = LimitRows()
        self.limit_of: list[int] = []
        self.waiting_for: list[int] = []
        self.retries: list[tuple[RetryPolicy, bool]] = []  # with whether it expires on failure
        self._connections: list[state.Records] = []
        self._kinds: list[Any] = []
        self.disturbances = DisturbanceRows()
        self._keys: list[int] = []
        self._probabilities: list[float] = []
        self._bad: list[list[int]] = []  # trials of bad addresses by queue and delivery

    def add(self, queue: Queue, first_stream: int) -> None:
        """Add a queue."""
        scenario, name, key = self._shared.scenario, queue.provider, queue.key
        provider = scenario.providers[name]
        own = [self.limits.add(throttle, queue.ips) for throttle in provider.throttles]
        shared = self.shared.add(queue, self.limits)
        per_connection = provider.messages_per_connection
        retry = (scenario.retry_of(name), scenario.expires_on_failure(name))
        if retry not in self.retries:
            self.retries.append(retry)
        engagement, population = scenario.engagement, scenario.population
        row: dict[str, Any] = _EMPTY | {
            "provider": self._shared.providers.index(name),
            "path": self._path_of[queue.provider, queue.pool],
            "idle_timeout_s": provider.idle_timeout,
            "attempts_per_connection": (
                fields.UNLIMITED if per_connection == "unlimited" else per_connection
            ),
            "first_limit": len(self.limit_of),
            "limits": len(own) + len(shared.rates),
            "first_kind": len(self._kinds),
            "first_stream": first_stream,
            "transient": self._trial(provider.transient, "transient", provider=key),
            "async_bounce": self._trial(provider.async_bounce, "asynchronous bounce", provider=key),
            "retry": self.retries.index(retry),
            "jitter": (
                self._trial(0.5, "retry jitter", provider=key)
                if retry[0].needs_uniform
                else fields.NONE
            ),
            "opens": self._opens(key),
            "clicks": self._trial(engagement.click_rate, "click", provider=key),
            "complaints": (
                fields.NONE
                if population is None
                else self._trial(population.complaints, "complaint", provider=key)
            ),
        }
        if provider.connection_rate is not None:
            row["connection_rate"] = self.limits.add(provider.connection_rate, queue.ips)
        if provider.accepts_connections is not None:
            row["accepted"] = provider.accepts_connections * queue.ips
        row |= shared.row
        row |= self.lanes.add(queue, self.shared, self.limits)
        row |= self._address_of(queue)
        self.limit_of += own + shared.rates
        row |= self._connections_of(queue)
        row |= self._reactions_of(queue)
        row |= self._disturbances_of(queue)
        row["kinds"] = self._add_kinds(queue)
        self.queues.append(row)

    def _address_of(self, queue: Queue) -> dict[str, int]:
        """Return which queues of a pool's addresses take messages in turn."""
        number = len(self.queues)
        if queue.address:
            return {"first_address": number - queue.address}
        turns = round_of(self._shared.scenario, queue)
        self.rounds += turns
        return {
            "first_address": number,
            "first_in_round": len(self.rounds) - len(turns),
            "round": len(turns),
        }

    def _trial(self, probability: float, purpose: str, **names: str) -> int:
        self._keys.append(self._shared.streams.key(purpose, **names))
        self._probabilities.append(probability)
        return len(self._keys) - 1

    def _opens(self, key: str) -> int:
        """Add the trials of opens, of each engagement class; return the first."""
        scenario = self._shared.scenario
        classes = scenario.population.classes if scenario.population else {}
        if not classes:
            return self._trial(scenario.engagement.open_rate, "open", provider=key)
        numbers = [
            self._trial(each.open_rate, f"open {name}", provider=key)
            for name, each in classes.items()
        ]
        return numbers[0]

    def _connections_of(self, queue: Queue) -> dict[str, int]:
        """Add the connections, all of them closed."""
        provider = self._shared.scenario.providers[queue.provider]
        count = provider.connections_per_ip * queue.ips
        first, number = sum(map(len, self._connections)), len(self.queues)
        connections = np.zeros(count, fields.CONNECTION)
        connections["event_s"], connections["queue"] = -np.inf, number
        connections["message"] = fields.NONE
        connections["next"] = np.arange(first + 1, first + count + 1)
        connections["next"][-1] = fields.NONE
        self._connections.append(connections)
        row = {
            "free_first": fields.NONE,
            "closed_first": first,
            "first_connection": first,
            "connections": count,
        }
        if provider.connection_scaling != "kumomta":
            scaled = {"scaled": fields.NONE}
            return row | scaled | _feedback(provider.connection_scaling, count, queue.ips)
        # It opens them by its length.
        self.waiting_for += [*waiting_for(count), fields.UNLIMITED]
        return row | {"scaled": len(self.waiting_for) - count - 1}

    def _reactions_of(self, queue: Queue) -> dict[str, int]:
        """Add what the provider tolerates, and the rules by which the MTA suspends the queue."""
        scenario = self._shared.scenario
        tolerance, ips = scenario.providers[queue.provider].tolerance, queue.ips
        row = {"first_rule": len(self.limits.rules)}
        if tolerance is not None:
            row["tolerance"] = self.limits.add(tolerance, ips)
        for rule in scenario.acting_rules(queue.provider):
            self.limits.add_rule(rule, ips)
        row["rules"] = len(self.limits.rules) - row["first_rule"]
        dead_site = scenario.dead_site_of(queue.provider)
        if dead_site is not None:
            self.limits.add_dead_site(dead_site.dead_for)
            row["dies"] = 1
        return row

    def _disturbances_of(self, path: Queue) -> dict[str, Any]:
        """Add the outages, and the disturbances that come at random to all queues of a provider."""
        name = path.provider
        scenario, streams = self._shared.scenario, self._shared.streams
        provider, rows, queue = scenario.providers[name], self.disturbances, len(self.queues)
        first = len(rows.rows)
        for fails_after, outages in groupby(provider.outages, key=lambda each: each.fails_after):
            ends = ((outage.at, outage.at + outage.lasts) for outage in outages)
            fails_after_s = np.inf if fails_after is None else fails_after
            rows.add_times(queue, ends, unreachable=True, fails_after_s=fails_after_s)
        for number, refusal in enumerate(provider.refusals):
            rows.add_times(
                queue,
                [(refusal.at, refusal.at + refusal.lasts)],
                refusal=self._shared.reasons.index(refusal.reason),
                refused=self._trial(refusal.share, f"refusal {number}", provider=path.key),
            )
        for number, disturbance in enumerate(provider.disturbances):
            purpose = f"disturbance {number}"
            row: dict[str, Any] = {"unreachable": disturbance.unreachable}
            if disturbance.transient > provider.transient:
                probability = disturbance.transient
                trial = self._trial(probability, f"{purpose} transient", provider=path.key)
                row |= {"probability": probability, "transient": trial}
            if disturbance.tolerance is not None:
                row["tolerance"] = self.limits.add(disturbance.tolerance, path.ips)
            every, lasts = (
                (time, streams.generator(f"{purpose} {key}", provider=name))
                for key, time in (("every", disturbance.every), ("lasts", disturbance.lasts))
            )
            rows.add(queue, every, lasts, **row)
        made: dict[str, Any] = {
            "first_disturbance": first,
            "disturbances": len(rows.rows) - first,
            "gives_up": any(each.fails_after is not None for each in provider.outages),
        }
        return made | ({"foreseen_until_s": 0.0} if provider.disturbances else {})

    def _add_kinds(self, queue: Queue) -> int:
        """Add the kinds of address, the good one first; return how many there are."""
        shared, name = self._shared, queue.provider
        has_memory = shared.scenario.population is not None
        kinds = kinds_of(shared.scenario.providers[name], can_die=has_memory)
        if has_memory:
            kinds = passing(kinds)
        until = 0.0
        self._kinds.append((until, 0, fields.NONE, 0, 0))
        for kind in kinds:
            until += kind.share
            reason = shared.reasons.index(kind.reason)
            self._kinds.append((until, kind.hard, kind.fault, kind.never, reason))
        bad = min(math.fsum(kind.share for kind in kinds), 1.0)
        if queue.address:
            self._bad.append(self._bad[-1])  # the addresses of a pool send to the same recipients
            return 1 + len(kinds)
        self._bad.append(
            [
                self._trial(bad, "bad address", delivery=delivery.name, provider=name)
                if delivery.audience.get(name, 0.0) > 0.0
                and shared.scenario.pool_of(delivery) == queue.pool
                else fields.NONE
                for delivery in shared.scenario.deliveries
            ]
        )
        return 1 + len(kinds)

    def connections(self) -> state.Records:
        """Return the records of the connections."""
        return np.concatenate(self._connections)

    def chance(self, streams: int, block: int) -> state.Chance:
        """Return the trials, and room for draws."""
        return state.Chance(
            trials=trials(self._keys, self._probabilities),
            streams=np.zeros(streams, fields.STREAM),
            draws=np.zeros((streams, block)),
        )

    def addresses(self) -> state.Addresses:
        """Return what may be wrong with the addresses."""
        bad = np.array(self._bad, np.int32).T.copy()
        return state.Addresses(np.array(self._kinds, fields.KIND), bad)

    def records(self) -> state.Records:
        """Return the records of the queues."""
        return records(fields.QUEUE, self.queues)
