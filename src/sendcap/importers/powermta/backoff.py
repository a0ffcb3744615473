"""What PowerMTA does to a queue after certain replies: the model's reaction to *throttled* answers.

A list of patterns has an action for each reply: backoff mode, a source address that is disabled,
or a queue that is put into retry mode (User's Guide 5.0, "<smtp-pattern-list> Directives"). The
model has throttled answers of one kind, so that one pattern is chosen: the first that switches to
backoff mode or, without one, the first with another of these actions.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sendcap.importers.powermta.addresses import Addresses
from sendcap.importers.powermta.limits import QueueLimits, entry_of
from sendcap.importers.powermta.queues import Directives
from sendcap.importers.powermta.syntax import (
    Tag,
    boolean,
    intervals,
    message_rates,
    number_or_none,
    rate_or_none,
    seconds,
)
from sendcap.importers.reading import Entry
from sendcap.scenario.durations import format_duration
from sendcap.text.quantities import HOUR_S

_FOR_EVER: Final = "366d"
_DEFAULT_CONNECTIONS: Final = 20
_DEFAULT_RETRY_S: Final = 3600.0
_ACTIONS: Final = ("mode=backoff", "disable-source-ip", "defer-queue")
_SPACES: Final = re.compile(r"\s*=\s*")


class Pattern(NamedTuple):
    """A reply of a pattern list, and the actions after it."""

    actions: tuple[str, ...]
    directive: Entry

    def does(self, action: str) -> bool:
        """Whether an action is one of the pattern's."""
        return action in self.actions

    def option(self, name: str) -> str | None:
        """Return the value of an option such as ``reenable-after=1h``."""
        own = (each.partition("=") for each in self.actions)
        return next((value for key, _, value in own if key == name), None)


def patterns_of(top: Tag) -> dict[str, list[Pattern]]:
    """Return the pattern lists by name."""
    lists: dict[str, list[Pattern]] = {}
    for tag in top.named("smtp-pattern-list"):
        entries = lists.setdefault(tag.argument.casefold(), [])
        entries += [_pattern(entry) for entry in tag.directives if entry.name == "reply"]
    return lists


def _pattern(entry: Entry) -> Pattern:
    # The pattern ends at the last slash: one inside may be escaped or not.
    actions = _SPACES.sub("=", entry.value.rpartition("/")[2].strip().casefold())
    return Pattern(tuple(filter(None, re.split(r"[\s,]+", actions))), entry)


class Rule(NamedTuple):
    """A rule of the model, and the directives behind it."""

    suspend: dict[str, Any]
    entry: Entry
    behind: tuple[Entry, ...]
    why: str


