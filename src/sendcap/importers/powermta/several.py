"""The limits of virtual MTAs that differ: the scenario has those of all together.

Each virtual MTA has queues of its own, and those of a pool take messages in turn (User's Guide 5.0,
3.3.13). A scenario has the same limits for each address, so that each gets the mean.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sendcap.importers.powermta.limits import Limit, QueueLimits, window_of
from sendcap.importers.reading import Entry
from sendcap.scenario.durations import parse_duration
from sendcap.scenario.rates import Rate
from sendcap.text.quantities import listed

_MOST_NAMED: Final = 5
_ROUNDED: Final = 100
"""A limit from which the rest of a division does not matter."""
_CONNECTIONS: Final = "connections_per_ip"

ADDED: Final = (
    *("max-smtp-out", "source-ip-max-smtp-out", "max-smtp-out-per-source-ip"),
    *("max-msg-rate", "max-msg-per-hour", "source-ip-max-msg-rate"),
    *("max-connect-rate", "smtp-out-rampup-interval", "source-ip-max-connect-rate"),
)
"""Directives whose limits are added."""


class Several(NamedTuple):
    """The limits of a provider's queues at several virtual MTAs."""

    by_key: dict[str, list[Limit]]
    connections: Limit | None  # of all together, where each cannot have the same number
    remarks: tuple[str, ...]


def together(each: Mapping[str, QueueLimits]) -> Several:
    """Return the limits of virtual MTAs by their names; of equal ones those of the first."""
    first = next(iter(each.values()))
    by_key, remarks, slowest = dict(first.by_key), list[str](), (1.0, "")
    connections = None
    for key in (_CONNECTIONS, "rate", "connection_rate"):
        limits = {name: one.by_key[key] for name, one in each.items()}
        values = [[one.value for one in several] for several in limits.values()]
        if all(value == values[0] for value in values):
            continue
        without = [name for name, several in limits.items() if not several]
        if without:
            having = {name: several for name, several in limits.items() if several}
            named = listed(list(dict.fromkeys(entry.name for entry in _behind(having))))
            which = f"{listed(_few(having))} is left out, since {listed(_few(without))}"
            remarks.append(f"{named} of {which} has no such limit")
            by_key[key] = []
            continue
        if key == _CONNECTIONS:
            counts = {name: several[0].value for name, several in limits.items()}
            by_key[key], connections = _connections(counts, limits)
        else:
            by_key[key] = list(_rates(limits, key))
            counts = {
                name: min(_rate_of(one.value).per_s for one in several)
                for name, several in limits.items()
            }
        mean = sum(counts.values()) / len(counts)
        name = min(counts, key=lambda name: counts[name])
        slowest = max(slowest, (mean / counts[name], name))
    if slowest[1]:
        remarks.insert(
            0,
            f"virtual MTAs differ here, and the scenario has their limits together; they take "
            f"messages in turn, so that the last ones of {slowest[1]} take up to "
            f"{slowest[0]:.1f} times as long",
        )
    return Several(by_key, connections, tuple(remarks))


def _connections(
    counts: Mapping[str, int], limits: Mapping[str, list[Limit]]
) -> tuple[list[Limit], Limit | None]:
    total, number = sum(counts.values()), len(counts)
    why = f"the mean of {_told(counts)}"
    behind = _behind(limits)
    one = Limit(math.ceil(total / number), behind[0], why, behind)
    if total % number == 0:
        return [one], None
    return [one], Limit(total, behind[0], f"{_told(counts)}, together", behind)


def _rates(limits: Mapping[str, list[Limit]], key: str) -> Iterator[Limit]:
    """Yield the mean of the limits with equal periods, or that of the lowest ones."""
    rates = {
        name: [(_rate_of(one.value), one) for one in several] for name, several in limits.items()
    }
    periods = {tuple(sorted(rate.period_s for rate, _ in each)) for each in rates.values()}
    if len(periods) > 1:
        rates = {name: [min(each, key=lambda one: one[0].per_s)] for name, each in rates.items()}
        periods = {(max(rate.period_s for [(rate, _)] in rates.values()),)}
    ordered = {name: sorted(each, key=lambda one: one[0].period_s) for name, each in rates.items()}
    for place, period_s in enumerate(next(iter(periods))):
        ones = {name: each[place] for name, each in ordered.items()}
        rate = _mean([rate for rate, _ in ones.values()], period_s)
        texts = {name: str(rate).partition(",")[0] for name, (rate, _) in ones.items()}
        why = f"the mean of {_told(texts)}"
        behind = _behind({name: [one] for name, (_, one) in ones.items()})
        value: Any = window_of(rate) if key == "rate" else str(rate)
        yield Limit(value, behind[0], why, behind)


def _mean(rates: Sequence[Rate], period_s: float) -> Rate:
    total, number = sum(rate.per_s for rate in rates) * period_s, len(rates)
    burst = None if any(rate.burst is None for rate in rates) else 1
    limit = total / number
    if limit >= _ROUNDED or abs(limit - round(limit)) < 1e-6:
        return Rate(max(1, math.floor(limit + 1e-6)), period_s, burst)
    return Rate(max(1, math.floor(total + 1e-6)), period_s * number, burst)


def _rate_of(value: Any) -> Rate:
    """Return the rate of a window, or of a text."""
    if isinstance(value, str):
        return Rate.parse(value)
    return Rate(value["limit"], parse_duration(value["window"]))


def _behind(limits: Mapping[str, Sequence[Limit]]) -> tuple[Entry, ...]:
    entries = (entry for several in limits.values() for one in several for entry in one.behind)
    return tuple(dict.fromkeys(entries))


def _told(values: Mapping[str, object]) -> str:
    told = [f"{name} {value}" for name, value in values.items()]
    return ", ".join(told[:_MOST_NAMED]) + (" …" if len(told) > _MOST_NAMED else "")


def _few(names: Sequence[str] | Mapping[str, object]) -> list[str]:
    few = list(names)[:_MOST_NAMED]
    return [*few, "others"] if len(names) > _MOST_NAMED else few
