"""Why the model has no use for a directive or a tag of PowerMTA."""

from __future__ import annotations

from typing import Final

from sendcap.importers.powermta.syntax import Tag

_OTHERWISE: Final = "does not decide how fast mail goes out"
_REASONS: Final = {
    "queue-to": "decides which queue it is",
    "disable-mx-rollup": "decides which queue it is",
    "domain-macro": "stands for its domains in other lines",
    "tls": "TLS takes no time of its own in the model; it is part of the connect time",
    "timeout": "the model's servers always answer; an outage is a provider's own key",
    "dkim": "signing is part of mta.ingress_rate",
    "dk-": "signing is part of mta.ingress_rate",
    "log": "about logs",
    "rcpt-per": "each message has one recipient",
    "rampup": "the model opens connections at once up to the limit",
    "cold-virtual-mta": "the rest goes out by another virtual MTA; see the rate of kind warm-up",
    "backoff-retry-after": "retries in the model follow one policy, in backoff mode too",
    "volume": "the model's messages have no size",
    "notify": "nobody is told",
    "bounce-upon": "what the provider answers is a share in the model",
    "smtp-hosts": "the model knows no hosts",
    "route": "the model knows no hosts",
    "421": "the model knows one MX",
}
_TAGS: Final = {
    "domain": "nobody of the audience is there",
    "virtual-mta": "mail does not go out by it",
    "virtual-mta-pool": "mail does not go out by it",
    "smtp-pattern-list": "no queue of the audience is switched to backoff mode by it",
    "source": "about mail that comes in",
    "bounce-category-patterns": "names answers; only logs tell how many",
}


def why_unused(name: str) -> str:
    """Return why a directive is not in the scenario."""
    return next((why for part, why in _REASONS.items() if part in name), _OTHERWISE)


def why_tag_unused(tag: Tag, *, counted: bool) -> str:
    """Return why nothing of a tag is in the scenario.

    Parameters
    ----------
    counted
        Whether it is a virtual MTA that mail goes out by.
    """
    if counted:
        return "is one of the virtual MTAs; nothing in it holds for the audience alone"
    return _TAGS.get(tag.name, _OTHERWISE)
