"""Automation rules of traffic shaping: patterns of replies, actions, and the model's rule.

The model has throttled answers of one kind; KumoMTA reads their texts, and has rules for each. One
of these is chosen, with the others that have a pattern of it:

1. from the most specific block: domain, site, provider, default;
2. with a pattern about rates, connections or deferrals before one about block lists;
3. with a pause or a lower message rate before one about connections alone;
4. started by the fewest answers; then the strictest; then the longest.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NamedTuple

from sendcap.errors import ConfigurationError
from sendcap.importers.kumomta.files import limit_of, seconds_of
from sendcap.importers.reading import Entry
from sendcap.scenario.durations import format_duration
from sendcap.scenario.rates import Rate
from sendcap.text.quantities import HOUR_S
from sendcap.text.quoting import shown

Errors = Callable[[str, str], ConfigurationError]

_PAUSES: Final = ("Suspend", "SuspendTenant", "SuspendCampaign")
_ACTIONS: Final = (*_PAUSES, "Bounce", "BounceTenant", "BounceCampaign")
_CHANGES: Final = ("SetConfig", "SetDomainConfig")
_SLOWER: Final = ("max_message_rate", "max_connection_rate", "connection_limit")
"""Settings by which a rule slows a provider down."""
_IMMEDIATE_S: Final = 60.0

_SENT_TOO_MUCH: Final = re.compile(
    r"rate|throttl|too many|frequen|unusual|defer|busy|exceed|connexions|try again|TS\??S?0|RL0",
    re.IGNORECASE,
)
_SLIPPED_ESCAPE: Final = re.compile(r"\\\\[\[\](){}.*+?|dws]")


class Action(NamedTuple):
    """An action; ``name`` and ``value`` are those of a SetConfig."""

    kind: str
    name: str = ""
    value: Any = None

    def __str__(self) -> str:
        # The value of another setting may be a password.
        value = f" = {shown(self.value)}" if self.name in _SLOWER else ""
        return f"{self.kind} {self.name}{value}" if self.name else self.kind


class Rule(NamedTuple):
    """A rule of a block."""

    block: str
    where: str  # file and line
    patterns: tuple[str, ...]  # of replies
    actions: tuple[Action, ...]
    after: int  # number of matches that start the rule
    within_s: float
    lasts_s: float

    @property
    def entry(self) -> Entry:
        """The rule as a row of the report."""
        return Entry(f"{self.block} automation", str(self), self.where)

    def __str__(self) -> str:
        more = f" and {len(self.patterns) - 1} more" if len(self.patterns) > 1 else ""
        return f"{shown(self.patterns[0])}{more}: {', '.join(map(str, self.actions))}"

    @property
    def about_sending_too_much(self) -> bool:
        """Whether a pattern seems to be about rates and connections."""
        return any(_SENT_TOO_MUCH.search(pattern[:1000]) for pattern in self.patterns)

    @property
    def slipped_escapes(self) -> tuple[str, ...]:
        """Patterns that match a backslash, though they mean to escape a character."""
        return tuple(each for each in self.patterns if _SLIPPED_ESCAPE.search(each))


def rule_of(entry: Any, block: str, where: str, error: Errors) -> Rule:
    """Read a rule of a block; ``error`` makes an error from a key and a message."""
    if not isinstance(entry, dict):
        raise error("", f"must be a table, not {shown(entry)}")
    for key in ("regex", "action", "duration"):
        if key not in entry:
            raise error("", f"has no {key}")
    patterns = entry["regex"] if isinstance(entry["regex"], list) else [entry["regex"]]
    if not patterns or not all(isinstance(pattern, str) for pattern in patterns):
        raise error("regex", f"must be a text or a list of texts, not {shown(entry['regex'])}")
    entries = entry["action"] if isinstance(entry["action"], list) else [entry["action"]]
    actions = tuple(_action(each, error) for each in entries)
    after, within_s = _trigger(entry.get("trigger", "Immediate"), error)
    try:
        lasts_s = seconds_of(entry["duration"])
    except ValueError as problem:
        raise error("duration", str(problem)) from None
    return Rule(block, where, tuple(patterns), actions, after, within_s, lasts_s)


def _action(entry: Any, error: Errors) -> Action:
    if isinstance(entry, str) and entry in _ACTIONS:
        return Action(entry)
    if isinstance(entry, dict) and len(entry) == 1:
        kind, change = next(iter(entry.items()))
        if kind in _CHANGES and isinstance(change, dict) and {"name", "value"} <= set(change):
            return Action(kind, str(change["name"]), change["value"])
    # Of a table only the keys: a value may be a password.
    what = list(entry) if isinstance(entry, dict) else entry
    raise error(
        "action",
        f"{shown(what)} is not an action; KumoMTA has {', '.join(_ACTIONS)}, and "
        f"SetConfig and SetDomainConfig with a name and a value",
    )


def _trigger(entry: Any, error: Errors) -> tuple[int, float]:
    if entry == "Immediate":
        return 1, _IMMEDIATE_S
    if isinstance(entry, dict) and list(entry) == ["Threshold"]:
        try:
            threshold = Rate.parse(entry["Threshold"])
        except ValueError as problem:
            raise error("trigger", str(problem)) from None
        return threshold.limit, threshold.period_s
    raise error("trigger", f'must be "Immediate" or {{Threshold="5/hr"}}, not {shown(entry)}')


class Carrier(NamedTuple):
    """The capacity of a provider's connections, for each source address."""

    attempt_s: float  # mean duration, including a share of the reconnects
    deliveries: int  # attempts per connection
    rate_per_s: float  # largest rate of attempts without the rule


