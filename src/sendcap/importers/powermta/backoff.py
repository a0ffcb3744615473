"""From PowerMTA's backoff mode to what the model's MTA does after *throttled* answers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sendcap.importers.powermta.domains import Directives
from sendcap.importers.powermta.syntax import Directive, Tag
from sendcap.importers.powermta.values import (
    intervals,
    number_or_none,
    per_hour_or_none,
    rate_or_none,
    seconds,
    value_of,
    yes,
)
from sendcap.scenario.durations import format_duration

_HOUR_S: Final = 3600.0
_FOR_EVER: Final = "366d"
_DEFAULT_CONNECTIONS: Final = 20
_DEFAULT_RETRY_S: Final = 3600.0
_ACTION: Final = re.compile(r"(?:^|[\s,])mode\s*=\s*backoff(?=$|[\s,])", re.IGNORECASE)
_AFTER: Final = re.compile(r"backoff-to-normal-after=([0-9a-z]{1,30})", re.IGNORECASE)


class Pattern(NamedTuple):
    """A reply of a pattern list, and what it leads to."""

    reply: str
    action: str
    directive: Directive

    @property
    def backs_off(self) -> bool:
        """Whether it switches the queue to backoff mode."""
        return _ACTION.search(self.action) is not None


def patterns_of(top: Tag) -> dict[str, list[Pattern]]:
    """Return the pattern lists by name."""
    found: dict[str, list[Pattern]] = {}
    for tag in top.named("smtp-pattern-list"):
        entries = found.setdefault(tag.argument.casefold(), [])
        entries += [_pattern(its) for its in tag.directives if its.name == "reply"]
    return found


def _pattern(its: Directive) -> Pattern:
    # The pattern ends at the last slash: one within it is escaped or not.
    reply, slash, action = its.value.rpartition("/")
    return Pattern(reply + slash, action.strip(), its)


@dataclass(frozen=True)
class Backoff:
    """What a queue's backoff mode is in the model.

    Attributes
    ----------
    suspend
        A rule for the scenario, or None where there is none.
    used
        The directives that decide it.
    why
        How the two differ, or why there is none.
    """

    suspend: dict[str, Any] | None
    used: tuple[Directive, ...]
    why: str


def backoff_of(
    directives: Directives,
    patterns: Mapping[str, list[Pattern]],
    connections: int,
    attempt_s: float,
    queues: int = 1,
) -> Backoff:
    """Return what backoff mode means for queues that are alike.

    Parameters
    ----------
    directives
        Of the queue.
    patterns
        The configuration's pattern lists.
    connections
        Of each queue when it is not in backoff mode.
    attempt_s
        Mean time that an attempt takes.
    queues
        How many there are; they have these limits each.
    """
    named = directives.get("smtp-pattern-list")
    entries = patterns.get(named.value.casefold(), []) if named else []
    trigger = next((its for its in entries if its.backs_off), None)
    if trigger is None:
        return Backoff(None, (), "no reply of its pattern list switches to backoff mode")
    rates = list(_rates(directives, connections, attempt_s, queues))
    if not rates:
        return Backoff(None, (), "backoff mode sends no slower: it has no lower limit")
    per_s, text, decides = min(rates, key=lambda its: its[0])
    lasts, until, note = _lasts(directives, trigger)
    suspend = {"after": 1, "within": "1m", "lasts": lasts, "rate": text}
    used = tuple(filter(None, (trigger.directive, decides, until)))
    each = f", {queues} queues together" if queues > 1 else ""
    notes = [f"backoff mode sends {per_s:.3g} attempts/s{each}", note]
    return Backoff(suspend, used, "; ".join(filter(None, notes)))


def _rates(
    directives: Directives, connections: int, attempt_s: float, queues: int
) -> Iterator[tuple[float, str, Directive | None]]:
    for name, read in (
        ("backoff-max-msg-rate", rate_or_none),
        ("backoff-max-msg-per-hour", per_hour_or_none),
    ):
        its = directives.get(name)
        rate = None if its is None else value_of(its, read)
        if rate is not None:
            yield rate.per_s * queues, f"{rate.limit * queues}/{rate.period_s}s", its
    its = directives.get("backoff-max-smtp-out")
    count = _DEFAULT_CONNECTIONS if its is None else value_of(its, number_or_none)
    if count is not None and count < connections and attempt_s > 0.0:
        per_s = count * queues / attempt_s
        yield per_s, f"{max(1, math.floor(per_s * _HOUR_S))}/h,max_burst=1", its


def _lasts(directives: Directives, trigger: Pattern) -> tuple[str, Directive | None, str]:
    own = _AFTER.search(trigger.action)
    if own is not None:
        after_s = value_of(trigger.directive._replace(value=own[1]), seconds)
        return format_duration(after_s), None, ""
    its = directives.get("backoff-to-normal-after")
    if its is not None and its.value.casefold() != "never":
        note = ""
        if _ends_on_delivery(directives):
            note = "a delivery would end it sooner (backoff-to-normal-after-delivery)"
        return format_duration(value_of(its, seconds)), its, note
    if _ends_on_delivery(directives):
        retry = directives.get("backoff-retry-after")
        first_s = _DEFAULT_RETRY_S if retry is None else value_of(retry, intervals)[0]
        note = "a delivery ends it: taken for the first backoff-retry-after"
        return format_duration(first_s), retry, note
    return _FOR_EVER, its, "nothing ends it (backoff-to-normal-after never)"


def _ends_on_delivery(directives: Directives) -> bool:
    its = directives.get("backoff-to-normal-after-delivery")
    return its is not None and value_of(its, yes)
