"""What authors of traffic shaping files often get wrong, and KumoMTA reads without a word."""

from __future__ import annotations

from collections.abc import Iterator

from sendcap import mailbox_providers as known
from sendcap.importers.findings import WARNING, Finding
from sendcap.importers.kumomta.blocks import Block, Shaping
from sendcap.importers.kumomta.paths import Paths
from sendcap.text.quoting import did_you_mean, shown


def slips(shaping: Shaping, paths: Paths) -> Iterator[Finding]:
    """Yield a warning for each."""
    for setting, where, why in shaping.slips:
        yield Finding(WARNING, setting, "", where, why=why)
    for provider in shaping.providers.values():
        yield from _of_provider(provider, shaping, paths)
    for (name, _), block in shaping.domains.items():
        if "." not in name:
            nested = next((key for key, its in block.params.items() if _is_table(its.value)), "com")
            yield Finding(
                WARNING,
                block.title,
                "",
                block.where,
                why=f'is no domain; write it in quotes: ["{name}.{nested}"]',
            )
        elif len(paths.providers_of(name)) > 1:
            found = ", ".join(its.title for its in paths.providers_of(name))
            why = f"more than one provider matches it, the last one holds: {found}"
            yield Finding(WARNING, block.title, "", block.where, why=why)
    for names in paths.aliases.values():
        if len(names) > 1:
            first = shaping.domains[names[0], True]
            why = f"domains with the same MX hosts, so their blocks get mixed: {', '.join(names)}"
            yield Finding(WARNING, first.title, "", first.where, why=why)
    for block in shaping.blocks():
        for rule in block.rules:
            for pattern in rule.slipped_escapes:
                why = "looks for a backslash: the one before the character is there twice"
                yield Finding(WARNING, rule.title, shown(pattern), rule.where, why=why)


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _of_provider(provider: Block, shaping: Shaping, paths: Paths) -> Iterator[Finding]:
    if not provider.matches:
        what = f"{len(provider.rules)} rules" if provider.rules else "settings"
        yield Finding(
            WARNING,
            provider.title,
            "",
            provider.where,
            why=f"has no match list in any file, so its {what} never apply"
            + _meant(provider, shaping, paths),
        )
    for rule in provider.matches:
        if rule.kind != "DomainSuffix" and rule.text.endswith("."):
            yield Finding(
                WARNING,
                f"{provider.title} {rule.kind}",
                rule.text,
                rule.where,
                why="ends with a dot, which KumoMTA takes off the host's name only: it never "
                "matches, and this mail gets the default limits",
            )
        elif rule.text != rule.text.lower():
            yield Finding(
                WARNING,
                f"{provider.title} {rule.kind}",
                rule.text,
                rule.where,
                why="has capital letters, which names in DNS answers have not: it never matches",
            )


def _meant(provider: Block, shaping: Shaping, paths: Paths) -> str:
    domain = known.domain_of(provider.name)
    meant = [its.name for its in paths.providers_of(domain)] if domain else []
    if meant:
        return f"; {domain} is the mail of provider {shown(meant[0])}"
    others = [name for name, its in shaping.providers.items() if its.matches]
    return did_you_mean(provider.name, others)
