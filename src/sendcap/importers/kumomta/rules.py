"""Automation rules of KumoMTA's traffic shaping: patterns of replies, and actions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from sendcap.errors import ConfigurationError
from sendcap.importers.kumomta.files import seconds_of
from sendcap.importers.reading import Entry
from sendcap.scenario.rates import Rate
from sendcap.text.quoting import shown

Errors = Callable[[str, str], ConfigurationError]

ACTIONS: Final = (
    "Suspend",
    "SuspendTenant",
    "SuspendCampaign",
    "Bounce",
    "BounceTenant",
    "BounceCampaign",
    "SetConfig",
    "SetDomainConfig",
)
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
        return f"{self.kind} {self.name} = {shown(self.value)}" if self.name else self.kind


class Rule(NamedTuple):
    """A rule of a block."""

    patterns: tuple[str, ...]  # of replies
    actions: tuple[Action, ...]
    after: int  # number of matches that start the rule
    within_s: float
    lasts_s: float
    where: str
    block: str = ""

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


def rule_of(entry: Any, where: str, error: Errors) -> Rule:
    """Read a rule; ``error`` makes an error from a key and a message."""
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
    return Rule(tuple(patterns), actions, after, within_s, lasts_s, where)


def _action(entry: Any, error: Errors) -> Action:
    if isinstance(entry, str) and entry in ACTIONS[:-2]:
        return Action(entry)
    if isinstance(entry, dict) and len(entry) == 1:
        kind, change = next(iter(entry.items()))
        if kind in ACTIONS[-2:] and isinstance(change, dict) and {"name", "value"} <= set(change):
            return Action(kind, str(change["name"]), change["value"])
    raise error(
        "action",
        f"{shown(entry)} is not an action; KumoMTA has {', '.join(ACTIONS[:-2])}, and "
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