class Reactions:
    """The reactions of equal queues, which send with these limits in normal mode."""

    def __init__(
        self,
        directives: Directives,
        patterns: Mapping[str, list[Pattern]],
        limits: QueueLimits,
        addresses: Addresses,
        attempt_s: float,
        queues: int,
    ) -> None:
        self._directives = directives
        self._limits = limits
        self._addresses = addresses
        self._attempt_s = attempt_s
        self._queues = queues
        self.not_used: list[tuple[Entry, str]] = []
        named = directives.get("smtp-pattern-list")
        entries = patterns.get(named.value.casefold(), []) if named is not None else []
        trigger = _chosen(entries)
        rules = [] if trigger is None else list(self._rules(trigger))
        self.rules = [rule for rule in rules if rule.suspend["lasts"] != "0s"]
        if trigger is not None and len(self.rules) < len(rules):
            self.not_used.append((trigger.directive, "ends at once"))
        if named is not None and trigger is None:
            why = "no reply of the pattern list switches to backoff mode"
            self.not_used.append((named, why))
        if trigger is not None:
            self._note_others(entries, trigger)

    def _note_others(self, entries: Sequence[Pattern], trigger: Pattern) -> None:
        line = trigger.directive.where.rpartition(":")[2]
        for entry in entries:
            if entry is not trigger and any(map(entry.does, _ACTIONS)):
                why = f"the model has throttled answers of one kind; they do what is in line {line}"
                self.not_used.append((entry.directive, why))

    def _rules(self, trigger: Pattern) -> Iterator[Rule]:
        if trigger.does("mode=backoff"):
            yield from self._backoff(trigger)
        if trigger.does("disable-source-ip"):
            yield from self._disabled(trigger)
        if trigger.does("defer-queue"):
            retry = entry_of(self._directives, "retry-after")
            lasts = format_duration(retry.read(intervals)[0])
            why = "the queue is put into retry mode: its first retry-after"
            yield _rule(trigger, lasts, "closed", (retry,), why)

    def _disabled(self, trigger: Pattern) -> Iterator[Rule]:
        if self._addresses.number > 1:
            others = self._addresses.number - 1
            why = f"disables one source address of the queue, and {others} more go on"
            self.not_used.append((trigger.directive, why))
            return
        until = self._directives.get("reenable-source-ip-after")
        text = trigger.option("reenable-after")
        if text is not None:
            until = None
        lasts = _FOR_EVER
        if text is not None:
            lasts = format_duration(trigger.directive._replace(value=text).read(seconds))
        elif until is not None and until.value.casefold() != "never":
            lasts = format_duration(until.read(seconds))
        why = "the only source address is disabled"
        yield _rule(trigger, lasts, "closed", () if until is None else (until,), why)

    def _backoff(self, trigger: Pattern) -> Iterator[Rule]:
        rates = sorted(self._rates(), key=lambda rate: rate[0])
        if not rates:
            why = "backoff mode is not slower: it has no lower limit"
            self.not_used.append((trigger.directive, why))
            return
        per_s, text, decides = rates[0]
        for *_, other in rates[1:]:
            if other is not None:
                self.not_used.append((other, "another limit of backoff mode is lower"))
        lasts, until, note = _lasts(self._directives, trigger)
        each = f", {self._queues} queues together" if self._queues > 1 else ""
        why = f"backoff mode sends {per_s:.3g} attempts/s{each}"
        behind = tuple(filter(None, (decides, until)))
        yield _rule(trigger, lasts, text, behind, "; ".join(filter(None, (why, note))))

    def _rates(self) -> Iterator[tuple[float, str, Entry | None]]:
        """Yield the rates of backoff mode that are lower than those of normal mode."""
        queues, own = self._queues, self._directives
        for rate, entry in message_rates(own, "backoff-"):
            yield rate.per_s * queues, f"{rate.limit * queues}/{rate.period_s:.0f}s", entry
        fewer = own.get("backoff-max-smtp-out")
        count = _DEFAULT_CONNECTIONS if fewer is None else fewer.read(number_or_none)
        if count is not None and count < self._limits.connections and self._attempt_s > 0.0:
            yield self._spaced(count * queues / self._attempt_s, fewer)
        elif fewer is not None:
            why = f"{self._limits.connections} connections in normal mode are not more"
            self.not_used.append((fewer, why))
        connects = own.get("backoff-max-connect-rate")
        opened = None if connects is None else connects.read(rate_or_none)
        if connects is not None and opened is not None:
            if self._limits.messages is None:
                why = "a connection has no limit of messages, so that few are opened"
                self.not_used.append((connects, why))
            else:
                per_s = opened.per_s * self._limits.messages * queues
                yield self._spaced(per_s, connects)

    @staticmethod
    def _spaced(per_s: float, entry: Entry | None) -> tuple[float, str, Entry | None]:
        return per_s, f"{max(1, math.floor(per_s * HOUR_S))}/h,max_burst=1", entry


def _chosen(entries: Sequence[Pattern]) -> Pattern | None:
    """Return the pattern whose actions the model has."""
    backing = (entry for entry in entries if entry.does(_ACTIONS[0]))
    others = (entry for entry in entries if any(map(entry.does, _ACTIONS)))
    return next(backing, next(others, None))


def _rule(trigger: Pattern, lasts: str, rate: str, behind: tuple[Entry, ...], why: str) -> Rule:
    suspend = {"after": 1, "within": "1m", "lasts": lasts, "rate": rate}
    setting = ", ".join(entry.name for entry in behind) or "backoff mode"
    value = f"{trigger.directive.value}: " + ", ".join(entry.value for entry in behind)
    entry = Entry(setting, value, trigger.directive.where)
    return Rule(suspend, entry, (trigger.directive, *behind), why)


def _lasts(directives: Directives, trigger: Pattern) -> tuple[str, Entry | None, str]:
    own = trigger.option("backoff-to-normal-after")
    if own is not None:
        after_s = trigger.directive._replace(value=own).read(seconds)
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
