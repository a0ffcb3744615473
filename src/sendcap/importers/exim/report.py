"""What is told of Exim's options and rules: slips, and why one is not used."""

from collections.abc import Mapping

from sendcap.importers.draft import Draft
from sendcap.importers.exim.lines import Lines
from sendcap.importers.exim.rules import is_unclear, why_unused
from sendcap.importers.exim.sections import Rule, Sections
from sendcap.importers.exim.table import UNUSED, WARNED, WARNED_OF_TRANSPORTS
from sendcap.importers.exim.transports import NOT_SET, clients_of, left_out_of_routers, transport_of
from sendcap.importers.reading import Entry
from sendcap.importers.table import DECIDES_NOTHING, reason_unused
from sendcap.text.quoting import first_few


def warn_of_slips(draft: Draft, lines: Lines, sections: Sections) -> None:
    """Report files that are not read, and what was taken for granted."""
    for entry, problem in lines.missing:
        draft.warn(entry, f"not read: {problem}")
    if lines.assumed:
        first = next(iter(lines.assumed.values()))
        entry = Entry(f".ifdef {first_few(lines.assumed)}", where=first.where)
        why = "is taken to hold: what an Exim is built with is in no configuration"
        draft.decided(entry, "providers", why)
    for name, why in WARNED.items():
        if name in sections.options and sections.options[name].value not in NOT_SET:
            draft.warn(sections.options[name], why)


def report_the_rest(
    draft: Draft, sections: Sections, domains: Mapping[str, str], found: Mapping[str, Rule]
) -> None:
    """Report each option and rule that is not in the scenario, and why."""
    by_domain = {domains.get(name, ""): rule for name, rule in found.items()}
    for rule in sections.rules:
        if rule not in found.values():
            if is_unclear(rule, by_domain, sections.lists):
                draft.warn(rule.entry, "not used: whom it is for cannot be read here")
            else:
                draft.overruled(rule.entry, why_unused(rule, by_domain, sections.lists))
    for entry, why in left_out_of_routers(sections, by_domain):
        draft.warn(entry, why)
    told = {(finding.setting, finding.where) for finding in draft.findings}
    used = {transport_of(sections, domain) for domain in domains.values()}
    for name, options in clients_of(sections).items():
        for entry in options.values():
            if name in used and (entry.name, entry.where) not in told:
                _tell_of_a_transport(draft, name, entry)
    for entry in sections.options.values():
        if (entry.name, entry.where) not in told:
            why = reason_unused(entry.name, UNUSED, "does not decide when mail is tried again")
            draft.unused(entry, why)


def _tell_of_a_transport(draft: Draft, transport: str, entry: Entry) -> None:
    why = WARNED_OF_TRANSPORTS.get(entry.name)
    # An address that is written out is one and the same for all mail.
    plain = entry.name == "interface" and "$" not in entry.value
    if why is not None and not plain:
        draft.warn(entry.of(transport), why)
    else:
        draft.unused(entry.of(transport), reason_unused(entry.name, UNUSED, DECIDES_NOTHING))
