"""Scenarios from OpenSMTPD's configuration: connections, their delays, and retries."""

from collections.abc import Mapping
from pathlib import Path

from sendcap.importers.draft import Draft
from sendcap.importers.imported import Imported
from sendcap.importers.opensmtpd.configuration import Configuration, configuration_of, seconds
from sendcap.importers.opensmtpd.limits import put_limits
from sendcap.importers.opensmtpd.statements import Statements
from sendcap.importers.opensmtpd.table import DEFAULTS, REASONS, WARNED
from sendcap.importers.plan import Plan, by_treatment
from sendcap.importers.reading import Entry, read_configuration
from sendcap.importers.table import DECIDES_NOTHING, reason_unused
from sendcap.scenario.durations import format_duration


def import_opensmtpd(
    configuration: str | Path,
    audience: str | Path | Mapping[str, float] | None = None,
    *,
    messages: int | None = None,
    base: str | Path = "quickstart",
    ips: int | None = None,
    other_domains: int | None = None,
) -> Imported:
    """Make a scenario from OpenSMTPD's ``smtpd.conf``.

    Parameters
    ----------
    configuration
        The file ``smtpd.conf``.
    audience, messages, base, ips, other_domains
        As for `sendcap.import_kumomta`; names are those of the base's providers, or well known.

    Raises
    ------
    SendcapError
        If a file, the base or the audience cannot be read, or the scenario is not valid.

    References
    ----------
    OpenSMTPD 6.8.0p2, ``smtpd.conf(5)``; ``usr.sbin/smtpd/parse.y``, ``limit.c``, ``mta.c``.
    """
    text = read_configuration(configuration, "OpenSMTPD configuration")
    statements = Statements()
    found = configuration_of(statements.of(text))
    draft = Draft(Plan(audience, messages, base, ips, other_domains))
    for entry, problem in statements.missing:
        draft.warn(entry, f"not read: {problem}")

    def treatment_of(domain: str) -> tuple[object, ...]:
        return found.action_of(domain), found.limits_of(domain)

    groups = draft.groups(by_treatment(treatment_of))
    domains = {group.name: group.own_domain for group in groups}
    _source_addresses(draft, found, domains)
    put_limits(draft, found, groups, domains)
    _retries(draft, found, domains)
    _report(draft, found, domains)
    return draft.finished("OpenSMTPD", statements.files)


def _source_addresses(draft: Draft, found: Configuration, domains: Mapping[str, str]) -> None:
    """Put the number of source addresses: those of the list that most mail has."""
    counts: dict[Entry, int] = {}
    for domain in domains.values():
        action = found.action_of(domain)
        if action is not None and action.src is not None:
            listed = found.members(action.src.value.split(" "))
            if listed is None:
                draft.warn(action.src, "this table is a file; set the number with --ips")
            else:
                counts[action.src] = max(len(listed), 1)
    if len(set(counts.values())) > 1:
        for entry in counts:
            draft.warn(entry, "actions have different addresses; the scenario has the most")
    most = max(counts, key=lambda entry: counts[entry], default=Entry("src"))
    number = most._replace(value=counts.get(most, 1))
    why = "the addresses listed" if most.where else "without src the system chooses one"
    draft.source_addresses(why, number)


def _retries(draft: Draft, found: Configuration, domains: Mapping[str, str]) -> None:
    """Put the policy, and the longest time that a message may stay in the queue."""
    why = "the policy that OpenSMTPD is built with: no setting changes it"
    for key in ("retry", "suspend"):  # those of another MTA
        draft.data["mta"].pop(key, None)
    draft.put_table(("mta", "retry"), {}, [("policy", "opensmtpd", Entry("retry"), why)])
    actions = [found.action_of(domain) for domain in domains.values()]
    lives = [
        found.ttl if action is None or action.ttl is None else action.ttl for action in actions
    ]
    each = {entry: entry.read(seconds) for entry in (*lives, found.ttl)}
    longest = max(lives, key=lambda entry: each[entry])
    draft.put(("mta", "longest_validity"), format_duration(each[longest]), longest)
    draft.lifetime(each[longest], longest)
    for entry in each:
        if entry != longest and entry.where:
            draft.overruled(entry, f"the scenario has {longest.name}, the longest that is used")


def _report(draft: Draft, found: Configuration, domains: Mapping[str, str]) -> None:
    for name, limits in found.limits.items():
        for limit in DEFAULTS:
            entry = limits[limit]
            if entry in draft.used or not entry.where:
                continue
            zero = entry.value == "0"
            if limit in WARNED and not zero:
                draft.warn(entry, WARNED[limit])
            else:
                why = (
                    "another limit comes first"
                    if name in _relays(found, domains)
                    else "no mail of the scenario goes there"
                )
                draft.overruled(entry, reason_unused(entry.name, REASONS, why))
    for match in found.matches:
        if match.domains is None:
            draft.warn(
                match.entry, "cannot be read here, so that no mail of the scenario goes by it"
            )
    for entry in found.others:
        draft.unused(entry, reason_unused(entry.name, REASONS, DECIDES_NOTHING))


def _relays(found: Configuration, domains: Mapping[str, str]) -> set[str]:
    """Return the names under which limits of the scenario's mail are looked up."""
    actions = [(domain, found.action_of(domain)) for domain in domains.values()]
    names = {action.host if action and action.host else domain for domain, action in actions}
    return {name if name in found.limits else "" for name in names}