@dataclass(frozen=True)
class Candidate:
    """A rule for the model."""

    rule: Rule  # of the file
    suspend: dict[str, Any]  # of the scenario
    rate: float  # attempts per second meanwhile
    why: str  # differences between the two
    connections_only: bool  # whether it limits connections only


def candidate_of(rule: Rule, carrier: Carrier) -> Candidate | str:
    """Return a rule for the model, or the reason for none."""
    rates: list[tuple[float, str]] = []
    notes: list[str] = []
    kinds = set()
    for action in rule.actions:
        meanwhile = _meanwhile(action, carrier)
        if meanwhile is None:
            notes.append(f"{action} has no counterpart")
            continue
        kinds.add(action.kind in _PAUSES or action.name == "max_message_rate")
        rates.append(meanwhile)
        if action.kind in _PAUSES[1:]:
            whose = action.kind.removeprefix("Suspend").casefold()
            notes.append(f"{action.kind} pauses a {whose}'s mail, the scenario all mail")
    if not rates:
        return notes[0]
    per_s, text = min(rates)
    if len(rates) == 1 and rule.actions[0].name in ("connection_limit", "max_connection_rate"):
        notes.append(f"{rule.actions[0]} has room for {per_s:.3g} attempts/s")
    if per_s >= carrier.rate_per_s:
        return f"changes nothing: at most {carrier.rate_per_s:.3g} attempts/s are sent anyway"
    if rule.lasts_s < 1.0 or rule.lasts_s > 366 * 86_400.0:
        return "lasts less than a second or more than a year"
    suspend = {
        "after": rule.after,
        "within": format_duration(rule.within_s),
        "lasts": format_duration(rule.lasts_s),
        "rate": text,
    }
    if text == "closed":
        suspend["meanwhile"] = "retry"
        notes.append("messages meanwhile follow the retry schedule (KumoMTA since 2024.11.08)")
    return Candidate(rule, suspend, per_s, "; ".join(notes), not any(kinds))


def _meanwhile(action: Action, carrier: Carrier) -> tuple[float, str] | None:
    """Return the attempts per second during an action, and the rate of a scenario."""
    if action.kind in _PAUSES:
        return 0.0, "closed"
    try:
        if action.name == "max_message_rate":
            rate = Rate.parse(action.value)
        elif action.name == "max_connection_rate":
            connects = Rate.parse(action.value)
            rate = Rate(connects.limit * carrier.deliveries, connects.period_s)
        elif action.name == "connection_limit" and carrier.attempt_s > 0.0:
            per_s = limit_of(action.value) / carrier.attempt_s
            rate = Rate(max(1, math.floor(per_s * HOUR_S)), HOUR_S, 1)
        else:
            return None
    except ValueError:
        return None
    return rate.per_s, str(rate)


def chosen(levels: Sequence[Sequence[Candidate]]) -> tuple[Candidate | None, list[Candidate]]:
    """Return the rule for the model, and all that the same answers start: KumoMTA follows each.

    ``levels`` are those of each block, the most specific block last.
    """
    best = next((min(level, key=_order) for level in reversed(levels) if level), None)
    if best is None:
        return None, []
    patterns = set(best.rule.patterns)
    return best, [
        each
        for each in chain.from_iterable(levels)
        if each is best or not patterns.isdisjoint(each.rule.patterns)
    ]


def _order(candidate: Candidate) -> tuple[bool, bool, int, float, float]:
    rule = candidate.rule
    return (
        not rule.about_sending_too_much,
        candidate.connections_only,
        rule.after,
        candidate.rate,
        -rule.lasts_s,
    )
