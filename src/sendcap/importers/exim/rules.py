"""Which of Exim's retry rules holds for a domain, and the policy that follows.

"The rules are searched in order until one is found where the pattern, error name, and sender list
match" (Exim specification, "Retry configuration"; ``retry_find_config`` in ``src/src/retry.c``). A
soft bounce of the model is a temporary reply to RCPT.
"""

import math
import re
from collections.abc import Mapping
from typing import Final, NamedTuple, Self

from pydantic import ValidationError

from sendcap.errors import ConfigurationError
from sendcap.importers.exim.lists import matches
from sendcap.importers.exim.sections import Rule
from sendcap.importers.reading import Entry
from sendcap.scenario.retry import EximRetry

_ANY: Final = ("*", "rcpt_4xx")
_OTHER_REPLIES: Final = ("mail_4xx", "data_4xx")
_PLAIN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,252}")
_ALL_SENDERS: Final = ("", "*", "*@*")

LONGEST_INTERVAL: Final = "retry_interval_max"
QUEUE_INTERVAL: Final = "queue_interval"
DEFAULT_INTERVAL: Final = "24h"

NO_RETRY: Final = "momentum"
"""The policy that can do without any retry, for a rule without steps."""


class RuleBook:
    """The retry rules, so arranged that one for a single domain is found at once."""

    def __init__(self, rules: list[Rule], lists: Mapping[str, str]) -> None:
        general = [rule for rule in rules if rule.senders in _ALL_SENDERS]
        self._lists = lists
        self._tables = [_Table.of(general, errors) for errors in (_ANY, _OTHER_REPLIES)]

    def rule_of(self, domain: str) -> Rule | None:
        """Return the rule for temporary replies to mail of a domain; ``""`` is any other one."""
        found = (table.rule_of(domain, self._lists) for table in self._tables)
        return next((rule for rule in found if rule is not None), None)


class _Table(NamedTuple):
    """Rules for some errors, by their order: those for one domain, and all others."""

    by_domain: dict[str, tuple[int, Rule]]
    others: list[tuple[int, Rule]]

    @classmethod
    def of(cls, rules: list[Rule], errors: tuple[str, ...]) -> Self:
        table = cls({}, [])
        for number, rule in enumerate(rules):
            if rule.error.partition(":")[0] in errors:
                domain = rule.pattern.removeprefix("*@").casefold()
                if _PLAIN.fullmatch(domain):
                    table.by_domain.setdefault(domain, (number, rule))
                else:
                    table.others.append((number, rule))
        return table

    def rule_of(self, domain: str, lists: Mapping[str, str]) -> Rule | None:
        number, found = self.by_domain.get(domain, (math.inf, None))
        for before, rule in self.others:
            if before > number:
                break
            if matches(rule.pattern, domain, lists):
                return rule
        return found


def policy_of(rule: Rule, longest: Entry) -> tuple[EximRetry, list[str]]:
    """Return the policy of a rule, and the steps that never apply."""
    interval = longest.value if longest.where else DEFAULT_INTERVAL
    steps, never = list[str](), list[str]()
    latest_s = 0.0
    for step in rule.schedule.split("; "):
        alone = _policy(rule, step, interval, longest)
        cutoff_s = alone.steps[0].cutoff_s
        (steps if cutoff_s > latest_s else never).append(step)
        latest_s = max(latest_s, cutoff_s)
    return _policy(rule, "; ".join(steps), interval, longest), never


def _policy(rule: Rule, schedule: str, interval: str, longest: Entry) -> EximRetry:
    table = {"policy": "exim", "rule": schedule, LONGEST_INTERVAL: interval}
    try:
        return EximRetry.model_validate(table)
    except ValidationError as error:
        problem = error.errors()[0]
        in_rule = not longest.where or problem["loc"] == ("rule",)
        message = problem["msg"].removeprefix("Value error, ")
        key = ".".join(map(str, problem["loc"]))
        where = rule.line.where if in_rule else longest.where
        raise ConfigurationError(f"{where}: {key}: {message}") from None


def why_unused(rule: Rule, domains: Mapping[str, Rule], lists: Mapping[str, str]) -> str:
    """Return why a rule holds for no mail of the scenario."""
    kind = rule.error.partition(":")[0]
    if rule.senders not in _ALL_SENDERS:
        return "for some senders only, and the scenario has none of its own"
    if kind in _OTHER_REPLIES:
        return "for replies to other commands than RCPT; the scenario has one policy for all"
    if kind not in _ANY:
        return f"for the error {kind} only; the scenario has one policy for all temporary errors"
    found = {domain: matches(rule.pattern, domain, lists) for domain in domains}
    if any(found.values()):
        return "an earlier rule holds"
    if "@" in rule.pattern and None not in found.values():
        return "for no address of the audience, or for single ones"
    return "no recipient of the audience has such a domain"


def is_unclear(rule: Rule, domains: Mapping[str, Rule], lists: Mapping[str, str]) -> bool:
    """Return whether nobody can tell to whom a rule applies that might hold."""
    general = rule.senders in _ALL_SENDERS and rule.error.partition(":")[0] in _ANY
    return general and any(matches(rule.pattern, domain, lists) is None for domain in domains)
