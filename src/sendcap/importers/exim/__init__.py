"""Scenarios from Exim's configuration: retry rules, and what its transports limit."""

from collections.abc import Mapping
from pathlib import Path

from sendcap.errors import ConfigurationError
from sendcap.importers.draft import Draft
from sendcap.importers.exim.lines import Lines
from sendcap.importers.exim.report import report_the_rest, warn_of_slips
from sendcap.importers.exim.rules import (
    DEFAULT_INTERVAL,
    LONGEST_INTERVAL,
    NO_RETRY,
    QUEUE_INTERVAL,
    RuleBook,
    policy_of,
)
from sendcap.importers.exim.sections import Rule, Sections, sections_of
from sendcap.importers.exim.transports import put_limits, transport_of
from sendcap.importers.imported import Imported
from sendcap.importers.plan import Group, Plan, by_treatment
from sendcap.importers.reading import Entry, Text, read_configuration
from sendcap.scenario.retry.policy import DELAY


def import_exim(
    configuration: str | Path,
    audience: str | Path | Mapping[str, float] | None = None,
    *,
    messages: int | None = None,
    base: str | Path = "quickstart",
    ips: int | None = None,
    other_domains: int | None = None,
    queue_interval: str | None = None,
) -> Imported:
    """Make a scenario from Exim's retry rules and transports.

    Exim has no limits of connections or rates per destination, so the base's limits stay.

    Parameters
    ----------
    configuration
        Exim's configuration file, or a file of retry rules alone.
    audience, messages, base, ips, other_domains
        As for `sendcap.import_kumomta`; names are those of the base's providers, or well known.
    queue_interval
        Time between queue runs (``-q30m``); without it, a message is tried when it is due.

    Raises
    ------
    SendcapError
        If a file, the base or the audience cannot be read, or the scenario is not valid.

    References
    ----------
    Exim specification, chapter "Retry configuration"; ``src/src/retry.c``, ``src/src/readconf.c``.
    """
    text = read_configuration(configuration, "Exim configuration")
    interval = None if queue_interval is None else _interval_s(queue_interval)
    lines = Lines()
    sections = sections_of(lines.of(text))
    draft = Draft(Plan(audience, messages, base, ips, other_domains))
    warn_of_slips(draft, lines, sections)

    rules = RuleBook(sections.rules, sections.lists)

    def treatment_of(domain: str) -> tuple[Rule | None, str | None]:
        return rules.rule_of(domain), transport_of(sections, domain)

    groups = draft.groups(by_treatment(treatment_of))
    for group in groups:
        draft.provider(group, limits=True)
    domains = {group.name: group.own_domain for group in groups}
    put_limits(draft, sections, domains, interval)
    draft.source_addresses("Exim has no limits per source address.")
    found = _retry(draft, text, sections, rules, groups, interval or 0.0)
    report_the_rest(draft, sections, domains, found)
    return draft.finished("Exim", lines.files)


def _retry(
    draft: Draft,
    text: Text,
    sections: Sections,
    rules: RuleBook,
    groups: tuple[Group, ...],
    interval_s: float,
) -> dict[str, Rule]:
    """Put the policy of most mail, and those of other providers; return their rules."""
    found: dict[str, Rule] = {}
    for group in groups:
        rule = rules.rule_of(group.own_domain)
        if rule is None:
            raise ConfigurationError(
                f"{text.name}: has no retry rule for all mail; write one, such as "
                f'"* * F,2h,15m; G,16h,1h,1.5; F,4d,6h"'
            )
        found[group.name] = rule
    general = rules.rule_of("")
    usual = next(iter(found.values())) if general is None else general
    longest = sections.options.get(LONGEST_INTERVAL, Entry(LONGEST_INTERVAL))
    if not usual.schedule:
        message = "this rule retries nothing, which the model cannot do"
        raise usual.line.text.error(usual.line.number, message)
    draft.data["mta"]["retry"] = {"policy": "exim"}
    lives_s = _put_usual(draft, usual, longest)
    last = usual
    for name, rule in found.items():
        # The base's own policy is that of another MTA.
        draft.data["providers"][name].pop("retry", None)
        if rule != usual:
            own_s = _put_own(draft, name, rule, longest)
            last, lives_s = (rule, own_s) if own_s > lives_s else (last, lives_s)
    why = "a message bounces at the first failure after the last cutoff, up to a delay later"
    draft.lifetime(lives_s + interval_s, last.entry, why)
    return {**found, "": usual}


def _put_usual(draft: Draft, rule: Rule, longest: Entry) -> float:
    """Put the policy of the MTA, and return how long a message lives with it."""
    policy, never = policy_of(rule, longest)
    draft.put(("mta", "retry", "rule"), policy.rule, rule.entry)
    interval = longest.value if longest.where else DEFAULT_INTERVAL
    draft.put(("mta", "retry", LONGEST_INTERVAL), interval, longest)
    _tell_of_steps(draft, rule, never)
    return policy.steps[-1].cutoff_s + policy.retry_interval_max


def _interval_s(interval: str) -> float:
    try:
        return DELAY.read(interval)
    except ValueError as problem:
        raise ConfigurationError(f"{QUEUE_INTERVAL}: {problem}") from None


def _put_own(draft: Draft, name: str, rule: Rule, longest: Entry) -> float:
    """Put the policy of a provider, and return how long a message lives with it."""
    place = ("providers", name, "retry")
    if not rule.schedule:
        why = "a rule without steps: no retry"
        draft.put_table(place, {"policy": NO_RETRY}, [("max_retries", 0, rule.entry, why)])
        return 0.0
    policy, never = policy_of(rule, longest)
    values = [("rule", policy.rule, rule.entry, "")]
    if longest.where:
        values.append((LONGEST_INTERVAL, longest.value, longest, ""))
    draft.put_table(place, {"policy": "exim"}, values)
    _tell_of_steps(draft, rule, never)
    return policy.steps[-1].cutoff_s + policy.retry_interval_max


def _tell_of_steps(draft: Draft, rule: Rule, never: list[str]) -> None:
    if never:
        entry = rule.entry._replace(value="; ".join(never))
        draft.warn(entry, "these steps never apply: an earlier one lasts as long")
