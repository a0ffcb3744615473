"""PowerMTA's backoff mode, as the reaction of the model's MTA to *throttled* answers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from sendcap.importers.powermta.queues import Directives
from sendcap.importers.powermta.syntax import (
    Tag,
    boolean,
    intervals,
    message_rates,
    number_or_none,
    seconds,
)
from sendcap.importers.reading import Entry
from sendcap.scenario.durations import format_duration

_HOUR_S: Final = 3600.0
_FOR_EVER: Final = "366d"
_DEFAULT_CONNECTIONS: Final = 20
_DEFAULT_RETRY_S: Final = 3600.0
_ACTION: Final = re.compile(r"(?:^|[\s,])mode\s*=\s*backoff(?=$|[\s,])", re.IGNORECASE)
_AFTER: Final = re.compile(r"backoff-to-normal-after=([0-9a-z]{1,30})", re.IGNORECASE)


class Pattern(NamedTuple):
    """A reply of a pattern list, and the action after it."""

    reply: str
    action: str
    directive: Entry

    @property
    def backs_off(self) -> bool:
        """Whether the queue switches to backoff mode."""
        return _ACTION.search(self.action) is not None


def patterns_of(top: Tag) -> dict[str, list[Pattern]]:
    """Return the pattern lists by name."""
    lists: dict[str, list[Pattern]] = {}
    for tag in top.named("smtp-pattern-list"):
        entries = lists.setdefault(tag.argument.casefold(), [])
        entries += [_pattern(entry) for entry in tag.directives if entry.name == "reply"]
    return lists


def _pattern(entry: Entry) -> Pattern:
    # The pattern ends at the last slash: one inside may be escaped or not.
    reply, slash, action = entry.value.rpartition("/")
    return Pattern(reply + slash, action.strip(), entry)


class Backoff(NamedTuple):
    """A queue's backoff mode in the model."""

    suspend: dict[str, Any] | None  # rule of the scenario
    used: tuple[Entry, ...]  # directives behind the rule
    why: str  # differences from PowerMTA, or the reason for no rule


def backoff_of(
    directives: Directives,
    patterns: Mapping[str, list[Pattern]],
    connections: int,
    attempt_s: float,
    queues: int,
) -> Backoff:
    """Return the backoff mode of equal queues, each with these connections in normal mode."""
    named = directives.get("smtp-pattern-list")
    entries = patterns.get(named.value.casefold(), []) if named else []
    trigger = next((entry for entry in entries if entry.backs_off), None)
    if trigger is None:
        return Backoff(None, (), "no reply of the pattern list switches to backoff mode")
    rates = list(_rates(directives, connections, attempt_s, queues))
    if not rates:
        return Backoff(None, (), "backoff mode is not slower: it has no lower limit")
    per_s, text, decides = min(rates, key=lambda rate: rate[0])
    lasts, until, note = _lasts(directives, trigger)
    suspend = {"after": 1, "within": "1m", "lasts": lasts, "rate": text}
    used = tuple(filter(None, (trigger.directive, decides, until)))
    each = f", {queues} queues together" if queues > 1 else ""
    notes = [f"backoff mode sends {per_s:.3g} attempts/s{each}", note]
    return Backoff(suspend, used, "; ".join(filter(None, notes)))


def _rates(
    directives: Directives, connections: int, attempt_s: float, queues: int
) -> Iterator[tuple[float, str, Entry | None]]:
    for rate, own in message_rates(directives, "backoff-"):
        yield rate.per_s * queues, f"{rate.limit * queues}/{rate.period_s:.0f}s", own
    fewer = directives.get("backoff-max-smtp-out")
    count = _DEFAULT_CONNECTIONS if fewer is None else fewer.read(number_or_none)
    if count is not None and count < connections and attempt_s > 0.0:
        per_s = count * queues / attempt_s
        yield per_s, f"{max(1, math.floor(per_s * _HOUR_S))}/h,max_burst=1", fewer


def _lasts(directives: Directives, trigger: Pattern) -> tuple[str, Entry | None, str]:
    own = _AFTER.search(trigger.action)
    if own is not None:
        after_s = trigger.directive._replace(value=own[1]).read(seconds)
        return format_duration(after_s), None, ""
    ends = directives.get("backoff-to-normal-after")
    if ends is not None and ends.value.casefold() != "never":
        note = ""
        if _ends_on_delivery(directives):
            note = "a delivery would end it earlier (backoff-to-normal-after-delivery)"
        return format_duration(ends.read(seconds)), ends, note
    if _ends_on_delivery(directives):
        retry = directives.get("backoff-retry-after")
        first_s = _DEFAULT_RETRY_S if retry is None else retry.read(intervals)[0]
        note = "a delivery ends it; the scenario uses the first backoff-retry-after"
        return format_duration(first_s), retry, note
    return _FOR_EVER, ends, "it never ends (backoff-to-normal-after never)"


def _ends_on_delivery(directives: Directives) -> bool:
    ends = directives.get("backoff-to-normal-after-delivery")
    return ends is not None and ends.read(boolean)
