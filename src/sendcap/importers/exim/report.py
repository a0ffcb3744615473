"""What is told of Exim's options and rules: slips, and why one is not used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sendcap.importers.draft import Draft
from sendcap.importers.exim.lines import Lines
from sendcap.importers.exim.rules import is_unclear, why_unused
from sendcap.importers.exim.sections import Rule, Sections
from sendcap.importers.exim.ways import clients_of, transport_of, unclear_routers
from sendcap.importers.imported import reason_unused
from sendcap.importers.reading import Entry
from sendcap.text.quoting import first_few

_ONE_HOST: Final = "a host that answers is the first one; the model's always answer"
_OWN_RETRIES: Final = "the model remembers the retries of a message until it leaves"
UNUSED: Final = {
    "remote_max_parallel": "for recipients of one message; here each message has one",
    "queue_run": "the model tries a message when it is due, without queue runners",
    "retry_data_expire": _OWN_RETRIES,
    "retry_include_ip_address": _OWN_RETRIES,
    "address_retry_include_sender": _OWN_RETRIES,
    "retry_use_local_part": _OWN_RETRIES,
    "delay_after_cutoff": "the failing time is that of a message, not of a host",
    "hosts_max_try": _ONE_HOST,
    "fallback_hosts": _ONE_HOST,
    "max_rcpt": "each message has one recipient",
    "timeout_frozen_after": "about bounces that cannot be delivered",
    "ignore_bounce_errors_after": "about bounces that cannot be delivered",
    "auto_thaw": "no message of the model is frozen",
    "smtp_accept": "about incoming mail",
    "smtp_ratelimit": "about incoming mail",
    "hosts_noproxy_tls": "the connection is used again either way",
    "delay_warning": "the model sends no mail about delays",
}
"""Reasons by a part of the name: options that limit connections, rates and retries."""

_WAITS: Final = "such mail waits for a queue runner; the scenario sends it at once"
WARNED: Final = {
    "queue_only": _WAITS,
    "queue_only_file": _WAITS,
    "queue_only_load": _WAITS,
    "queue_domains": _WAITS,
    "queue_smtp_domains": _WAITS,
    "deliver_queue_load_max": "no mail is sent while the load is higher; the scenario sends it",
    "hold_domains": "no mail is sent to these domains; the scenario sends it",
}
"""Options that decide when mail is sent, which the scenario does not have."""

WARNED_OF_TRANSPORTS: Final = {
    "max_parallel": "is no whole number here, and not in the scenario: add a limit of connections",
    "serialize_hosts": "one connection at a time to these hosts; the scenario has the base's limit",
    "hosts_nopass_tls": "connections to these hosts carry one message; the scenario has more",
    "interface": "the source address depends on the message; set their number with --ips",
}
"""Options of a transport that decide something which the scenario does not have."""

_FALSE: Final = ("false", "no")


def warn_of_slips(draft: Draft, lines: Lines, sections: Sections) -> None:
    """Report files that are not read, and what was taken for granted."""
    for entry, problem in lines.missing:
        draft.warn(entry, f"not read: {problem}")
    if lines.assumed:
        first = next(iter(lines.assumed.values()))
        entry = Entry(".ifdef", first_few(lines.assumed), first.where)
        draft.warn(entry, "taken as defined: what an Exim is built with is in no configuration")
    for name, why in WARNED.items():
        if name in sections.options and sections.options[name].value not in _FALSE:
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
    for entry, why in unclear_routers(sections, by_domain):
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
    """Report an option of a transport that is not in the scenario."""
    why = WARNED_OF_TRANSPORTS.get(entry.name)
    # An address that is written out is one and the same for all mail.
    plain = entry.name == "interface" and "$" not in entry.value
    if why is not None and not plain:
        draft.warn(entry.of(transport), why)
    else:
        otherwise = "does not decide how fast mail is sent"
        draft.unused(entry.of(transport), reason_unused(entry.name, UNUSED, otherwise))
