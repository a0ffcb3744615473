"""What may help a backlog: a flush, a higher limit, another pool, a longer lifetime."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sendcap.scenario import Scenario, from_dict, parse_duration, to_dict
from sendcap.scenario.constraints import (
    ACCEPTED,
    CONNECTION_RATE,
    CONNECTIONS,
    CONNECTIONS_AND_RATE,
    queue_constraints,
)
from sendcap.study.capacity.searches.lever import raised_setting
from sendcap.text.quantities import elapsed

_DOUBLE: Final = 10
"""Tenths by which a limit is raised."""
_LONGEST_S: Final = parse_duration("366d")
_LIFETIMES: Final = ("max_age", "bounce_after", "maximal_queue_lifetime")
"""Keys of retry policies with a lifetime of their own."""
_SETTINGS: Final = {
    **dict.fromkeys((*CONNECTIONS, CONNECTIONS_AND_RATE), ("connections_per_ip", "connections")),
    ACCEPTED: ("accepts_connections", "accepted connections"),
    "tolerance": ("tolerance", "tolerance"),
    CONNECTION_RATE: ("connection_rate", "connection rate"),
}
"""The setting of a provider behind a constraint, with words; of any other it is the rate."""
_MOST_PROVIDERS: Final = 3


class Remedy(NamedTuple):
    """A change of a scenario, in words, and the scenario with it."""

    change: str
    scenario: Scenario


def remedies(scenario: Scenario, slowest: Sequence[str], *, expires: bool) -> Iterator[Remedy]:
    """Yield what may help a scenario with a backlog.

    ``slowest`` are the providers with messages of it, the one first that is gone last; ``expires``
    tells whether anything does.
    """
    if any(held.due is None or held.due.mean_s > 0.0 for held in scenario.backlog):
        yield Remedy("a flush", _with_backlog(scenario, {"due": "0s"}))
    for name in slowest[:_MOST_PROVIDERS]:
        yield from _raised(scenario, name)
    for number, limit in enumerate(scenario.limits):
        more = {
            key: raised_setting(getattr(limit, key), _DOUBLE)
            for key in ("rate", "connections")
            if getattr(limit, key) is not None
        }
        limits = list(scenario.limits)
        limits[number] = limit.model_copy(update=more)
        changed = scenario.model_copy(update={"limits": tuple(limits)})
        yield Remedy(f"twice the limit {limit.name}", changed)
    yield from _other_pools(scenario, slowest)
    if expires:
        yield _longer(scenario)


def _with_backlog(
    scenario: Scenario, changes: Mapping[str, Any], to: str | None = None
) -> Scenario:
    """Return a scenario with changed entries of its backlog, all of them or those to a provider."""
    data = to_dict(scenario)
    for entry in data["backlog"]:
        if to in (None, entry["provider"]):
            entry |= changes
    return from_dict(data)


def _raised(scenario: Scenario, name: str) -> Iterator[Remedy]:
    """Yield twice the limit that holds a provider's queue back."""
    path = next(path for path in scenario.paths() if path.provider == name)
    limit = min(queue_constraints(scenario, path), key=lambda each: each.lowest_per_s)
    key, words = _SETTINGS.get(limit.name, ("rate", "rate"))
    provider = scenario.providers[name]
    before = getattr(provider, key)
    after = raised_setting(before, _DOUBLE)
    if after != before:
        changed = {**scenario.providers, name: provider.model_copy(update={key: after})}
        yield Remedy(
            f"twice the {words} at {name}", scenario.model_copy(update={"providers": changed})
        )


def _other_pools(scenario: Scenario, slowest: Sequence[str]) -> Iterator[Remedy]:
    """Yield that the messages to the slowest provider leave from another pool."""
    pools = scenario.mta.pools
    if len(pools) < 2 or not slowest:
        return
    name = slowest[0]
    for pool in pools:
        if any(held.provider == name and held.pool != pool for held in scenario.backlog):
            yield Remedy(
                f"{name} from the pool {pool}", _with_backlog(scenario, {"pool": pool}, to=name)
            )


def _longer(scenario: Scenario) -> Remedy:
    """Return twice the lifetime of messages, of the MTA and of its retry policies."""
    mta = scenario.mta
    lasts_s = min(2.0 * mta.longest_validity, _LONGEST_S)

    def longer(policy: Any) -> Any:
        more = {
            key: min(2.0 * getattr(policy, key), _LONGEST_S)
            for key in _LIFETIMES
            if getattr(policy, key, None) is not None
        }
        return policy.model_copy(update=more) if more else policy

    providers = {
        name: provider
        if provider.retry == "mta"
        else provider.model_copy(update={"retry": longer(provider.retry)})
        for name, provider in scenario.providers.items()
    }
    update = {"longest_validity": lasts_s, "retry": longer(mta.retry)}
    changed = scenario.model_copy(
        update={"mta": mta.model_copy(update=update), "providers": providers}
    )
    return Remedy(f"a lifetime of {elapsed(lasts_s)}", changed)
