"""Frequent mistakes in traffic shaping files, which KumoMTA reads without a warning."""

from collections.abc import Iterator

from sendcap import mailbox_providers as known
from sendcap.importers.imported import WARNING, Finding
from sendcap.importers.kumomta.blocks import Block, Shaping
from sendcap.importers.kumomta.paths import Paths
from sendcap.text.quoting import did_you_mean, shown


def slips(shaping: Shaping, paths: Paths) -> Iterator[Finding]:
    """Yield a warning for each mistake."""
    for entry in shaping.slips:
        yield _warning(*entry, "KumoMTA reads it only in the first file with this provider")
    for provider in shaping.providers.values():
        yield from _provider_slips(provider, shaping, paths)
    for (name, _), block in shaping.domains.items():
        if "." not in name:
            tables = (key for key, own in block.params.items() if isinstance(own.value, dict))
            why = f'is not a domain; write it in quotes: ["{name}.{next(tables, "com")}"]'
            yield _warning(block.title, "", block.where, why)
        elif len(paths.providers_of(name)) > 1:
            titles = ", ".join(each.title for each in paths.providers_of(name))
            why = f"more than one provider matches, and the last one counts: {titles}"
            yield _warning(block.title, "", block.where, why)
    for names in paths.aliases.values():
        if len(names) > 1:
            first = shaping.domains[names[0], True]
            why = f"these domains share their MX hosts, so their blocks mix: {', '.join(names)}"
            yield _warning(first.title, "", first.where, why)
    for block in shaping.blocks():
        for rule in block.rules:
            for pattern in rule.slipped_escapes:
                why = "matches a backslash: the one before the character is doubled"
                yield _warning(rule.entry.name, shown(pattern), rule.where, why)


def _warning(setting: str, value: str, where: str, why: str) -> Finding:
    return Finding(WARNING, setting, value, where, why=why)


def _provider_slips(provider: Block, shaping: Shaping, paths: Paths) -> Iterator[Finding]:
    if not provider.matches:
        lost = f"{len(provider.rules)} rules" if provider.rules else "settings"
        why = f"has no match list in any file, so the {lost} never apply"
        hint = _meant(provider, shaping, paths)
        yield _warning(provider.title, "", provider.where, f"{why}{hint}")
    for rule in provider.matches:
        if rule.kind != "DomainSuffix" and rule.text.endswith("."):
            why = (
                "ends with a dot, which KumoMTA removes from host names only: it never matches, "
                "and this mail gets the default limits"
            )
        elif rule.text != rule.text.lower():
            why = "has capital letters, unlike the names in DNS answers: it never matches"
        else:
            continue
        yield _warning(f"{provider.title} {rule.kind}", rule.text, rule.where, why)


def _meant(provider: Block, shaping: Shaping, paths: Paths) -> str:
    domain = known.domain_of(provider.name)
    meant = [each.name for each in paths.providers_of(domain)] if domain else []
    if meant:
        return f"; the mail of {domain} belongs to provider {shown(meant[0])}"
    others = [name for name, each in shaping.providers.items() if each.matches]
    return did_you_mean(provider.name, others)
