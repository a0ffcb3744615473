"""Well-known mailbox providers: their names, their domains and their mail exchangers (MX).

A configuration names providers by mail exchangers, a log by relay hosts, and a planner by common
names. The hosts are those in public DNS; the user's own tables take precedence.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

OTHER: Final = "other"
"""Name of the group of all other domains."""


class _Known(NamedTuple):
    names: tuple[str, ...]  # the most usual one first
    ends: tuple[str, ...]  # suffixes of mail exchangers
    # Mailbox domains, each with a mail exchanger or nothing; names stand for the first one.
    domains: Mapping[str, str] = {}
    # First labels of domains with many endings, such as yahoo.co.uk; the mail exchanger is that of
    # the first domain.
    families: tuple[str, ...] = ()


def _all(mx: str, *domains: str) -> dict[str, str]:
    return dict.fromkeys(domains, mx)


_YAHOO: Final = "mta5.am0.yahoodns.net"
_OUTLOOK: Final = "outlook-com.olc.protection.outlook.com"
_PROVIDERS: Final = (
    _Known(
        ("gmail", "google"),
        ("google.com", "googlemail.com"),
        _all("gmail-smtp-in.l.google.com", "gmail.com", "googlemail.com"),
    ),
    _Known(
        ("yahoo", "aol"),
        ("yahoodns.net",),
        {
            **_all(_YAHOO, "yahoo.com", "aol.com", "ymail.com", "rocketmail.com"),
            **_all("", "verizon.net", "att.net"),
        },
        ("yahoo",),
    ),
    _Known(
        ("outlook", "hotmail", "microsoft"),
        ("olc.protection.outlook.com",),
        {
            **_all(_OUTLOOK, "outlook.com", "hotmail.com", "live.com", "msn.com"),
            **_all("", "passport.com"),
        },
        ("hotmail", "outlook", "live"),
    ),
    _Known(("office365",), ("mail.protection.outlook.com", "mx.microsoft")),
    _Known(
        ("icloud", "apple"),
        ("icloud.com",),
        _all("mx01.mail.icloud.com", "icloud.com", "me.com", "mac.com"),
    ),
    _Known(("comcast",), ("comcast.net",), _all("mx1a1.comcast.net", "comcast.net")),
    _Known(("orange",), ("orange.fr",), _all("smtp-in.orange.fr", "orange.fr", "wanadoo.fr")),
    _Known(
        ("gmx",),
        ("gmx.net", "web.de"),
        {
            **_all("mx00.gmx.net", "gmx.net", "gmx.de", "gmx.at"),
            "web.de": "mx-ha02.web.de",
            **_all("", "gmx.ch", "gmx.com"),
        },
    ),
    _Known(("mail.com",), (), _all("mx00.mail.com", "mail.com")),
    _Known(("yahoo-japan",), ("yahoo.co.jp",), _all("mx1.mail.yahoo.co.jp", "yahoo.co.jp")),
    _Known(("qq",), ("qq.com",), {"qq.com": "mx1.qq.com", "foxmail.com": ""}),
    _Known(
        ("163", "netease"),
        ("netease.com",),
        {"163.com": "163mx01.mxmail.netease.com", **_all("", "126.com", "yeah.net")},
    ),
    _Known(("mimecast",), ("mimecast.com", "mimecast.co.za", "mimecast-offshore.com")),
    _Known(("proofpoint",), ("pphosted.com", "ppe-hosted.com")),
    _Known(("barracuda",), ("barracudanetworks.com",)),
    _Known(("t-online",), ("t-online.de",), _all("", "t-online.de")),
    _Known(("mail.ru",), ("mail.ru",), _all("", "mail.ru", "bk.ru", "list.ru", "inbox.ru")),
    _Known(("yandex",), ("yandex.ru", "yandex.net"), _all("", "yandex.ru")),
    _Known(("libero",), ("libero.it",), _all("", "libero.it")),
    _Known(("free",), ("free.fr",), _all("", "free.fr")),
)

_BY_NAME: Final = {name: each for each in _PROVIDERS for name in each.names if each.domains}
_BY_DOMAIN: Final = {domain: each for each in _PROVIDERS for domain in each.domains}
_BY_FAMILY: Final = {label: each for each in _PROVIDERS for label in each.families}
_OF_A_COUNTRY: Final = re.compile(r"(?:com?\.)?[a-z]{2}")

NAMES: Final = tuple(_BY_NAME)
"""Names of well-known providers with mailbox domains."""
HOSTS: Final = {end: each.names[0] for each in _PROVIDERS for end in each.ends}
"""Suffixes of mail exchangers, and the most usual name of the provider."""


def _of_domain(domain: str) -> _Known | None:
    label, _, rest = domain.partition(".")
    family = _BY_FAMILY.get(label) if _OF_A_COUNTRY.fullmatch(rest) else None
    return _BY_DOMAIN.get(domain) or family


def domain_of(name: str) -> str | None:
    """Return the domain of a well-known name.

    >>> domain_of("gmail"), domain_of("GMail.com"), domain_of("nobody")
    ('gmail.com', 'gmail.com', None)
    """
    name = name.casefold()
    if _of_domain(name) is not None:
        return name
    return next(iter(_BY_NAME[name].domains)) if name in _BY_NAME else None


def mx_of(domain: str) -> tuple[str, ...]:
    """Return a mail exchanger of a well-known domain, or nothing.

    >>> mx_of("yahoo.co.uk"), mx_of("yahoo.co.jp"), mx_of("example.org")
    (('mta5.am0.yahoodns.net',), ('mx1.mail.yahoo.co.jp',), ())
    """
    domain = domain.casefold()
    provider = _of_domain(domain)
    if provider is None:
        return ()
    mx = provider.domains.get(domain, next(iter(provider.domains.values())))
    return (mx,) if mx else ()


def names_of(name: str) -> tuple[str, ...]:
    """Return the names of the provider of a name or domain, the most usual one first."""
    name = name.casefold()
    provider = _BY_NAME.get(name) or _of_domain(name)
    return () if provider is None else provider.names


def provider_of(domain: str) -> str | None:
    """Return the most usual name of the provider of a well-known mailbox domain.

    >>> provider_of("hotmail.fr"), provider_of("yahoo.co.jp"), provider_of("example.org")
    ('outlook', 'yahoo-japan', None)
    """
    provider = _of_domain(domain)
    return None if provider is None else provider.names[0]


def spelt(name: str) -> str:
    """Return a name as servers are asked for it: texts have international ones either way.

    >>> spelt("bücher.example"), spelt("x.example")
    ('xn--bcher-kva.example', 'x.example')
    """
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return name
