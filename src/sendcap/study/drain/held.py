"""The backlog of a scenario, made of a queue as a file lists it."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final, NamedTuple

from sendcap import mailbox_providers as known
from sendcap.calibration import reasons
from sendcap.errors import SendcapError
from sendcap.importers.queue_files.queued import Queued, QueueFile
from sendcap.scenario import Scenario, format_duration
from sendcap.text.quantities import counted, elapsed
from sendcap.text.quoting import first_few, meant_or_defined, shown

_OF_AN_ADDRESS: Final = (
    *(reasons.ACCOUNT_DISABLED, reasons.GREYLISTED, reasons.INVALID_DOMAIN, reasons.MAILBOX_FULL),
    *(reasons.TOO_LARGE, reasons.USER_UNKNOWN),
)
"""Reasons that another attempt finds again, for some time."""
_MOST_NOTES: Final = 5
_UNKNOWN: Final = ("", known.OTHER)
"""Reasons that say nothing."""


class Backlog(NamedTuple):
    """The entries of a scenario's backlog, and what was left out or assumed, in sentences."""

    entries: list[dict[str, Any]]
    notes: tuple[str, ...]


def backlog_of(
    queue: QueueFile, scenario: Scenario, *, pool: str | None = None, release: bool = False
) -> Backlog:
    """Return the backlog that a queue is in a scenario.

    Domains go to the scenario's provider of that name, or to that of the mailbox provider, or to
    ``other``. Messages on hold are left out unless they are to be released.
    """
    if pool is not None and not scenario.mta.pools:
        raise SendcapError(f"pool {shown(pool)}: the scenario has no pools; leave it out")
    merged: Counter[tuple[Any, ...]] = Counter()
    on_hold = without_age = at_least = 0
    for each in queue.queued:
        if each.held and not release:
            on_hold += each.messages
            continue
        if each.oldest_s is None:
            without_age += each.messages if each.youngest_s is None else 0
            at_least += each.messages if each.youngest_s is not None else 0
        merged[_shared(each, scenario, pool, release=release)] += each.messages
    if not merged:
        text = f"; {counted(on_hold, 'message')} on hold (--release lets them go)"
        raise SendcapError(f"the queue is empty{text if on_hold else ''}")
    notes = [*queue.notes]
    if on_hold:
        are, them = ("is", "it") if on_hold == 1 else ("are", "them")
        notes.append(
            f"{counted(on_hold, 'message')} on hold {are} left out, as no operator lets {them} go; "
            "--release does."
        )
    notes += _without_a_fault(merged, scenario)
    if at_least:
        notes.append(
            f"{counted(at_least, 'message')} are at least as old as the file says, up to no limit: "
            "they count as that old."
        )
    if without_age:
        notes.append(
            f"The age of {counted(without_age, 'message')} is not known: they count as new."
        )
    return Backlog([dict(key) | {"messages": count} for key, count in merged.items()], tuple(notes))


def too_old(scenario: Scenario) -> tuple[str, ...]:
    """Return a sentence on messages of a backlog that are older than they can be."""
    lifetime_s = scenario.mta.longest_validity
    count = sum(held.messages for held in scenario.backlog if held.age.lowest_s > lifetime_s)
    if not count:
        return ()
    told = f"{counted(count, 'message')} older than the lifetime of {elapsed(lifetime_s)} expire"
    hint = "give mta.longest_validity, the lifetime of your MTA, or --as-of, the moment of the file"
    return (f"{told} at once: {hint}, if that is not so.",)


def _without_a_fault(merged: Counter[tuple[Any, ...]], scenario: Scenario) -> Iterator[str]:
    """Yield reasons of addresses for which the scenario has no fault."""
    messages: Counter[tuple[str, str]] = Counter()
    for key, count in merged.items():
        entry = dict(key)
        provider, reason = scenario.providers[entry["provider"]], entry.get("reason")
        if reason in _OF_AN_ADDRESS and all(each.reason != reason for each in provider.faults):
            messages[entry["provider"], reason] += count
    for (name, reason), count in messages.most_common(_MOST_NOTES):
        yield (
            f"{counted(count, 'message')} to {name} bounced with {shown(reason)}, a fault that the "
            f"scenario does not have there: they count as if the next attempt could succeed. To "
            f"follow them, add it to providers.{name}.faults."
        )


def _shared(
    each: Queued, scenario: Scenario, pool: str | None, *, release: bool
) -> tuple[tuple[str, Any], ...]:
    """Return what messages of one entry share, as the keys of it."""
    entry: dict[str, Any] = {"provider": provider_in(scenario, each)}
    if scenario.mta.pools:
        entry["pool"] = _pool_in(scenario, each.pool, pool)
    youngest_s = each.youngest_s or 0.0
    oldest_s = youngest_s if each.oldest_s is None else each.oldest_s
    entry["age"] = format_duration(oldest_s)
    if youngest_s < oldest_s:
        low, high = format_duration(youngest_s), format_duration(oldest_s)
        entry["age"] = _Frozen(dist="uniform", low=low, high=high)
    if each.attempts is not None:
        entry["attempts"] = each.attempts
    if each.due_s is not None or (each.held and release):
        entry["due"] = format_duration(each.due_s or 0.0)
    if each.reason not in _UNKNOWN and each.attempts != 0:
        entry["reason"] = each.reason
    return tuple(entry.items())


class _Frozen(dict[str, Any]):
    """A table that can be a key."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.items()))


def provider_in(scenario: Scenario, each: Queued) -> str:
    """Return the provider of a scenario to which messages of a queue go.

    It has the domain's name, or the provider's, or another well-known name of the same provider.
    """
    names = {known.spelt(name): name for name in scenario.providers}
    names |= {name: name for name in scenario.providers}
    own = (names[name] for name in (each.domain, each.provider) if name in names)
    alike = known.names_of(each.domain) or known.names_of(each.provider)
    others = (name for name in scenario.providers if alike and known.names_of(name) == alike)
    rest = (known.OTHER,) if known.OTHER in scenario.providers else ()
    found = next(chain(own, others, rest), None)
    if found is None:
        raise SendcapError(
            f"{counted(each.messages, 'message')} to {shown(each.domain or each.provider)}: the "
            f"scenario has neither this provider nor {shown(known.OTHER)}, only "
            f"{first_few(scenario.providers)}; add one of them"
        )
    return found


def _pool_in(scenario: Scenario, own: str | None, given: str | None) -> str:
    """Return the pool of messages: their own if the scenario has it, or else the given one."""
    pools = scenario.mta.pools
    pool = own if own in pools or given is None else given
    if pool is None and len(pools) == 1:
        return next(iter(pools))
    if pool is None:
        raise SendcapError(
            f"the queue does not say which pool its messages leave from; name it with --pool: "
            f"{first_few(pools)}"
        )
    if pool not in pools:
        hint = meant_or_defined(pool, pools)
        remedy = "" if given else "; or name one for such messages with --pool"
        raise SendcapError(f"no pool of the scenario has this name, {shown(pool)}{hint}{remedy}")
    return pool
